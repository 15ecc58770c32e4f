"""An engine that writes down what reaches it, and that can be told to answer nonsense."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

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
        self.image_id = "sha256:0"
        self.calls: list[tuple[str, str, Any]] = []
        self.instead: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] | None = None
        """Answers in the place of ``answer``."""
        self.log = b"\1\0\0\0\0\0\0\2hi"

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
            "Image": self.image_id,
            "State": {"Running": False, "Paused": False},
            "Config": {"Labels": labels, "User": user, "Env": ["A=b"], "Tty": False},
            "HostConfig": {"Mounts": [{"Source": "/srv/secret/path"}], "GroupAdd": groups},
            "Mounts": [{"Source": "/srv/secret/path"}],
            "NetworkSettings": {"Networks": {"tb_users": {"IPAddress": "172.18.0.2"}}},
        }
        return number

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        return await (self.instead or self.answer)(request)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path.removeprefix("/v1.44")
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
            body = {
                "Id": self.image_id,
                "Config": {"Cmd": ["x"]},
                "GraphDriver": {"Data": "/secret"},
            }
            return web.json_response(body)
        if path == "/containers/create":
            body = await request.json()
            if body["Image"] not in self.images:
                return _no("No such image: " + body["Image"])
            groups = body["HostConfig"]["GroupAdd"]
            number = self.add(request.query["name"], body["Labels"], body["User"], groups)
            return web.json_response({"Id": number, "Warnings": []}, status=201)
        calls = "json|logs|stats|start|stop|pause|unpause"
        match = re.fullmatch(rf"/containers/([^/]*)(?:/({calls}))?", path)
        found = match and self._find(match[1])
        if not match or not found:
            return _no("No such container")
        if match[2] == "json":
            return web.json_response(found)
        if match[2] == "stats":
            return web.json_response(STATS | {"name": found["Name"], "id": found["Id"]})
        if match[2] == "logs":
            return web.Response(body=self.log)
        found["State"]["Running"] = match[2] in ("start", "pause", "unpause")
        found["State"]["Paused"] = match[2] == "pause"
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
