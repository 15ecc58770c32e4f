"""A team's life: made, its members set, archived. Each step can be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .ledger_client import Team
from .operations import Operation, Stores
from .refusals import ChangeRefusedError
from .teams import check_team


@dataclass(frozen=True)
class TeamOperation(Operation):
    """What the changes of one team have in common."""

    team: str

    @property
    def subjects(self) -> frozenset[str]:
        return frozenset({f"team {self.team}"})


@dataclass(frozen=True)
class AddTeam(TeamOperation):
    """A team with its own gid and folder; ``members`` are logins."""

    kind = "add_team"
    members: Sequence[str] = ()

    async def prepare(self, stores: Stores) -> Operation:
        check_team(self.team)
        if self.team in stores.hub.teams():
            raise ChangeRefusedError(409, f"The team {self.team} is here already.")
        check_team(self.team, await stores.ledger.list_berths())
        _check_members(self.members, stores)
        return self

    async def carry_out(self, stores: Stores) -> Any:
        await stores.teams.write([self.team])  # the ledger may refuse: before anything is said
        stores.hub.set_members(self.team, self.members)
        await stores.teams.write([self.team])

    def sentence(self, _: Any) -> str:
        return f"made the team {self.team}"


@dataclass(frozen=True)
class SetMembers(TeamOperation):
    """Exactly who is in a team; or, where ``members`` is None, who comes and who goes."""

    kind = "set_members"
    members: Sequence[str] | None = None
    joining: Sequence[str] = ()
    leaving: Sequence[str] = ()

    async def prepare(self, stores: Stores) -> Operation:
        _check_team_is_here(self.team, stores)
        _check_members([*(self.members or ()), *self.joining, *self.leaving], stores)
        present = stores.hub.teams()[self.team] if self.members is None else set(self.members)
        members = (present | set(self.joining)) - set(self.leaving)
        return replace(self, members=sorted(members), joining=(), leaving=())

    async def carry_out(self, stores: Stores) -> Any:
        stores.hub.set_members(self.team, self.members or ())
        await stores.teams.write([self.team])

    def sentence(self, _: Any) -> str:
        return f"set the members of the team {self.team}: {', '.join(self.members or ['nobody'])}"


@dataclass(frozen=True)
class ArchiveTeam(TeamOperation):
    """The end of a team: its folder goes to the archive, its gid is never used again."""

    kind = "archive_team"
    members: Sequence[str] = ()  # before, for the case that the ledger refuses

    async def prepare(self, stores: Stores) -> Operation:
        _check_team_is_here(self.team, stores)
        return replace(self, members=sorted(stores.hub.teams()[self.team]))

    async def carry_out(self, stores: Stores) -> Any:
        # The group first: the ledger follows the groups, and would make the team anew.
        stores.hub.delete_team(self.team)
        return await stores.ledger.archive_team(self.team)

    async def undo(self, stores: Stores) -> None:
        stores.hub.set_members(self.team, self.members)
        await stores.teams.write([self.team])

    def sentence(self, result: Team | None) -> str:
        files = f"files in data/archive/{result.archive}" if result else "there were no files"
        return f"removed the team {self.team} ({files})"


def _check_team_is_here(team: str, stores: Stores) -> None:
    if team not in stores.hub.teams():
        raise ChangeRefusedError(404, f"There is no team named {team!a} here.")


def _check_members(logins: Sequence[str], stores: Stores) -> None:
    for login in logins:
        if not stores.hub.has(login):
            raise ChangeRefusedError(400, f"There is nobody named {login!a} here.")
