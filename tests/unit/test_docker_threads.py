"""One person's slow stop keeps nobody's start waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from docker import APIClient
from dockerspawner import DockerSpawner

from tinyberth_hub.docker_threads import THREADS, ThreadedSpawner
from tinyberth_hub.spawner import BerthSpawner


class Engine:
    """In the place of docker-py's client: stops end when they are let go."""

    def __init__(self) -> None:
        self.stopping = threading.Semaphore(0)
        self.let_go = threading.Event()
        self.done: list[str] = []

    def stop(self, container: str) -> None:
        self.stopping.release()
        assert self.let_go.wait(30)
        self.done.append(f"stop {container}")

    def start(self, container: str) -> None:
        self.done.append(f"start {container}")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr(DockerSpawner, "_client", made)
    return made


async def start_beside(engine: Engine, stops: int, spawner: Callable[[], Any]) -> None:
    """Ask for that many stops and then for a start; the stops end after that start, or at last."""
    stopping = [asyncio.ensure_future(spawner().docker("stop", f"s{n}")) for n in range(stops)]
    for _ in stopping[:THREADS]:
        await asyncio.to_thread(engine.stopping.acquire, timeout=30)
    try:
        await asyncio.wait_for(spawner().docker("start", "x"), 10)
    finally:
        engine.let_go.set()
        await asyncio.gather(*stopping)


@pytest.mark.parametrize("stops", [1, THREADS - 1])
def test_a_start_does_not_wait_for_others_stops(engine: Engine, stops: int) -> None:
    asyncio.run(start_beside(engine, stops, BerthSpawner))
    assert engine.done[0] == "start x"
    assert len(engine.done) == stops + 1


def test_the_threads_are_one_deployments_and_not_each_persons() -> None:
    assert BerthSpawner().executor is BerthSpawner().executor
    assert ThreadedSpawner.executor is not DockerSpawner.executor


def test_docker_py_keeps_a_connection_for_each_thread() -> None:
    """Fewer would be closed and opened again, with a warning each time."""
    client = APIClient(base_url="unix:///nowhere", version="1.44")
    pool = client.get_adapter(client.base_url).get_connection(f"{client.base_url}/version")
    assert pool.pool.maxsize >= THREADS
