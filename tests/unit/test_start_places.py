"""Starts wait for one another, in order, and none keeps the others waiting for long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tinyberth_hub.start_places import StartPlaces


class Starts:
    """Starts that end when told to."""

    def __init__(self, count: int, hold_seconds: float = 60) -> None:
        self.places = StartPlaces(count, hold_seconds)
        self.begun: list[str] = []
        self.told: dict[str, int] = {}
        self.end = asyncio.Event()
        self.next = asyncio.Condition()

    async def start(self, name: str) -> None:
        async def tell(before: int) -> None:
            self.told[name] = before

        with self.places.place() as place:
            await place.take(tell)
            self.begun.append(name)
            async with self.next:
                self.next.notify_all()
            await self.end.wait()

    async def until(self, begun: str) -> None:
        async with asyncio.timeout(10), self.next:
            await self.next.wait_for(lambda: "".join(self.begun) == begun)


def run(count: int, check: Callable[[Starts], Awaitable[None]], hold_seconds: float = 60) -> None:
    async def inside() -> None:
        await check(Starts(count, hold_seconds))

    asyncio.run(inside())


def test_all_start_in_the_order_in_which_they_came_and_hear_who_is_before_them() -> None:
    async def check(starts: Starts) -> None:
        async with asyncio.TaskGroup() as group:
            for name in "abcde":
                group.create_task(starts.start(name))
            await starts.until("ab")
            assert starts.told == {"c": 0, "d": 1, "e": 2}
            starts.end.set()
        assert starts.begun == [*"abcde"]
        assert not starts.places.free.locked()

    run(2, check)


def test_one_that_hangs_keeps_nobody_for_longer_than_its_time() -> None:
    async def check(starts: Starts) -> None:
        async with asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(starts.start(name))
            await starts.until("abc")  # and none of them has ended
            starts.end.set()
        # Each place was given back once, not by its time and by its end.
        assert [starts.places.free._value, starts.places.free.locked()] == [1, False]

    run(1, check, hold_seconds=0.01)


@pytest.mark.parametrize("at", ["waiting", "started"])
def test_a_start_that_is_given_up_leaves_no_gap(at: str) -> None:
    async def check(starts: Starts) -> None:
        tasks = [asyncio.create_task(starts.start(name)) for name in "ab"]
        await starts.until("a")
        given_up = tasks[1 if at == "waiting" else 0]
        given_up.cancel()
        await asyncio.wait([given_up])
        starts.end.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.wait_for(starts.start("c"), 10)
        assert starts.begun == [*("ac" if at == "waiting" else "abc")]
        assert starts.places.waiting == 0

    run(1, check)


def test_a_start_that_takes_no_place_gives_none_back() -> None:
    async def check(starts: Starts) -> None:
        with starts.places.place():
            pass  # a parked server goes on
        async with asyncio.TaskGroup() as group:
            group.create_task(starts.start("a"))
            group.create_task(starts.start("b"))
            await starts.until("a")
            assert starts.told == {"b": 0}
            starts.end.set()

    run(1, check)
