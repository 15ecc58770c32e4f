"""What the doctor says of ledger, hub and servers that disagree, and of what killed runs left."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tinyberth_launcher.doctor import leftovers, people, refusals
from tinyberth_launcher.doctor.data_facts import Data, Entry, Team
from tinyberth_launcher.doctor.finding import FINE, Finding


def keys(findings: list[Finding]) -> list[str]:
    return [finding.key for finding in findings]


DATA = Data(
    (
        Entry("ada", 20001, 20001, "/home/ada"),
        Entry("bob", 20002, 20002, "/home/bob"),
        Entry("old~1", 20003, 20003, "/nonexistent"),
    ),
    (Team("nlp", 30000, frozenset({"ada"})), Team("gone~1", 30001, frozenset())),
)
HUB = {
    "users": ["ada", "bob"],
    "accounts": ["ada", "bob"],
    "teams": {"nlp": ["ada"]},
    "running": ["ada"],
    "unfinished": [],
}
ADA = {"ada": "tb-user-ada"}


def change(begun_at: str) -> dict[str, str]:
    return {"kind": "rename", "login": "bob", "to": "rob", "by": "admin", "begun_at": begun_at}


NOW = "when the test runs, long after it was collected"


@pytest.mark.parametrize(
    ("hub", "running", "expected"),
    [
        ({}, ADA, ["fine"]),
        ({"users": ["ada", "bob", "eve"]}, {}, ["user_not_in_ledger", "user_without_account"]),
        ({"users": ["ada"], "accounts": ["ada"]}, {}, ["berth_without_user"]),
        ({"accounts": ["ada"]}, {}, ["user_without_account"]),
        ({"accounts": ["ada", "bob", "eve"]}, {}, ["account_of_nobody"]),
        ({"teams": {"nlp": ["bob"]}}, {}, ["team_differs"]),
        ({"teams": {}}, {}, ["team_differs"]),
        ({"teams": {"nlp": ["ada"], "new": []}}, {}, ["team_differs"]),
        ({}, {"eve": "tb-user-eve"}, ["server_of_nobody"]),
        ({}, {"bob": "tb-user-bob"}, ["server_unknown"]),
        ({"unfinished": [change("2026-01-01T00:00:00+00:00")]}, {}, ["unfinished"]),
        ({"unfinished": [change(NOW)]}, {}, ["fine"]),
        # while somebody is being renamed, stores may differ
        ({"unfinished": [change(NOW)], "users": ["ada", "rob"]}, {}, ["fine"]),
        ({"unfinished": [change(NOW)], "users": ["ada"]}, {}, ["user_left"]),
    ],
)
def test_f15_who_is_known_here_and_not_there_is_found(hub, running, expected) -> None:
    for one in hub.get("unfinished", []):
        if one["begun_at"] == NOW:
            one["begun_at"] = datetime.now(timezone.utc).isoformat(timespec="seconds")
    if expected == ["user_left"]:  # the change under way is the reason, so there is no finding
        hub["accounts"], expected = ["ada"], ["fine"]
    assert keys(people.judge(DATA, {**HUB, **hub}, running, "tb-hub-1")) == expected


NEVER = "0001-01-01T00:00:00Z"


def container(status: str, finished: str = NEVER) -> dict:
    state = {"Status": status, "FinishedAt": finished}
    return {"Name": "/tb-user-ada", "Created": "2026-01-01T00:00:00.5Z", "State": state}


@pytest.mark.parametrize(
    ("one", "seconds", "expected"),
    [
        (container("running"), 9000, []),
        (container("paused"), 9000, []),  # parked
        (container("exited", "2026-01-01T01:00:00.123456789Z"), 3700, []),  # a moment ago
        (container("exited", "2026-01-01T01:00:00.123456789Z"), 9000, ["container_left"]),
        (container("created"), 9000, ["container_left"]),
        (container("created"), 60, []),
    ],
)
def test_a_container_that_ended_long_ago_is_left_over(one, seconds, expected) -> None:
    now = datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp() + seconds
    assert keys(leftovers.judge_containers([one], now)) == expected


def test_broken_off_copies_and_temporary_folders_are_named(tmp_path) -> None:
    copy = tmp_path / "datasets" / ".unfinished" / "tweets"
    copy.mkdir(parents=True)
    now = copy.stat().st_mtime
    assert leftovers.judge_unfinished([copy], now) == []
    (finding,) = leftovers.judge_unfinished([copy], now + 3600)
    assert finding.key == "unfinished_copy"
    assert str(copy) in finding.remedy
    assert leftovers.judge_temporary([copy], now + 3600) == []
    assert keys(leftovers.judge_temporary([copy], now + 90000)) == ["temporary"]


REFUSED = "2026-01-01 00:00:00,000 WARNING uid 10001 POST '/x' 403 3 ms {}: 'no'"
FAILED = "[W 2026-01-01 00:00:00.000 JupyterHub auth:1] Failed login for 'ada'"


@pytest.mark.parametrize(
    ("service", "lines", "expected"),
    [
        ("warden", [REFUSED.format("refused")], ["refused"]),
        ("warden", [REFUSED.format("not_found")] * 9, []),
        ("ledger", ["2026-01-01 00:00:00,000 ERROR The home of x"], ["errors"]),
        ("hub", ["[E 2026-01-01 00:00:00.000 JupyterHub x:1] Oh"], ["errors"]),
        ("hub", ["[I 2026-01-01 00:00:00.000 JupyterHub x:1] 500 ERROR"], []),
        ("hub", [FAILED] * 50, []),
        ("hub", [FAILED] * 51, ["logins_failed"]),
    ],
)
def test_what_is_strange_in_logs_is_counted(service, lines, expected) -> None:
    assert keys(refusals.judge(service, lines)) == expected
    assert FINE not in expected
