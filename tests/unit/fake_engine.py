"""A warden served on a socket in a thread, in front of an engine that writes down its calls."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from aiohttp import web

from tinyberth_common.settings import load
from tinyberth_warden.api import router
from tinyberth_warden.berths import Berths
from tinyberth_warden.berths_api import BerthsApi
from tinyberth_warden.data_root import MARKER, DataRoot
from tinyberth_warden.docker_api import DockerApi
from tinyberth_warden.engine import Engine
from tinyberth_warden.http import guarded, serve
from tinyberth_warden.policy import Host
from tinyberth_warden.settings import Wiring
from tinyberth_warden.usage import Usage

IMAGE = "tb-singleuser:0.1.0"


STATS = {
    "read": "2026-11-22T10:00:00Z",
    "memory_stats": {
        "usage": 5000,
        "limit": 9000,
        "stats": {"inactive_file": 1000, "anon": 3000},
        "failcnt": 0,
    },
    "networks": {"eth0": {"rx_bytes": 1}},
}


class FakeEngine:
    """Containers in a dict; ``calls`` holds method, path and body of what would change any."""

    def __init__(self) -> None:
        self.containers: dict[str, dict[str, Any]] = {}
        self.images = {IMAGE}
        self.calls: list[tuple[str, str, Any]] = []
        self.broken = False

    def add(
        self,
        name: str,
        labels: dict[str, str] | None,
        user: str = "1:1",
        groups: list[str] | None = None,
    ) -> str:
        number = f"{len(self.containers) + 1:064x}"
        self.containers[number] = {
            "Id": number,
            "Name": f"/{name}",
            "State": {"Running": False},
            "Config": {"Labels": labels, "User": user, "Env": ["A=b"], "Tty": False},
            "HostConfig": {"Mounts": [{"Source": "/srv/secret/path"}], "GroupAdd": groups},
            "Mounts": [{"Source": "/srv/secret/path"}],
            "NetworkSettings": {"Networks": {"tb_users": {"IPAddress": "172.18.0.2"}}},
        }
        return number

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path.removeprefix("/v1.44")
        if self.broken:
            return web.Response(text="this is no JSON")
        if request.method != "GET":
            self.calls.append((request.method, request.path_qs, await request.text()))
        if path == "/version":
            answer = {
                "Version": "26",
                "ApiVersion": "1.45",
                "MinAPIVersion": "1.24",
                "Os": "linux",
            }
            return web.json_response(answer)
        if image := re.fullmatch(r"/images/(.*)/json", path):
            if image[1] not in self.images:
                return _no("No such image: " + image[1])
            body = {"Id": "sha256:0", "Config": {"Cmd": ["x"]}, "GraphDriver": {"Data": "/secret"}}
            return web.json_response(body)
        if path == "/containers/create":
            body = await request.json()
            if body["Image"] not in self.images:
                return _no("No such image: " + body["Image"])
            groups = body["HostConfig"]["GroupAdd"]
            number = self.add(request.query["name"], body["Labels"], body["User"], groups)
            return web.json_response({"Id": number, "Warnings": []}, status=201)
        match = re.fullmatch(r"/containers/([^/]*)(?:/(json|logs|stats|start|stop))?", path)
        found = match and self._find(match[1])
        if not match or not found:
            return _no("No such container")
        if match[2] == "json":
            return web.json_response(found)
        if match[2] == "stats":
            return web.json_response(STATS | {"name": found["Name"], "id": found["Id"]})
        if match[2] == "logs":
            return web.Response(body=b"\1\0\0\0\0\0\0\2hi")
        found["State"]["Running"] = match[2] == "start"
        if request.method == "DELETE":
            del self.containers[found["Id"]]
        return web.Response(status=204)

    def _find(self, reference: str) -> dict[str, Any] | None:
        for number, container in self.containers.items():
            if reference in (number, number[:12], container["Name"][1:]):
                return container
        return None


def _no(message: str) -> web.Response:
    return web.json_response({"message": message}, status=404)


class Warden:
    """A running warden. ``call`` is what a hub would do, with any bytes as the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.socket = folder / "warden.sock"
        self.engine = FakeEngine()

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Return status and answer; a body that is not bytes is sent as JSON."""
        connection = _Connection(self.socket)
        if headers is None:
            headers = {} if body is None else {"Content-Type": "application/json"}
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, body=raw, headers=headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(answer) if is_json and answer else answer

    def send(self, raw: bytes, *, hang_up: bool = False) -> bytes:
        """Send ``raw`` and nothing more; return what is answered until the end."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(str(self.socket))
            connection.sendall(raw)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("warden", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))

    def putrequest(self, method: str, url: str, *_: Any, **__: Any) -> None:
        super().putrequest(method, url, skip_accept_encoding=True)

    def _validate_path(self, url: str) -> None:
        """Send any path: the nasty ones are what is tested."""


@contextmanager
def running_warden(folder: Path, hub_uid: int | None = None) -> Iterator[Warden]:
    """Serve until the block ends; the hub's uid is this process's own if none is given."""
    warden = Warden(folder)
    for name in ("etc", "data"):
        (folder / name).mkdir()
    (folder / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (folder / "etc/group").write_text("root:x:0:\n")
    (warden.data / MARKER).touch()
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def run() -> None:
        runner = web.ServerRunner(web.Server(warden.engine.handle))
        await runner.setup()
        await web.UnixSite(runner, str(folder / "engine.sock")).start()
        wiring = Wiring(load({}), "tb", IMAGE, "tb_users", "tb_hub-run")
        berths = Berths(DataRoot(warden.data, folder / "journal"), folder / "etc", wiring.settings)
        berths.prepare()
        engine, usage = Engine(folder / "engine.sock"), Usage(berths.root)
        docker = DockerApi(engine, berths, Host(PurePosixPath("/srv/tb"), 8, 4096), wiring)
        uid = os.geteuid() if hub_uid is None else hub_uid
        handler = guarded(router(BerthsApi(engine, berths, docker, usage), docker), uid)
        served = await serve(handler, warden.socket, owner=os.geteuid())
        stopped = asyncio.Event()
        warden.stop = lambda: loop.call_soon_threadsafe(stopped.set)  # type: ignore[attr-defined]
        ready.set()
        await stopped.wait()
        await served.cleanup()
        await usage.close()
        await engine.close()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield warden
    finally:
        warden.stop()  # type: ignore[attr-defined]
        thread.join(10)
