"""Warden and ledger on sockets in a thread, in front of an engine that writes down its calls."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from aiohttp import web
from fake_engine import IMAGE, FakeEngine

from tinyberth_common.settings import load
from tinyberth_ledger.berths import Berths
from tinyberth_ledger.berths_api import BerthsApi
from tinyberth_ledger.data_root import MARKER, DataRoot
from tinyberth_ledger.usage import Usage
from tinyberth_server.http import guarded, serve
from tinyberth_server.peer import Peer
from tinyberth_warden.docker_api import DockerApi
from tinyberth_warden.engine import Engine
from tinyberth_warden.policy import Host
from tinyberth_warden.settings import Wiring


class Service:
    """One socket. ``call`` is what a hub would do, with any bytes as the path."""

    def __init__(self, path: Path) -> None:
        self.socket = path

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
        with self.connect() as connection:
            connection.sendall(raw)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(20)
        connection.connect(str(self.socket))
        return connection


class Services(Service):
    """The warden, with the ledger beside it."""

    stop: Callable[[], None]

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "warden.sock")
        self.folder, self.data = folder, folder / "data"
        self.ledger = Service(folder / "ledger.sock")
        self.engine = FakeEngine()


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("service", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = Service(self._path).connect()

    def putrequest(self, method: str, url: str, *_: Any, **__: Any) -> None:
        super().putrequest(method, url, skip_accept_encoding=True)

    def _validate_path(self, url: str) -> None:
        """Send any path: the nasty ones are what is tested."""


@contextmanager
def running_services(folder: Path, hub_uid: int | None = None) -> Iterator[Services]:
    """Serve until the block ends; the hub's uid is this process's own if none is given."""
    services = Services(folder)
    for name in ("etc", "data"):
        (folder / name).mkdir()
    (folder / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (folder / "etc/group").write_text("root:x:0:\n")
    (services.data / MARKER).touch()
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def run() -> None:
        runner = web.ServerRunner(web.Server(services.engine.handle))
        await runner.setup()
        await web.UnixSite(runner, str(folder / "engine.sock")).start()
        wiring = Wiring(load({}), "tb", IMAGE, "tb_users", "tb_hub-run")
        berths = Berths(DataRoot(services.data, folder / "journal"), folder / "etc", load({}))
        berths.prepare()
        engine, usage = Engine(folder / "engine.sock"), Usage(berths.root)
        peers = {name: Peer(name, folder / f"{name}.sock") for name in ("ledger", "warden")}
        host = Host(PurePosixPath("/srv/tb"), 8, 4096)
        served = [
            await serve(
                guarded(calls, os.geteuid() if hub_uid is None else hub_uid),
                folder / f"{name}.sock",
                gid=os.getegid(),
            )
            for name, calls in {
                "warden": DockerApi(engine, peers["ledger"], host, wiring).calls(),
                "ledger": BerthsApi(berths, usage, peers["warden"]).calls(),
            }.items()
        ]
        stopped = asyncio.Event()
        services.stop = lambda: loop.call_soon_threadsafe(stopped.set) and None
        ready.set()
        await stopped.wait()
        for each in (*served, runner):
            await each.cleanup()
        for part in (usage, engine, *peers.values()):
            await part.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield services
    finally:
        services.stop()
        thread.join(10)
