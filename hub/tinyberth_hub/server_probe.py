"""Whether a person's server answers, asked by the hub itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
from jupyterhub.utils import url_path_join

POLL_SECONDS = 0.05
"""Between two looks at a starting server; JupyterHub's own back-off grows to seconds."""


async def _nothing() -> None:
    """Look at nothing else."""


async def wait_until_it_answers(
    ip: str, port: int, base_url: str, look_after: Callable[[], Awaitable[None]] = _nothing
) -> None:
    """Return when the server's API answers; whoever calls bounds the time.

    ``look_after`` is awaited with every twentieth look, and may raise to end this.
    """
    url = url_path_join(f"http://{ip}:{port}", base_url, "api")
    looks = 0
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        while not await _answers(session, url):
            looks += 1
            if looks % 20 == 0:
                await look_after()
            await asyncio.sleep(POLL_SECONDS)


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as reply:
            return reply.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
