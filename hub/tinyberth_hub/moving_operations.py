"""What moves a person's home: renamed, removed, restored. Each step can be repeated."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from .ledger_client import Berth, passwd_field
from .operations import Operation, Stores, check_not_last_admin, check_present, living_berth
from .refusals import ChangeRefusedError


@dataclass(frozen=True)
class Rename(Operation):
    """Another login for the same person: uid, home, teams, password and tokens stay."""

    kind = "rename"
    login: str
    to: str
    name: str | None = None  # the name that was given, where it is not the login

    @property
    def logins(self) -> frozenset[str]:
        return frozenset({self.login, self.to})

    async def prepare(self, stores: Stores) -> Operation:
        check_present(self.login, stores.hub)
        if stores.hub.has(self.to):
            raise ChangeRefusedError(409, f"{self.to} is here already: choose another login name.")
        if stores.hub.is_running(self.login):
            raise ChangeRefusedError(409, f"The server of {self.login} runs: stop it first.")
        account = await asyncio.to_thread(stores.accounts.get, self.login)
        return replace(self, name=account.given_name if account else None)

    async def carry_out(self, stores: Stores) -> Any:
        await stores.hub.stop(self.login)  # for a container that a crash left
        berth = await stores.ledger.rename_berth(self.login, self.to)
        await _ensure_name(berth, self.name, stores)
        stores.hub.rename(self.login, self.to)
        await asyncio.to_thread(stores.accounts.rename, self.login, self.to, self.name)
        teams = stores.hub.teams()
        await stores.teams.write([team for team in teams if self.to in teams[team]])
        return berth

    async def undo(self, stores: Stores) -> None:
        if await living_berth(self.login, stores) is None:
            await stores.ledger.rename_berth(self.to, self.login)

    def sentence(self, result: Berth) -> str:
        return f"renamed {self.login} to {self.to} (uid {result.uid})"


@dataclass(frozen=True)
class Remove(Operation):
    """The end of an account: files go to the archive, everything that lets in is gone."""

    kind = "remove"
    login: str

    @property
    def logins(self) -> frozenset[str]:
        return frozenset({self.login})

    async def prepare(self, stores: Stores) -> Operation:
        check_present(self.login, stores.hub)
        check_not_last_admin(self.login, stores)
        return self

    async def carry_out(self, stores: Stores) -> Any:
        stores.hub.lock_out(self.login)
        await stores.hub.stop(self.login)
        tombstone = await stores.ledger.archive_berth(self.login)
        # The account after the user: JupyterHub makes accounts for users who have none.
        stores.hub.delete(self.login)
        await asyncio.to_thread(stores.accounts.remove, self.login)
        await asyncio.to_thread(stores.throttle.forget, self.login)
        return tombstone

    def sentence(self, result: Berth | None) -> str:
        files = f"files in data/archive/{result.archive}" if result else "there were no files"
        return f"removed {self.login} ({files})"


@dataclass(frozen=True)
class Restore(Operation):
    """A removed person is back with uid, gid and home; not with password, teams and admin."""

    kind = "restore"
    archive: str
    login: str
    name: str | None = None

    @property
    def logins(self) -> frozenset[str]:
        return frozenset({self.login})

    async def prepare(self, stores: Stores) -> Operation:
        if stores.hub.has(self.login):
            raise ChangeRefusedError(
                409, f"{self.login} is somebody's login name: restore {self.archive} under "
                "another one."
            )  # fmt: skip
        berths = await stores.ledger.list_berths()
        found = next((berth for berth in berths if berth.archive == self.archive), None)
        if found is None:
            raise ChangeRefusedError(404, f"Nobody was archived as {self.archive!a}.")
        return replace(self, name=None if found.name == found.login else found.name)

    async def carry_out(self, stores: Stores) -> Any:
        berth = await stores.ledger.restore_berth(self.archive, self.login)
        await _ensure_name(berth, self.name, stores)
        await asyncio.to_thread(stores.accounts.remove, self.login)
        stores.hub.ensure(self.login, admin=False)
        await asyncio.to_thread(stores.accounts.ensure, self.login, self.name)
        return berth

    def sentence(self, result: Berth) -> str:
        return f"restored {self.archive} as {self.login} (uid {result.uid})"


async def _ensure_name(berth: Berth, name: str | None, stores: Stores) -> None:
    """Make the ledger's name the given one, or the login where none was given."""
    if berth.name != passwd_field(name or berth.login):
        await stores.ledger.ensure_berth(berth.login, name=name or berth.login)
