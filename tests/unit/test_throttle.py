"""How failed logins slow down: the decision by tables, the table in a real SQLite file (A12)."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tinyberth_hub import throttle as module
from tinyberth_hub.failures import (
    FORGOTTEN_AFTER,
    FREE_FAILURES,
    LONGEST_WAIT,
    OVERALL_FAILURES,
    Failures,
    drained,
    next_failure,
    seconds_locked,
)
from tinyberth_hub.throttle import MAX_ROWS, PASSWORD_PAGE, Throttle

KEY = "ab" * 32
NOW = 1_800_000_000.0
LOGINS = ["alice", "bob"]


class Clock:
    """A wall clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(tmp_path: Path, clock: Clock) -> Throttle:
    return Throttle(tmp_path / "accounts.sqlite", KEY, lambda: LOGINS, clock)


def fail(throttle: Throttle, login: str, times: int = 1) -> list[float]:
    waits = []
    for _ in range(times):
        waits.append(throttle.admit(login))
        if not waits[-1]:
            throttle.settle(login, succeeded=False)
    return waits


@pytest.mark.parametrize(
    ("failures_before", "wait"),
    [(0, 0), (4, 0), (5, 5), (6, 10), (7, 20), (8, 40), (9, 80), (10, 160), (11, 320), (12, 640),
     (13, 900), (14, 900), (10_000, 900)],
)  # fmt: skip
def test_a12_some_failures_are_free_and_then_each_doubles_the_wait(
    failures_before: int, wait: float
) -> None:
    seen = Failures(failures_before, NOW - 1, NOW - 1)
    after = next_failure(seen, NOW, free=FREE_FAILURES)
    assert after == Failures(failures_before + 1, NOW, NOW + wait)


@pytest.mark.parametrize(("failures_before", "wait"), [(0, 5), (1, 10), (5, 160), (8, 900)])
def test_no_failure_is_free_while_the_hub_is_attacked(failures_before: int, wait: float) -> None:
    after = next_failure(Failures(failures_before, NOW - 1, NOW - 1), NOW, free=0)
    assert after.locked_until == NOW + wait


def test_failures_are_forgotten_after_a_day() -> None:
    old = Failures(50, NOW - FORGOTTEN_AFTER, NOW - FORGOTTEN_AFTER + LONGEST_WAIT)
    assert next_failure(old, NOW, free=FREE_FAILURES).failures == 1


@pytest.mark.parametrize(
    ("locked_until", "seconds"),
    [
        (0.0, 0.0),
        (NOW, 0.0),
        (NOW + 7, 7.0),
        (NOW + LONGEST_WAIT, LONGEST_WAIT),
        (NOW + 10 * 365 * 86400, LONGEST_WAIT),  # the clock stood ten years ahead
    ],
)
def test_a_lock_has_an_end_whatever_the_clock_did(locked_until: float, seconds: float) -> None:
    assert seconds_locked(Failures(9, NOW, locked_until), NOW) == seconds


@pytest.mark.parametrize(
    ("failed_at", "left"),
    [(NOW, 40), (NOW - 10, 30), (NOW - 40, 0), (NOW - 9999, 0), (NOW + 50, 40)],
)
def test_the_overall_count_drains_by_one_in_a_second(failed_at: float, left: float) -> None:
    assert drained(Failures(40, failed_at), NOW) == left


def test_a_thousand_attempts_at_once_are_not_a_thousand_first_ones(throttle: Throttle) -> None:
    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(lambda _: throttle.admit("alice"), range(1000)))
    assert waits.count(0.0) == FREE_FAILURES + 1


def test_a_refused_attempt_does_not_make_the_lock_longer(throttle: Throttle, clock: Clock) -> None:
    assert fail(throttle, "alice", FREE_FAILURES + 1) == [0.0] * (FREE_FAILURES + 1)
    assert fail(throttle, "alice", 3) == [5.0, 5.0, 5.0]
    clock.now += 4
    assert fail(throttle, "alice") == [1.0]
    clock.now += 1
    assert fail(throttle, "alice", 2) == [0.0, 10.0]


def test_a_right_password_forgets_the_failures_of_this_name_alone(throttle: Throttle) -> None:
    fail(throttle, "alice", FREE_FAILURES)
    fail(throttle, "bob", FREE_FAILURES + 1)
    assert throttle.admit("alice") == 0
    throttle.settle("alice", succeeded=True)
    assert fail(throttle, "alice", FREE_FAILURES + 2)[-2:] == [0.0, 5.0]
    assert throttle.admit("bob") == 5.0


def test_a12_locks_survive_a_restart(throttle: Throttle, clock: Clock, tmp_path: Path) -> None:
    fail(throttle, "alice", FREE_FAILURES + 1)
    clock.now += 1
    again = Throttle(tmp_path / "accounts.sqlite", KEY, lambda: LOGINS, clock)
    assert again.admit("alice") == 4.0
    assert again.admit("bob") == 0.0


def test_a_link_opens_both_doors_again(throttle: Throttle) -> None:
    for door in (module.LOGIN, PASSWORD_PAGE):
        for _ in range(FREE_FAILURES + 1):
            assert throttle.admit("alice", door) == 0
        assert throttle.admit("alice", door) == 5.0
    throttle.forget("alice")
    assert throttle.admit("alice") == throttle.admit("alice", PASSWORD_PAGE) == 0.0


def test_who_attacks_a_login_does_not_lock_its_owners_password_page(throttle: Throttle) -> None:
    fail(throttle, "alice", FREE_FAILURES + 2)
    assert throttle.admit("alice", PASSWORD_PAGE) == 0.0


def test_many_names_make_every_name_dear_and_refuse_none_at_its_first_attempt(
    throttle: Throttle, clock: Clock
) -> None:
    """An attacker with a name for each attempt; alice, who mistypes; bob, who does not."""
    spray = [fail(throttle, f"name-{number}")[0] for number in range(2 * OVERALL_FAILURES)]
    assert not any(spray)
    assert fail(throttle, "alice", 2) == [0.0, 5.0]
    assert throttle.admit("bob") == 0.0
    throttle.settle("bob", succeeded=True)
    clock.now += OVERALL_FAILURES  # the attack is over, and so is its effect
    assert fail(throttle, "carol", 3) == [0.0, 0.0, 0.0]


def test_right_passwords_count_for_nothing_overall(throttle: Throttle) -> None:
    for number in range(OVERALL_FAILURES + 5):
        assert throttle.admit(f"name-{number}") == 0.0
        throttle.settle(f"name-{number}", succeeded=True)
    assert fail(throttle, "alice", 2) == [0.0, 0.0]


def test_a_clock_that_was_set_back_ends_a_lock_in_time(throttle: Throttle, clock: Clock) -> None:
    clock.now += 10 * 365 * 86400
    fail(throttle, "alice", FREE_FAILURES + 1)
    clock.now = NOW
    assert throttle.admit("alice") == LONGEST_WAIT
    clock.now += LONGEST_WAIT / 2
    assert throttle.admit("alice") == LONGEST_WAIT / 2
    clock.now += LONGEST_WAIT / 2
    assert throttle.admit("alice") == 0.0


def test_who_is_locked_is_told_by_login_and_strangers_are_nobody(
    throttle: Throttle, clock: Clock
) -> None:
    for name in ("alice", "stranger"):
        fail(throttle, name, FREE_FAILURES + 1)
    until = datetime.fromtimestamp(NOW + 5, UTC)
    assert throttle.locked() == {"alice": until}
    assert throttle.locked_until("alice") == until
    assert throttle.locked_until("bob") is None
    clock.now += 5
    assert throttle.locked() == {}
    assert throttle.locked_until("alice") is None


def test_the_table_is_bounded_and_new_names_do_not_push_out_a_lock(
    throttle: Throttle, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert MAX_ROWS >= 1000
    monkeypatch.setattr(module, "MAX_ROWS", 50)
    for _ in range(FREE_FAILURES + 4):
        clock.now += throttle.admit("alice")
        fail(throttle, "alice")
    lock = throttle.locked_until("alice")
    assert lock is not None
    for number in range(150):
        fail(throttle, f"name-{number}")
    assert throttle.locked_until("alice") == lock
    assert _rows(throttle) <= 50 + 1


def test_old_failures_leave_the_table(throttle: Throttle, clock: Clock) -> None:
    for number in range(20):
        fail(throttle, f"name-{number}")
    clock.now += FORGOTTEN_AFTER + 1
    fail(throttle, "alice")
    assert _rows(throttle) == 2  # hers, and that of all together


def test_what_people_type_is_not_in_the_file(throttle: Throttle, tmp_path: Path) -> None:
    """A password in the field for the name, say; or no text at all."""
    for typed in ("my secret passphrase", "\ud800", "a\x00b", "x" * 100_000):
        fail(throttle, typed)
    files = list(tmp_path.iterdir())
    assert not any(b"my secret" in file.read_bytes() for file in files)
    assert stat.S_IMODE((tmp_path / "accounts.sqlite").stat().st_mode) == 0o600


def _rows(throttle: Throttle) -> int:
    with throttle._engine.connect() as connection:
        return len(connection.exec_driver_sql("SELECT * FROM failed_logins").all())
