"""Runs inside a user container: what `tinybert.training` promises, on a few made-up texts."""

from __future__ import annotations

import inspect

import keras
import numpy as np

import tinybert
from tinybert import text, training

LONGEST_FUNCTION = 45
"""Lines with docstring: a page, because the lesson tells pupils to read them."""


def batches_of(dataset):
    return [(features, targets.numpy()) for features, targets in dataset]


keras.utils.set_random_seed(1)
classifier = tinybert.load_classifier("bert_tiny_en_uncased", num_classes=2)
tokenizer = classifier.preprocessor.tokenizer

# ---- tokens: as Keras' own preprocessor makes them, padding apart
texts = ["Forest FIRE near the lake!", "", "a nap", "word " * 200]
tokens = training.tokenize(tokenizer, texts, longest=32)
classifier.preprocessor.sequence_length = 32
theirs = classifier.preprocessor(texts)
np.testing.assert_array_equal(tokens, theirs["token_ids"])
assert training.lengths(tokens).tolist()[1:] == [2, 4, 32]
assert training.fitting_length(tokens, 100) == 32

# ---- batches: every text once an epoch, another order in each, like lengths together
generator = np.random.default_rng(1)
many = np.zeros((300, 64), dtype="int32")
for row, length in zip(many, generator.integers(2, 65, 300)):
    row[:length] = generator.integers(5, 30_000, length)
marks = np.arange(300)
dataset = training.batches(many, marks, size=16)
epochs = [batches_of(dataset), batches_of(dataset)]
orders = [np.concatenate([targets for _, targets in epoch]) for epoch in epochs]
for order, epoch in zip(orders, epochs):
    assert sorted(order) == marks.tolist()
    assert len(epoch) == training.steps_of(many, 16), "a schedule must know its steps"
assert orders[0].tolist() != orders[1].tolist()
for features, targets in epochs[0]:
    lengths = training.lengths(many)[targets]
    assert features["token_ids"].shape[1] == lengths.max(), "no longer than its longest text"
    assert np.asarray(features["padding_mask"]).sum() == lengths.sum()

# ---- hidden words: the share that was asked for, others in each epoch, order kept
dataset = training.batches(many, marks, 16, hidden_words=0.25)
epochs = [batches_of(dataset), batches_of(dataset)]
readings = []
for epoch in epochs:
    assert len(epoch) == training.steps_of(many, 16)
    reading = {}
    for features, targets in epoch:
        for ids, mark in zip(np.asarray(features["token_ids"]), targets):
            reading[mark] = [int(number) for number in ids if number]
    readings.append(reading)
    for mark, read in reading.items():
        whole = [int(number) for number in many[mark] if number]
        assert read[0] == whole[0], "[CLS] is always there"
        assert len(read) == len(whole) - int(0.25 * (len(whole) - 1))
        rest = iter(whole)
        assert all(number in rest for number in read), "in order"
assert sum(readings[0][mark] != readings[1][mark] for mark in marks) > 200

# ---- probabilities: in the texts' order, whatever the batches' was
answers = training.probabilities(classifier, many, size=64)
assert answers.shape == (300, 2)
np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
for number in (0, 17, 299):
    alone = training.probabilities(classifier, many[number : number + 1])
    np.testing.assert_allclose(alone[0], answers[number], atol=1e-4)

# ---- the short cut: the same answers by the same weights, padding and all
classifier.preprocessor = None
features = training.features(many[:50])
np.testing.assert_allclose(
    training.short_cut(classifier)(features, training=False),
    classifier(features, training=False),
    atol=1e-5,
)
assert training.short_cut(classifier).trainable_weights[0] is classifier.trainable_weights[0]

# ---- the first step: its graph is built once, because nothing is left to be made within it
trainer, graphs = training.short_cut(classifier), []
loss_of_a_step = trainer.compute_loss
trainer.compute_loss = lambda *args, **options: (
    graphs.append(1),
    loss_of_a_step(*args, **options),
)[1]
training.compile_classifier(trainer, 1, 0.0)
trainer.fit(training.batches(many, np.zeros(300)).take(1), verbose=0)
assert len(graphs) == 1, f"the step's graph was built {len(graphs)} times"

# ---- a threshold, by F1
targets = np.array([0, 0, 1, 1, 1])
assert 0.3 < training.best_threshold(targets, np.array([0.1, 0.3, 0.45, 0.4, 0.9])) <= 0.4

# ---- it learns, and the same seed gives the same figures
fires = ["fire flood evacuation now"] * 40 + ["a lovely song and a nap"] * 40
labels = [1] * 40 + [0] * 40
small = training.tokenize(tokenizer, text.clean_all(fires), 16)


def loss_of_a_training() -> float:
    keras.utils.set_random_seed(7)
    model = tinybert.load_classifier("bert_tiny_en_uncased", num_classes=2)
    model.preprocessor = None
    trainer = training.short_cut(model)
    training.compile_classifier(trainer, 8 * training.steps_of(small, 16), 1e-3)
    data = training.batches(small, labels, 16, hidden_words=0.2)
    loss = trainer.fit(data, epochs=8, shuffle=False, verbose=0).history["loss"][-1]
    sure = training.probabilities(model, small)[np.arange(80), labels]
    assert sure.mean() > 0.6, "the classifier itself has learnt"
    return loss


first, again = loss_of_a_training(), loss_of_a_training()
assert first < 0.4, f"it did not learn: {first}"
assert first == again, "the seed did not decide"

assert training.use_half_precision_on_gpus() == "float32", "there is no GPU in this test"
for name, function in inspect.getmembers(training, inspect.isfunction):
    if function.__module__ == "tinybert.training":
        lines = len(inspect.getsource(function).splitlines())
        assert lines <= LONGEST_FUNCTION, f"{name} has {lines} lines"
