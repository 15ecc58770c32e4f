"""Run code in a user's kernel, the way JupyterLab does: REST to start it, a websocket to talk."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from deployment import Person


class Kernel:
    """One kernel of one user, found again by its id after anything restarted."""

    def __init__(self, person: Person) -> None:
        self._base = f"{person.server_url}/api"
        self._token = person.make_token()
        self.id = asyncio.run(self._request("POST", "/kernels"))["id"]

    def run(self, code: str) -> str:
        """Return what ``code`` printed."""
        return asyncio.run(self._run(code))

    async def _request(self, method: str, path: str) -> Any:
        async with self._session() as session, session.request(method, self._base + path) as reply:
            assert reply.status < 400, await reply.text()
            return await reply.json()

    async def _run(self, code: str) -> str:
        request = _execute_request(code)
        printed = ""
        url = f"{self._base}/kernels/{self.id}/channels"
        async with self._session() as session, session.ws_connect(url) as socket:
            await socket.send_str(json.dumps(request))
            async for raw in socket:
                message = json.loads(raw.data)
                if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
                    continue
                content = message["content"]
                if message["msg_type"] == "stream":
                    printed += content["text"]
                assert message["msg_type"] != "error", content
                if message["msg_type"] == "status" and content["execution_state"] == "idle":
                    return printed
        raise AssertionError(f"the kernel's websocket closed during {code!r}")

    def _session(self) -> aiohttp.ClientSession:
        return server_session(self._token)


def server_session(token: str, seconds: float = 120) -> aiohttp.ClientSession:
    """Return a client for somebody's own server, with an API token."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=Loopback()),
        headers={"Authorization": f"token {token}"},
        timeout=aiohttp.ClientTimeout(total=seconds),
    )


class Loopback(AbstractResolver):
    """``*.localhost`` is this machine, as in browsers."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:  # noqa: ARG002 - aiohttp's signature
        return [
            {
                "hostname": host,
                "host": "127.0.0.1",
                "port": port,
                "family": 2,
                "proto": 0,
                "flags": 0,
            }
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _execute_request(code: str) -> dict[str, Any]:
    return {
        "header": {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "username": "",
            "session": uuid.uuid4().hex,
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "content": {"code": code, "silent": False},
        "channel": "shell",
    }
