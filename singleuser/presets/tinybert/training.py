"""Train a small text classifier quickly, in functions that are short enough to be read.

What takes the time is attention over tokens, so the tokens are made once (:func:`tokenize`),
links are cleaned away before (:mod:`tinybert.text`), and a batch is only as long as the longest
of its texts (:func:`batches`) instead of as long as the longest that there could be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from sklearn.metrics import f1_score

BUCKETS = (16, 20, 24, 28, 32, 36, 40, 48)
"""Texts of like length share a batch; a boundary every four tokens wastes few on padding."""


def tokenize(tokenizer: Any, texts: Sequence[str], longest: int = 64) -> NDArray[np.int32]:
    """Return token ids, shape ``(len(texts), longest)``, padded with 0 behind.

    Each text begins with BERT's ``[CLS]`` and ends with ``[SEP]``; one that has more than
    ``longest`` tokens with them loses its end. (BERT's padding token is number 0.)
    """
    rows = np.zeros((len(texts), longest), dtype="int32")
    for row, ids in zip(rows, tokenizer(list(texts))):
        kept = [tokenizer.start_token_id, *ids[: longest - 2], tokenizer.end_token_id]
        row[: len(kept)] = kept
    return rows


def lengths(tokens: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return how many tokens each text has, padding not counted: shape ``(texts,)``."""
    return np.count_nonzero(tokens, axis=1)


def fitting_length(tokens: NDArray[np.int32], percentile: float = 99) -> int:
    """Return the length that ``percentile`` of 100 texts do not exceed."""
    return int(np.ceil(np.percentile(lengths(tokens), percentile)))


def features(tokens: Any) -> dict[str, tf.Tensor]:
    """Return what BERT reads: the ids, which of them are no padding, and one segment."""
    return {
        "token_ids": tf.convert_to_tensor(tokens),
        "padding_mask": tf.cast(tokens != 0, tf.int32),
        "segment_ids": tf.zeros_like(tokens),
    }


def batches(
    tokens: NDArray[np.int32],
    targets: Sequence[int],
    size: int = 64,
    hidden_words: float = 0.0,
) -> tf.data.Dataset:
    """Return batches to train on: all texts in a new order each epoch, like lengths together.

    Parameters
    ----------
    tokens, targets
        As :func:`tokenize` returns them, and one class for each.
    size
        Texts in a batch. At the end of an epoch some are smaller: what is left of each length.
    hidden_words
        Share of tokens, 0 to 1, that are left out of every text; others in each epoch. So the
        model cannot lean on a single word that it knows by heart, and has less to read.
    """

    def cut(ids: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        length = tf.math.count_nonzero(ids, dtype=tf.int32)
        words = tf.random.shuffle(tf.range(1, length))
        hidden = tf.cast(hidden_words * tf.cast(length - 1, tf.float32), tf.int32)
        kept = tf.concat([[0], tf.sort(words[hidden:])], axis=0)  # [CLS] always
        return tf.gather(ids, kept), target, length

    return (
        tf.data.Dataset.from_tensor_slices((tokens, np.asarray(targets)))
        .shuffle(len(tokens))  # the whole set, and anew in each epoch
        .map(cut)
        .bucket_by_sequence_length(
            lambda _ids, _target, length: length, BUCKETS, [size] * (len(BUCKETS) + 1)
        )
        .map(lambda ids, target, _length: (features(ids), target))
        .apply(tf.data.experimental.assert_cardinality(steps_of(tokens, size)))
        .prefetch(tf.data.AUTOTUNE)
    )


def steps_of(tokens: NDArray[np.int32], size: int = 64) -> int:
    """Return how many batches of ``size`` an epoch has."""
    buckets = np.searchsorted(BUCKETS, lengths(tokens), side="right")
    return int(sum(-(-count // size) for count in np.bincount(buckets)))


def short_cut(classifier: keras.Model) -> keras.Model:
    """Return a model of the classifier's own layers: the same answers, for less work.

    BERT's answer is read from the first token, ``[CLS]``, alone. So the last layer need not be
    computed for any other token: it still looks at all of them, and that is all. What is trained
    are the weights of ``classifier`` itself; save and ask that one. Its ``preprocessor`` must be
    None meanwhile, because it would take tokens for text.
    """
    backbone = classifier.backbone
    last = backbone.transformer_layers[-1]
    tokens = last.input[0] if isinstance(last.input, list) else last.input
    first = tokens[:, :1]
    # The steps of keras_hub's TransformerEncoder, one token asking instead of all.
    shown = keras.ops.cast(backbone.input["padding_mask"], "bool")[:, None, :]
    seen = last._self_attention_layer(query=first, value=tokens, attention_mask=shown)
    first = last._self_attention_layer_norm(last._self_attention_dropout(seen) + first)
    thought = last._feedforward_output_dense(last._feedforward_intermediate_dense(first))
    first = last._feedforward_layer_norm(last._feedforward_dropout(thought) + first)
    pooled = classifier.output_dropout(backbone.pooled_dense(first[:, 0]))
    return keras.Model(backbone.input, classifier.output_dense(pooled))


def compile_classifier(
    classifier: keras.Model, steps: int, learning_rate: float, weight_decay: float = 0.0
) -> None:
    """Make ``classifier``, or its :func:`short_cut`, ready for ``steps`` batches of tokens.

    The step size (learning rate) falls to zero towards the end, which makes the result less a
    matter of luck. No XLA: it would compile anew for every length, and the steps were no faster
    for it (docs/benchmarks.md).

    What the optimizer and the metric remember is made here. TensorFlow would otherwise make it
    within the first step, and then builds the step's graph twice: same answers, twice the wait.
    """
    falling = keras.optimizers.schedules.PolynomialDecay(learning_rate, steps, 0.0)
    optimizer = keras.optimizers.AdamW(falling, weight_decay=weight_decay)
    optimizer.build(classifier.trainable_variables)
    classifier.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")],
        jit_compile=False,
    )


def probabilities(
    classifier: keras.Model, tokens: NDArray[np.int32], size: int = 256
) -> NDArray[np.float32]:
    """Return the probability of each class, shape ``(texts, classes)``, in the texts' order."""
    length = lengths(tokens)
    by_length = np.argsort(length, kind="stable")
    logits = np.concatenate(
        [
            classifier(features(tokens[rows, : length[rows].max()]), training=False)
            for rows in np.array_split(by_length, -(-len(tokens) // size))
        ]
    )
    in_order = logits[np.argsort(by_length)]
    return keras.ops.convert_to_numpy(keras.ops.softmax(in_order))


def best_threshold(targets: Sequence[int], disaster: NDArray[np.float32]) -> float:
    """Return the probability from which saying "yes" gives the best F1, or nearly.

    Of all that come within 0.01 of the best the one nearest to one half is taken: on a few hundred
    texts a smaller difference is luck. To be asked about data that is neither trained on nor
    judged by.
    """
    candidates = np.linspace(0.2, 0.8, 61)
    scores = np.array([f1_score(targets, disaster >= limit) for limit in candidates])
    good = candidates[scores >= scores.max() - 0.01]
    return float(min(good, key=lambda limit: abs(limit - 0.5)))


def use_half_precision_on_gpus() -> str:
    """Let matrices be multiplied in 16 bits where there is a GPU; return the policy's name.

    Processors gain nothing from it. Call it before the model is made.
    """
    policy = "mixed_float16" if tf.config.list_physical_devices("GPU") else "float32"
    keras.config.set_dtype_policy(policy)
    return policy
