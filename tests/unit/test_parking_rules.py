"""Which servers are parked and which are stopped, by tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from tinyberth_common.settings import load
from tinyberth_hub.configure import activity_interval, parking_rules
from tinyberth_hub.parking import Parked, Rules, Running, resolve_parking

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
RULES = Rules(after_minutes=20, memory=1000 << 20, hours=12)
OFF = Rules(after_minutes=None, memory=1000 << 20, hours=12)


def running(login: str, idle_minutes: float) -> Running:
    return Running(login, NOW - timedelta(minutes=idle_minutes))


def parked(login: str, minutes: float, mib: int | None, *, is_there: bool = True) -> Parked:
    memory = None if mib is None else mib << 20
    return Parked(login, NOW - timedelta(minutes=minutes), memory, is_there)


@pytest.mark.parametrize(
    ("servers", "rules", "expected"),
    [
        ([], RULES, []),
        ([running("a", 0), running("b", 19.9)], RULES, []),
        ([running("a", 20)], RULES, ["a"]),
        ([running("a", 21), running("b", 5), running("c", 900)], RULES, ["c", "a"]),
        ([running("a", -5)], RULES, []),  # the clock was set back
        ([running("a", 99999)], OFF, []),
    ],
)
def test_the_idle_are_parked_the_longest_idle_first(
    servers: Sequence[Running], rules: Rules, expected: list[str]
) -> None:
    assert resolve_parking(servers, [], rules, NOW).park == expected


@pytest.mark.parametrize(
    ("servers", "rules", "expected"),
    [
        ([], RULES, {}),
        ([parked("a", 1, 400), parked("b", 2, 600)], RULES, {}),  # to the last byte
        ([parked("a", 1, 401), parked("b", 2, 600)], RULES, {"b": "1001 MiB"}),
        ([parked("a", 1, 900), parked("b", 2, 5), parked("c", 3, 900)], RULES, {"c": "1805 MiB"}),
        ([parked("a", 1, 2000), parked("b", 2, 5)], RULES, {"b": "2005 MiB", "a": "2000 MiB"}),
        ([parked("a", 720, 1)], RULES, {"a": "12 hours"}),
        ([parked("a", 719, 1)], RULES, {}),
        # What ends by its time leaves room for the others.
        ([parked("a", 721, 900), parked("b", 5, 900)], RULES, {"a": "12 hours"}),
        ([parked("a", 5, None)], RULES, {}),  # the warden is away
        ([parked("a", 5, 9, is_there=False), parked("b", 9, 1000)], RULES, {"a": "gone"}),
        ([parked("a", 5, None, is_there=False)], RULES, {"a": "gone"}),
        ([parked("a", 5, 1)], OFF, {"a": "PARK_AFTER is off"}),
    ],
)  # fmt: skip
def test_parked_servers_beyond_a_limit_are_stopped_the_longest_parked_first(
    servers: Sequence[Parked], rules: Rules, expected: dict[str, str]
) -> None:
    stop = resolve_parking([], servers, rules, NOW).stop
    assert [login for login, _ in stop] == list(expected)
    for (_, reason), words in zip(stop, expected.values(), strict=True):
        assert words in reason


def test_one_look_decides_both() -> None:
    decided = resolve_parking([running("a", 30)], [parked("b", 800, 1)], RULES, NOW)
    assert (decided.park, [login for login, _ in decided.stop]) == (["a"], ["b"])


def test_the_rules_are_the_settings() -> None:
    rules = parking_rules(load({"PARK_AFTER": "5", "PARKED_MEMORY": "3G", "PARKED_HOURS": "2"}))
    assert rules == Rules(5, 3 * 2**30, 2)
    whole = parking_rules(load({"PARKED_MEMORY": "100%"})).memory
    assert 0.24 < parking_rules(load({})).memory / whole < 0.26


@pytest.mark.parametrize(("after", "seconds"), [("1", 20), ("9", 180), ("20", 300), ("off", 300)])
def test_a_server_tells_three_times_what_it_does_before_it_counts_as_idle(
    after: str, seconds: int
) -> None:
    assert activity_interval(load({"PARK_AFTER": after})) == seconds
