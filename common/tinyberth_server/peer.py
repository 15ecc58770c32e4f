"""One of the two services asks the other, as root over its socket."""

import json
from pathlib import Path
from typing import Any

import aiohttp

from .errors import RefusedError

SECONDS = 120
"""For an answer: the warden may have to wait for a container that starts."""


class Peer:
    """Asks ``name``; its refusals are passed on as they are."""

    def __init__(self, name: str, container_socket: Path) -> None:
        # A connection for each request: a kept one may be closed just when it is used again.
        connector = aiohttp.UnixConnector(str(container_socket), limit=0, force_close=True)
        limit = aiohttp.ClientTimeout(total=SECONDS)
        self._name, self._session = name, aiohttp.ClientSession(connector=connector, timeout=limit)

    async def close(self) -> None:
        await self._session.close()

    async def ask(self, method: str, path: str) -> dict[str, Any]:
        """Return the object that is answered.

        Raises
        ------
        RefusedError
            As the other one says, or 503 if it says nothing.
        """
        try:
            async with self._session.request(method, f"http://{self._name}{path}") as response:
                raw = await response.read()
        except (aiohttp.ClientError, OSError):  # TimeoutError is an OSError
            raise RefusedError(
                f"{self._name}_down",
                f"The {self._name} does not answer, so nothing was done: try again in a minute. "
                f"(For the admin: docker compose logs {self._name}.)",
            ) from None
        answer: dict[str, Any] = json.loads(raw)
        if response.status >= 400:
            raise RefusedError(answer["error"], answer["message"], response.status)
        return answer
