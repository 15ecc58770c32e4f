"""TinyBERT in two lines, and the small functions that train it.

>>> import tinybert
>>> classifier = tinybert.load_classifier("bert_tiny_en_uncased")  # prints where it is from

``tinybert.text`` cleans texts, ``tinybert.training`` tokenises, batches and trains; each function
there is short enough to be read: ``tinybert.text.clean??`` shows it in a notebook.
"""

from __future__ import annotations

from .presets import Preset, PresetBrokenError, PresetNotFoundError, find_preset, load_classifier

__all__ = ["Preset", "PresetBrokenError", "PresetNotFoundError", "find_preset", "load_classifier"]
