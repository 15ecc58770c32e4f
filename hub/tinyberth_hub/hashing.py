"""A few threads for argon2id: off the event loop, bounded in memory and in what waits."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

NICER = 5
"""By so much than the event loop, which comes first where processors are short: a page takes some
milliseconds of it, a hash eighty. With more, logins would starve beside people's busy kernels."""


class BusyError(Exception):
    """More hashes wait than people ask for at once."""


class HashingThreads:
    """Runs functions that hash; each takes 46 MiB while it runs.

    Parameters
    ----------
    at_once
        Threads; with 46 MiB for each they must fit into the hub's mem_limit.
    waiting
        How many more may wait. A queue without a bound would keep a hub that is flooded busy
        with answers that nobody waits for any more.
    """

    def __init__(self, name: str, *, at_once: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, f"hash-{name}", _step_back)
        self._most = at_once + waiting
        self._present = 0

    def require_room(self) -> None:
        """Raise BusyError if ``run`` would; to be asked before anything is written down."""
        if self._present >= self._most:
            raise BusyError

    async def run(self, function: Callable[..., T], *args: object) -> T:
        """Return ``function(*args)``; raises BusyError at once if too many wait."""
        self.require_room()
        self._present += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, function, *args)
        finally:
            self._present -= 1


def _step_back() -> None:
    # Linux schedules each thread on its own, and nobody needs a right to take less.
    thread = threading.get_native_id()
    now = os.getpriority(os.PRIO_PROCESS, thread)
    os.setpriority(os.PRIO_PROCESS, thread, now + NICER)
