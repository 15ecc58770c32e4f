"""A person is added, or changed without moving any file. Each step can be repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .ledger_client import Berth
from .operations import Operation, Stores, check_not_last_admin, check_present, living_berth
from .refusals import ChangeRefusedError
from .teams import check_team


@dataclass(frozen=True)
class Add(Operation):
    """A new person; ``name`` is as the admin or the provider wrote it."""

    kind = "add"
    login: str
    name: str
    uid: int | None = None
    gid: int | None = None
    teams: Sequence[str] = ()
    admin: bool = False
    has_berth: bool = False  # before: somebody whom a lost database of the hub forgot

    @property
    def logins(self) -> frozenset[str]:
        return frozenset({self.login})

    async def prepare(self, stores: Stores) -> Operation:
        if stores.hub.has(self.login):
            raise ChangeRefusedError(
                409,
                f"{self.login} is here already; ./tinyberth user show {self.login} tells more.",
            )
        berths = await stores.ledger.list_berths()
        for team in self.teams:
            check_team(team, berths)
        living = {berth.login for berth in berths if not berth.archive}
        return replace(self, has_berth=self.login in living)

    async def carry_out(self, stores: Stores) -> Any:
        # The ledger first, since it is who refuses; the account last, since it lets people in.
        name = None if self.name == self.login else self.name
        berth = await stores.ledger.ensure_berth(self.login, uid=self.uid, gid=self.gid, name=name)
        await stores.teams.write(set(self.teams) - stores.hub.teams().keys())
        if not self.has_berth:
            # Whatever account is left under this name is of somebody else.
            await asyncio.to_thread(stores.accounts.remove, self.login)
        stores.hub.ensure(self.login, admin=self.admin)
        stores.hub.set_teams_of(self.login, self.teams)
        await stores.teams.write(self.teams)
        await asyncio.to_thread(stores.accounts.ensure, self.login, name)
        return berth

    async def undo(self, stores: Stores) -> None:
        stores.hub.delete(self.login)
        if not self.has_berth:
            await asyncio.to_thread(stores.accounts.remove, self.login)
            if await living_berth(self.login, stores):
                await stores.ledger.archive_berth(self.login)

    def sentence(self, result: Berth) -> str:
        return f"added {self.login} (uid {result.uid})"


@dataclass(frozen=True)
class Change(Operation):
    """Admin or not, and exactly which teams; None leaves it as it is."""

    kind = "change"
    login: str
    admin: bool | None = None
    teams: Sequence[str] | None = None
    admin_before: bool = False
    teams_before: Sequence[str] = ()

    @property
    def subjects(self) -> frozenset[str]:
        return frozenset({self.login})

    async def prepare(self, stores: Stores) -> Operation:
        check_present(self.login, stores.hub)
        if self.admin is False:
            check_not_last_admin(self.login, stores)
        teams = stores.hub.teams()
        new = set(self.teams or ()) - teams.keys()
        berths = await stores.ledger.list_berths() if new else []
        for team in sorted(new):
            check_team(team, berths)
        return replace(
            self,
            admin_before=stores.hub.is_admin(self.login),
            teams_before=[team for team in teams if self.login in teams[team]],
        )

    async def carry_out(self, stores: Stores) -> Any:
        if self.teams is not None:
            await stores.teams.write(set(self.teams) - stores.hub.teams().keys())
        if self.admin is not None:
            stores.hub.ensure(self.login, admin=self.admin)
        if self.teams is not None:
            stores.hub.set_teams_of(self.login, self.teams)
            await stores.teams.write({*self.teams, *self.teams_before})

    async def undo(self, stores: Stores) -> None:
        stores.hub.ensure(self.login, admin=self.admin_before)
        stores.hub.set_teams_of(self.login, self.teams_before)
        await stores.teams.write(self.teams_before)

    def sentence(self, _: Any) -> str:
        said = []
        if self.admin is not None:
            said.append(f"{'made' if self.admin else 'unmade'} {self.login} an admin")
        if self.teams is not None:
            said.append(f"put {self.login} into the teams {', '.join(self.teams) or '(none)'}")
        return " and ".join(said) or f"changed nothing of {self.login}"
