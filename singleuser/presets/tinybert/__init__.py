"""Find a Keras preset and say what it is.

>>> import tinybert
>>> preset = tinybert.find_preset("bert_tiny_en_uncased")
>>> print(preset)  # where it comes from, and whether it is trained
>>> classifier = keras_nlp.models.BertTextClassifier.from_preset(str(preset.path), num_classes=2)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Preset", "PresetNotFoundError", "find_preset"]

# The administrator's presets (data/presets on the host) go before those of the image.
CONTAINER_PLACES = (Path("/opt/tinyberth/presets-site"), Path("/opt/tinyberth/presets"))


class PresetNotFoundError(LookupError):
    """No preset of that name; the message says which there are."""


@dataclass(frozen=True)
class Preset:
    """A preset on disk. ``trained`` is None where nobody recorded it."""

    name: str
    path: Path
    trained: bool | None
    source: str
    verified: str

    def __str__(self) -> str:
        state = {True: "trained", False: "UNTRAINED (random weights)", None: "not labelled"}
        lines = (f"{self.name}: {state[self.trained]}", str(self.path), self.source, self.verified)
        return "\n  ".join(lines)


def find_preset(name: str, places: Sequence[Path] = CONTAINER_PLACES) -> Preset:
    """Return the first preset called ``name``.

    Raises
    ------
    PresetNotFoundError
        If no place holds it.
    """
    for place in places:
        if name in _names(place):
            return _described(name, place / name)
    known = sorted({known for place in places for known in _names(place)})
    raise PresetNotFoundError(f"no preset {name!r}; there are: {', '.join(known) or 'none'}")


def _names(place: Path) -> list[str]:
    """Return the folders in ``place`` that keras_hub can load."""
    return [config.parent.name for config in place.glob("*/config.json")]


def _described(name: str, path: Path) -> Preset:
    try:
        label = json.loads((path / "PROVENANCE.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        label = {}
    return Preset(
        name=name,
        path=path,
        trained=label.get("trained"),
        source=label.get("source", "put there by the administrator"),
        verified=label.get("verified", "not verified"),
    )
