"""The engine's API over docker.sock: the handful of calls the warden makes, and no others."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, cast

import aiohttp

from .errors import RefusedError

API_VERSION = "1.44"
"""Engine 25 and later; the first in which a read-only bind is so for the mounts below it."""
LOG_BYTES = 256 * 1024
"""Of a container's log, the newest bytes that are answered."""


class Engine:
    """Client of one engine. Every method raises ``RefusedError`` for what the engine refuses."""

    def __init__(self, container_socket: Path) -> None:
        # Closed connections cost a millisecond; a kept one may die with the engine.
        connector = aiohttp.UnixConnector(path=str(container_socket), limit=64)
        self._session = aiohttp.ClientSession(connector=connector)

    async def close(self) -> None:
        await self._session.close()

    async def version(self) -> dict[str, Any]:
        """Return the engine's /version; 503 if it does not speak our API."""
        found = await self._json("GET", "/version")
        low, high = (_number(found[key]) for key in ("MinAPIVersion", "ApiVersion"))
        if not low <= _number(API_VERSION) <= high:
            raise RefusedError(
                503,
                "engine_version",
                f"The Docker engine {found['Version']} does not speak API {API_VERSION}: "
                "install Docker 25 or later.",
            )
        return found

    async def inspect(self, container: str) -> dict[str, Any]:
        return await self._json("GET", f"/containers/{container}/json")

    async def image(self, name: str) -> dict[str, Any]:
        return await self._json("GET", f"/images/{name}/json")

    async def create(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._json("POST", "/containers/create", {"name": name}, body)

    async def start(self, container: str) -> None:
        await self._call("POST", f"/containers/{container}/start")

    async def stop(self, container: str, seconds: int) -> None:
        path = f"/containers/{container}/stop"
        await self._call("POST", path, {"t": str(seconds)}, timeout=seconds + 30)

    async def remove(self, container: str, *, force: bool) -> None:
        params = {"v": "1", "force": "1" if force else "0"}
        await self._call("DELETE", f"/containers/{container}", params)

    async def logs(self, container: str, params: Mapping[str, str]) -> bytes:
        """Return the last frames of a container's log, at most ``LOG_BYTES``.

        A frame is 8 bytes, the last four its length, and its text ("Attach to a container" in
        the engine's API reference).
        """
        frames: deque[bytes] = deque()
        size = 0
        async with self._request("GET", f"/containers/{container}/logs", params) as response:
            await _raise_for(response)
            while not response.content.at_eof():
                try:
                    head = await response.content.readexactly(8)
                    text = await response.content.readexactly(int.from_bytes(head[4:], "big"))
                except asyncio.IncompleteReadError:
                    break
                frames.append(head + text)
                size += len(head) + len(text)
                while size > LOG_BYTES:
                    size -= len(frames.popleft())
        return b"".join(frames)

    async def host_path(self, container: str, container_path: Path) -> PurePosixPath:
        """Return where on the host the bind mount at ``container_path`` of a container lies."""
        mounts = (await self.inspect(container))["Mounts"]
        for mount in mounts:
            if mount["Destination"] == str(container_path) and mount["Type"] == "bind":
                path = PurePosixPath(mount["Source"])
                if path.is_absolute() and len(path.parts) > 1:
                    return path
        raise RefusedError(
            503, "data_root", f"{container_path} must be a bind mount of a folder other than /."
        )

    async def _json(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(await self._call(method, path, params, body)))

    async def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        timeout: float = 60,
    ) -> bytes:
        try:
            async with self._request(method, path, params, body, timeout) as response:
                await _raise_for(response)
                return await response.read()
        except aiohttp.ClientConnectionError:
            raise RefusedError(
                503, "engine_down", "The Docker engine does not answer: start it and try again."
            ) from None

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        timeout: float = 60,
    ) -> Any:  # aiohttp's context manager of a response has a private type
        return self._session.request(
            method,
            f"http://docker/v{API_VERSION}{path}",
            params=params,
            json=body,
            timeout=aiohttp.ClientTimeout(total=timeout),
        )


def own_container_id(mountinfo: str) -> str:
    """Return the id of the container whose /proc/self/mountinfo this is.

    The engine mounts /etc/hostname from its folder of the container; the host name itself is
    the id only until somebody sets another.
    """
    match = re.search(r"/containers/([0-9a-f]{64})/hostname /etc/hostname ", mountinfo)
    if not match:
        raise RefusedError(503, "no_container", "The warden runs in a Docker container only.")
    return match[1]


async def _raise_for(response: aiohttp.ClientResponse) -> None:
    if response.status >= 400:
        raw = await response.read()
        try:
            message = str(json.loads(raw)["message"])
        except (ValueError, KeyError, TypeError):
            message = raw.decode(errors="replace")
        raise RefusedError(response.status, "engine", f"The Docker engine says: {message[:500]}")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
