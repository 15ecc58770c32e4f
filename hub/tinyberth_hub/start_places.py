"""How many servers start at a time: as many as the processors can start well.

A server's start is a second of work for a processor. Where a class arrives and all start together,
everybody waits until the last one is up; where they start in turn, the last one is up no later,
and half of them after half that time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from types import TracebackType

PLACES = len(os.sched_getaffinity(0)) + 1
"""One more than there are processors, because a start also waits: for the engine, for files."""

HOLD_SECONDS = 2.0
"""For so long a start may keep others waiting: about as long as it takes on a free machine.

One that takes longer hangs, which must not be everybody's trouble; or the processors are busy with
running notebooks, of which a few starts would get a smaller part than all of them together do.
"""


class StartPlaces:
    """Places in which servers start; who comes first gets the first that is free."""

    def __init__(self, count: int = PLACES, hold_seconds: float = HOLD_SECONDS) -> None:
        self.free = asyncio.Semaphore(count)
        self.hold_seconds = hold_seconds
        self.waiting = 0

    def place(self) -> StartPlace:
        """Return a place to be taken in a ``with`` block, which gives it back."""
        return StartPlace(self)


class StartPlace:
    """One start's place, which it may take; held until the block ends or its time is over."""

    def __init__(self, places: StartPlaces) -> None:
        self._places = places
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, tell: Callable[[int], Awaitable[None]]) -> None:
        """Wait for a free place; if there is none, ``tell`` hears how many wait before."""
        places = self._places
        if places.free.locked():
            await tell(places.waiting)
        places.waiting += 1
        try:
            await places.free.acquire()
        finally:
            places.waiting -= 1
        self._timer = asyncio.get_running_loop().call_later(places.hold_seconds, self.leave)

    def leave(self) -> None:
        """Let the next one start; nothing where this was done."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
            self._places.free.release()

    def __enter__(self) -> StartPlace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()
