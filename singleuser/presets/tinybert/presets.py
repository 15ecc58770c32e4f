"""Where a preset comes from: the administrator, the image or the network, in that order."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The administrator's presets (data/presets on the host) go before those of the image.
CONTAINER_PLACES = (Path("/opt/tinyberth/presets-site"), Path("/opt/tinyberth/presets"))

_NEEDED = ("config.json", "model.weights.h5", "tokenizer.json")
_SEQUENCE_LENGTH = 64
"""Tokens; 99 of 100 tweets are shorter, and Keras' own default of 512 takes many times as long."""


class PresetNotFoundError(LookupError):
    """No preset of that name; the message says which there are."""


class PresetBrokenError(Exception):
    """The preset is there but cannot be used; the message says what is wrong and who mends it."""


@dataclass(frozen=True)
class Preset:
    """A preset on disk. ``trained`` is None where nobody recorded it."""

    name: str
    path: Path
    trained: bool | None
    source: str
    verified: str

    @property
    def state(self) -> str:
        """What its weights are, in words."""
        words = {True: "trained", False: "UNTRAINED (random weights)", None: "not labelled"}
        return words[self.trained]

    def __str__(self) -> str:
        lines = (f"{self.name}: {self.state}", str(self.path), self.source, self.verified)
        return "\n  ".join(lines)


def find_preset(
    name: str,
    places: Sequence[Path] = CONTAINER_PLACES,
    fetch: Callable[[str], Preset | None] | None = None,
) -> Preset:
    """Return the first preset called ``name``.

    Parameters
    ----------
    name
        A folder in one of ``places``, or a name that Keras lists, such as
        ``bert_small_en_uncased``.
    places
        Folders to look into before the network is asked.
    fetch
        Asks the network; returns None for a name that it does not know.

    Raises
    ------
    PresetNotFoundError
        If no place holds it and the network has none or cannot be reached.
    PresetBrokenError
        If the first one of that name lacks a file or may not be read.
    """
    for place in places:
        if name in _names(place):
            _check(name, place / name)
            return _described(name, place / name)
    known = ", ".join(sorted({known for place in places for known in _names(place)})) or "none"
    try:
        found = (fetch or _fetch)(name)
    except Exception as error:  # whatever a network can do to a download
        raise PresetNotFoundError(
            f"no preset {name!r} on this machine (there are: {known}), and the network did not "
            f"bring it: {type(error).__name__}. Ask your administrator for "
            f"`./tinyberth preset fetch {name}`."
        ) from error
    if found is None:
        raise PresetNotFoundError(f"no preset {name!r}; there are: {known}")
    return found


def load_classifier(
    name: str, num_classes: int = 2, sequence_length: int = _SEQUENCE_LENGTH, **options: Any
) -> Any:
    """Return a Keras text classifier that starts from a preset, and print which.

    Parameters
    ----------
    name
        As for :func:`find_preset`.
    num_classes
        Answers to choose from; the model gives one logit for each: shape
        ``(texts, num_classes)``.
    sequence_length
        Tokens that it reads of each text it is given as text; the rest is cut off.
    options
        Passed to ``keras_hub.models.TextClassifier.from_preset``, for instance ``dropout``.

    Raises
    ------
    PresetNotFoundError, PresetBrokenError
        As :func:`find_preset`.
    """
    import keras_hub  # noqa: PLC0415 -- seconds and 500 MB, only when needed

    preset = find_preset(name)
    print(preset)
    classifier = keras_hub.models.TextClassifier.from_preset(
        str(preset.path), num_classes=num_classes, **options
    )
    classifier.preprocessor.sequence_length = sequence_length
    return classifier


def _names(place: Path) -> list[str]:
    """Return the folders in ``place``; a hidden one is a download that has not ended."""
    try:
        return [path.name for path in place.iterdir() if path.is_dir() and path.name[0] != "."]
    except OSError:
        return []


def _check(name: str, path: Path) -> None:
    if not os.access(path, os.R_OK | os.X_OK):
        raise PresetBrokenError(
            f"preset {name!r} is in {path}, but you may not read it. Ask your administrator for "
            "`chmod -R a+rX data/presets`."
        )
    lacking = [file for file in _NEEDED if not os.access(path / file, os.R_OK)]
    if lacking:
        raise PresetBrokenError(
            f"preset {name!r} in {path} lacks {', '.join(lacking)} (or you may not read them). "
            "Ask your administrator to put it there anew."
        )


def _described(name: str, path: Path) -> Preset:
    try:
        label = json.loads((path / "PROVENANCE.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        label = None
    if not isinstance(label, dict):
        label = {}
    trained = label.get("trained")
    return Preset(
        name=name,
        path=path,
        trained=trained if isinstance(trained, bool) else None,
        source=label.get("source", "put there by the administrator"),
        verified=label.get("verified", "not verified"),
    )


def _fetch(name: str) -> Preset | None:
    """Fetch a preset that Keras lists into ``~/.cache/kagglehub``; there it stays."""
    import kagglehub  # noqa: PLC0415 -- only where nothing nearer has it
    import keras_hub  # noqa: PLC0415

    listed = keras_hub.models.BertBackbone.presets.get(name)
    if listed is None:
        return None
    handle = listed["kaggle_handle"].removeprefix("kaggle://")
    return Preset(
        name=name,
        path=Path(kagglehub.model_download(handle)),
        trained=True,
        source=f"{handle}, from the network",
        verified="revision-pinned, checksum not compared",
    )
