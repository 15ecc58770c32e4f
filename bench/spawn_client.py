"""The people of bench/spawn.py: a client outside of both hubs, which treats them alike.

Runs in the hub's image, for its HTTP client, on the host's network. Reads one JSON object a line
(``do`` names the function) and answers each with one line.

A click is what JupyterHub's page does: ask for the server, follow its progress if it is not there
yet, and then open it. So nothing is polled while servers start, which would cost what is measured.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

from kernels import Kernel, server_session

DEADLINE_SECONDS = 300
OPEN_AGAIN_SECONDS = 0.02
STOPPED_AGAIN_SECONDS = 0.3
CELL = "print(1 + 1)"


@dataclass(frozen=True)
class Hub:
    """A hub's address and an admin's token; a server's address is ``server`` with the name."""

    url: str
    token: str
    server: str

    def server_url(self, name: str) -> str:
        return self.server.format(name=name)


@dataclass(frozen=True)
class Visitor:
    """What a kernel needs to know of a person."""

    server_url: str
    token: str

    def make_token(self) -> str:
        return self.token


class NotUpError(Exception):
    """A server did not come up; the hub's own words."""


async def arrive(hub: dict[str, str], names: list[str], cell: bool) -> dict[str, Any]:
    """Let all come at once; each one's seconds until the server answers and, if asked, a cell."""
    found = Hub(**hub)
    async with _session(found) as session:
        return dict(
            zip(
                names,
                await asyncio.gather(*(_visit(session, found, name, cell) for name in names)),
            )
        )


async def _visit(
    session: aiohttp.ClientSession, hub: Hub, name: str, cell: bool
) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await _start(session, hub, name)
            times = {"spawn_s": time.perf_counter() - began}
            if cell:
                await asyncio.to_thread(_first_cell, hub, name)
                times["cell_s"] = time.perf_counter() - began
            return times
    except (NotUpError, TimeoutError, aiohttp.ClientError, AssertionError) as error:
        return {"failed": f"{name}: {error or type(error).__name__}"}


async def _start(session: aiohttp.ClientSession, hub: Hub, name: str) -> None:
    """Do what a click does, until the server answers."""
    path = f"{hub.url}/hub/api/users/{name}/server"
    server = f"{hub.server_url(name)}/api"
    async with session.post(path) as reply:
        if reply.status not in {201, 202}:
            raise NotUpError(f"{reply.status} {(await reply.text())[:200]}")
        is_up = reply.status == 201
    # JupyterHub also says 201 of a server that it gave up waiting for, but still waits for.
    if is_up and await _answers(session, server):
        return
    await _follow(session, f"{path}/progress")
    while not await _answers(session, server):
        await asyncio.sleep(OPEN_AGAIN_SECONDS)


async def _follow(session: aiohttp.ClientSession, path: str) -> None:
    async with session.get(path) as reply:
        if reply.status != 200:
            raise NotUpError(f"its progress is {reply.status} {(await reply.text())[:200]}")
        async for line in reply.content:
            event = json.loads(line[5:]) if line.startswith(b"data:") else {}
            if event.get("ready"):
                return
            if event.get("failed"):
                raise NotUpError(event.get("message", "failed"))
    raise NotUpError("its progress ended without a word")


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    async with session.get(url, allow_redirects=False) as reply:
        return reply.status == 200


def _first_cell(hub: Hub, name: str) -> None:
    kernel = Kernel(Visitor(hub.server_url(name), hub.token))  # type: ignore[arg-type]
    printed = kernel.run(CELL)
    assert printed == "2\n", printed


async def cells(hub: dict[str, str], names: list[str]) -> dict[str, Any]:
    """Let all run a first cell at once; each one's seconds."""
    found = Hub(**hub)

    async def one(name: str) -> dict[str, Any]:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await asyncio.to_thread(_first_cell, found, name)
        except (TimeoutError, aiohttp.ClientError, AssertionError) as error:
            return {"failed": f"{name}'s cell: {error or type(error).__name__}"}
        return {"cell_s": time.perf_counter() - began}

    return dict(zip(names, await asyncio.gather(*map(one, names))))


async def leave(hub: dict[str, str], names: list[str]) -> None:
    """Stop all servers and return when the hub knows of none."""
    found = Hub(**hub)
    async with _session(found) as session, asyncio.timeout(DEADLINE_SECONDS):
        await asyncio.gather(*(_stop(session, found, name) for name in names))


async def _stop(session: aiohttp.ClientSession, hub: Hub, name: str) -> None:
    path = f"{hub.url}/hub/api/users/{name}"
    while True:
        async with session.get(path) as reply:
            if not (await reply.json())["servers"]:
                return
        async with session.delete(f"{path}/server"):
            await asyncio.sleep(STOPPED_AGAIN_SECONDS)


def _session(hub: Hub) -> aiohttp.ClientSession:
    return server_session(hub.token, DEADLINE_SECONDS)


def main() -> None:
    acts = {"arrive": arrive, "cells": cells, "leave": leave}
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(asyncio.run(acts[asked.pop("do")](**asked))), flush=True)


if __name__ == "__main__":
    main()
