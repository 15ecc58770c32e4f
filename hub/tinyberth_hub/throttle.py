"""Failed logins slow down: by name, and overall when the whole hub is being tried.

By name: a few failures are free, then each doubles the time for which this name's next attempt
is refused before its password is looked at. Known and unknown names alike, so that the answers
tell nobody who has an account. The table holds keyed hashes, because people type passwords into
the field for the name.

Overall: an attacker with many names would stay below the limit of each. When the hub sees more
failures than people make by mistake, no failure is free any more: every name is locked from its
first one on. A name without a failure is always let through, once. So a right password opens the
door however hard the hub is attacked; what an attacker gains by reaching this limit is that other
people's typing errors cost them seconds. A limit that refused attempts would be a switch with
which anybody locks everybody out.

An attacker can lock a name. A fresh one-time link ends the lock, and links are not counted here.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Column, Connection, Float, MetaData, String, Table, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from .failures import (
    FORGOTTEN_AFTER,
    FREE_FAILURES,
    LONGEST_WAIT,
    OVERALL_FAILURES,
    Failures,
    drained,
    next_failure,
    seconds_locked,
)
from .state_file import open_tables

MAX_ROWS = 10_000
"""About 1 MB. Beyond it the shortest locks go first: new names cannot push out a locked one."""

LOGIN = "login"
PASSWORD_PAGE = "password page"  # noqa: S105 - a door's name
"""Doors. The page counts for itself: who attacks a name at the login must not keep its owner,
who is signed in, from changing the password."""

_OVERALL = "overall"  # no hash looks like this

_failed_logins = Table(
    "failed_logins",
    MetaData(),
    Column("key", String, primary_key=True),  # keyed hash of door and name, or _OVERALL
    Column("failures", Float, nullable=False),
    Column("failed_at", Float, nullable=False, index=True),  # seconds since 1970
    Column("locked_until", Float, nullable=False, index=True),  # the same
)


class Throttle:
    """The table of failures, beside the accounts. All methods block: call them in a thread."""

    def __init__(
        self,
        path: Path,
        key: str,
        logins: Callable[[], Iterable[str]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = open_tables(path, _failed_logins)
        self._key = bytes.fromhex(key)
        self._logins = logins
        self._clock = clock
        self._one_at_a_time = threading.Lock()  # look and write are one step

    def admit(self, login: str, door: str = LOGIN) -> float:
        """Return for how many seconds this attempt is refused; 0 lets it through.

        Who is let through is counted as failed already, so that a thousand attempts at the same
        moment are not a thousand first ones. ``settle`` must follow.
        """
        key = self._hash(login, door)
        with self._one_at_a_time, self._engine.begin() as connection:
            now = self._clock()  # after the wait for the one before
            seen = _read(connection, key)
            refused = seconds_locked(seen, now)
            if refused:
                if seen.locked_until - now > refused:  # the clock was set back: end it in time
                    _write(connection, key, Failures(seen.failures, now, now + refused))
                return refused
            is_attacked = drained(_read(connection, _OVERALL), now) > OVERALL_FAILURES - 1
            free = 0 if is_attacked else FREE_FAILURES
            _write(connection, key, next_failure(seen, now, free=free))
            _purge(connection, now)
        return 0.0

    def settle(self, login: str, door: str = LOGIN, *, succeeded: bool) -> None:
        """Say how an admitted attempt ended: forget this name's failures, or count one overall."""
        with self._one_at_a_time, self._engine.begin() as connection:
            now = self._clock()
            if succeeded:
                _forget(connection, [self._hash(login, door)])
            else:
                # Never above the limit: it drains as soon as the attack ends.
                overall = min(drained(_read(connection, _OVERALL), now) + 1, OVERALL_FAILURES)
                _write(connection, _OVERALL, Failures(overall, now))

    def forget(self, login: str) -> None:
        """Open both doors again: a link has set a new password, or the account is gone."""
        keys = [self._hash(login, door) for door in (LOGIN, PASSWORD_PAGE)]
        with self._one_at_a_time, self._engine.begin() as connection:
            _forget(connection, keys)

    def locked_until(self, login: str) -> datetime | None:
        """Return until when ``login`` cannot sign in, or None."""
        now = self._clock()
        with self._engine.connect() as connection:
            seconds = seconds_locked(_read(connection, self._hash(login, LOGIN)), now)
        return datetime.fromtimestamp(now + seconds, UTC) if seconds else None

    def locked(self) -> dict[str, datetime]:
        """Return until when each account that is locked cannot sign in."""
        now = self._clock()
        table = _failed_logins.c
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(table.key, table.locked_until).where(table.locked_until > now)
            ).all()
        if not rows:
            return {}  # as nearly always: nobody's name need be hashed
        until = {row.key: min(row.locked_until, now + LONGEST_WAIT) for row in rows}
        logins = {self._hash(login, LOGIN): login for login in self._logins()}
        return {
            logins[key]: datetime.fromtimestamp(end, UTC)
            for key, end in until.items()
            if key in logins
        }

    def _hash(self, login: str, door: str) -> str:
        text = f"{door}:{login}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=16).hexdigest()


def _read(connection: Connection, key: str) -> Failures:
    table = _failed_logins.c
    row = connection.execute(
        select(table.failures, table.failed_at, table.locked_until).where(table.key == key)
    ).first()
    return Failures(*row) if row else Failures()


def _write(connection: Connection, key: str, failures: Failures) -> None:
    values = {"key": key, **vars(failures)}
    connection.execute(
        insert(_failed_logins)
        .values(values)
        .on_conflict_do_update(index_elements=["key"], set_=values)
    )


def _forget(connection: Connection, keys: list[str]) -> None:
    connection.execute(delete(_failed_logins).where(_failed_logins.c.key.in_(keys)))


def _purge(connection: Connection, now: float) -> None:
    table = _failed_logins.c
    connection.execute(
        delete(_failed_logins).where(
            table.failed_at < now - FORGOTTEN_AFTER, table.locked_until < now
        )
    )
    count = connection.execute(select(func.count()).select_from(_failed_logins)).scalar_one()
    if count > MAX_ROWS:
        shortest = select(table.key).where(table.key != _OVERALL).order_by(table.locked_until)
        connection.execute(
            delete(_failed_logins).where(table.key.in_(shortest.limit(count - MAX_ROWS)))
        )
