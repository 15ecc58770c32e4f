"""How people look to an admin: one object for each, made of what all stores say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .accounts import Account
from .ledger_client import Berth, LedgerError
from .operations import Stores

STATS_SECONDS = 1.0
"""How long a server's memory is waited for; it is then not known."""

PARALLEL_STATS = 16
"""Servers whose memory is asked at the same time; the warden's and the engine's to bear."""

Person = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """What the stores say at one moment, by login."""

    accounts: Mapping[str, Account]
    berths: Mapping[str, Berth]
    teams: Mapping[str, list[str]]
    disk: Mapping[str, int]
    servers: Mapping[str, Person]
    throttled: Mapping[str, datetime]


async def list_people(stores: Stores, only: str | None = None) -> tuple[list[Person], str | None]:
    """Return everybody, the removed ones at the end, and when the disk use was measured.

    ``only`` is the login or the tombstone of the one person that is asked for.
    """
    # The hub's users first: every change writes them after the ledger, so that whoever is seen
    # here under a new name is seen there too, though the change goes on between the two looks.
    rows = [row for row in stores.hub.rows() if only in {None, row.name}]
    # The others at the same time: each takes a process or a thread of its own.
    berths, accounts, usage, servers, throttled = await asyncio.gather(
        stores.ledger.list_berths(),
        asyncio.to_thread(stores.accounts.all),
        _usage(stores),
        _servers(stores, only),
        asyncio.to_thread(stores.throttle.locked),
    )
    known = Known(
        accounts,
        {berth.login: berth for berth in berths if not berth.archive},
        _teams_by_login(stores.hub.teams()),
        usage["homes"],
        servers,
        throttled,
    )
    people = [_living(row, known) for row in rows]
    removed = [berth for berth in berths if berth.archive and only in {None, berth.archive}]
    return [*people, *map(_removed, removed)], usage["measured_at"]


def _living(row: Any, known: Known) -> Person:
    login = row.name
    account, berth = known.accounts.get(login), known.berths.get(login)
    throttled_until = known.throttled.get(login)
    state = account.state if account else "invited"
    return {
        "name": (account and account.given_name) or (berth.name if berth else login),
        "login": login,
        "uid": berth.uid if berth else None,
        "gid": berth.gid if berth else None,
        "state": "throttled" if throttled_until else state,
        "throttled_until": _iso(throttled_until),
        "admin": bool(row.admin),
        "teams": known.teams.get(login, []),
        "disk": known.disk.get(login),
        "server": known.servers.get(login),
        "last_seen": _iso(row.last_activity),
        "archive": None,
        "created": account.created_at if account else None,
    }


def _removed(berth: Berth) -> Person:
    return {
        "name": berth.name,
        "login": berth.login,
        "uid": berth.uid,
        "gid": berth.gid,
        "state": "removed",
        "throttled_until": None,
        "admin": False,
        "teams": [],
        "disk": None,
        "server": None,
        "last_seen": None,
        "archive": berth.archive,
        "created": None,
    }


async def _servers(stores: Stores, only: str | None) -> dict[str, Person]:
    spawners = {**stores.hub.parked_spawners(), **stores.hub.running_spawners()}
    few = asyncio.Semaphore(PARALLEL_STATS)

    async def look(spawner: Any) -> Person:
        async with few:
            memory = await stores.warden.memory(spawner.object_name, STATS_SECONDS)
        return {
            "since": _iso(spawner.orm_spawner.started),
            "parked_since": _iso(spawner.parked_at),
            "memory": memory[0] if memory else None,
            "memory_limit": spawner.mem_limit,
            "teams_changed": bool(spawner.teams_to_join or spawner.teams_to_leave),
        }

    wanted = [login for login in spawners if only in {None, login}]
    looks = await asyncio.gather(*(look(spawners[login]) for login in wanted))
    return dict(zip(wanted, looks, strict=True))


async def _usage(stores: Stores) -> dict[str, Any]:
    try:
        return await stores.ledger.usage()
    except LedgerError as refusal:
        if refusal.status >= 500:
            raise
        return {"homes": {}, "measured_at": None}  # not measured here


def _teams_by_login(teams: Mapping[str, set[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for team in sorted(teams):
        for login in teams[team]:
            found.setdefault(login, []).append(team)
    return found


def _iso(moment: datetime | None) -> str | None:
    """Return ISO 8601 in UTC, to the second; JupyterHub's times say no zone and are UTC."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="seconds")
