"""The warden's own REST part; ``openapi.json`` describes it."""

import asyncio
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
from .ledger import Entry

OPENAPI = Path(__file__).with_name("openapi.json")


class BerthsApi:
    """Handlers; ``api.py`` has the paths. ``name`` is a piece of the path, as it was sent."""

    def __init__(self, engine: Engine, berths: Berths, docker: DockerApi) -> None:
        self._engine, self._berths, self._docker = engine, berths, docker

    async def health(self, _request: web.BaseRequest) -> web.Response:
        """Say whether a spawn could work: data root, ledger and engine answer."""
        await asyncio.to_thread(self._berths.ledger)
        await self._engine.version()
        return web.json_response({"status": "ok", "version": VERSION})

    async def openapi(self, _request: web.BaseRequest) -> web.Response:
        return web.Response(body=OPENAPI.read_bytes(), content_type="application/json")

    async def list(self, _request: web.BaseRequest) -> web.Response:
        entries = (await asyncio.to_thread(self._berths.ledger)).entries
        berths = [{**_berth(e), "archive": e.name if e.archived else None} for e in entries]
        return web.json_response({"berths": berths})

    async def ensure(self, request: web.BaseRequest, name: str) -> web.Response:
        login = checked_login(unquote(name))
        ids = _requested_ids(await read_object(request))
        entry, created, home_created = await asyncio.to_thread(self._berths.ensure, login, ids)
        home = {"container_path": f"/home/{entry.login}", "created": home_created}
        return web.json_response({**_berth(entry), "created": created, "home": home})

    async def archive(self, request: web.BaseRequest, name: str) -> web.Response:
        login = checked_login(unquote(name))
        if await read_object(request):
            raise RefusedError("bad_request", "The body must be {}.")
        async with self._docker.lock(login):
            if await self._docker.is_running(login):
                raise RefusedError("running", f"The server of {login} runs: stop it first.")
            tombstone = await asyncio.to_thread(self._berths.archive, login)
        return web.json_response({**_berth(tombstone), "archive": tombstone.name})


def _berth(entry: Entry) -> dict[str, Any]:
    return {"name": entry.hub_name, "login": entry.login, "uid": entry.uid, "gid": entry.gid}


def _requested_ids(document: dict[str, Any]) -> tuple[int, int | None] | None:
    if unknown := set(document) - {"uid", "gid"}:
        why = f"{shown(unknown.pop())} is not known here: uid and gid are."
        raise RefusedError("bad_request", why)
    ids = {field: check_number(number, field) for field, number in document.items()}
    if ids and "uid" not in ids:
        raise RefusedError("bad_id", "A gid needs a uid: give both, or the uid alone.")
    return (ids["uid"], ids.get("gid")) if ids else None
