"""A person's entry and home, from the first day to the tombstone, killed at any step."""

from __future__ import annotations

import itertools
import os
import shutil
import stat

import pytest
from ledger_crash import killed_at_each_step
from made_berths import make_berths

from tinyberth_server.checks import checked_login
from tinyberth_server.errors import RefusedError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other uids")


@pytest.fixture
def berths(tmp_path):
    return make_berths(tmp_path)


def home(tmp_path, name="users/alice"):
    found = (tmp_path / "data" / name).lstat()
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


def test_two_people_two_uids(berths, tmp_path):
    alice, created, home_created = berths.ensure("alice", None)
    bob, _, _ = berths.ensure("bob", None)
    assert (alice.uid, bob.uid, created, home_created) == (20000, 20001, True, True)
    assert home(tmp_path) == (20000, 20000, 0o700)
    assert home(tmp_path, "users/bob") == (20001, 20001, 0o700)
    assert berths.ensure("alice", None) == (alice, False, False)
    assert (tmp_path / "data/ledger/group").read_text() == "alice:*:20000:\nbob:*:20001:\n"


def test_ids_never_change(berths):
    berths.ensure("alice", (1700, 1800))
    assert berths.ensure("alice", (1700, None))[0].gid == 1800
    assert berths.ensure("alice", (1700, 1800))[0].uid == 1700
    for ids in ((1701, None), (1700, 1700)):
        with pytest.raises(RefusedError, match="ids never change"):
            berths.ensure("alice", ids)


def test_a_home_in_the_way_leaves_no_entry(berths, tmp_path):
    (tmp_path / "data/users/alice").symlink_to("/etc")
    with pytest.raises(RefusedError, match="symbolic link"):
        berths.ensure("alice", None)
    assert berths.ledger().entries == ()
    assert not (tmp_path / "data/ledger/passwd").read_text()


def test_an_existing_home_says_whose_uid_it_is(berths, tmp_path):
    shutil.copytree(tmp_path / "etc", tmp_path / "data/users/carol")
    os.chown(tmp_path / "data/users/carol", 1500, 1500)
    entry, created, home_created = berths.ensure("carol", None)
    assert (entry.uid, entry.gid, created, home_created) == (1500, 1500, True, False)


def test_a_home_without_an_entry_is_not_given_to_the_next(berths, tmp_path):
    """Its owner has no entry any more (a lost ledger); the number is still somebody's."""
    for name, uid in (("users/carol", 20000), ("archive/dan~1", 20001)):
        (tmp_path / "data" / name).mkdir()
        os.chown(tmp_path / "data" / name, uid, uid)
    assert berths.ensure("alice", None)[0].uid == 20002


def test_the_same_name_later_is_somebody_new(berths, tmp_path):
    first, _, _ = berths.ensure("alice", None)
    (tmp_path / "data/users/alice/thesis").write_text("mine")
    tombstone = berths.archive("alice")
    assert (tombstone.name, tombstone.uid, tombstone.moving_from) == ("alice~1", first.uid, "")
    assert (tmp_path / "data/archive/alice~1/thesis").read_text() == "mine"
    assert home(tmp_path, "archive/alice~1") == (20000, 20000, 0o700)
    assert not (tmp_path / "data/users/alice").exists()
    assert berths.archive("alice") == tombstone, "again is the same as once"
    second, created, home_created = berths.ensure("alice", None)
    assert (second.uid, created, home_created) == (20001, True, True)
    assert not list((tmp_path / "data/users/alice").iterdir())
    assert berths.archive("alice").name == "alice~2"
    assert (tmp_path / "data/ledger/passwd").read_text() == (
        "alice~1:*:20000:20000:alice:/nonexistent:/usr/sbin/nologin\n"
        "alice~2:*:20001:20001:alice:/nonexistent:/usr/sbin/nologin\n"
    )


def test_nobody_cannot_be_archived(berths):
    with pytest.raises(RefusedError) as refused:
        berths.archive("alice")
    assert refused.value.status == 404


def test_a_person_without_a_home_is_archived_too(berths, tmp_path):
    berths.ensure("alice", None)
    (tmp_path / "data/users/alice").rmdir()
    assert not berths.archive("alice").moving_from
    assert berths.ensure("alice", None)[0].uid == 20001


def test_what_is_not_the_home_is_not_archived(berths, tmp_path):
    berths.ensure("alice", None)
    berths.ensure("bob", None)
    (tmp_path / "data/users/alice").rmdir()
    (tmp_path / "data/users/alice").symlink_to("bob")
    with pytest.raises(RefusedError, match="symbolic link"):
        berths.archive("alice")
    assert berths.ledger().living("alice")


@pytest.mark.parametrize("finish", ["archive", "ensure", "prepare"])
def test_archiving_killed_at_any_step_is_finished_by_the_next(tmp_path, monkeypatch, finish):
    folders = (tmp_path / str(number) for number in itertools.count())

    def make():
        berths = make_berths(folder := next(folders))
        berths.ensure("alice", None)
        (folder / "data/users/alice/thesis").write_text("mine")
        return berths, folder / "data"

    for berths, data in killed_at_each_step(
        monkeypatch, make, lambda world: world[0].archive("alice")
    ):
        living = berths.ledger().living("alice")
        if finish == "prepare":
            berths.prepare()
        elif finish == "archive":
            berths.archive("alice")
        else:
            entry, created, _ = berths.ensure("alice", None)
            assert created == (living is None)
            thesis = (data / "users/alice/thesis").exists()
            assert thesis == (entry.uid == 20000), "a home stays with its uid"
        if finish != "archive" and living:
            assert (data / "users/alice/thesis").read_text() == "mine"
        else:
            assert (data / "archive/alice~1/thesis").read_text() == "mine"
            found = (data / "archive/alice~1").lstat()
            assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (20000, 0o700)
        assert not any(entry.moving_from for entry in berths.ledger().entries)


REFUSED_NAMES = (
    *("", ".", "..", "a/b", "a\\b", "-rf", "$(id)", "a:b", "{username}", "a\n", "\0", "a" * 300),
    *("root", "hub", "ALICE", "\N{KELVIN SIGN}elvin", "\uff41lice", "josé", "alice~1", " alice"),
)


@pytest.mark.parametrize(
    "name",
    REFUSED_NAMES,
    ids=ascii,
)
def test_names_that_are_no_logins_are_refused_in_one_sentence(name):
    with pytest.raises(RefusedError) as refused:
        checked_login(name)
    assert refused.value.status == 400
    assert refused.value.message.endswith(".")
    assert refused.value.message.isascii()
    assert len(refused.value.message) < 200
