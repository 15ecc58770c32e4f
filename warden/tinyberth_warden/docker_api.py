"""The part of the Docker API that DockerSpawner uses, for this deployment's containers alone.

Answers are made of named fields too: the hub learns no path of the host.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from aiohttp import web

from . import policy
from .berths import Berths
from .engine import API_VERSION, Engine
from .errors import RefusedError, shown
from .http import read_object
from .settings import Wiring

MAX_LOG_LINES = 1000
MAX_STOP_SECONDS = 60

_FALSE, _TRUE = ("0", "false", "False"), ("1", "true", "True")  # docker-py sends all three
_BOOLEANS = dict.fromkeys(_FALSE, False) | dict.fromkeys(_TRUE, True)


class DockerApi:
    """Handlers; ``api.py`` has the paths. ``container`` is a name or id as the hub wrote it."""

    def __init__(self, engine: Engine, berths: Berths, host: policy.Host, wiring: Wiring) -> None:
        self._engine = engine
        self._berths = berths
        self._host = host
        self._wiring = wiring
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def lock(self, login: str) -> asyncio.Lock:
        """Return the lock of one person: nobody is archived while a container is made."""
        return self._locks.setdefault(login, asyncio.Lock())

    async def ping(self, request: web.BaseRequest) -> web.Response:
        _query(request)
        return web.Response(text="OK", headers={"Api-Version": API_VERSION})

    async def version(self, request: web.BaseRequest) -> web.Response:
        _query(request)
        found = await self._engine.version()
        # Our own version, whatever the engine's: docker-py then speaks what we understand.
        numbers = {"ApiVersion": API_VERSION, "MinAPIVersion": API_VERSION}
        return web.json_response({**_only(found, "Version Os Arch KernelVersion"), **numbers})

    async def image(self, request: web.BaseRequest, name: str) -> web.Response:
        _query(request)
        if name != self._wiring.user_image:
            raise RefusedError(404, "no_image", f"No such image: {shown(name)}.")
        found = await self._with_image(self._engine.image(name))
        answer = _only(found, "Id RepoTags RepoDigests Created Size")
        answer["Config"] = _only(found["Config"], "Cmd Labels")
        return web.json_response(answer)

    async def create(self, request: web.BaseRequest) -> web.Response:
        name = _query(request, "name").get("name")
        document = await read_object(request)
        login = policy.requested_login(document)
        async with self.lock(login):
            entry = await asyncio.to_thread(self._berths.ensure_home, login)
            if name != policy.container_name(self._wiring.deployment, login):
                raise policy.refused("name", "it must be DEPLOYMENT-user-LOGIN")
            body = policy.resolve_create(document, entry, self._host, self._wiring)
            made = await self._with_image(self._engine.create(name, body))
        return web.json_response(_only(made, "Id Warnings"), status=201)

    async def start(self, request: web.BaseRequest, container: str) -> web.Response:
        _query(request)
        found = await self._ours(container)
        login = found["Config"]["Labels"][policy.LABEL_LOGIN]
        async with self.lock(login):
            # Docker looks up the home now, not at create: it is checked once more.
            entry = await asyncio.to_thread(self._berths.ensure_home, login)
            if found["Config"]["User"] != f"{entry.uid}:{entry.gid}":
                raise RefusedError(
                    409,
                    "stale_container",
                    f"The container of {login} was made for another uid: remove it first.",
                )
            await self._engine.start(found["Id"])
        return web.Response(status=204)

    async def stop(self, request: web.BaseRequest, container: str) -> web.Response:
        seconds = _whole(_query(request, "t").get("t", "10"), "t", MAX_STOP_SECONDS)
        await self._engine.stop((await self._ours(container))["Id"], seconds)
        return web.Response(status=204)

    async def remove(self, request: web.BaseRequest, container: str) -> web.Response:
        query = _query(request, "v", "link", "force")
        flags = {key: _boolean(value, key) for key, value in query.items()}
        if flags.get("link"):
            raise _refused_query("link")
        found = await self._ours(container)
        await self._engine.remove(found["Id"], force=flags.get("force", False))
        return web.Response(status=204)

    async def inspect(self, request: web.BaseRequest, container: str) -> web.Response:
        _query(request)
        found = await self._ours(container)
        answer = _only(found, "Id Name Created Image State RestartCount")
        answer["Config"] = _only(found["Config"], "Image User Env Labels Tty")
        answer["NetworkSettings"] = _only(found["NetworkSettings"], "Networks")
        return web.json_response(answer)

    async def logs(self, request: web.BaseRequest, container: str) -> web.Response:
        query = _query(request, "stdout", "stderr", "timestamps", "follow", "tail")
        tail = query.pop("tail", "all")
        flags = {key: _boolean(value, key) for key, value in query.items()}
        if flags.pop("follow", False):
            raise _refused_query("follow")
        lines = MAX_LOG_LINES if tail == "all" else _whole(tail, "tail", MAX_LOG_LINES)
        params = {key: str(int(value)) for key, value in flags.items()} | {"tail": str(lines)}
        found = await self._ours(container)
        return web.Response(
            body=await self._engine.logs(found["Id"], params),
            content_type="application/vnd.docker.multiplexed-stream",
        )

    async def is_running(self, login: str) -> bool:
        name = policy.container_name(self._wiring.deployment, login)
        try:
            return bool((await self._engine.inspect(name))["State"]["Running"])
        except RefusedError as refusal:
            if refusal.status != 404:
                raise
            return False

    async def _ours(self, container: str) -> dict[str, Any]:
        """Inspect a container of this deployment; any other does not exist here."""
        missing = RefusedError(404, "no_container", f"No such container: {shown(container)}.")
        try:
            found = await self._engine.inspect(container)
        except RefusedError as refusal:
            raise (missing if refusal.status in (400, 404) else refusal) from None
        labels = found["Config"]["Labels"] or {}
        login = labels.get(policy.LABEL_LOGIN, "")
        name = policy.container_name(self._wiring.deployment, login)
        ours = labels.get(policy.LABEL_DEPLOYMENT) == self._wiring.deployment
        if not ours or not login or found["Name"] != f"/{name}":
            raise missing
        return found

    async def _with_image(self, call: Any) -> dict[str, Any]:
        """Await ``call``; say how to make the user image where it is missing (THREATS F7)."""
        try:
            found: dict[str, Any] = await call
        except RefusedError as refusal:
            if refusal.status != 404:
                raise
            raise RefusedError(
                404,
                "no_image",
                f"{refusal.message} The user image is {self._wiring.user_image}; build it with "
                "`docker compose build singleuser`.",
            ) from None
        return found


def _only(found: Mapping[str, Any], keys: str) -> dict[str, Any]:
    return {key: found[key] for key in keys.split() if key in found}


def _query(request: web.BaseRequest, *known: str) -> dict[str, str]:
    """Return the query as a plain dict; an unknown or repeated parameter is refused."""
    query: dict[str, str] = {}
    for key, value in request.query.items():
        if key not in known or key in query:
            raise _refused_query(key)
        query[key] = value
    return query


def _refused_query(key: str) -> RefusedError:
    return RefusedError(403, "refused", f"The query parameter {shown(key)} is not allowed here.")


def _boolean(text: str, key: str) -> bool:
    if text not in _BOOLEANS:
        raise _refused_query(key)
    return _BOOLEANS[text]


def _whole(text: str, key: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) <= most):
        raise RefusedError(400, "bad_query", f"{key} must be a whole number up to {most}.")
    return int(text)
