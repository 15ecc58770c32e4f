"""The one place where people and teams change, whoever asks: page, terminal, stock API, OAuth.

Changes are made one at a time and written into a journal before their first effect. What a crash
of the hub cut short is finished at its next start, or undone where the ledger refuses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import asdict, dataclass, field
from logging import Logger
from typing import Any

from .hub_users import HubUsers
from .journal import Journal, Record
from .ledger_client import LedgerError
from .moving_operations import Remove
from .operation_kinds import operation_of
from .operations import Operation, Stores, check_present
from .person_operations import Add, Change
from .refusals import ChangeRefusedError

RETRY_SECONDS = 10.0
"""Between two tries to finish what the ledger, being away, left unfinished."""

GATHER_SECONDS = 0.5
"""From the first commit that touches a group to a look at all of them; an import makes many."""


@dataclass
class People:
    """Makes changes. ``first_admin``, login and name, is added where there is no admin at all."""

    stores: Stores
    journal: Journal
    log: Logger
    first_admin: tuple[str, str] | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _settled: asyncio.Event = field(default_factory=asyncio.Event)
    _unsettled: asyncio.Event = field(default_factory=asyncio.Event)
    _current: Operation | None = None
    _unfinished: dict[int, tuple[Record, Operation]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for record in self.journal.unfinished():
            self._unfinished[record.number] = record, operation_of(record)

    @property
    def hub(self) -> HubUsers:
        return self.stores.hub

    async def change(self, operation: Operation, *, by: str) -> Any:
        """Make a change and return what it returns; ``by`` is who asked, for the log.

        Raises
        ------
        ChangeRefusedError
            Nothing is changed; or, with a status of 500 and more, it is finished later.
        """
        await self.settled()
        return await self._change(operation, by)

    async def _change(self, operation: Operation, by: str) -> Any:
        async with self._lock:
            self._current = operation
            try:
                await self._finish_earlier(operation.subjects)
                prepared = await operation.prepare(self.stores)
                record = await asyncio.to_thread(
                    self.journal.begin, prepared.kind, asdict(prepared), by
                )
                self._unfinished[record.number] = record, prepared
                return await self._carry_out(record, prepared)
            finally:
                self._current = None

    async def stop_server(self, login: str, *, by: str) -> None:
        """Stop the person's server and return when it has stopped."""
        check_present(login, self.hub)
        await self.hub.stop(login)
        self.log.info("%s stopped the server of %s", by, login)

    async def before_start(self, login: str) -> None:
        """Bring the ledger up to the person's teams; a server takes its teams from there.

        Raises
        ------
        ChangeRefusedError
            If the person is being added, renamed or removed just now.
        LedgerError
            If the ledger does not answer.
        """
        if self.is_changing(login):
            raise ChangeRefusedError(
                409, "An admin is changing your account just now; please try again in a minute."
            )
        try:
            await self.stores.teams.reconcile()
        except LedgerError as refusal:
            if refusal.status >= 500:
                raise
            self.log.warning("The teams of %s are as they were: %s", login, refusal.message)

    def is_changing(self, login: str) -> bool:
        """Tell whether a change of this person is under way, so that no server may start."""
        under_way = [operation for _, operation in self._unfinished.values()]
        return any(login in operation.logins for operation in (self._current, *under_way)
                   if operation)  # fmt: skip

    def is_leaving(self, login: str) -> bool:
        """Tell whether a removal of this person has begun, so that nobody may sign in."""
        return any(
            isinstance(operation, Remove) and operation.login == login
            for _, operation in self._unfinished.values()
        )

    async def run(self, serving: Awaitable[None]) -> None:
        """Once the hub serves, settle what was left, and again whenever something is."""
        await serving
        while True:
            self._unsettled.clear()
            await self._settle()
            self._settled.set()
            await self._unsettled.wait()
            await asyncio.sleep(GATHER_SECONDS)

    async def settled(self) -> None:
        """Return when what an earlier run of the hub left has been looked at."""
        await self._settled.wait()

    def settle_soon(self) -> None:
        self._unsettled.set()

    async def _settle(self) -> None:
        """Finish what is unfinished, see to a first admin, bring the ledger up to the groups."""
        try:
            async with self._lock:
                await self._finish_earlier(None)
            if self.first_admin and not self.hub.admins():
                await self._ensure_first_admin()
            await self.stores.teams.reconcile()
        except ChangeRefusedError as error:
            self.log.error("People and teams are not settled yet: %s", error.message)
            self._settle_later()
        except Exception:
            # Whatever it is must not end the task that would try again.
            self.log.exception("People and teams are not settled yet")
            self._settle_later()

    async def _ensure_first_admin(self) -> None:
        assert self.first_admin
        login, name = self.first_admin
        found = self.hub.find(login)
        operation = Change(login, admin=True) if found else Add(login, name, admin=True)
        await self._change(operation, by="the setting ADMIN")

    async def _finish_earlier(self, subjects: frozenset[str] | None) -> None:
        """Finish unfinished operations; those of others than ``subjects`` may stay so."""
        for record, operation in list(self._unfinished.values()):
            self.log.info("Finishing what was cut short: %s by %s", operation, record.by)
            try:
                await self._carry_out(record, operation)
            except ChangeRefusedError as error:
                if error.status < 500:
                    continue  # undone
                if subjects is None or subjects & operation.subjects:
                    raise

    async def _carry_out(self, record: Record, operation: Operation) -> Any:
        try:
            result = await operation.carry_out(self.stores)
        except LedgerError as refusal:
            self._settle_later()
            if refusal.status < 500:
                await operation.undo(self.stores)
                await self._end(record)
                self.log.warning("Undone: %s by %s: %s", operation, record.by, refusal.message)
            raise
        except Exception as error:
            self.hub.db.rollback()
            self.log.exception("Not finished yet: %s by %s", operation, record.by)
            self._settle_later()
            raise ChangeRefusedError(
                503, "This change is begun and not finished; the hub tries again by itself, and "
                "its log says what is in the way."
            ) from error  # fmt: skip
        await self._end(record)
        self.log.info("%s %s", record.by, operation.sentence(result))
        return result

    async def _end(self, record: Record) -> None:
        await asyncio.to_thread(self.journal.end, record)
        del self._unfinished[record.number]

    def _settle_later(self) -> None:
        asyncio.get_running_loop().call_later(RETRY_SECONDS, self.settle_soon)
