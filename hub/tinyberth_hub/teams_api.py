"""REST API of teams, below /hub/api/tinyberth/teams. Who is in one, people's own API sets too."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from jupyterhub.apihandlers.base import APIHandler

from .api_base import PeopleHandler, list_of_names
from .refusals import ChangeRefusedError
from .team_operations import AddTeam, ArchiveTeam, SetMembers


class _TeamsHandler(PeopleHandler):
    async def teams(self) -> list[dict[str, Any]]:
        gids = {team.name: team.gid for team in await self.people.stores.ledger.list_teams()}
        teams = sorted(self.people.hub.teams().items())
        return [
            {"name": name, "gid": gids.get(name), "members": sorted(members)}
            for name, members in teams
        ]

    async def answer_team(self, name: str, status: int = 200) -> None:
        (team,) = (team for team in await self.teams() if team["name"] == name)
        self.answer(team, status)


class TeamsAPIHandler(_TeamsHandler):
    async def get(self) -> None:
        """List the teams: name, gid and members."""
        self.answer({"teams": await self.teams()})

    async def post(self) -> None:
        """Make a team with a gid and a folder of its own."""
        name = self.body(name=str).get("name", "")
        await self.make_change(AddTeam(name))
        await self.answer_team(name, 201)


class TeamAPIHandler(_TeamsHandler):
    async def put(self, quoted_name: str) -> None:
        """Set exactly who is in the team."""
        name, given = unquote(quoted_name), self.body(members=list)
        if "members" not in given:
            raise ChangeRefusedError(400, "The body must have members.")
        self.authenticator.check_teams_are_ours()
        await self.make_change(SetMembers(name, list_of_names(given["members"], "members")))
        await self.answer_team(name)

    async def delete(self, quoted_name: str) -> None:
        """Remove the team; its folder goes to the archive."""
        tombstone = await self.make_change(ArchiveTeam(unquote(quoted_name)))
        archive = tombstone.archive if tombstone else None
        self.answer({"archive": archive, "home": archive and f"data/archive/{archive}"})


_ROOT = "/api/tinyberth/teams"
teams_handlers: list[tuple[str, type[APIHandler]]] = [
    (_ROOT, TeamsAPIHandler),
    (f"{_ROOT}/([^/]+)", TeamAPIHandler),
]
