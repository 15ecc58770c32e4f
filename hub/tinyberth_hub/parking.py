"""Which servers are parked, and which parked ones are stopped for good: decisions alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Rules:
    """What the settings say. Times as they stand there, memory in bytes."""

    after_minutes: int | None
    memory: int
    hours: int


@dataclass(frozen=True)
class Running:
    """A server that can be parked: it is ready, and neither starts nor stops."""

    login: str
    last_activity: datetime


@dataclass(frozen=True)
class Parked:
    """A parked server; ``memory`` in bytes, None where it cannot be known just now."""

    login: str
    since: datetime
    memory: int | None
    is_there: bool = True
    """Whether there is a paused container: a restart of the engine ends them all."""


@dataclass(frozen=True)
class Decisions:
    """Logins, those first that have waited longest; each stop with its reason, for the log."""

    park: Sequence[str]
    stop: Sequence[tuple[str, str]]


def resolve_parking(
    running: Sequence[Running], parked: Sequence[Parked], rules: Rules, now: datetime
) -> Decisions:
    """Decide what becomes of everybody's server; all times have the same zone, or none."""
    return Decisions(_to_park(running, rules, now), _to_stop(parked, rules, now))


def _to_park(running: Sequence[Running], rules: Rules, now: datetime) -> list[str]:
    if rules.after_minutes is None:
        return []
    latest = now - timedelta(minutes=rules.after_minutes)
    by_age = sorted(running, key=lambda server: server.last_activity)
    return [server.login for server in by_age if server.last_activity <= latest]


def _to_stop(parked: Sequence[Parked], rules: Rules, now: datetime) -> list[tuple[str, str]]:
    stop: list[tuple[str, str]] = []
    earliest = now - timedelta(hours=rules.hours)
    in_use = sum(server.memory or 0 for server in parked if server.is_there)
    for server in sorted(parked, key=lambda server: server.since):
        if not server.is_there:
            reason = "its container is gone or has ended"
        elif rules.after_minutes is None:
            reason = "PARK_AFTER is off"
        elif server.since <= earliest:
            reason = f"it has been parked for {rules.hours} hours (PARKED_HOURS)"
        elif in_use > rules.memory:
            reason = f"parked servers use {in_use >> 20} MiB, which is over PARKED_MEMORY"
        else:
            continue
        stop.append((server.login, reason))
        in_use -= (server.memory or 0) if server.is_there else 0
    return stop
