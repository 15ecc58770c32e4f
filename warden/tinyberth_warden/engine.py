"""The engine's API over docker.sock: the handful of calls the warden makes, and no others."""

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import aiohttp

from tinyberth_server.errors import RefusedError

API_VERSION = "1.44"
"""Engine 25 and later; the first in which a read-only bind is so for the mounts below it."""


class Engine:
    """Client of one engine. Every method raises ``RefusedError`` for what the engine refuses."""

    def __init__(self, container_socket: Path) -> None:
        connector = aiohttp.UnixConnector(path=str(container_socket), limit=64)
        self._session = aiohttp.ClientSession(connector=connector)

    async def close(self) -> None:
        await self._session.close()

    async def version(self) -> Any:
        """Return the engine's /version; one that does not speak our API refuses even that."""
        return json.loads(await self._call("GET", "/version"))

    async def inspect(self, container: str) -> Any:
        return json.loads(await self._call("GET", f"/containers/{container}/json"))

    async def image(self, name: str) -> Any:
        return json.loads(await self._call("GET", f"/images/{name}/json"))

    async def create(self, name: str, body: Mapping[str, Any]) -> Any:
        made = await self._call("POST", "/containers/create", params={"name": name}, json=body)
        return json.loads(made)

    async def start(self, container: str) -> None:
        await self._call("POST", f"/containers/{container}/start")

    async def pause(self, container: str) -> None:
        await self._call("POST", f"/containers/{container}/pause")

    async def unpause(self, container: str) -> None:
        await self._call("POST", f"/containers/{container}/unpause")

    async def stop(self, container: str, seconds: str) -> None:
        """Send SIGTERM, and SIGKILL after ``seconds``; the engine resumes a paused one for it."""
        path, limit = f"/containers/{container}/stop", int(seconds) + 30
        await self._call("POST", path, limit, params={"t": seconds})

    async def remove(self, container: str, params: Mapping[str, str]) -> None:
        await self._call("DELETE", f"/containers/{container}", params=params)

    async def logs(self, container: str, params: Mapping[str, str]) -> bytes:
        """Return the last lines of a log, in the engine's frames; a line is 16 KiB at most."""
        return await self._call("GET", f"/containers/{container}/logs", params=params)

    async def stats(self, container: str) -> Any:
        query = {"stream": "false", "one-shot": "true"}
        return json.loads(await self._call("GET", f"/containers/{container}/stats", params=query))

    async def host_path(self, container: str, container_path: Path) -> PurePosixPath:
        """Return where on the host the bind mount at ``container_path`` of a container lies."""
        for mount in (await self.inspect(container))["Mounts"]:
            if mount["Destination"] == str(container_path) and mount["Type"] == "bind":
                path = PurePosixPath(mount["Source"])
                if len(path.parts) > 1:
                    return path
        why = f"{container_path} must be a bind mount of a folder other than / (see DATA_DIR)."
        raise RefusedError("data_root", why)

    async def _call(self, method: str, path: str, seconds: float = 60, **options: Any) -> bytes:
        url, limit = f"http://docker/v{API_VERSION}{path}", aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._session.request(method, url, timeout=limit, **options) as response:
                raw = await response.read()
        except aiohttp.ClientConnectionError:
            why = "The Docker engine does not answer: start it and try again."
            raise RefusedError("engine_down", why) from None
        if response.status >= 400:
            try:
                text = str(json.loads(raw)["message"])
            except (ValueError, KeyError, TypeError):
                text = ascii(raw)
            raise RefusedError("engine", f"The Docker engine says: {text[:500]}", response.status)
        return raw


def own_container_id(mountinfo: str) -> str:
    """Return the id of the container whose /proc/self/mountinfo this is.

    The engine mounts /etc/hostname from its folder of the container; the host name itself is
    the id only until somebody sets another.
    """
    match = re.search(r"/containers/([0-9a-f]{64})/hostname /etc/hostname ", mountinfo)
    if not match:
        raise RefusedError("engine_down", "The warden runs in a container of Docker only.")
    return match[1]
