"""Asking a service of ours again while it restarts, so that this is a delay and not an error."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

PAUSE_SECONDS = 0.5

T = TypeVar("T")


async def ask_patiently(
    ask: Callable[[], Awaitable[T]], is_away: Callable[[Exception], bool], seconds: float
) -> T:
    """Return what ``ask`` does; while its error says ``is_away``, ask again for ``seconds``.

    For what can be asked twice. The last error is raised.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await ask()
        except Exception as error:
            if not is_away(error) or time.monotonic() > deadline:
                raise
        await asyncio.sleep(PAUSE_SECONDS)
