"""Folders: made for their owner, never taken, never followed (THREATS F8, A9)."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from ledger_crash import killed_at_each_step

from tinyberth_ledger.folders import Folder, check_move, ensure_folder, move_folder
from tinyberth_ledger.ledger import Entry, Ledger
from tinyberth_server.errors import RefusedError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other uids")

ALICE = Entry("alice", 20001, 20001, "alice")
BOB = Entry("bob", 20002, 20002, "bob")
LEDGER = Ledger((ALICE, BOB))


def home(users, entry=ALICE):
    return Folder(users.fd, "users", entry.login, entry.uid, entry.gid, 0o700, entry.name)


def ensure_home(users, *, dry_run=False):
    return ensure_folder(home(users), LEDGER, dry_run=dry_run)


@pytest.fixture
def users(tmp_path):
    path = tmp_path / "users"
    path.mkdir(mode=0o755)
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    yield SimpleNamespace(path=path, fd=fd)
    os.close(fd)


def state(path):
    """Everything about a tree that must not change."""
    return {
        str(item): (item.lstat().st_mode, item.lstat().st_uid, item.lstat().st_gid)
        for item in (path, *path.rglob("*"))
    }


def test_a_missing_home_is_made_for_its_owner_alone(users):
    assert ensure_home(users)
    found = (users.path / "alice").lstat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (20001, 20001, 0o700)
    assert not ensure_home(users), "the second time it is there"


def test_whatever_the_umask(users):
    os.umask(0o777)
    try:
        ensure_home(users)
    finally:
        os.umask(0o022)
    assert stat.S_IMODE((users.path / "alice").lstat().st_mode) == 0o700


def test_a_home_that_is_there_is_left_as_it_is(users):
    home = users.path / "alice"
    (home / "work").mkdir(parents=True)
    (home / "theirs").write_text("x")
    os.chown(home, 20001, 100)
    home.chmod(0o2775)
    before = state(users.path)
    assert not ensure_home(users)
    assert state(users.path) == before


def test_a_dry_run_makes_nothing(users):
    assert ensure_home(users, dry_run=True)
    assert not list(users.path.iterdir())


def folder_of(uid):
    def make(path):
        path.mkdir()
        os.chown(path, uid, uid)

    return make


def full_folder_of_root(path):
    path.mkdir()
    (path / "something").touch()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (folder_of(20002), "is a folder of uid 20002 and gid 20002 (bob)"),
        (folder_of(1000), "is a folder of uid 1000 and gid 1000 (unknown here)"),
        (full_folder_of_root, "is a folder of uid 0 and gid 0 (root)"),
        (lambda path: path.symlink_to("/etc"), "is a symbolic link of uid 0 and gid 0 (root)"),
        (lambda path: path.symlink_to("bob"), "is a symbolic link"),
        (lambda path: path.symlink_to("nowhere"), "is a symbolic link"),
        (lambda path: path.touch(), "is a file of uid 0 and gid 0 (root)"),
        (os.mkfifo, "is a FIFO of uid 0 and gid 0 (root)"),
        (lambda path: os.mknod(path, stat.S_IFCHR, os.makedev(1, 3)), "is a file of uid 0"),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.timeout(10)
def test_what_is_in_the_way_is_refused_and_left_alone(users, make, says, dry_run):
    try:
        make(users.path / "alice")
    except PermissionError:
        pytest.skip("no device files here")
    before = state(users.path)
    with pytest.raises(RefusedError) as refused:
        ensure_home(users, dry_run=dry_run)
    assert refused.value.status == 409
    assert says in refused.value.message
    assert "of uid 20001 and gid 20001 (alice)" in refused.value.message
    assert "move it away" in refused.value.message
    assert state(users.path) == before


def test_killed_at_any_step_the_next_one_finishes(users, monkeypatch):
    for _ in killed_at_each_step(monkeypatch, lambda: None, lambda _: ensure_home(users)):
        ensure_home(users)
        found = (users.path / "alice").lstat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (20001, 20001, 0o700)
        (users.path / "alice").rmdir()


@pytest.mark.timeout(120)
def test_a9_ten_thousand_swaps_are_never_followed(users, tmp_path):
    """Somebody swaps the home for links to an empty folder of root's, as fast as they can."""
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o755)
    spare, stop = tmp_path / "spare", threading.Event()

    def swap():
        home = users.path / "alice"
        number = 0
        while not stop.is_set():
            number += 1
            link = tmp_path / f"link{number % 2}"
            link.unlink(missing_ok=True)
            link.symlink_to(victim)
            try:
                if home.is_symlink():
                    home.unlink()
                elif home.exists():
                    home.rename(spare)
                    link.rename(home)
                    spare.rmdir()
                else:
                    link.rename(home)
            except OSError:
                pass

    thread = threading.Thread(target=swap)
    thread.start()
    made = refused = tries = 0
    deadline = time.monotonic() + 120  # a busy machine may leave the other thread no turn
    try:
        while tries < 10_000 or (min(made, refused) <= 10 and time.monotonic() < deadline):
            tries += 1
            try:
                made += ensure_home(users)
            except (RefusedError, OSError):
                refused += 1
    finally:
        stop.set()
        thread.join()
    found = victim.lstat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, 0, 0o755)
    assert made > 10, "the race was run"
    assert refused > 10


def test_a_home_on_another_disk_than_the_archive_is_refused(users):
    """rename(2) cannot move it, and a copy would not be the same files."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        if Path(elsewhere).stat().st_dev == users.path.stat().st_dev:
            pytest.skip("the tests' folder is on the same disk")
        ensure_home(users)
        archive_fd = os.open(elsewhere, os.O_RDONLY)
        target = replace(home(users), parent_fd=archive_fd, parent="archive", name="alice~1")
        try:
            with pytest.raises(RefusedError, match="they are on different disks"):
                check_move(home(users), target, LEDGER)
        finally:
            os.close(archive_fd)
        assert not list(Path(elsewhere).iterdir())


def test_a_move_that_the_system_refuses_is_a_sentence(users, monkeypatch):
    def busy(*_, **__):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    ensure_home(users)
    target = replace(home(users), name="alicia")
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", busy)
        with pytest.raises(RefusedError, match="cannot be moved"):
            move_folder(home(users), target, LEDGER)
    move_folder(home(users), target, LEDGER)
    assert (users.path / "alicia").is_dir()
