"""Asks the firewall, before a server is started, whether its table is in force now."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from .patience import ask_patiently
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
    away = OSError, ValueError  # TimeoutError is the first, half an answer the second
    try:
        answer = await ask_patiently(
            lambda: _ask(socket), lambda error: isinstance(error, away), WAIT_SECONDS
        )
    except away as error:
        raise FirewallError(NOT_ANSWERING) from error
    if not answer["ok"]:
        raise FirewallError(f"No server can be started. For the admin: {answer['message']}")


async def _ask(socket: Path) -> Any:
    async with asyncio.timeout(_ASK_SECONDS):
        reader, writer = await asyncio.open_unix_connection(str(socket))
        try:
            return json.loads(await reader.read())
        finally:
            writer.close()
