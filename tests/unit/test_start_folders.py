"""Folders in homes that people broke: used where they take a file, replaced where they do not."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyberth_start import folders
from tinyberth_start.folders import ensure_enterable, usable_folder

Ruin = Callable[[Path], object]


def test_a_folder_that_takes_a_file_is_used_and_left_as_it_was(tmp_path: Path) -> None:
    wanted = tmp_path / "home/.local/share"
    assert usable_folder(wanted, tmp_path / "instead") == wanted
    assert list(wanted.iterdir()) == []
    assert not (tmp_path / "instead").exists()


def test_a_link_to_a_folder_is_the_users_choice(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".local").symlink_to(tmp_path / "elsewhere")
    wanted = tmp_path / ".local/share"
    assert usable_folder(wanted, tmp_path / "instead") == wanted


RUINS: dict[str, Ruin] = {
    "a file": lambda path: path.touch(),
    "a dangling link": lambda path: path.symlink_to("/nowhere/at/all"),
    "a loop": lambda path: path.symlink_to(path.name),
    "a FIFO": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/null"),
}


@pytest.mark.parametrize("ruin", RUINS.values(), ids=RUINS)
@pytest.mark.parametrize("below", ["", "lab/user-settings"])
def test_what_is_no_folder_is_replaced_and_not_touched(
    tmp_path: Path, ruin: Ruin, below: str
) -> None:
    ruin(tmp_path / ".jupyter")
    before = (tmp_path / ".jupyter").lstat()
    instead = tmp_path / "instead/x"
    assert usable_folder(tmp_path / ".jupyter" / below, instead) == instead
    assert instead.is_dir()
    assert (tmp_path / ".jupyter").lstat().st_mode == before.st_mode


def test_a_full_disk_takes_empty_files_and_is_seen_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A really full home: tests/image/test_ruined_homes.py."""
    full = tmp_path / "full"

    def no_space(folder: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))

    monkeypatch.setattr(folders, "_write_and_remove", no_space)
    assert usable_folder(full, tmp_path / "instead") == tmp_path / "instead"


def test_a_home_that_can_be_entered_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    assert not ensure_enterable(tmp_path)
    assert tmp_path.stat().st_mode & 0o7777 == 0o750


@pytest.mark.parametrize(("closed", "opened"), [(0, 0o700), (0o600, 0o700), (0o2055, 0o2755)])
def test_a_home_that_was_closed_to_its_owner_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: int, opened: int
) -> None:
    tmp_path.chmod(closed)
    monkeypatch.setattr(os, "access", lambda *_: False)  # as for anybody but root
    assert ensure_enterable(tmp_path)
    assert tmp_path.stat().st_mode & 0o7777 == opened


def test_a_folder_of_the_home_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(folders, "CONTAINER_FALLBACK", tmp_path / "instead")
    folders.home_folder.cache_clear()
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.jupyter").touch()
    for _ in range(2):
        assert folders.home_folder(".jupyter/lab") == tmp_path / "instead/.jupyter/lab"
    assert folders.home_folder(".local") == tmp_path / "home/.local"
    (line,) = capsys.readouterr().err.splitlines()
    assert "~/.jupyter/lab takes no file" in line
    folders.home_folder.cache_clear()
