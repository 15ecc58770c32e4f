"""The part of the Docker API that DockerSpawner uses, for this deployment's containers alone.

Answers are made of named fields too: the hub learns no path of the host.
"""

import asyncio
import json
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from aiohttp import web

from tinyberth_common import VERSION
from tinyberth_server.calls import Call, Caller, Json, Request
from tinyberth_server.checks import checked_login
from tinyberth_server.errors import RefusedError, shown
from tinyberth_server.peer import Peer

from . import policy
from .engine import API_VERSION, Engine
from .people import person_with_folders
from .queries import FLAG, NO, SECONDS, TAIL, checked_query
from .settings import Wiring
from .spawn_request import refused

OPENAPI = Path(__file__).with_name("openapi.json")
_V = r"(?:/v1\.[0-9]{2})?"
_CONTAINER = r"/containers/([a-zA-Z0-9][a-zA-Z0-9_.-]{0,127})"


class DockerApi:
    """Handlers. ``container`` is a name or id as the hub wrote it."""

    def __init__(self, engine: Engine, ledger: Peer, host: policy.Host, wiring: Wiring) -> None:
        self._engine, self._ledger, self._host, self._wiring = engine, ledger, host, wiring
        self._starting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def calls(self) -> list[Call]:
        hub = Caller.HUB
        return [
            Call("GET", r"/v1/health", Caller.ANY, self.health),
            Call("GET", r"/v1/openapi\.json", hub, self.openapi),
            Call("GET", r"/v1/running/(.*)", Caller.ROOT, self.running),
            Call("GET", _V + r"/_ping", hub, self.ping),
            Call("GET", _V + r"/version", hub, self.version),
            Call("GET", _V + r"/images/([a-zA-Z0-9._/:@-]{1,255})/json", hub, self.image),
            Call("POST", _V + r"/containers/create", hub, self.create, body=True),
            Call("GET", _V + _CONTAINER + r"/json", hub, self.inspect),
            Call("GET", _V + _CONTAINER + r"/logs", hub, self.logs),
            Call("GET", _V + _CONTAINER + r"/stats", hub, self.stats),
            Call("POST", _V + _CONTAINER + r"/start", hub, self.start),
            Call("POST", _V + _CONTAINER + r"/stop", hub, self.stop),
            Call("POST", _V + _CONTAINER + r"/pause", hub, self.pause),
            Call("POST", _V + _CONTAINER + r"/unpause", hub, self.unpause),
            Call("DELETE", _V + _CONTAINER, hub, self.remove),
        ]

    async def health(self, _request: Request) -> Json:
        """Say whether the engine answers."""
        await self._engine.version()
        return {"status": "ok", "version": VERSION}

    async def openapi(self, _request: Request) -> Json:
        document: Json = json.loads(OPENAPI.read_bytes())
        return document

    async def running(self, _request: Request, name: str) -> Json:
        """Tell the ledger whether a folder would move under a server; wait for one that starts."""
        login = checked_login(name)
        async with self._lock(login):
            return {"running": await self._is_running(login)}

    async def ping(self, request: Request) -> web.Response:
        checked_query(request)
        return web.Response(text="OK", headers={"Api-Version": API_VERSION})

    async def version(self, request: Request) -> Json:
        checked_query(request)
        found = await self._engine.version()
        # Our own version, whatever the engine's: docker-py then speaks what we understand.
        numbers = {"ApiVersion": API_VERSION, "MinAPIVersion": API_VERSION}
        return {**_only(found, "Version Os Arch"), **numbers}

    async def image(self, request: Request, name: str) -> Json:
        checked_query(request)
        if name != self._wiring.user_image:
            raise RefusedError("not_found", f"No such image: {shown(name)}.")
        found = await self._with_image(self._engine.image(name))
        config = _only(found["Config"], "Cmd Labels")
        return {**_only(found, "Id RepoTags Created Size"), "Config": config}

    async def create(self, request: Request, document: Mapping[str, Any]) -> web.Response:
        name = checked_query(request, name=".*").get("name")
        login = checked_login(policy.requested_login(document))
        if name != policy.container_name(self._wiring.deployment, login):
            raise refused("name", "it must be DEPLOYMENT-user-LOGIN")
        async with self._lock(login):
            person = await person_with_folders(self._ledger, login)
            body = policy.resolve_create(document, person, self._host, self._wiring)
            made = await self._with_image(self._engine.create(name, body))
        return web.json_response(_only(made, "Id Warnings"), status=201)

    async def start(self, request: Request, container: str) -> web.Response:
        checked_query(request)
        found = await self._ours(container)
        login = found["Config"]["Labels"][policy.LABEL_LOGIN]
        async with self._lock(login):
            # Docker looks up the folders now, not at create: they are checked once more.
            person = await person_with_folders(self._ledger, login)
            # A team's mount follows from its gid, which has one name for good.
            now = f"{person.uid}:{person.gid}", [str(team.gid) for team in person.teams]
            if now != (found["Config"]["User"], found["HostConfig"].get("GroupAdd") or []):
                why = f"The container of {login} is of another uid or teams: remove it first."
                raise RefusedError("stale_container", why)
            await self._engine.start(found["Id"])
        return web.Response(status=204)

    async def stop(self, request: Request, container: str) -> web.Response:
        seconds = checked_query(request, t=SECONDS).get("t", "10")
        await self._engine.stop((await self._ours(container))["Id"], seconds)
        return web.Response(status=204)

    async def pause(self, request: Request, container: str) -> web.Response:
        """Let no process of it run, and keep the memory of all. May be asked twice."""
        checked_query(request)
        found = await self._ours(container)
        if not found["State"]["Paused"]:
            await self._engine.pause(found["Id"])
        return web.Response(status=204)

    async def unpause(self, request: Request, container: str) -> web.Response:
        """Let it run on, if it is what ``create`` would make now. May be asked twice."""
        checked_query(request)
        found = await self._ours(container)
        labels = found["Config"]["Labels"]
        login = labels[policy.LABEL_LOGIN]
        async with self._lock(login):
            person = await person_with_folders(self._ledger, login)
            image = await self._with_image(self._engine.image(self._wiring.user_image))
            now = True, image["Id"], policy.resolve_digest(person, self._host, self._wiring)
            state, digest = found["State"], labels.get(policy.LABEL_DIGEST)
            if now != (state["Running"], found["Image"], digest):
                why = f"The container of {login} has ended, or is of another image, uid, teams"
                raise RefusedError("stale_container", f"{why} or limits: remove it first.")
            if state["Paused"]:
                await self._engine.unpause(found["Id"])
        return web.Response(status=204)

    async def remove(self, request: Request, container: str) -> web.Response:
        query = checked_query(request, v=FLAG, link=NO, force=FLAG)
        await self._engine.remove((await self._ours(container))["Id"], query)
        return web.Response(status=204)

    async def inspect(self, request: Request, container: str) -> Json:
        checked_query(request)
        found = await self._ours(container)
        answer = _only(found, "Id Name Created Image State RestartCount")
        answer["HostConfig"] = _only(found["HostConfig"], "GroupAdd")
        answer["Config"] = _only(found["Config"], "Image User Env Labels Tty")
        answer["NetworkSettings"] = _only(found["NetworkSettings"], "Networks")
        return answer

    async def logs(self, request: Request, container: str) -> web.Response:
        flags = {"stdout": FLAG, "stderr": FLAG, "timestamps": FLAG, "follow": NO}
        query = {"tail": "all", **checked_query(request, **flags, tail=f"all|{TAIL}")}
        query["tail"] = query["tail"].replace("all", "29")
        log = await self._engine.logs((await self._ours(container))["Id"], query)
        kind = "application/vnd.docker.multiplexed-stream"
        return web.Response(body=log, content_type=kind)

    async def stats(self, request: Request, container: str) -> Json:
        """Answer with one reading of the memory; no stream, and no second to compare with."""
        if set(checked_query(request, **{"stream": NO, "one-shot": "1|True|true"})) != {
            "stream",
            "one-shot",
        }:
            raise RefusedError("refused", "Ask for stream=false and one-shot=true.")
        found = await self._engine.stats((await self._ours(container))["Id"])
        memory = found.get("memory_stats") or {}  # empty when it does not run
        answer = _only(memory, "usage limit")
        # What the kernel can take back at once is no use of memory (cgroup v2, v1).
        answer["stats"] = _only(memory.get("stats") or {}, "inactive_file total_inactive_file")
        return {**_only(found, "read"), "memory_stats": answer}

    def _lock(self, login: str) -> asyncio.Lock:
        """Return the lock of one person; the ledger's ``BerthsApi._stopped`` says why."""
        return self._starting.setdefault(login, asyncio.Lock())

    async def _is_running(self, login: str) -> bool:
        try:
            found = await self._ours(policy.container_name(self._wiring.deployment, login))
        except RefusedError as refusal:
            if refusal.status == 404:
                return False
            raise
        return bool(found["State"]["Running"])

    async def _ours(self, container: str) -> Any:
        """Inspect a container of this deployment; any other does not exist here."""
        try:
            found = await self._engine.inspect(container)
        except RefusedError as refusal:
            if refusal.status not in (400, 404):
                raise
            found = {"Config": {"Labels": None}}
        labels = found["Config"]["Labels"] or {}
        deployment, login = self._wiring.deployment, labels.get(policy.LABEL_LOGIN) or "?"
        name = f"/{policy.container_name(deployment, login)}"
        if labels.get(policy.LABEL_DEPLOYMENT) != deployment or found["Name"] != name:
            raise RefusedError("not_found", f"No such container: {shown(container)}.")
        return found

    async def _with_image(self, call: Awaitable[Any]) -> Any:
        """Await ``call``; say how to make the user image where it is missing (THREATS F7)."""
        try:
            return await call
        except RefusedError as refusal:
            if refusal.status == 404:
                refusal.message += " (`docker compose build singleuser` makes the user image.)"
            raise


def _only(found: Mapping[str, Any], keys: str) -> Json:
    return {key: found[key] for key in keys.split() if key in found}
