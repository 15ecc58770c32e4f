"""The loop around the decisions: what it asks again before it acts, and what it leaves alone."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tinyberth_hub.parker import Parker
from tinyberth_hub.parking import Rules
from tinyberth_hub.refusals import ChangeRefusedError


def ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


class QuietHub:
    """Spawners by login; ``did`` is what became of them. Looks at the proxy bring ``news``."""

    def __init__(self, idle: dict[str, float], parked: dict[str, float]) -> None:
        self.running = {login: self._running(minutes) for login, minutes in idle.items()}
        self.parked = {
            login: SimpleNamespace(parked_at=ago(minutes), object_name=f"tb-user-{login}")
            for login, minutes in parked.items()
        }
        self.news: list[str] = []
        self.did: list[str] = []

    def _running(self, minutes: float) -> Any:
        # As JupyterHub has it: UTC, and it does not say so.
        row = SimpleNamespace(last_activity=ago(minutes).replace(tzinfo=None), started=None)
        return SimpleNamespace(orm_spawner=row, ready=True)

    def has(self, login: str) -> bool:
        return login != "nobody"

    def running_spawners(self) -> dict[str, Any]:
        return dict(self.running)

    def parked_spawners(self) -> dict[str, Any]:
        return dict(self.parked)

    async def look_at_activity(self) -> None:
        self.did.append("look")
        if self.did.count("look") == 2:
            for login in self.news:
                self.running[login] = self._running(0)

    async def park(self, login: str) -> bool:
        if self.running.pop(login, None) is None:
            return False
        self.did.append(f"park {login}")
        self.parked[login] = SimpleNamespace(parked_at=ago(0), object_name=f"tb-user-{login}")
        return True

    async def stop(self, login: str) -> None:
        self.did.append(f"stop {login}")
        del self.parked[login]

    @property
    def acts(self) -> list[str]:
        return [act for act in self.did if act != "look"]


class QuietWarden:
    """Every parked server uses ``mib``, and is paused unless its login is among ``gone``."""

    def __init__(self, mib: int = 100, gone: tuple[str, ...] = ()) -> None:
        self.mib, self.gone = mib, gone

    async def memory(self, _container: str, _timeout: float) -> Any:
        return self.mib << 20, None

    async def is_paused(self, container: str, _timeout: float) -> bool | None:
        return container.rpartition("-")[2] not in self.gone


def parker(hub: Any, warden: Any = None, after: int | None = 20) -> Parker:
    rules = Rules(after_minutes=after, memory=250 << 20, hours=12)
    return Parker(hub, warden or QuietWarden(), rules, logging.getLogger("parker"))


def test_the_idle_are_parked_one_after_the_other() -> None:
    hub = QuietHub({"ada": 30, "bob": 5, "cay": 90}, {})
    assert asyncio.run(parker(hub).look())
    assert hub.acts == ["park cay", "park ada"]
    assert not asyncio.run(parker(hub).look()), "there is nothing more to do"


def test_who_came_back_meanwhile_is_left_alone() -> None:
    hub = QuietHub({"ada": 30}, {})
    hub.news = ["ada"]
    assert not asyncio.run(parker(hub).look())
    assert hub.acts == []


def test_who_is_on_the_way_is_left_alone() -> None:
    hub = QuietHub({"ada": 30}, {})
    hub.running["ada"].ready = False
    assert not asyncio.run(parker(hub).look())
    assert hub.acts == []


def test_memory_over_the_budget_ends_the_longest_parked() -> None:
    hub = QuietHub({"dan": 30}, {"ada": 3, "bob": 9})

    async def look_until_done() -> None:
        while await parker(hub).look():
            pass

    asyncio.run(look_until_done())
    assert hub.acts == ["park dan", "stop bob"]


def test_what_a_restart_of_the_engine_ended_is_cleared_away() -> None:
    hub = QuietHub({}, {"ada": 3, "bob": 9})
    asyncio.run(parker(hub, QuietWarden(gone=("ada",))).look())
    assert hub.acts == ["stop ada"]


def test_who_goes_on_before_the_stop_is_not_stopped() -> None:
    hub = QuietHub({}, {"ada": 9999})

    class SlowWarden(QuietWarden):
        async def is_paused(self, _container: str, _timeout: float) -> bool | None:
            hub.parked.clear()
            return True

    asyncio.run(parker(hub, SlowWarden()).look())
    assert hub.acts == []


@pytest.mark.parametrize(
    ("login", "after", "status"), [("nobody", 20, 404), ("ada", None, 409), ("bob", 20, 409)]
)
def test_what_cannot_be_parked_is_refused(login: str, after: int | None, status: int) -> None:
    hub = QuietHub({"ada": 0}, {})
    with pytest.raises(ChangeRefusedError) as refusal:
        asyncio.run(parker(hub, after=after).park(login, by="root"))
    assert refusal.value.status == status
    assert hub.acts == []


def test_an_admin_parks_somebody_who_is_not_idle_and_may_ask_twice() -> None:
    hub = QuietHub({"ada": 0}, {})
    for _ in range(2):
        asyncio.run(parker(hub).park("ada", by="root"))
    assert hub.acts == ["park ada"]
