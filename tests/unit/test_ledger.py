"""The ledger as a value: what it reads, what it refuses, and that no uid comes twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tinyberth_ledger.ledger import Entry, Ledger, Team
from tinyberth_ledger.ledger_text import parse
from tinyberth_server.errors import RefusedError

ALICE = "alice:*:20001:20001:alice:/home/alice:/bin/bash"
GHOST = "alice~1:*:20000:20000:alice:/nonexistent:/usr/sbin/nologin"


def test_living_and_archived_people_and_homes_on_the_way():
    assert parse(f"{GHOST}\n{ALICE}\n", "").entries == (
        Entry("alice", 20000, 20000, "alice", archived=1),
        Entry("alice", 20001, 20001, "alice"),
    )
    for line, moving_from in (
        (GHOST.replace("/nonexistent", "/home/alice"), "/home/alice"),
        (ALICE.replace("/home/alice", "/home/lissy"), "/home/lissy"),
        (ALICE.replace("/home/alice", "/archive/alice~1"), "/archive/alice~1"),
    ):
        ledger = parse(f"{line}\n", "")
        assert ledger.entries[0].moving_from == moving_from
        assert ledger.passwd == f"{line}\n"


def test_groups_follow_from_people_and_teams_are_kept():
    old_group = "alice:*:20000:\nnlp~1:!:30000:\nnlp:!:30001:\n"
    ledger = parse(f"{GHOST}\n{ALICE}\n", old_group)
    assert ledger.teams == (Team("nlp", 30000, archived=1), Team("nlp", 30001))
    assert ledger.group == "alice~1:*:20000:\nalice:*:20001:\nnlp~1:!:30000:\nnlp:!:30001:\n"
    assert parse(ledger.passwd, ledger.group) == ledger
    assert ledger.owner_of(30000) == "nlp~1"
    assert ledger.owner_of(20000) == "alice~1"
    assert ledger.owner_of(3000) is None


@pytest.mark.parametrize(
    ("passwd", "members"),
    [
        ((ALICE,), {"alice"}),
        ((ALICE.replace("alice", "alicia"),), {"alicia"}),
        ((GHOST.replace("20000", "20001"),), set()),
        # Renamed or archived, and the next of that name came before the group was written.
        ((ALICE.replace("alice", "alicia"), ALICE.replace("20001", "20002")), {"alicia"}),
        ((GHOST.replace("20000", "20001"), ALICE.replace("20001", "20002")), set()),
    ],
)
def test_a_member_is_the_person_who_had_the_login_when_group_was_written(passwd, members):
    bob = "bob:*:20005:20005:bob:/home/bob:/bin/bash\n"
    group = "bob:*:20005:\nalice:*:20001:\nnlp:!:30000:alice,bob\n"
    ledger = parse("".join(f"{line}\n" for line in passwd) + bob, group)
    assert ledger.team("nlp").members == members | {"bob"}


def test_teams_follow_a_new_login_and_forget_who_is_archived():
    team = Team("nlp", 30000, frozenset({"alice", "bob"}))
    alice, bob = Entry("alice", 20000, 20000, "alice"), Entry("bob", 20001, 20001, "bob")
    ledger = Ledger((alice, bob), (team,))
    assert ledger.update(alice, replace(alice, login="alicia")).teams_of(bob) == (
        replace(team, members=frozenset({"alicia", "bob"})),
    )
    assert ledger.update(alice, replace(alice, archived=1)).group == (
        "alice~1:*:20000:\nbob:*:20001:\nnlp:!:30000:bob\n"
    )


def test_the_next_tombstone_has_a_number_that_nobody_has_or_waits_for():
    ledger = Ledger(
        (
            Entry("alice", 20000, 20000, "alice", archived=2),
            Entry("zoe", 20001, 20001, "zoe", moving_from="/archive/alice~4"),
        ),
        (Team("nlp", 30000, archived=1),),
    )
    assert [ledger.next_archived(name) for name in ("alice", "zoe", "nlp")] == [5, 1, 2]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "alice",
        "# a comment",
        ALICE + ":",
        ALICE + " ",
        ALICE + "\r",
        ALICE.replace("*", "x"),
        ALICE.replace("*", ""),
        ALICE.replace("alice:*", "Alice:*"),
        ALICE.replace("alice:*", "../x:*"),
        ALICE.replace(":20001:20001:", ":020001:20001:"),
        ALICE.replace(":20001:20001:", ":20001:+20001:"),
        ALICE.replace(":20001:20001:", ":0:0:"),
        ALICE.replace(":20001:20001:", ":٢٠٠٠١:20001:"),
        ALICE.replace("/home/alice", "/home/bob"),
        ALICE.replace("/home/alice", "/nonexistent"),
        ALICE.replace("/home/alice", "/archive/alice"),
        ALICE.replace("/home/alice", "/home/../x"),
        ALICE.replace("/home/alice", "/home/alice~1"),
        GHOST.replace("/nonexistent", "/archive/alice~1"),
        ALICE.replace("/bin/bash", "/bin/sh"),
        ALICE.replace(":alice:/", "::/"),
        GHOST.replace("~1", "~0"),
        GHOST.replace("~1", "~01"),
        GHOST.replace("nologin", "bash"),
    ],
    ids=ascii,
)
def test_a_line_that_it_would_not_write_is_refused_by_file_and_number(line):
    with pytest.raises(RefusedError) as refused:
        parse(f"bob:*:20005:20005:bob:/home/bob:/bin/bash\n{line}\n", "")
    assert refused.value.status == 503
    assert "data/ledger/passwd, line 2," in refused.value.message
    assert "backup" in refused.value.message


@pytest.mark.parametrize(
    "line",
    [
        ALICE,
        ALICE.replace("20001", "20002"),
        ALICE.replace("alice", "carol"),
        ALICE.replace("alice", "carol").replace(":20001:20001:", ":20002:20001:"),
        ALICE.replace("alice", "carol").replace(":20001:20001:", ":20001:20002:"),
    ],
)
def test_no_name_uid_or_gid_is_there_twice(line):
    with pytest.raises(RefusedError, match="line 2"):
        parse(f"{ALICE}\n{line}\n", "")


@pytest.mark.parametrize("text", [ALICE, f"{ALICE}\nbob:*:200"])
def test_a_file_that_was_cut_is_refused(text):
    with pytest.raises(RefusedError):
        parse(text, "")


@pytest.mark.parametrize(
    "line",
    [
        *("", "nlp", "nlp:x:30000:", "nlp:!:30000", "nlp:!:1:", "nlp:!:30000:A B"),
        *("nlp:!:30000:,", "nlp:!:30000:alice,", "nlp:!:30000:alice,bob"),
        *("nlp~0:!:30000:", "alice:!:30000:", "alice~1:!:30000:", "nlp:!:20000:", "nlp:!:20001:"),
        *("alice:*:20001:alice", "alice:*:20001:"),
        "carol:*:20009:",  # passwd is the older: 20009 would be given twice
    ],
)
def test_a_damaged_group_is_refused(line):
    with pytest.raises(RefusedError, match="data/ledger/group, line 2,"):
        parse(f"{ALICE}\n{GHOST}\n", f"alice:*:20001:\n{line}\n")


def test_no_team_is_there_twice():
    for second in ("nlp:!:30001:", "vision:!:30000:"):
        with pytest.raises(RefusedError, match="line 2,"):
            parse("", f"nlp:!:30000:\n{second}\n")


def test_the_hubs_name_may_be_any_text_without_colon_or_control():
    entry = Entry("jose-garcia", 20001, 20001, "José.García@uni.example")
    assert parse(Ledger((entry,)).passwd, "").entries == (entry,)
