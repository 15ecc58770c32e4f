#!/usr/bin/env python3
"""The write-up's training and ours, by turns, on the real disaster tweets.

    python bench/train.py [--seeds 1 2 3] [--preset FOLDER] [--json FILE]

Runs where TensorFlow is: in the user image (docs/benchmarks.md has the command). Same preset,
same split (80/20, random_state=42); the validation part is looked at once, after the training.

- *write-up*: raw text, every tweet padded to 160 tokens, batches of 32 in the file's order (its
  pipeline ignored ``shuffle=True``), tokens made anew in each epoch, Adam 1e-5, 2 epochs.
- *ours*: the functions of ``tinybert``, with the settings of OURS. They were chosen on folds of
  the training part alone (docs/benchmarks.md).

Every run is a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TWEETS = ROOT.parent / "shared/data/disaster-tweets/train.csv"
IMAGE_PRESET = Path("/opt/tinyberth/presets/bert_tiny_en_uncased")

OURS: dict[str, Any] = {
    "epochs": 4,
    "batch": 64,
    "learning_rate": 5e-4,
    "weight_decay": 0.0,
    "hidden_words": 0.4,
    "threshold": 0.5,
}
PUBLISHED = {"accuracy": 0.7807, "f1": 0.7145}
"""The write-up's, from *pretrained* weights and on its author's machine."""


def read_split(path: Path) -> tuple[Any, Any]:
    """Return the two parts of the tweets, as data frames."""
    import pandas as pd  # noqa: PLC0415 -- only in the processes that train
    from sklearn.model_selection import train_test_split  # noqa: PLC0415

    return tuple(train_test_split(pd.read_csv(path), test_size=0.2, random_state=42))


def train_write_up(tweets: Path, preset: Path) -> dict[str, Any]:
    """Train as the write-up does; return seconds of each epoch and what it reached."""
    import keras  # noqa: PLC0415
    import keras_hub  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    train, validation = read_split(tweets)
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor.from_preset(
        str(preset), sequence_length=160
    )
    classifier = keras_hub.models.BertTextClassifier.from_preset(
        str(preset), num_classes=2, preprocessor=preprocessor
    )
    classifier.compile(
        optimizer=keras.optimizers.Adam(1e-5),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    batches = tf.data.Dataset.from_tensor_slices(
        (train["text"].to_list(), train["target"].to_list())
    ).batch(32)
    clock = _clock(keras)
    classifier.fit(batches, epochs=2, verbose=0, callbacks=[clock])
    answers = classifier.predict(validation["text"].to_list(), verbose=0)
    return _report(clock.epochs, validation["target"], answers.argmax(axis=1))


def train_ours(tweets: Path, preset: Path) -> dict[str, Any]:
    """Train with ``tinybert``; tokenising and, on a GPU, compiling count as training."""
    import keras  # noqa: PLC0415
    import keras_hub  # noqa: PLC0415

    from tinybert import text, training  # noqa: PLC0415

    policy = training.use_half_precision_on_gpus()
    train, validation = read_split(tweets)
    classifier = keras_hub.models.BertTextClassifier.from_preset(str(preset), num_classes=2)
    tokenizer = classifier.preprocessor.tokenizer
    classifier.preprocessor = None
    began = time.perf_counter()
    tokens = training.tokenize(tokenizer, text.clean_all(train["text"]))
    once = time.perf_counter() - began
    steps = OURS["epochs"] * training.steps_of(tokens, OURS["batch"])
    trainer = training.short_cut(classifier)
    training.compile_classifier(trainer, steps, OURS["learning_rate"], OURS["weight_decay"])
    batches = training.batches(tokens, train["target"], OURS["batch"], OURS["hidden_words"])
    clock = _clock(keras)
    trainer.fit(batches, epochs=OURS["epochs"], shuffle=False, verbose=0, callbacks=[clock])
    unseen = training.tokenize(tokenizer, text.clean_all(validation["text"]))
    disaster = training.probabilities(classifier, unseen)[:, 1]
    report = _report(clock.epochs, validation["target"], disaster >= OURS["threshold"])
    report["train_s"] = round(report["train_s"] + once, 1)
    return {**report, "tokenising_s": round(once, 2), "policy": policy}


def _clock(keras: Any) -> Any:
    """Return a callback that measures each epoch, in seconds."""

    class Clock(keras.callbacks.Callback):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.epochs: list[float] = []

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.epochs.append(time.perf_counter() - self.began)

    return Clock()


def _report(epochs: list[float], targets: Any, predicted: Any) -> dict[str, Any]:
    from sklearn.metrics import accuracy_score, f1_score  # noqa: PLC0415

    return {
        "epochs_s": [round(seconds, 2) for seconds in epochs],
        "train_s": round(sum(epochs), 1),
        "cpu_s": round(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "accuracy": round(float(accuracy_score(targets, predicted)), 4),
        "f1": round(float(f1_score(targets, predicted)), 4),
        "load": round(os.getloadavg()[0], 1),
    }


def run_alone(kind: str, seed: int, tweets: Path, preset: Path) -> dict[str, Any]:
    """Run one training in a process of its own and return its report."""
    command = [sys.executable, __file__, "--only", kind, "--seeds", str(seed)]
    command += ["--tweets", str(tweets), "--preset", str(preset)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{kind}, seed {seed}, failed:\n{done.stderr[-2000:]}")
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{kind:>9}, seed {seed}: {json.dumps(report)}", flush=True)
    return report


def spread(values: list[float], digits: int) -> str:
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def print_table(reports: dict[str, list[dict[str, Any]]], label: str) -> None:
    """Print medians and ranges side by side, and the ratios."""
    rows: list[tuple[str, str, int]] = [
        ("time per epoch, s", "epoch_s", 1),
        ("training in all, s", "train_s", 1),
        ("peak memory, MB", "peak_mb", 0),
        ("accuracy", "accuracy", 4),
        ("F1", "f1", 4),
    ]
    for runs in reports.values():
        for run in runs:
            run["epoch_s"] = statistics.median(run["epochs_s"])
    print(f"\nfrom {label} weights; median of {len(reports['ours'])} seeds (range)")
    print(f"{'':20} {'write-up':>26} {'ours':>26}  write-up / ours")
    for title, key, digits in rows:
        theirs, ours = ([run[key] for run in reports[kind]] for kind in ("write-up", "ours"))
        ratio = statistics.median(theirs) / statistics.median(ours)
        print(f"{title:20} {spread(theirs, digits):>26} {spread(ours, digits):>26}  {ratio:.2f}")
    published = " / ".join(f"{value:.4f}" for value in PUBLISHED.values())
    print(f"the write-up's published accuracy / F1, from PRETRAINED weights: {published}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--tweets", type=Path, default=TWEETS, help="the competition's train.csv")
    parser.add_argument("--preset", type=Path, default=IMAGE_PRESET)
    parser.add_argument("--json", type=Path, help="write all figures here, too")
    parser.add_argument("--only", choices=("write-up", "ours"), help="one training, its report")
    return parser.parse_args()


def main() -> int:
    args = parse_arguments()
    if not args.tweets.is_file():
        print(f"Skipped: the real tweets are not in {args.tweets}, and are not ours to ship.")
        return 0
    trainers = {"write-up": train_write_up, "ours": train_ours}
    if args.only:
        import keras  # noqa: PLC0415

        keras.utils.set_random_seed(args.seeds[0])
        print(json.dumps(trainers[args.only](args.tweets, args.preset)))
        return 0
    reports: dict[str, list[dict[str, Any]]] = {kind: [] for kind in trainers}
    for seed in args.seeds:
        for kind, runs in reports.items():
            runs.append(run_alone(kind, seed, args.tweets, args.preset))
    label_file = args.preset / "PROVENANCE.json"
    trained = json.loads(label_file.read_text())["trained"] if label_file.is_file() else None
    label = {True: "trained", False: "UNTRAINED", None: "unlabelled"}[trained]
    print_table(reports, label)
    if args.json:
        figures = {"weights": label, "ours": OURS, "runs": reports, "published": PUBLISHED}
        args.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
