"""Asks the firewall, before a server is started, whether its table is in force now."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from .settings import FIREWALL_SOCKET

WAIT_SECONDS = 10.0
"""How long a firewall that restarts is waited for; its restart takes about one."""

_ASK_SECONDS = 5.0

NOT_ANSWERING = (
    "The firewall, which keeps servers from private networks and from each other, does not "
    "answer, and no server is started without it; please try again in a minute. For the admin: "
    "docker compose logs firewall."
)


class FirewallError(Exception):
    """The firewall is not in force; the message is for the person who wanted a server."""


async def require_firewall(socket: Path = FIREWALL_SOCKET) -> None:
    """Return once the firewall says that its table is in force; asking makes it look.

    Raises
    ------
    FirewallError
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            answer = json.loads(await asyncio.wait_for(_ask(socket), _ASK_SECONDS))
            break
        except (OSError, ValueError) as error:  # OSError has TimeoutError in it
            if time.monotonic() > deadline:
                raise FirewallError(NOT_ANSWERING) from error
            await asyncio.sleep(0.5)
    if not answer["ok"]:
        raise FirewallError(f"No server can be started. For the admin: {answer['message']}")


async def _ask(socket: Path) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(socket))
    try:
        return await reader.read()
    finally:
        writer.close()
