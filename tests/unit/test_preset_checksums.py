"""Fetched weights are what was recorded, or the build stops; nothing pretends to be checked."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from tinyberth_presets.checksums import (
    NOT_RECORDED,
    VERIFIED,
    ChecksumError,
    sha256_of_files,
    verify,
)


def test_files_are_named_by_their_relative_path(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/vocabulary.txt").write_bytes(b"x")
    assert sha256_of_files(tmp_path) == {"assets/vocabulary.txt": hashlib.sha256(b"x").hexdigest()}


def test_without_recorded_checksums_the_label_says_so():
    assert verify({"a": "1"}, {}) == NOT_RECORDED


def test_files_as_recorded_are_verified():
    assert verify({"a": "1", "b": "2"}, {"b": "2", "a": "1"}) == VERIFIED


@pytest.mark.parametrize("found", [{"a": "2"}, {}, {"a": "1", "extra": "3"}])
def test_a_file_that_differs_is_missing_or_is_new_stops_the_build(found):
    with pytest.raises(ChecksumError, match="not as recorded"):
        verify(found, {"a": "1"})


def test_every_pinned_preset_names_its_revision_and_only_real_checksums(root):
    lock = json.loads((root / "singleuser/presets/presets.json").read_text())
    for entry in lock.values():
        assert re.fullmatch(r"[\w-]+/[\w-]+/keras/\w+/[1-9][0-9]*", entry["handle"])
        assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in entry["sha256"].values())
