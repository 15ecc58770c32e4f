"""How long a name is locked after how many failures: decisions alone, without a table."""

from __future__ import annotations

from dataclasses import dataclass

FREE_FAILURES = 5
FIRST_WAIT = 5.0
LONGEST_WAIT = 15 * 60.0
FORGOTTEN_AFTER = 24 * 3600.0
"""Seconds, as all times here: by the wall clock, because a restart must not end a lock."""

OVERALL_FAILURES = 60
"""So many at once are mistakes of people; it is refilled by one in a second."""


@dataclass(frozen=True)
class Failures:
    """What is remembered of one name, or of all together."""

    failures: float = 0
    failed_at: float = 0.0
    locked_until: float = 0.0


def next_failure(seen: Failures, now: float, *, free: int) -> Failures:
    """Return what is remembered after one more failure."""
    recent = seen.failures if now - seen.failed_at < FORGOTTEN_AFTER else 0
    failures = recent + 1
    # The exponent is bounded because floats are; the wait has long been the longest by then.
    doubled = FIRST_WAIT * 2.0 ** min(failures - free - 1, 32)
    wait = min(doubled, LONGEST_WAIT) if failures > free else 0.0
    return Failures(failures, now, now + wait)


def seconds_locked(seen: Failures, now: float) -> float:
    """Return for how long attempts are refused; never longer than ``LONGEST_WAIT``.

    A lock that ends later than any could was written before the clock was set back.
    """
    return min(max(seen.locked_until - now, 0.0), LONGEST_WAIT)


def drained(overall: Failures, now: float) -> float:
    """Return how many of all names' failures still count: one less in every second."""
    return max(0.0, overall.failures - max(0.0, now - overall.failed_at))
