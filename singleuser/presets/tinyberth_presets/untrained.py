"""An untrained preset with the architecture of ``bert_tiny_en_uncased``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import keras_hub

from .vocabulary import build_vocabulary

VOCABULARY_SIZE = 30_522
PARAMETERS = 4_385_920
"""Of BERT Tiny; the build compares, so that the architecture cannot drift unseen."""

SEED = 42

# SCOWL's classes, the most frequent words first; several lists make one class.
WORD_CLASSES = (
    ("english-words.10", "american-words.10", "english-upper.10", "english-abbreviations.10"),
    ("english-words.20", "american-words.20", "english-abbreviations.20"),
    ("english-words.35", "american-words.35", "english-upper.35", "english-abbreviations.35"),
    ("english-words.40", "american-words.40", "english-upper.40", "english-abbreviations.40"),
    ("english-upper.50", "american-upper.50", "english-proper-names.50"),
    ("english-words.50",),
)


def save_untrained_preset(word_lists: Path, target: Path) -> int:
    """Write the preset into ``target`` and return its number of parameters."""
    vocabulary = build_vocabulary(
        [[*_words(word_lists, names)] for names in WORD_CLASSES], VOCABULARY_SIZE
    )
    keras.utils.set_random_seed(SEED)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=VOCABULARY_SIZE,
        num_layers=2,
        num_heads=2,
        hidden_dim=128,
        intermediate_dim=512,
        max_sequence_length=512,
    )
    parameters = int(backbone.count_params())
    if parameters != PARAMETERS:
        raise ValueError(f"BERT Tiny has {PARAMETERS} parameters, this has {parameters}")
    backbone.save_to_preset(str(target))
    tokenizer = keras_hub.models.BertTokenizer(vocabulary=vocabulary, lowercase=True)
    tokenizer.save_to_preset(str(target))
    return parameters


def _words(word_lists: Path, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        yield from (word_lists / name).read_text(encoding="latin-1").splitlines()
