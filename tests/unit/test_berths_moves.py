"""Renamed, removed, brought back: uid, home and content stay one person's, killed at any step."""

from __future__ import annotations

import itertools
import logging
import os
import stat

import pytest
from ledger_crash import killed_at_each_step
from made_berths import make_berths, put_in_the_way, tree, written

from tinyberth_ledger.teams import Teams
from tinyberth_server.errors import RefusedError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other uids")


@pytest.fixture
def berths(tmp_path):
    return make_berths(tmp_path)


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def with_thesis(berths, login="alice"):
    """Give ``login`` a berth with a file in it; return its inode."""
    entry, _, _ = berths.ensure(login, None)
    home = berths.root.path / "users" / login
    (home / "thesis").write_text(f"by {entry.uid}")
    return home.stat().st_ino


def same_home(path, inode, uid=20000, mode=0o700):
    found = path.lstat()
    assert (found.st_ino, found.st_uid, found.st_gid) == (inode, uid, uid)
    assert stat.S_IMODE(found.st_mode) == mode
    assert (path / "thesis").read_text() == f"by {uid}"


def test_renamed_the_person_stays_who_they_are(berths, data):
    inode = with_thesis(berths)
    assert berths.rename("alice", "alicia").name == "alicia"
    same_home(data / "users/alicia", inode)
    assert not (data / "users/alice").exists()
    assert (data / "ledger/passwd").read_text() == (
        "alicia:*:20000:20000:alicia:/home/alicia:/bin/bash\n"
    )
    assert berths.rename("alice", "alicia").uid == 20000, "again is the same as once"
    assert berths.rename("alicia", "alicia").uid == 20000
    assert berths.ensure("alice", None)[0].uid == 20001, "the old name is free"


def test_a_name_of_their_own_stays_and_a_login_as_name_follows(berths):
    berths.ensure("alice", None, "Alice Österberg")
    assert berths.rename("alice", "alicia").gecos == "Alice Österberg"
    berths.ensure("alicia", None, "A. Ö.")
    berths.ensure("alicia", None)
    assert berths.archive("alicia").gecos == "A. Ö."
    berths.ensure("bob", None)
    assert berths.rename("bob", "rob").gecos == "rob"


def test_restored_with_uid_and_home(berths, data):
    inode = with_thesis(berths)
    berths.archive("alice")
    berths.ensure("alice", None)
    with pytest.raises(RefusedError, match="somebody's login"):
        berths.restore("alice~1", "alice")
    assert berths.restore("alice~1", "lissy").uid == 20000
    same_home(data / "users/lissy", inode)
    assert not list((data / "archive").iterdir())
    assert berths.restore("alice~1", "lissy").uid == 20000, "again is the same as once"
    assert berths.archive("alice").name == "alice~1", "the name of nobody"
    assert berths.restore("alice~1", "alice").uid == 20001


def test_archived_again_they_get_a_number_of_their_own(berths):
    for _ in range(2):
        berths.ensure("alice", None)
        berths.archive("alice")
    assert berths.restore("alice~1", "alice").uid == 20000
    assert berths.archive("alice").name == "alice~3"
    assert berths.archive("alice").name == "alice~3", "again is the same as once"


@pytest.mark.parametrize("mode", [0o500, 0o000, 0o2775])
def test_a_home_that_its_owner_closed_is_moved_too(berths, data, mode):
    inode = with_thesis(berths)
    (data / "users/alice").chmod(mode)
    berths.archive("alice")
    berths.restore("alice~1", "alice")
    assert (data / "users/alice").stat().st_ino == inode
    assert stat.S_IMODE((data / "users/alice").stat().st_mode) == mode | 0o700


def test_a_home_left_half_made_is_moved_too(berths, data):
    berths.ensure("alice", None)
    os.chown(data / "users/alice", 0, 0)
    berths.rename("alice", "alicia")
    assert (data / "users/alicia").lstat().st_uid == 20000


def test_a_person_without_a_home_lives_on_too(berths, data):
    berths.ensure("alice", None)
    (data / "users/alice").rmdir()
    berths.rename("alice", "alicia")
    berths.archive("alicia")
    assert berths.restore("alicia~1", "alice").moving_from == ""
    assert not (data / "users/alice").exists()


@pytest.mark.parametrize(
    ("login", "to", "status"),
    [("alice", "bob", 409), ("alice", "nlp", 409), ("alice", "old", 409), ("carol", "dan", 404)],
)
def test_a_login_that_is_taken_changes_nothing(berths, data, login, to, status):
    for name in ("alice", "bob", "zoe"):
        with_thesis(berths, name)
    berths.archive("zoe")
    Teams(berths).ensure("nlp", ["alice"])
    Teams(berths).ensure("old", [])
    Teams(berths).archive("old")
    before = tree(data)
    for act in (lambda: berths.rename(login, to), lambda: berths.restore("zoe~1", to)):
        with pytest.raises(RefusedError) as refused:
            act()
        assert refused.value.status == status
        if status == 404:
            return
    assert tree(data) == before


@pytest.mark.parametrize(
    "kind",
    ["link", "file", "fifo", (0, 0), (1000, 1000), (20000, 20000), (20001, 20001)],
)
def test_what_is_in_the_way_is_refused_before_the_ledger_changes(berths, data, kind):
    """An empty folder too: rename(2) would replace it without a word."""
    for name in ("alice", "bob"):
        with_thesis(berths, name)
    berths.archive("bob")
    put_in_the_way(data / "users/carol", kind)
    before = tree(data)
    for act in (lambda: berths.rename("alice", "carol"), lambda: berths.restore("bob~1", "carol")):
        with pytest.raises(RefusedError, match="data/users/carol is a") as refused:
            act()
        assert refused.value.status == 409
        assert tree(data) == before


@pytest.mark.parametrize("kind", ["link", "file", "fifo", (1000, 1000), (20001, 20001)])
def test_what_is_not_their_home_is_not_moved(berths, data, kind):
    for name in ("alice", "bob"):
        berths.ensure(name, None)
    (data / "users/alice").rmdir()
    put_in_the_way(data / "users/alice", kind)
    before = tree(data)
    for act in (lambda: berths.rename("alice", "carol"), lambda: berths.archive("alice")):
        with pytest.raises(RefusedError, match="data/users/alice is a"):
            act()
        assert tree(data) == before


def test_what_lies_in_the_archive_is_never_in_the_way(berths, data):
    inode = with_thesis(berths)
    (data / "archive/alice~1").mkdir()
    assert berths.archive("alice").name == "alice~2"
    same_home(data / "archive/alice~2", inode)


PENDING = {
    "renamed": "alice:*:20000:20000:alice:/home/lissy:/bin/bash",
    "restored": "alice:*:20000:20000:alice:/archive/alice~1:/bin/bash",
    "archived": "alice~1:*:20000:20000:alice:/home/alice:/usr/sbin/nologin",
}


@pytest.mark.parametrize("line", PENDING.values(), ids=PENDING)
def test_one_that_is_stuck_keeps_only_their_own_back(berths, data, line, caplog):
    """Somebody with root on the host put a file where the home would go, at the worst moment."""
    with_thesis(berths)
    berths.ensure("bob", None)
    source, target = "users/alice", "archive/alice~1"
    if not line.startswith("alice~1"):
        source, target = ("archive/alice~1" if "~" in line else "users/lissy"), "users/alice"
    (data / "users/alice").rename(data / source)
    bob = (data / "ledger/passwd").read_text().splitlines()[1]
    (data / "ledger/passwd").write_text(f"{line}\n{bob}\n")
    (data / target).touch()
    with caplog.at_level(logging.ERROR, logger="ledger"):
        berths.prepare()
    assert f"data/{target} is a file" in caplog.text
    assert berths.ensure("carol", None)[1]
    assert berths.ensure_folders("bob")[0].uid == 20001
    Teams(berths).ensure("nlp", ["bob", "carol"])
    for act in (berths.ensure_folders, berths.archive, lambda login: berths.ensure(login, None)):
        with pytest.raises(RefusedError):
            act("alice")
    (data / target).unlink()
    berths.prepare()
    assert (data / target / "thesis").read_text() == "by 20000"
    assert not any(entry.moving_from for entry in written(berths).entries)


def test_the_name_of_a_home_that_waits_to_leave_is_not_given(berths, data):
    """The folder is not there, so nothing else says that it is still expected."""
    line = PENDING["renamed"].replace("lissy", "zoe")
    (data / "ledger/passwd").write_text(line + "\n")
    (data / "users/alice").symlink_to("/etc")
    for act in (lambda: berths.ensure("zoe", None), lambda: berths.rename("bob", "zoe")):
        with pytest.raises(RefusedError):
            act()
    assert len(written(berths).entries) == 1


ACTS = {
    "rename": lambda berths: berths.rename("alice", "alicia"),
    "archive": lambda berths: berths.archive("alice"),
    "restore": lambda berths: berths.restore("zoe~1", "zora"),
}


@pytest.mark.parametrize("then", ["again", "prepare", "a new one of that name"])
@pytest.mark.parametrize("what", ACTS)
def test_killed_at_any_step_the_next_one_finishes(tmp_path, monkeypatch, what, then):
    folders = (tmp_path / str(number) for number in itertools.count())
    inodes = {}

    def make():
        berths = make_berths(next(folders))
        inodes.update(alice=with_thesis(berths), zoe=with_thesis(berths, "zoe"))
        Teams(berths).ensure("nlp", ["alice", "zoe"])
        berths.archive("zoe")
        return berths

    for berths in killed_at_each_step(monkeypatch, make, ACTS[what]):
        if then == "again":
            answer = ACTS[what](berths)
            assert answer.uid == (20001 if what == "restore" else 20000)
        elif then == "prepare":
            berths.prepare()
        else:
            ensured = [berths.ensure(login, None)[0] for login in ("alice", "zoe")]
            assert all(
                entry.uid in (20000, 20002, 20003) or entry.login == "zoe" for entry in ensured
            )
        ledger = written(berths)
        assert not any(entry.moving_from for entry in ledger.entries)
        for entry in ledger.entries:
            place = entry.place.replace("/home/", "users/").lstrip("/")
            home = berths.root.path / place
            if entry.uid in (20000, 20001):
                same_home(home, inodes["alice" if entry.uid == 20000 else "zoe"], entry.uid)
            else:
                assert not list(home.iterdir()), "a new person's home is empty"
        alice = next(entry for entry in ledger.entries if entry.uid == 20000)
        members = set() if alice.archived else {alice.login}
        assert ledger.team("nlp").members == members, "membership is a person's, not a name's"
