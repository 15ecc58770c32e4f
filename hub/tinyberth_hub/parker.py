"""Parks idle servers, and stops parked ones beyond the limits: the loop around ``parking``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime
from logging import Logger

from .hub_users import HubUsers
from .operations import check_present
from .parking import Parked, Rules, Running, resolve_parking
from .refusals import ChangeRefusedError
from .warden_client import WardenClient

LOOK_SECONDS = 60.0
"""Between two looks; PARK_AFTER is in minutes."""

STATS_SECONDS = 5.0
"""How long the memory of one parked server is waited for; it then counts as none."""


@dataclass(frozen=True)
class Parker:
    """Looks after idle and parked servers, one at a time."""

    hub: HubUsers
    warden: WardenClient
    rules: Rules
    log: Logger

    async def run(self, serving: Awaitable[None]) -> None:
        """Once the hub serves, look again and again."""
        await serving
        while True:
            try:
                # Who was just parked counts for the memory now, not in a minute.
                while await self.look():
                    continue
            except Exception:
                # Whatever it is must not end the task that would try again.
                self.log.exception("Idle servers are not parked just now")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> bool:
        """Carry out what is to be done now; return whether somebody was parked."""
        await self.hub.look_at_activity()
        decisions = resolve_parking(self._running(), await self._parked(), self.rules, _now())
        for login, reason in decisions.stop:
            if login in self.hub.parked_spawners():  # and nobody came back meanwhile
                await self.hub.stop(login)
                self.log.info("Stopped the parked server of %s: %s", login, reason)
        return any([await self._park_if_idle(login) for login in decisions.park])

    async def park(self, login: str, *, by: str) -> None:
        """Park the server of one person now, idle or not.

        Raises
        ------
        ChangeRefusedError
        """
        check_present(login, self.hub)
        if self.rules.after_minutes is None:
            raise ChangeRefusedError(409, "Parking is off here: PARK_AFTER in .env turns it on.")
        if login not in self.hub.parked_spawners() and not await self.hub.park(login):
            raise ChangeRefusedError(
                409,
                f"No server of {login} runs that could be parked; it may be starting, and where "
                "it cannot be paused the hub's log says why.",
            )
        self.log.info("%s parked the server of %s", by, login)

    async def _park_if_idle(self, login: str) -> bool:
        """Look once more right before: parking those before took a while."""
        await self.hub.look_at_activity()
        if login not in resolve_parking(self._running(), (), self.rules, _now()).park:
            return False
        parked = await self.hub.park(login)
        if parked:
            self.log.info("Parked the server of %s, idle for PARK_AFTER", login)
        return parked

    def _running(self) -> list[Running]:
        return [
            Running(login, (row.last_activity or row.started).replace(tzinfo=UTC))
            for login, spawner in self.hub.running_spawners().items()
            if spawner.ready and ((row := spawner.orm_spawner).last_activity or row.started)
        ]

    async def _parked(self) -> list[Parked]:
        return [
            Parked(
                login,
                spawner.parked_at,
                memory[0] if (memory := await self._memory(spawner.object_name)) else None,
                await self.warden.is_paused(spawner.object_name, STATS_SECONDS) is not False,
            )
            for login, spawner in self.hub.parked_spawners().items()
        ]

    async def _memory(self, container: str) -> tuple[int, int | None] | None:
        return await self.warden.memory(container, STATS_SECONDS)


def _now() -> datetime:
    return datetime.now(UTC)
