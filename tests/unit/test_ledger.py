"""The ledger as a value: what it reads, what it refuses, and that no uid comes twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyberth_warden.errors import RefusedError
from tinyberth_warden.ledger import Entry, Ledger, parse

ALICE = "alice:*:20001:20001:alice:/home/alice:/bin/bash"
GHOST = "alice~1:*:20000:20000:alice:/nonexistent:/usr/sbin/nologin"
MOVING = "alice~1:*:20000:20000:alice:/home/alice:/usr/sbin/nologin"


def test_a_living_person_a_tombstone_and_one_on_the_way():
    assert parse(f"{GHOST}\n{ALICE}\n", "").entries == (
        Entry("alice", 20000, 20000, "alice", archived=1),
        Entry("alice", 20001, 20001, "alice"),
    )
    assert parse(f"{MOVING}\n", "").entries[0].moving
    assert parse(f"{MOVING}\n", "").passwd == f"{MOVING}\n"


def test_groups_follow_from_people_and_teams_are_kept():
    old_group = "alice:*:20000:\nnlp:*:30000:alice,bob\nvision:*:30001:\n"
    ledger = parse(f"{GHOST}\n{ALICE}\n", old_group)
    assert ledger.group == (
        "alice~1:*:20000:\nalice:*:20001:\nnlp:*:30000:alice,bob\nvision:*:30001:\n"
    )
    assert parse(ledger.passwd, ledger.group) == ledger
    assert ledger.owner_of(30001) == "vision"
    assert ledger.owner_of(20000) == "alice~1"
    assert ledger.owner_of(3000) is None


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
    "line", ["nlp", "nlp:x:30000:", "nlp:*:30000", "nlp:*:1:", "nlp:*:30000:A B"]
)
def test_a_damaged_group_is_refused(line):
    with pytest.raises(RefusedError, match="data/ledger/group, line 1,"):
        parse("", line + "\n")


def test_the_hubs_name_may_be_any_text_without_colon_or_control():
    entry = Entry("jose-garcia", 20001, 20001, "José.García@uni.example")
    assert parse(Ledger((entry,)).passwd, "").entries == (entry,)


logins = st.sampled_from(["alice", "bob", "carol"])


@given(st.lists(st.tuples(st.sampled_from(["add", "archive", "moved", "reload"]), logins)))
def test_any_sequence_keeps_names_and_numbers_apart(steps):
    """Names and uids stay unique, no uid is used again, and the files say it all."""
    ledger, given_uids = Ledger(team_lines=("nlp:*:30000:alice",)), []
    for step, login in steps:
        living = ledger.living(login)
        if step == "add" and not living:
            uid = next(n for n in range(20000, 30000) if not ledger.owner_of(n))
            assert uid not in given_uids
            given_uids.append(uid)
            ledger = ledger.add(Entry(login, uid, uid, login))
        elif step == "archive" and living:
            ledger = ledger.archive(living)
        elif step == "moved":
            for entry in ledger.tombstones(login):
                ledger = ledger.update(entry, replace(entry, moving=False))
        else:
            ledger = parse(ledger.passwd, ledger.group)
        assert parse(ledger.passwd, ledger.group) == ledger
        assert len({e.name for e in ledger.entries}) == len(ledger.entries)
        assert [e.uid for e in ledger.entries] == given_uids
