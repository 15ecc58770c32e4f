"""The warden's own REST part; ``openapi.json`` describes it."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tinyberth_common import VERSION

from .berths import Berths, checked_login
from .docker_api import DockerApi
from .engine import Engine
from .errors import RefusedError, shown
from .http import read_object
from .identity import check_number
from .ledger import Entry, Team
from .ledger_text import GECOS
from .teams import Teams
from .usage import Usage

OPENAPI = Path(__file__).with_name("openapi.json")
MAX_GECOS = 255
"""Bytes of a person's name; programs read passwd(5) lines into buffers."""


class BerthsApi:
    """Handlers; ``api.py`` has the paths. ``name`` is a piece of the path, as it was sent."""

    def __init__(self, engine: Engine, berths: Berths, docker: DockerApi, usage: Usage) -> None:
        self._engine, self._berths, self._docker, self._usage = engine, berths, docker, usage
        self._teams = Teams(berths)

    async def health(self, _request: web.BaseRequest) -> web.Response:
        """Say whether a spawn could work: data root, ledger and engine answer."""
        await asyncio.to_thread(self._berths.ledger)
        await self._engine.version()
        return web.json_response({"status": "ok", "version": VERSION})

    async def openapi(self, _request: web.BaseRequest) -> web.Response:
        return web.Response(body=OPENAPI.read_bytes(), content_type="application/json")

    async def list(self, _request: web.BaseRequest) -> web.Response:
        entries = (await asyncio.to_thread(self._berths.ledger)).entries
        return web.json_response({"berths": [_berth(e) | _archive(e) for e in entries]})

    async def ensure(self, request: web.BaseRequest, name: str) -> web.Response:
        login = checked_login(unquote(name))
        body = _fields(await read_object(request), uid=int, gid=int, name=str)
        ids, gecos = _requested_ids(body), body.get("name")
        if gecos is not None and (
            not re.fullmatch(GECOS, gecos) or len(gecos.encode()) > MAX_GECOS
        ):
            why = f"write 1 to {MAX_GECOS} bytes, without a colon and control characters."
            raise RefusedError("bad_name", f"The name {shown(gecos)} is refused: {why}")
        made = await asyncio.to_thread(self._berths.ensure, login, ids, gecos)
        entry, created, home_created = made
        home = {"container_path": f"/home/{entry.login}", "created": home_created}
        return web.json_response({**_berth(entry), "created": created, "home": home})

    async def archive(self, request: web.BaseRequest, name: str) -> web.Response:
        login = checked_login(unquote(name))
        _fields(await read_object(request))
        async with self._stopped(login, login):
            tombstone = await asyncio.to_thread(self._berths.archive, login)
        return web.json_response(_berth(tombstone) | _archive(tombstone))

    async def rename(self, request: web.BaseRequest, name: str) -> web.Response:
        login = checked_login(unquote(name))
        to = checked_login(_fields(await read_object(request), to=str, required="to")["to"])
        async with self._stopped(login, to):
            entry = await asyncio.to_thread(self._berths.rename, login, to)
        return web.json_response(_berth(entry))

    async def restore(self, request: web.BaseRequest, name: str) -> web.Response:
        login, _, _number = (tombstone := unquote(name)).partition("~")
        checked_login(login)
        to = checked_login(_fields(await read_object(request), **{"as": str}, required="as")["as"])
        async with self._docker.lock(to):
            entry = await asyncio.to_thread(self._berths.restore, tombstone, to)
        return web.json_response(_berth(entry))

    async def list_teams(self, _request: web.BaseRequest) -> web.Response:
        teams = (await asyncio.to_thread(self._berths.ledger)).teams
        return web.json_response({"teams": [_team(t) | _archive(t) for t in teams]})

    async def ensure_team(self, request: web.BaseRequest, name: str) -> web.Response:
        team = checked_login(unquote(name))
        body = _fields(await read_object(request), members=list, required="members")
        if not all(isinstance(login, str) for login in body["members"]):
            raise RefusedError("bad_request", "members must be a list of logins.")
        made = await asyncio.to_thread(
            self._teams.ensure, team, map(checked_login, body["members"])
        )
        return web.json_response(_team(made))

    async def archive_team(self, request: web.BaseRequest, name: str) -> web.Response:
        team = checked_login(unquote(name))
        _fields(await read_object(request))
        tombstone = await asyncio.to_thread(self._teams.archive, team)
        return web.json_response(_team(tombstone) | _archive(tombstone))

    async def usage(self, _request: web.BaseRequest) -> web.Response:
        self._usage.ask()
        at = self._usage.measured_at
        measured_at = at.isoformat(timespec="seconds") if at else None
        return web.json_response({"homes": self._usage.homes, "measured_at": measured_at})

    @asynccontextmanager
    async def _stopped(self, login: str, to: str) -> AsyncIterator[None]:
        """Hold the locks of two logins; refuse where the first has a server that runs."""
        async with AsyncExitStack() as held:
            for each in sorted({login, to}):
                await held.enter_async_context(self._docker.lock(each))
            if await self._docker.is_running(login):
                raise RefusedError("running", f"The server of {login} runs: stop it first.")
            yield


def _berth(entry: Entry) -> dict[str, Any]:
    return {"name": entry.gecos, "login": entry.login, "uid": entry.uid, "gid": entry.gid}


def _team(team: Team) -> dict[str, Any]:
    return {"name": team.login, "gid": team.gid, "members": sorted(team.members)}


def _archive(owner: Entry | Team) -> dict[str, Any]:
    return {"archive": owner.name if owner.archived else None}


def _fields(document: Mapping[str, Any], required: str = "", **kinds: type) -> Mapping[str, Any]:
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


def _requested_ids(body: Mapping[str, Any]) -> tuple[int, int | None] | None:
    ids = {field: check_number(body[field], field) for field in ("uid", "gid") if field in body}
    if ids and "uid" not in ids:
        raise RefusedError("bad_id", "A gid needs a uid: give both, or the uid alone.")
    return (ids["uid"], ids.get("gid")) if ids else None
