"""What the handlers of our REST API, below /hub/api/tinyberth, have in common."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import unquote

from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from tornado import web

from tinyberth_common.names import NameRefusedError

from .accounts import Account
from .csv_import import MAX_NAME
from .operations import Operation
from .people import People
from .people_view import list_people
from .refusals import ChangeRefusedError
from .settings import CLI_SERVICE, PEOPLE_SCOPE


class PeopleHandler(APIHandler):
    """For admins and for the terminal's service alone."""

    @property
    def people(self) -> People:
        people: People = self.authenticator.people
        return people

    @property
    def by(self) -> str:
        """Return who asks, for the log."""
        caller = self.current_user
        return f"{caller.name} (terminal)" if isinstance(caller, orm.Service) else caller.name

    async def prepare(self) -> None:
        """Refuse everybody else before anything is read or said."""
        await super().prepare()
        # A link opens any account, an admin's too, so the scope to edit users is not enough; and
        # a token that an admin made for less must not do this either.
        caller = self.current_user
        is_cli = isinstance(caller, orm.Service) and caller.name == CLI_SERVICE
        is_admin = getattr(caller, "admin", False) and "admin:users" in self.expanded_scopes
        if not (is_cli and PEOPLE_SCOPE in self.expanded_scopes) and not is_admin:
            raise web.HTTPError(403, "Only admins see and change who is here.")

    async def make_change(self, operation: Operation) -> Any:
        """Make a change; see ``People.change``."""
        return await self.people.change(operation, by=self.by)

    def body(self, **kinds: type | tuple[type, ...]) -> dict[str, Any]:
        """Return the JSON object that was sent, whose fields are among ``kinds``; none is needed.

        Raises
        ------
        ChangeRefusedError
        """
        document = self.get_json_body() or {}
        if not isinstance(document, dict):
            raise ChangeRefusedError(400, "The body must be a JSON object.")
        for field, value in document.items():
            if field not in kinds:
                raise ChangeRefusedError(
                    400, f"{field[:40]!a} is no field here: {', '.join(kinds) or 'none'} is."
                )
            kind = kinds[field]
            # By type, not isinstance: to Python, true is a number.
            if type(value) not in (kind if isinstance(kind, tuple) else (kind,)):
                raise ChangeRefusedError(400, f"{field} is not of the kind that it must be.")
        return document

    def answer(self, document: object, status: int = 200) -> None:
        self.set_status(status)
        self.write(json.dumps(document))

    def resolve_person(self, name: str) -> tuple[str, str]:
        """Return login and shown name of whom an admin calls ``name``."""
        name = name.strip(" ")  # spaces alone: a line end in a name is refused (THREATS B1)
        if not 0 < len(name) <= MAX_NAME:
            raise ChangeRefusedError(400, f"A name has 1 to {MAX_NAME} characters.")
        try:
            login, shown = self.authenticator.resolve_person(name)
        except NameRefusedError as refusal:
            raise ChangeRefusedError(400, str(refusal)) from None
        return login, shown

    def login_in(self, quoted: str) -> str:
        """Return the login that a part of an address means: a login, a name, or a tombstone."""
        name = unquote(quoted)
        if "~" in name:
            return name
        try:
            login, _ = self.authenticator.resolve_person(name)
        except NameRefusedError:
            return name  # which is nobody's
        return str(login)

    async def person(self, login: str) -> dict[str, Any]:
        """Return one person as ``GET people`` shows them."""
        people, _ = await list_people(self.people.stores, login)
        if not people:
            raise ChangeRefusedError(404, f"There is nobody named {login[:40]!a} here.")
        return people[0]

    async def with_link(self, login: str) -> dict[str, Any]:
        """Return one person with a fresh one-time link: None where people sign in otherwise."""
        account = await asyncio.to_thread(self.authenticator.accounts.get, login)
        return {**await self.person(login), "link": await self.link_of(account)}

    async def link_of(self, account: Account | None) -> str | None:
        if account is None:
            return None  # removed in this moment
        link: str | None = await self.authenticator.link_for(account)
        if link:
            self.log.info("%s made a link for %s", self.by, account.name)
        return link


def list_of_names(value: Any, what: str) -> list[str]:
    """Return ``value`` if it is a list of strings, without duplicates; raise otherwise."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ChangeRefusedError(400, f"{what} must be a list of names.")
    return list(dict.fromkeys(value))
