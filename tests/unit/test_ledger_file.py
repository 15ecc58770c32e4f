"""The ledger on disk is old or new, never torn (THREATS F16)."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import stat

import pytest
from ledger_crash import killed_at_each_step

from tinyberth_ledger import ledger_file
from tinyberth_ledger.ledger import Entry, Ledger, Team
from tinyberth_ledger.ledger_text import parse
from tinyberth_server.errors import RefusedError

OLD = Ledger((Entry("alice", 20000, 20000, "alice"),), (Team("nlp", 30000, frozenset({"alice"})),))
NEW = OLD.add(Entry("bob", 20001, 20001, "bob"))


@pytest.fixture
def ledger_fd(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def test_what_is_written_is_read_back(ledger_fd, tmp_path):
    assert ledger_file.read(ledger_fd) == Ledger()
    os.umask(0o077)
    try:
        ledger_file.write(ledger_fd, NEW)
    finally:
        os.umask(0o022)
    assert ledger_file.read(ledger_fd) == NEW
    for name in ("passwd", "group"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o644, "everybody's `ls -l`"


def test_an_unchanged_file_is_not_touched(ledger_fd, tmp_path):
    ledger_file.write(ledger_fd, NEW)
    before = (tmp_path / "passwd").stat()
    ledger_file.write(ledger_fd, NEW)
    assert (tmp_path / "passwd").stat().st_ino == before.st_ino


def test_killed_at_any_step_it_is_old_or_new(tmp_path, monkeypatch):
    """And the next writer is not disturbed by what the killed one left."""
    folders = (tmp_path / str(number) for number in itertools.count())

    def make():
        folder = next(folders)
        folder.mkdir()
        fd = os.open(folder, os.O_RDONLY)
        ledger_file.write(fd, OLD)
        return fd, folder

    seen = set()
    for fd, folder in killed_at_each_step(
        monkeypatch, make, lambda world: ledger_file.write(world[0], NEW)
    ):
        seen.add(ledger_file.read(fd))
        with ledger_file.locked(fd):
            ledger_file.write(fd, NEW)
        assert ledger_file.read(fd) == NEW
        assert {path.name for path in folder.iterdir()} == {"passwd", "group", ".lock"}
        os.close(fd)
    assert seen == {OLD, NEW}


def test_a_half_written_temporary_file_is_ignored_and_replaced(ledger_fd, tmp_path):
    ledger_file.write(ledger_fd, OLD)
    (tmp_path / ".passwd.new").write_text("alice:*:2000")
    (tmp_path / ".group.new").symlink_to("/etc/passwd")
    assert ledger_file.read(ledger_fd) == OLD
    ledger_file.write(ledger_fd, NEW)
    assert ledger_file.read(ledger_fd) == NEW
    assert sorted(path.name for path in tmp_path.iterdir()) == ["group", "passwd"]


def test_a_group_older_than_passwd_is_made_again(ledger_fd, tmp_path):
    ledger_file.write(ledger_fd, NEW)
    (tmp_path / "group").write_text(OLD.group)
    assert ledger_file.read(ledger_fd) == NEW
    ledger_file.write(ledger_fd, ledger_file.read(ledger_fd))
    assert (tmp_path / "group").read_text() == NEW.group


def _add(folder, number):
    fd = os.open(folder, os.O_RDONLY)
    with ledger_file.locked(fd):
        ledger = ledger_file.read(fd)
        uid = 20000 + len(ledger.entries)
        ledger_file.write(fd, ledger.add(Entry(f"user{number}", uid, uid, f"user{number}")))


def test_two_writers_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        pool.starmap(_add, [(str(tmp_path), number) for number in range(40)])
    ledger = parse((tmp_path / "passwd").read_text(), (tmp_path / "group").read_text())
    assert sorted(e.uid for e in ledger.entries) == list(range(20000, 20040))
    assert len({e.login for e in ledger.entries}) == 40


def test_users_cannot_hold_the_lock(ledger_fd, tmp_path):
    """They have the folder mounted, and flock(2) needs no more than an open file."""
    with ledger_file.locked(ledger_fd):
        assert stat.S_IMODE((tmp_path / ".lock").stat().st_mode) == 0o600


@pytest.mark.parametrize("gone", [("passwd",), ("group",), ("passwd", "group")])
def test_f15_a_lost_file_is_not_taken_for_a_first_start(ledger_fd, tmp_path, gone):
    with ledger_file.locked(ledger_fd):
        ledger_file.write(ledger_fd, NEW)
    for name in gone:
        (tmp_path / name).unlink()
    with pytest.raises(
        RefusedError, match=f"{' and '.join(gone)} is gone: put it back"
    ) as refused:
        ledger_file.read(ledger_fd)
    assert refused.value.status == 503
    with pytest.raises(RefusedError), ledger_file.locked(ledger_fd):  # not even locked, it is made
        ledger_file.read(ledger_fd)


@pytest.mark.parametrize("gone", ["passwd", "group"])
def test_f15_one_file_of_a_backup_without_the_other_is_refused(ledger_fd, tmp_path, gone):
    ledger_file.write(ledger_fd, NEW)
    (tmp_path / gone).unlink()
    with pytest.raises(RefusedError, match=f"{gone} is gone: put it back"):
        ledger_file.read(ledger_fd)


@pytest.mark.parametrize(
    "raw", [b"\xff\n", b"alice:*:20000:20000:alice:/home/alice:/bin/bash\n\x80\n"]
)
def test_bytes_that_are_no_text_name_the_line(ledger_fd, tmp_path, raw):
    (tmp_path / "passwd").write_bytes(raw)
    with pytest.raises(RefusedError, match=f"line {raw.count(bytes([10]))},"):
        ledger_file.read(ledger_fd)
