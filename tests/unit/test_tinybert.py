"""`tinybert` finds a preset, says where it is from, and never calls random weights trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tinybert


def put(place: Path, name: str, **label: object) -> None:
    (place / name).mkdir(parents=True)
    (place / name / "config.json").write_text("{}")
    if label:
        (place / name / "PROVENANCE.json").write_text(json.dumps(label))


def test_the_administrators_preset_goes_before_the_images(tmp_path):
    site, image = tmp_path / "site", tmp_path / "image"
    put(image, "tiny", trained=False)
    assert tinybert.find_preset("tiny", (site, image)).path == image / "tiny"
    put(site, "tiny", trained=True)
    assert tinybert.find_preset("tiny", (site, image)).path == site / "tiny"


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ({"trained": False}, "UNTRAINED"),
        ({"trained": True, "source": "somewhere"}, "tiny: trained"),
        ({}, "not labelled"),
    ],
)
def test_it_says_what_the_weights_are(tmp_path, label, words):
    put(tmp_path, "tiny", **label)
    assert words in str(tinybert.find_preset("tiny", (tmp_path,)))


def test_an_unknown_preset_is_answered_with_those_that_there_are(tmp_path):
    put(tmp_path, "tiny")
    with pytest.raises(tinybert.PresetNotFoundError, match="there are: tiny"):
        tinybert.find_preset("../tiny", (tmp_path, tmp_path / "missing"))
