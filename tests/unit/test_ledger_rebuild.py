"""A lost ledger is made again from whose the folders are (THREATS F15)."""

from __future__ import annotations

import pytest
from made_berths import make_berths, written

from tinyberth_ledger import rebuild
from tinyberth_ledger.berths import Berths
from tinyberth_ledger.ledger import Entry, Ledger, Team
from tinyberth_ledger.teams import Teams
from tinyberth_server.errors import RefusedError

ALICE = Entry("alice", 20001, 20001, "alice")
NLP = Team("nlp", 30000)


@pytest.mark.parametrize(
    ("owners", "entries", "teams"),
    [
        ({"users/alice": (20001, 20001)}, [ALICE], []),
        ({"users/alice": (20001, 100)}, [ALICE], []),  # a system's group is nobody's private one
        ({"users/alice": (0, 0), "users/Bob": (20001, 20001)}, [], []),
        ({"users/alice~1": (20001, 20001), "archive/alice": (20002, 20002)}, [], []),
        ({"archive/alice~2": (20001, 20001)}, [Entry("alice", 20001, 20001, "alice", 2)], []),
        ({"teams/nlp": (0, 30000), "teams/x": (20001, 30001)}, [], [NLP]),
        ({"archive/nlp~1": (0, 30000)}, [], [Team("nlp", 30000, archived=1)]),
    ],
)
def test_f15_folders_say_whose_they_are(owners, entries, teams) -> None:
    assert rebuild.rebuilt(owners, None) == Ledger(tuple(entries), tuple(teams))


def test_f15_with_passwd_there_only_teams_are_made_again() -> None:
    owners = {"users/bob": (20002, 20002), "teams/nlp": (0, 30000)}
    passwd = Ledger((ALICE,)).passwd
    assert rebuild.rebuilt(owners, passwd) == Ledger((ALICE,), (NLP,))


@pytest.mark.parametrize(
    "owners",
    [
        {"users/alice": (20001, 20001), "users/bob": (20001, 20001)},
        {"users/alice": (10001, 10001)},  # the hub's own
        {"users/alice": (500, 500)},
    ],
)
def test_f15_what_cannot_be_is_refused(owners) -> None:
    with pytest.raises(RefusedError):
        rebuild.rebuilt(owners, None)


@pytest.fixture
def lived_in(tmp_path) -> Berths:
    berths = make_berths(tmp_path)
    for login in ("alice", "bob", "carol"):
        berths.ensure(login, None)
    Teams(berths).ensure("nlp", ["alice"])
    berths.archive("bob")
    return berths


@pytest.mark.parametrize("gone", [["passwd"], ["group"], ["passwd", "group"]])
def test_f15_it_is_shown_before_it_is_written_and_then_all_have_their_numbers(
    lived_in, capsys, gone
) -> None:
    before = written(lived_in)
    for name in gone:
        (lived_in.root.path / "ledger" / name).unlink()
    with pytest.raises(RefusedError, match="is gone"):
        lived_in.ledger()

    rebuild.main([], lived_in.root)
    shown = capsys.readouterr().out
    assert "carol:*:20002:20002:" in shown
    with pytest.raises(RefusedError, match="is gone"):
        lived_in.ledger()

    rebuild.main(["--write"], lived_in.root)
    after = lived_in.ledger()
    assert set(after.entries) == set(before.entries)
    assert [(team.login, team.gid) for team in after.teams] == [("nlp", 30000)]
    assert Teams(lived_in).ensure("nlp", ["alice"]).gid == 30000
    assert lived_in.ensure("dora", None)[0].uid == 20003
    with pytest.raises(RefusedError, match="nothing to rebuild"):
        rebuild.main(["--write"], lived_in.root)
