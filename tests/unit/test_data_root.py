"""Only the real data root is written to (THREATS F9), whoever it belongs to."""

from __future__ import annotations

import os
import stat

import pytest
from ledger_crash import killed_at_each_step

from tinyberth_ledger.data_root import MARKER, DataRoot
from tinyberth_server.errors import RefusedError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other uids")

FOLDERS = ["archive", "datasets", "ledger", "presets", "teams", "users"]


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data"
    path.mkdir()
    (path / MARKER).touch()
    return path


@pytest.fixture
def root(data, tmp_path):
    return DataRoot(data, tmp_path / "journal")


def test_the_folders_are_made_once(root, data):
    root.ensure_folders()
    root.ensure_folders()
    assert sorted(path.name for path in data.iterdir() if path.is_dir()) == FOLDERS
    for name in FOLDERS:
        found = (data / name).lstat()
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (0, 0o755)
    for name in ("ledger", "users", "archive"):
        with root.open(name) as fd:
            assert os.fstat(fd).st_ino == (data / name).stat().st_ino


@pytest.mark.parametrize("marker", ["missing", "link", "folder"])
def test_without_the_marker_nothing_is_written(root, data, marker):
    (data / MARKER).unlink()
    if marker == "link":
        (data / MARKER).symlink_to("/etc/passwd")
    elif marker == "folder":
        (data / MARKER).mkdir()
    before = sorted(data.iterdir())
    for use in (root.ensure_folders, lambda: root.open("users").__enter__()):
        with pytest.raises(RefusedError, match="nothing was written") as refused:
            use()
        assert refused.value.status == 503
        assert "docker compose restart ledger" in refused.value.message
    assert sorted(data.iterdir()) == before


def test_the_owner_of_the_checkout_keeps_it(root, data):
    (data / "datasets").mkdir()
    for path in (data, data / MARKER, data / "datasets"):
        os.chown(path, 1000, 1001)
    root.ensure_folders()
    assert (data.stat().st_uid, data.stat().st_gid) == (1000, 1001)
    assert (data / "datasets").stat().st_uid == 1000, "the admin puts files there"
    assert (data / "users").stat().st_uid == 0


def test_killed_at_any_step_the_owner_gets_it_back(root, data, tmp_path, monkeypatch):
    os.chown(data, 1000, 1000)
    for _ in killed_at_each_step(monkeypatch, lambda: None, lambda _: root.ensure_folders()):
        root.ensure_folders()
        assert data.stat().st_uid == 1000
        assert sorted(path.name for path in data.iterdir() if path.is_dir()) == FOLDERS
        assert not (tmp_path / "journal").exists()
        for name in FOLDERS:
            (data / name).rmdir()


def test_an_old_journal_gives_nothing_away(root, data, tmp_path):
    """Of another folder, cut short, or while the root is an admin's own."""
    for text in ("1 1000", "", "12", f"{data.stat().st_ino}"):
        (tmp_path / "journal").write_text(text)
        root.ensure_folders()
        assert data.stat().st_uid == 0
        assert not (tmp_path / "journal").exists()


@pytest.mark.parametrize("spoil", ["link", "foreign", "writable", "missing", "file"])
def test_a_folder_that_is_not_roots_alone_is_not_used(root, data, tmp_path, spoil):
    root.ensure_folders()
    users = data / "users"
    if spoil == "foreign":
        os.chown(users, 1000, 1000)
    elif spoil == "writable":
        users.chmod(0o775)
    else:
        users.rmdir()
        if spoil == "link":
            (tmp_path / "elsewhere").mkdir()
            users.symlink_to(tmp_path / "elsewhere")
        elif spoil == "file":
            users.touch()
    with pytest.raises(RefusedError, match="data/users") as refused, root.open("users"):
        pytest.fail("it was opened")
    assert refused.value.status == 503


def test_a_copied_folder_becomes_roots_at_the_next_start(root, data):
    root.ensure_folders()
    os.chown(data / "users", 1000, 1000)
    root.ensure_folders()
    with root.open("users"):
        pass
