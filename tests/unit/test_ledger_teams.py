"""Teams: a gid of their own, a folder that members share, killed at any step."""

from __future__ import annotations

import itertools
import os
import stat

import pytest
from ledger_crash import killed_at_each_step
from made_berths import make_berths, put_in_the_way, tree, written

from tinyberth_ledger.teams import Teams
from tinyberth_server.errors import RefusedError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other groups")


@pytest.fixture
def berths(tmp_path):
    berths = make_berths(tmp_path)
    for login in ("alice", "bob"):
        berths.ensure(login, None)
    return berths


@pytest.fixture
def teams(berths):
    return Teams(berths)


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def ids(path):
    found = path.lstat()
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


def test_a_team_has_a_gid_a_folder_and_exactly_these_members(teams, data):
    team = teams.ensure("nlp", ["bob", "alice"])
    assert (team.gid, team.members) == (30000, {"alice", "bob"})
    assert ids(data / "teams/nlp") == (0, 30000, 0o2770)
    assert "nlp:!:30000:alice,bob\n" in (data / "ledger/group").read_text()
    assert teams.ensure("nlp", ["bob"]).members == {"bob"}
    assert teams.ensure("vision", []).gid == 30001
    assert written(teams.berths).team("nlp").gid == 30000


def test_whatever_the_umask_and_the_group_of_the_parent(teams, data):
    os.chown(data / "teams", 0, 1000)
    (data / "teams").chmod(0o2755)
    os.umask(0o777)
    try:
        teams.ensure("nlp", [])
    finally:
        os.umask(0o022)
    assert ids(data / "teams/nlp") == (0, 30000, 0o2770)


def test_a_spawn_sees_the_persons_teams_and_makes_sure_of_folders(teams, data):
    teams.ensure("nlp", ["alice"])
    teams.ensure("vision", ["alice", "bob"])
    assert [t.login for t in teams.berths.ensure_folders("alice")[1]] == ["nlp", "vision"]
    assert [t.login for t in teams.berths.ensure_folders("bob")[1]] == ["vision"]
    (data / "teams/nlp").rmdir()
    teams.berths.ensure_folders("alice")
    assert ids(data / "teams/nlp") == (0, 30000, 0o2770)
    (data / "teams/nlp").rmdir()
    (data / "teams/nlp").symlink_to("/etc")
    with pytest.raises(RefusedError, match="data/teams/nlp is a symbolic link"):
        teams.berths.ensure_folders("alice")
    teams.berths.ensure_folders("bob")


def test_whoever_is_removed_leaves_and_whoever_is_renamed_stays(teams):
    teams.ensure("nlp", ["alice", "bob"])
    teams.berths.rename("alice", "alicia")
    assert written(teams.berths).team("nlp").members == {"alicia", "bob"}
    teams.berths.archive("alicia")
    assert written(teams.berths).team("nlp").members == {"bob"}
    teams.berths.restore("alicia~1", "alice")
    assert written(teams.berths).team("nlp").members == {"bob"}


def test_the_same_name_later_is_a_new_and_empty_team(teams, data):
    teams.ensure("nlp", ["alice"])
    (data / "teams/nlp/paper").write_text("ours")
    archived = teams.archive("nlp")
    assert (archived.name, archived.gid, archived.members) == ("nlp~1", 30000, frozenset())
    assert teams.archive("nlp") == archived, "again is the same as once"
    assert ids(data / "archive/nlp~1") == (0, 30000, 0o2770)
    assert (data / "archive/nlp~1/paper").read_text() == "ours"
    assert teams.ensure("nlp", ["alice"]).gid == 30001
    assert not list((data / "teams/nlp").iterdir())
    assert teams.archive("nlp").name == "nlp~2"


def test_a_team_that_is_none_cannot_be_archived(teams):
    with pytest.raises(RefusedError, match="nlp is no team"):
        teams.archive("nlp")


def test_people_and_teams_share_one_name_space(teams, data):
    teams.berths.archive("bob")
    teams.ensure("nlp", [])
    teams.archive("nlp")
    before = tree(data)
    for act in (
        lambda: teams.ensure("alice", []),
        lambda: teams.ensure("bob", []),
        lambda: teams.berths.ensure("nlp", None),
        lambda: teams.berths.rename("alice", "nlp"),
        lambda: teams.berths.restore("bob~1", "nlp"),
        lambda: teams.ensure("vision", ["alice", "nobody1"]),
        lambda: teams.ensure("vision", ["bob"]),
    ):
        with pytest.raises(RefusedError) as refused:
            act()
        assert refused.value.status == 409
    assert "bob has no berth" in refused.value.message
    assert tree(data) == before


@pytest.mark.parametrize(
    "kind",
    ["link", "file", "fifo", (0, 0), (20000, 20000), (20000, 30000), (0, 30005), (0, 20001)],
)
def test_what_is_in_the_way_is_refused_and_nothing_changes(teams, data, kind):
    put_in_the_way(data / "teams/nlp", kind)
    if kind == (0, 0):  # an empty one of root's is what a crash left
        (data / "teams/nlp/something").touch()
    before = tree(data)
    with pytest.raises(RefusedError, match="data/teams/nlp is a") as refused:
        teams.ensure("nlp", ["alice"])
    assert refused.value.status == 409
    assert tree(data) == before
    assert written(teams.berths).team("nlp") is None


@pytest.mark.parametrize("kind", ["link", "file", (20000, 20000), (0, 30005)])
def test_what_is_not_the_teams_folder_is_not_archived(teams, data, kind):
    teams.ensure("nlp", ["alice"])
    (data / "teams/nlp").rmdir()
    put_in_the_way(data / "teams/nlp", kind)
    before = tree(data)
    for act in (lambda: teams.archive("nlp"), lambda: teams.ensure("nlp", [])):
        with pytest.raises(RefusedError, match="data/teams/nlp is a"):
            act()
        assert tree(data) == before


def test_a_gid_is_nobodys_before(teams, data, tmp_path):
    (tmp_path / "etc/group").write_text("lab:x:30000:\n")
    for path, gid in (("teams/old", 30001), ("archive/older~1", 30002)):
        (data / path).mkdir()
        os.chown(data / path, 0, gid)
    assert teams.ensure("nlp", []).gid == 30003


def test_a_used_up_range_says_so(tmp_path):
    teams = Teams(make_berths(tmp_path, TEAM_GIDS="30000-30001"))
    teams.ensure("one", [])
    teams.archive("one")
    teams.ensure("two", [])
    with pytest.raises(RefusedError, match="TEAM_GIDS=30000-30001 is used up"):
        teams.ensure("three", [])


def test_an_archived_folder_that_was_thrown_away_is_not_looked_for(teams, data):
    teams.ensure("nlp", [])
    teams.archive("nlp")
    (data / "archive/nlp~1").rmdir()
    teams.ensure("nlp", ["alice"])
    teams.berths.prepare()
    assert ids(data / "teams/nlp") == (0, 30001, 0o2770)


ACTS = {
    "make": lambda teams: teams.ensure("vision", ["alice"]),
    "change": lambda teams: teams.ensure("nlp", ["bob"]),
    "archive": lambda teams: teams.archive("nlp"),
}


@pytest.mark.parametrize("then", ["again", "prepare", "a new one of that name"])
@pytest.mark.parametrize("what", ACTS)
def test_killed_at_any_step_the_next_one_finishes(tmp_path, monkeypatch, what, then):
    folders = (tmp_path / str(number) for number in itertools.count())

    def make():
        berths = make_berths(next(folders))
        for login in ("alice", "bob"):
            berths.ensure(login, None)
        Teams(berths).ensure("nlp", ["alice"])
        (berths.root.path / "teams/nlp/paper").write_text("ours")
        return Teams(berths)

    for teams in killed_at_each_step(monkeypatch, make, ACTS[what]):
        if then == "again":
            ACTS[what](teams)
        elif then == "prepare":
            teams.berths.prepare()
        else:
            teams.ensure("nlp", ["alice"])
        ledger, data = written(teams.berths), teams.berths.root.path
        nlp = next(team for team in ledger.teams if team.gid == 30000)
        place = f"archive/{nlp.name}" if nlp.archived else "teams/nlp"
        assert (data / place / "paper").read_text() == "ours"
        assert ids(data / place) == (0, 30000, 0o2770)
        for team in ledger.teams:
            assert team.gid in range(30000, 30003)
            if not team.archived:
                teams.ensure(team.login, team.members)
                assert ids(data / "teams" / team.login) == (0, team.gid, 0o2770)
        if then == "again" and what == "change":
            assert nlp.members == {"bob"}
