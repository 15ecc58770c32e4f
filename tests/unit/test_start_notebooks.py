"""Delivery into homes as they may be: it never hangs, never overwrites, never leaves halves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tinyberth_start import __main__ as start
from tinyberth_start import notebooks
from tinyberth_start.notebooks import MANIFEST, deliver_notebooks, read_manifest

NAME = "Disaster tweets.ipynb"


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / NAME).write_text("first edition")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def in_notebooks(home: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (home / "notebooks").iterdir()}


def test_a_new_home_gets_the_notebooks_and_a_second_start_writes_nothing(shipped, home):
    assert deliver_notebooks(shipped, home) == [NAME]
    assert in_notebooks(home) == {NAME: "first edition"}
    assert deliver_notebooks(shipped, home) == []


def test_an_untouched_notebook_follows_the_image(shipped, home):
    deliver_notebooks(shipped, home)
    (shipped / NAME).write_text("second edition")
    deliver_notebooks(shipped, home)
    assert in_notebooks(home) == {NAME: "second edition"}


def test_a_touched_notebook_is_kept_and_the_new_edition_lies_beside_it_once(shipped, home):
    deliver_notebooks(shipped, home)
    (home / "notebooks" / NAME).write_text("my own work")
    (shipped / NAME).write_text("second edition")
    expected = {NAME: "my own work", "Disaster tweets (new).ipynb": "second edition"}
    for _ in range(3):
        deliver_notebooks(shipped, home)
        assert in_notebooks(home) == expected


def test_a_deleted_notebook_stays_away_until_there_is_a_new_edition(shipped, home):
    deliver_notebooks(shipped, home)
    (home / "notebooks" / NAME).unlink()
    assert deliver_notebooks(shipped, home) == []
    (shipped / NAME).write_text("second edition")
    assert deliver_notebooks(shipped, home) == [NAME]


BROKEN_MANIFESTS = [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a": {"b": 1}}']


@pytest.mark.parametrize("content", BROKEN_MANIFESTS, ids=lambda content: ascii(content[:12]))
def test_a_broken_manifest_counts_as_none_and_costs_nobody_their_work(shipped, home, content):
    deliver_notebooks(shipped, home)
    (home / "notebooks" / NAME).write_text("my own work")
    (home / MANIFEST).write_bytes(content)
    deliver_notebooks(shipped, home)
    assert in_notebooks(home)[NAME] == "my own work"
    assert deliver_notebooks(shipped, home) == []


def test_a_manifest_that_is_a_fifo_or_a_symlink_is_not_waited_for_nor_followed(home, tmp_path):
    manifest = home / MANIFEST
    manifest.parent.mkdir(parents=True)
    os.mkfifo(manifest)
    assert read_manifest(manifest) == {}
    manifest.unlink()
    (tmp_path / "elsewhere").write_text(json.dumps({NAME: "x"}))
    manifest.symlink_to(tmp_path / "elsewhere")
    assert read_manifest(manifest) == {}


def test_a_fifo_or_a_symlink_in_place_of_a_notebook_is_left_and_not_written_through(
    shipped, home, tmp_path
):
    (home / "notebooks").mkdir()
    os.mkfifo(home / "notebooks" / NAME)
    target = tmp_path / "precious"
    target.write_text("not ours")
    (home / "notebooks" / "Disaster tweets (new).ipynb").symlink_to(target)
    assert deliver_notebooks(shipped, home) == ["Disaster tweets (new 2).ipynb"]
    assert target.read_text() == "not ours"


def spoil_with_file(folder: Path) -> None:
    folder.write_text("a file")


def spoil_with_fifo(folder: Path) -> None:
    os.mkfifo(folder)


def spoil_with_symlink(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir()
    folder.symlink_to("elsewhere")


@pytest.mark.parametrize("spoil", [spoil_with_file, spoil_with_fifo, spoil_with_symlink])
def test_a_notebooks_folder_that_is_none_is_left_as_it_is(shipped, home, spoil):
    spoil(home / "notebooks")
    with pytest.raises(OSError, match="notebooks"):
        deliver_notebooks(shipped, home)
    if (home / "elsewhere").exists():
        assert list((home / "elsewhere").iterdir()) == []


def test_a_full_disk_leaves_no_half_notebook_and_the_next_start_tries_again(
    shipped, home, monkeypatch
):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(notebooks.os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            deliver_notebooks(shipped, home)
    assert in_notebooks(home) == {}
    assert deliver_notebooks(shipped, home) == [NAME]


def test_a_file_that_appears_meanwhile_is_not_overwritten(shipped, home, monkeypatch):
    create = notebooks._create_temporary

    def create_while_the_user_saves(folder_fd: int, content: bytes) -> str:
        (home / "notebooks" / NAME).write_text("saved this very moment")
        return create(folder_fd, content)

    monkeypatch.setattr(notebooks, "_create_temporary", create_while_the_user_saves)
    with pytest.raises(FileExistsError):
        deliver_notebooks(shipped, home)
    assert in_notebooks(home) == {NAME: "saved this very moment"}


def test_a_home_that_takes_nothing_gives_one_log_line_and_the_server_still_starts(
    home, monkeypatch, capfd
):
    started = []
    (home / "notebooks").write_text("a file")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(start, "CONTAINER_NOTEBOOKS", home)
    (home / NAME).write_text("shipped")
    monkeypatch.setattr(start, "_become_server", lambda: started.append(Path.cwd()))
    monkeypatch.chdir("/")
    mask = os.umask(0o022)
    try:
        start.main()
        assert os.umask(0o022) == 0o002
    finally:
        os.umask(mask)
    assert started == [home]
    lines = [line for line in capfd.readouterr().err.splitlines() if "notebooks" in line]
    assert len(lines) == 1
    assert "skipped, the home cannot take it" in lines[0]


def test_without_a_home_the_server_is_not_started_and_one_sentence_says_why(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "missing"))
    mask = os.umask(0o022)
    try:
        with pytest.raises(SystemExit, match="home cannot be entered"):
            start.main()
    finally:
        os.umask(mask)
