"""One JSON request over a unix socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp

TIMEOUT_SECONDS = 30.0


class UnreachableError(Exception):
    """Nothing answers on the socket, or not in time."""


async def request_json(
    socket: Path,
    method: str,
    path: str,
    *,
    body: object = None,
    token: str | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> tuple[int, Any]:
    """Return the status and the decoded JSON of the answer; None for an empty or other body.

    Raises
    ------
    UnreachableError
    """
    headers = {"Authorization": f"token {token}"} if token else {}
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(path=str(socket)),
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as session,
            session.request(
                method, f"http://localhost{path}", json=body, headers=headers
            ) as reply,
        ):
            text = await reply.text()
            return reply.status, _decode(text)
    except (aiohttp.ClientError, OSError) as error:  # OSError has TimeoutError in it
        raise UnreachableError(f"{socket}: {error or type(error).__name__}") from error


def _decode(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
