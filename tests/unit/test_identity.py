"""Where a uid comes from, and which numbers nobody gets (THREATS B4)."""

from __future__ import annotations

import pytest

from tinyberth_common.settings import SettingsError, load
from tinyberth_ledger.identity import HostAccounts, World, parse_host, resolve_ids
from tinyberth_ledger.ledger import Entry, Ledger, Team
from tinyberth_server.checks import checked_number
from tinyberth_server.errors import RefusedError

PASSWD = """\
root:x:0:0:root:/root:/bin/bash
# a comment
+::::::
daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
service:x:999:999::/:/usr/sbin/nologin
alice:x:1005:1005:Alice,,,:/home/alice:/bin/bash
shared:x:1006:100:in a group with others:/home/shared:/bin/bash
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
"""
GROUP = "root:x:0:\nusers:x:100:bob\nalice:x:1005:\nstaffs:x:20002:\n"
HOST = parse_host(PASSWD, GROUP)
LEDGER = Ledger(
    (Entry("bob", 20000, 20000, "bob"), Entry("old", 20001, 20001, "old", archived=1)),
    (Team("nlp", 30007, frozenset({"bob"})),),
)


def world(ledger=LEDGER, host=HOST, homes=None, **settings):
    return World(ledger, host, load(settings), {f"users/{n}": i for n, i in (homes or {}).items()})


def test_the_first_of_all_is_the_first_of_the_range():
    assert resolve_ids("admin", None, world(Ledger(), HostAccounts())) == (20000, 20000)


def test_the_next_number_was_never_anybodys():
    """20000 and 20001 are in the ledger, 20002 is a group of the host, 20003 owns a home."""
    assert resolve_ids("carol", None, world(homes={"dan": 20003})) == (20004, 20004)


def test_what_the_admin_asks_for_comes_first():
    homes, yes = {"alice": 1500}, {"MAP_HOST_USERS": "yes"}
    assert resolve_ids("alice", (1005, None), world(homes=homes, **yes)) == (1005, 1005)
    assert resolve_ids("carol", (1700, 1800), world()) == (1700, 1800)


def test_the_hosts_account_of_that_name_if_the_setting_says_so():
    yes = {"MAP_HOST_USERS": "yes"}
    assert resolve_ids("alice", None, world(**yes)) == (1005, 1005)
    assert resolve_ids("alice", None, world(homes={"alice": 1500}, **yes)) == (1005, 1005)
    assert resolve_ids("alice", None, world()) == (20003, 20003)
    assert resolve_ids("service", None, world(**yes)) == (20003, 20003), "999 is the system's"


def test_a_group_that_others_are_in_is_not_taken_from_the_host():
    """With umask 0002 its members could write to everything."""
    assert resolve_ids("shared", None, world(MAP_HOST_USERS="yes")) == (1006, 1006)


@pytest.mark.parametrize(
    ("groups", "gid"),
    [
        ("alice:x:1007:\n", 1007),
        ("alice:x:1007:alice\n", 1007),
        ("alice:x:1007:alice,bob\n", 1006),
        ("team:x:1007:\n", 1006),
        ("alice:x:1007:\nalias:x:1007:bob\n", 1006),
        ("", 1006),
    ],
)
def test_a_hosts_group_is_taken_only_if_it_is_private(groups, gid):
    host = parse_host("alice:x:1006:1007::/home/alice:/bin/bash\n", groups)
    assert resolve_ids("alice", None, world(host=host, MAP_HOST_USERS="yes")) == (1006, gid)


def test_the_owner_of_an_existing_home():
    assert resolve_ids("carol", None, world(homes={"carol": 1500})) == (1500, 1500)
    # Bob's uid, a tombstone's: somebody's, so the home is not taken for carol's.
    assert resolve_ids("carol", None, world(homes={"carol": 20000})) == (20003, 20003)
    assert resolve_ids("carol", None, world(homes={"carol": 20001})) == (20003, 20003)


@pytest.mark.parametrize("uid", [999, 10001, 10002, 65534, 1005, 1006, 30000])
def test_a_home_of_somebody_who_cannot_be_a_user_is_refused(uid):
    with pytest.raises(RefusedError) as refused:
        resolve_ids("carol", None, world(homes={"carol": uid}))
    assert str(uid) in refused.value.message


@pytest.mark.parametrize(
    "number",
    [
        *(0, -1, 1, 999, 10001, 10002, 65534, 65535),
        *(2**31 - 1, 2**31, 2**32 - 1, 2**32, 10**30),
        *(True, False, None, "", "20005", "01000", "1e3", " 1000", 20005.0, [20005], {"uid": 1}),
    ],
    ids=repr,
)
def test_b4_numbers_that_nobody_may_have(number):
    for field in ("uid", "gid"):
        with pytest.raises(RefusedError) as refused:
            checked_number(number, field)
        assert refused.value.status == 400
        assert len(refused.value.message) < 300


@pytest.mark.parametrize(
    ("ids", "whose"),
    [
        ((20000, None), "bob"),
        ((20001, None), "old~1"),
        ((1005, None), "'alice' of this host"),
        ((1500, 1005), "'alice' of this host"),
        ((20002, None), "'staffs' of this host"),
        ((1500, 20000), "bob"),
        ((30007, None), "nlp"),
        ((30000, None), "TEAM_GIDS"),
        ((1500, 30000), "TEAM_GIDS"),
        ((1500, 30007), "nlp"),
        ((1501, None), "'data/users/dan'"),
    ],
)
def test_b4_somebody_elses_number_is_refused_and_says_whose(ids, whose):
    with pytest.raises(RefusedError) as refused:
        resolve_ids("carol", ids, world(homes={"dan": 1501}))
    assert refused.value.status == 409
    assert whose in refused.value.message


def test_a_used_up_range_says_so():
    homes = {f"u{number}": number for number in range(20000, 20010)}
    with pytest.raises(RefusedError, match="USER_UIDS=20000-20009 is used up"):
        resolve_ids("carol", None, world(homes=homes, USER_UIDS="20000-20009"))


def test_our_own_services_uids_are_skipped_in_a_range_that_holds_them():
    got = resolve_ids("carol", None, world(Ledger(), USER_UIDS="10001-10009"))
    assert got == (10003, 10003)


def test_ranges_that_overlap_the_hosts_accounts_are_refused_by_name():
    host = parse_host("lab:x:20500:20500::/:/bin/sh\n", "big:x:30500:\n")
    with pytest.raises(SettingsError) as refused:
        host.check_ranges(load({}))
    assert len(refused.value.problems) == 2
    assert "USER_UIDS=20000-29999" in refused.value.problems[0]
    assert "lab" in refused.value.problems[0]
    assert "TEAM_GIDS=30000-39999" in refused.value.problems[1]
    assert "big" in refused.value.problems[1]
    parse_host("lab:x:19999:30000000::/:/bin/sh\n", "").check_ranges(load({}))
