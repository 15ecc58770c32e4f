"""REST API of people, below /hub/api/tinyberth/people: list, preview, add, change, remove."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote

from jupyterhub.apihandlers.base import APIHandler

from .api_base import PeopleHandler, list_of_names
from .csv_import import Line, lines_of, parse_csv
from .import_preview import Present, judge
from .moving_operations import Remove, Rename, Restore
from .people_view import list_people
from .person_operations import Add, Change
from .refusals import ChangeRefusedError

_PERSON_FIELDS: dict[str, Any] = {
    "name": str,
    "uid": (int, type(None)),
    "gid": (int, type(None)),
    "teams": (list, type(None)),
    "admin": (bool, type(None)),
}


class PeopleAPIHandler(PeopleHandler):
    """Everybody."""

    async def get(self) -> None:
        """List everybody, the removed ones too."""
        people, measured_at = await list_people(self.people.stores)
        auth = self.authenticator.auth_name
        self.answer({"people": people, "measured_at": measured_at, "auth": auth})

    async def post(self) -> None:
        """Add one person; the answer has the one-time link, where there are links."""
        given = self.body(**_PERSON_FIELDS)
        if "name" not in given:
            raise ChangeRefusedError(400, 'The body must be an object such as {"name": "alice"}.')
        login, name = self.resolve_person(given["name"])
        teams = list_of_names(given.get("teams") or [], "teams")
        if teams:
            self.authenticator.check_teams_are_ours()
        ids, admin = (given.get("uid"), given.get("gid")), bool(given.get("admin"))
        await self.make_change(Add(login, name, *ids, teams=teams, admin=admin))
        self.answer(await self.with_link(login), 201)


class PersonAPIHandler(PeopleHandler):
    """One person: a login, or a tombstone such as ``alice~1``."""

    async def get(self, quoted_login: str) -> None:
        self.answer(await self.person(self.login_in(quoted_login)))

    async def patch(self, quoted_login: str) -> None:
        """Make or unmake an admin, set the exact list of teams."""
        login = self.login_in(quoted_login)
        given = self.body(admin=bool, teams=list)
        teams = list_of_names(given["teams"], "teams") if "teams" in given else None
        if teams is not None:
            self.authenticator.check_teams_are_ours()
        await self.make_change(Change(login, given.get("admin"), teams))
        self.answer(await self.person(login))

    async def delete(self, quoted_login: str) -> None:
        """Remove the person; the files go to the archive."""
        login = self.login_in(quoted_login)
        if login == self.current_user.name:
            raise ChangeRefusedError(
                409, "Nobody removes themselves: another admin can, or the terminal on the host."
            )
        tombstone = await self.make_change(Remove(login))
        archive = tombstone.archive if tombstone else None
        self.answer({"archive": archive, "home": archive and f"data/archive/{archive}"})


class PreviewAPIHandler(PersonAPIHandler):
    """What would become of a list of people. Else its address is that of who is named preview."""

    async def post(self, _: str) -> None:
        """Judge each line of a list; nothing is changed."""
        given = self.body(csv=str, people=list)
        if len(given) != 1:
            raise ChangeRefusedError(400, "The body must have either csv or people.")
        lines = parse_csv(given["csv"]) if "csv" in given else lines_of(given["people"])
        stores = self.people.stores
        berths = await stores.ledger.list_berths()
        teams = {team.name: team.gid for team in await stores.ledger.list_teams()}
        present = Present({row.name for row in stores.hub.rows()}, berths, teams)
        outcomes = await asyncio.to_thread(self._judge_all, lines, present)
        self.answer({"lines": outcomes})

    def _judge_all(self, lines: list[Line], present: Present) -> list[dict[str, object]]:
        return [judge(line, present, self.authenticator.resolve_person) for line in lines]


class LinkAPIHandler(PeopleHandler):
    """One-time links."""

    async def post(self, quoted_login: str) -> None:
        """Make a fresh link: null with ``if_invited`` where nobody waits for one."""
        login = self.login_in(quoted_login)
        if_invited = self.body(if_invited=bool).get("if_invited", False)
        await self.people.settled()
        account = await asyncio.to_thread(self.authenticator.accounts.get, login)
        link = None
        if account is not None and not (if_invited and account.state != "invited"):
            link = await self.link_of(account)
        elif account is None and not if_invited:
            raise ChangeRefusedError(404, f"There is nobody named {login[:40]!a} here.")
        if link is None and not if_invited:
            service = self.authenticator.login_service
            raise ChangeRefusedError(
                409, f"People sign in with {service} here, so there are no one-time links."
            )
        self.answer({"name": login, "login": login, "link": link})


class RenameAPIHandler(PeopleHandler):
    async def post(self, quoted_login: str) -> None:
        """Give the person another login; uid and home stay."""
        to = self.body(to=str).get("to", "")
        login, _ = self.resolve_person(to)
        await self.make_change(Rename(self.login_in(quoted_login), login))
        self.answer(await self.person(login))


class StopAPIHandler(PeopleHandler):
    async def post(self, quoted_login: str) -> None:
        """Stop the person's server, and answer when it has stopped."""
        login = self.login_in(quoted_login)
        self.body()
        await self.people.stop_server(login, by=self.by)
        self.answer(await self.person(login))


class ParkAPIHandler(PeopleHandler):
    async def post(self, quoted_login: str) -> None:
        """Park the person's server, and answer when it is parked."""
        login = self.login_in(quoted_login)
        self.body()
        await self.authenticator.parker.park(login, by=self.by)
        self.answer(await self.person(login))


class RestoreAPIHandler(PeopleHandler):
    async def post(self, quoted_archive: str) -> None:
        """Bring a removed person back, as the login of before or as another one."""
        archive = unquote(quoted_archive)
        wanted = self.body(**{"as": str}).get("as") or archive.partition("~")[0]
        login, _ = self.resolve_person(wanted)
        await self.make_change(Restore(archive, login))
        self.answer(await self.with_link(login))


_ROOT = "/api/tinyberth/people"
people_handlers: list[tuple[str, type[APIHandler]]] = [
    (_ROOT, PeopleAPIHandler),
    (f"{_ROOT}/(preview)", PreviewAPIHandler),
    (f"{_ROOT}/([^/]+)", PersonAPIHandler),
    (f"{_ROOT}/([^/]+)/link", LinkAPIHandler),
    (f"{_ROOT}/([^/]+)/rename", RenameAPIHandler),
    (f"{_ROOT}/([^/]+)/stop", StopAPIHandler),
    (f"{_ROOT}/([^/]+)/park", ParkAPIHandler),
    (f"{_ROOT}/([^/]+)/restore", RestoreAPIHandler),
]
