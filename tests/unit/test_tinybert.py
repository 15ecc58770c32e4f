"""`tinybert` finds a preset, says where it is from, and never calls random weights trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tinybert
from tinybert import text

FILES = ("config.json", "model.weights.h5", "tokenizer.json")


def put(place: Path, name: str, **label: object) -> Path:
    folder = place / name
    folder.mkdir(parents=True)
    for file in FILES:
        (folder / file).write_text("{}")
    if label:
        (folder / "PROVENANCE.json").write_text(json.dumps(label))
    return folder


def from_the_network(name: str) -> tinybert.Preset | None:
    """Stand in for Keras' list of presets, with one name on it."""
    if name != "listed":
        return None
    return tinybert.Preset(name, Path("/cache"), True, "handle/3, from the network", "x")


def no_network(name: str) -> tinybert.Preset | None:
    raise ConnectionError("a long story about sockets")


def test_the_administrators_preset_goes_before_the_images(tmp_path):
    site, image = tmp_path / "site", tmp_path / "image"
    put(image, "tiny", trained=False)
    assert tinybert.find_preset("tiny", (site, image)).path == image / "tiny"
    put(site, "tiny", trained=True)
    assert tinybert.find_preset("tiny", (site, image)).path == site / "tiny"


def test_the_network_is_asked_last_and_for_what_is_nowhere_else(tmp_path):
    put(tmp_path, "listed", trained=False)
    assert tinybert.find_preset("listed", (tmp_path,), no_network).path == tmp_path / "listed"
    found = tinybert.find_preset("listed", (tmp_path / "missing",), from_the_network)
    assert "listed: trained" in str(found)
    assert "from the network" in str(found)


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


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', '{"trained": "yes"}', "\udcff"])
def test_a_label_that_cannot_be_read_is_none(tmp_path, content):
    folder = put(tmp_path, "tiny")
    (folder / "PROVENANCE.json").write_text(content, errors="surrogateescape")
    found = tinybert.find_preset("tiny", (tmp_path,))
    assert (found.trained, found.state) == (None, "not labelled")


@pytest.mark.parametrize("name", ["../tiny", "", ".", "..", "tiny/..", "/tiny", "TINY"])
def test_an_unknown_preset_is_answered_with_those_that_there_are(tmp_path, name):
    put(tmp_path, "tiny")
    places = (tmp_path, tmp_path / "missing")
    with pytest.raises(tinybert.PresetNotFoundError, match="there are: tiny"):
        tinybert.find_preset(name, places, from_the_network)


def test_without_a_network_it_says_whom_to_ask(tmp_path):
    put(tmp_path, "tiny")
    with pytest.raises(tinybert.PresetNotFoundError) as raised:
        tinybert.find_preset("listed", (tmp_path,), no_network)
    said = str(raised.value)
    assert "there are: tiny" in said
    assert "ConnectionError" in said
    assert "./tinyberth preset fetch listed" in said
    assert "long story" not in said


@pytest.mark.parametrize("file", FILES)
def test_a_preset_that_lacks_a_file_is_named_and_not_passed_over(tmp_path, file):
    site, image = tmp_path / "site", tmp_path / "image"
    (put(site, "tiny") / file).unlink()
    put(image, "tiny")
    with pytest.raises(tinybert.PresetBrokenError, match=f"lacks {file}"):
        tinybert.find_preset("tiny", (site, image))


def test_a_preset_that_may_not_be_read_says_what_the_administrator_can_do(tmp_path, monkeypatch):
    put(tmp_path, "tiny")
    # the tests may run as root, who may read everything
    monkeypatch.setattr("tinybert.presets.os.access", lambda *_: False)
    with pytest.raises(tinybert.PresetBrokenError, match=r"chmod -R a\+rX data/presets"):
        tinybert.find_preset("tiny", (tmp_path,))


def test_a_download_that_has_not_ended_and_a_file_are_no_presets(tmp_path):
    put(tmp_path, ".tiny.part")
    (tmp_path / "README.md").write_text("x")
    with pytest.raises(tinybert.PresetNotFoundError, match="there are: none"):
        tinybert.find_preset("README.md", (tmp_path,), from_the_network)


# ---- text ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("Fire at http://t.co/aB3xY now", "Fire at http now"),
        ("two: https://a.example/b?c=d http://x", "two: http http"),
        ("a link cut off http", "a link cut off http"),
        ("@alice and @bob_2: run!", "@ and @ : run!"),
        ("this &amp; that &lt;3", "this & that <3"),
        ("  spaces\n\tand   lines ", "spaces and lines"),
        ("#wildfire stays, 🔥 too", "#wildfire stays, 🔥 too"),
        ("", ""),
    ],
)
def test_links_and_names_become_one_word_and_the_rest_stays(raw, cleaned):
    assert text.clean(raw) == cleaned
    assert text.clean(cleaned) == cleaned


def test_many_texts_are_cleaned_in_their_order():
    assert text.clean_all(["b &amp; c", "a"]) == ["b & c", "a"]
