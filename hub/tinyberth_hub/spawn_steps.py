"""The steps of one spawn, as the spawn page shows them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypedDict


class ProgressEvent(TypedDict):
    """What JupyterHub's progress API sends: percent done and one sentence."""

    progress: int
    message: str


class SpawnSteps:
    """Steps so far, and a way to wait for the next. Each page that looks sees them all."""

    def __init__(self) -> None:
        self._events: list[ProgressEvent] = []
        self._news = asyncio.Condition()

    async def say(self, progress: int, message: str) -> None:
        """Add a step; ``progress`` is in percent and below 100, which JupyterHub says itself."""
        async with self._news:
            self._events.append({"progress": progress, "message": message})
            self._news.notify_all()

    async def follow(self) -> AsyncIterator[ProgressEvent]:
        """Yield the steps so far and then each new one; the caller stops when the spawn ends."""
        seen = 0
        while True:
            async with self._news:
                while len(self._events) == seen:
                    await self._news.wait()
                fresh = self._events[seen:]
            for event in fresh:
                yield event
            seen += len(fresh)
