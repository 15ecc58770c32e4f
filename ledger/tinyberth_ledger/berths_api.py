"""The ledger's REST API; ``openapi.json`` describes it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import unquote
from weakref import WeakValueDictionary

from tinyberth_common import VERSION
from tinyberth_server.calls import Call, Caller, Json, Request
from tinyberth_server.checks import checked_login, checked_number
from tinyberth_server.errors import RefusedError, shown
from tinyberth_server.peer import Peer

from .berths import Berths
from .ledger import Entry, Team
from .ledger_text import GECOS
from .teams import Teams
from .usage import Usage

OPENAPI = Path(__file__).with_name("openapi.json")
MAX_GECOS = 255
"""Bytes of a person's name; programs read passwd(5) lines into buffers."""


class BerthsApi:
    """Handlers. ``name`` is a piece of the path, as it was sent."""

    def __init__(self, berths: Berths, usage: Usage, warden: Peer) -> None:
        self._berths, self._usage, self._warden = berths, usage, warden
        self._teams = Teams(berths)
        self._changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def calls(self) -> list[Call]:
        hub = Caller.HUB
        return [
            Call("GET", r"/v1/health", Caller.ANY, self.health),
            Call("GET", r"/v1/openapi\.json", hub, self.openapi),
            Call("GET", r"/v1/berths", hub, self.list),
            Call("PUT", r"/v1/berths/(.*)", hub, self.ensure, body=True),
            Call("POST", r"/v1/berths/(.*)/folders", Caller.ROOT, self.folders),
            Call("POST", r"/v1/berths/(.*)/archive", hub, self.archive, body=True),
            Call("POST", r"/v1/berths/(.*)/rename", hub, self.rename, body=True),
            Call("POST", r"/v1/berths/(.*)/restore", hub, self.restore, body=True),
            Call("GET", r"/v1/teams", hub, self.list_teams),
            Call("PUT", r"/v1/teams/(.*)", hub, self.ensure_team, body=True),
            Call("POST", r"/v1/teams/(.*)/archive", hub, self.archive_team, body=True),
            Call("GET", r"/v1/usage", hub, self.usage),
        ]

    async def health(self, _: Request) -> Json:
        """Say whether a spawn could get its files: data root and ledger."""
        await asyncio.to_thread(self._berths.ledger)
        return {"status": "ok", "version": VERSION}

    async def openapi(self, _: Request) -> Json:
        document: Json = json.loads(OPENAPI.read_bytes())
        return document

    async def list(self, _: Request) -> Json:
        entries = (await asyncio.to_thread(self._berths.ledger)).entries
        return {"berths": [_berth(e) | _archive(e) for e in entries]}

    async def ensure(self, _: Request, name: str, document: Json) -> Json:
        login = checked_login(unquote(name))
        body = _fields(document, uid=int, gid=int, name=str)
        ids, gecos = _requested_ids(body), body.get("name")
        if gecos is not None and (
            not re.fullmatch(GECOS, gecos) or len(gecos.encode()) > MAX_GECOS
        ):
            why = f"write 1 to {MAX_GECOS} bytes, no space first, no colon, no control character."
            raise RefusedError("bad_name", f"The name {shown(gecos)} is refused: {why}")
        made = await asyncio.to_thread(self._berths.ensure, login, ids, gecos)
        entry, created, home_created = made
        home = {"container_path": f"/home/{entry.login}", "created": home_created}
        return {**_berth(entry), "created": created, "home": home}

    async def folders(self, _: Request, name: str) -> Json:
        """Tell the warden, which starts a container, whose it is; the folders are made sure."""
        login = checked_login(unquote(name))
        if self._lock(login).locked():  # never waited for: see _stopped
            raise RefusedError("changing", f"{login} is being changed just now: try again soon.")
        entry, teams = await asyncio.to_thread(self._berths.ensure_folders, login)
        person = {"login": entry.login, "uid": entry.uid, "gid": entry.gid}
        teams_of = [{"name": team.login, "gid": team.gid} for team in teams]
        return {**person, "teams": teams_of}

    async def archive(self, _: Request, name: str, document: Json) -> Json:
        login = checked_login(unquote(name))
        _fields(document)
        async with self._stopped(login, login):
            tombstone = await asyncio.to_thread(self._berths.archive, login)
        return _berth(tombstone) | _archive(tombstone)

    async def rename(self, _: Request, name: str, document: Json) -> Json:
        login = checked_login(unquote(name))
        to = checked_login(_fields(document, to=str, required="to")["to"])
        async with self._stopped(login, to):
            entry = await asyncio.to_thread(self._berths.rename, login, to)
        return _berth(entry)

    async def restore(self, _: Request, name: str, document: Json) -> Json:
        tombstone = unquote(name)
        checked_login(tombstone.partition("~")[0])
        to = checked_login(_fields(document, **{"as": str}, required="as")["as"])
        async with self._lock(to):  # nobody has that login yet, so no server of theirs runs
            entry = await asyncio.to_thread(self._berths.restore, tombstone, to)
        return _berth(entry)

    async def list_teams(self, _: Request) -> Json:
        teams = (await asyncio.to_thread(self._berths.ledger)).teams
        return {"teams": [_team(t) | _archive(t) for t in teams]}

    async def ensure_team(self, _: Request, name: str, document: Json) -> Json:
        team = checked_login(unquote(name))
        body = _fields(document, members=list, required="members")
        if not all(isinstance(login, str) for login in body["members"]):
            raise RefusedError("bad_request", "members must be a list of logins.")
        made = await asyncio.to_thread(
            self._teams.ensure, team, map(checked_login, body["members"])
        )
        return _team(made)

    async def archive_team(self, _: Request, name: str, document: Json) -> Json:
        team = checked_login(unquote(name))
        _fields(document)
        tombstone = await asyncio.to_thread(self._teams.archive, team)
        return _team(tombstone) | _archive(tombstone)

    async def usage(self, _: Request) -> Json:
        self._usage.ask()
        at = self._usage.measured_at
        measured_at = at.isoformat(timespec="seconds") if at else None
        return {"homes": self._usage.homes, "measured_at": measured_at}

    def _lock(self, login: str) -> asyncio.Lock:
        return self._changing.setdefault(login, asyncio.Lock())

    @asynccontextmanager
    async def _stopped(self, login: str, to: str) -> AsyncIterator[None]:
        """Mark two logins as being changed; refuse where the first has a server that runs.

        No folder moves under a server, whoever comes first: the warden keeps its own lock of the
        login from before it asks for the folders until the engine has started the container. A
        start that asks after the mark is refused; one that asked before is waited for by the
        warden's answer here, and found to run. Nobody waits in a circle: who holds the warden's
        lock never waits for the mark. If this service dies, the mark goes, and what the ledger
        says was begun is finished before anybody is served; if the warden does, nobody knows
        what runs, and nothing moves.
        """
        async with AsyncExitStack() as held:
            for each in sorted({login, to}):
                await held.enter_async_context(self._lock(each))
            if (await self._warden.ask("GET", f"/v1/running/{login}"))["running"]:
                raise RefusedError("running", f"The server of {login} runs: stop it first.")
            yield


def _berth(entry: Entry) -> Json:
    return {"name": entry.gecos, "login": entry.login, "uid": entry.uid, "gid": entry.gid}


def _team(team: Team) -> Json:
    return {"name": team.login, "gid": team.gid, "members": sorted(team.members)}


def _archive(owner: Entry | Team) -> Json:
    return {"archive": owner.name if owner.archived else None}


def _fields(document: Json, required: str = "", **kinds: type) -> Json:
    """Return ``document`` if it has these fields of these types and no others."""
    for field, value in document.items():
        if field not in kinds:
            known = f"this call knows {', '.join(kinds) or 'none'}"
            raise RefusedError("bad_request", f"{shown(field)} is no field here: {known}.")
        if kinds[field] is not int and not isinstance(value, kinds[field]):
            raise RefusedError("bad_request", f"{field} must be a {kinds[field].__name__}.")
    if required and required not in document:
        raise RefusedError("bad_request", f"The body must have {required}.")
    return document


def _requested_ids(body: Json) -> tuple[int, int | None] | None:
    ids = {field: checked_number(body[field], field) for field in ("uid", "gid") if field in body}
    if ids and "uid" not in ids:
        raise RefusedError("bad_id", "A gid needs a uid: give both, or the uid alone.")
    return (ids["uid"], ids.get("gid")) if ids else None
