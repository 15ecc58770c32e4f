"""REST API for adding people and making their links, below /hub/api/tinyberth/people.

For admins in the browser and for the service that `tinyberth-hub user …` speaks as. JupyterHub
has no request that adds a user with a uid or answers with a link; the rest is its own API.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import unquote

from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.roles import assign_default_roles
from jupyterhub.scopes import needs_scope
from tornado import web

from tinyberth_common.names import NameRefusedError, check_login

from .settings import CLI_SERVICE
from .warden_client import WardenError


class _AdminAPIHandler(APIHandler):
    """A link opens any account, an admin's too, so the scope to edit users is not enough."""

    def require_admin(self) -> None:
        caller = self.current_user
        is_cli = isinstance(caller, orm.Service) and caller.name == CLI_SERVICE
        if not (is_cli or getattr(caller, "admin", False)):
            raise web.HTTPError(403, "Only admins add people and make links.")


class PeopleAPIHandler(_AdminAPIHandler):
    """The people of this hub."""

    @needs_scope("admin:users")
    async def get(self) -> None:
        """List: name, login, uid, gid, state (invited or active), admin, server (bool)."""
        self.require_admin()
        accounts = await asyncio.to_thread(self.authenticator.accounts.all)
        berths = await _or_http_error(self.authenticator.warden.list_berths())
        people = []
        for orm_user in self.db.query(orm.User).order_by(orm.User.name):
            user = self.users[orm_user]
            berth, account = berths.get(user.name), accounts.get(user.name)
            people.append(
                {
                    "name": user.name,
                    "login": berth.login if berth else None,
                    "uid": berth.uid if berth else None,
                    "gid": berth.gid if berth else None,
                    "state": account.state if account else "no account",
                    "admin": user.admin,
                    "server": user.running,
                }
            )
        self.write(json.dumps({"people": people}))

    @needs_scope("admin:users")
    async def post(self) -> None:
        """Add one person: ``{"name", "uid"?, "gid"?}``; answers with the berth and a link."""
        self.require_admin()
        name, uid, gid = _parse_person(self.get_json_body())
        name = self.authenticator.normalize_username(name)
        try:
            check_login(name)
        except NameRefusedError as refusal:
            raise web.HTTPError(400, str(refusal)) from None
        if self.find_user(name) is not None:
            raise web.HTTPError(
                409, f"{name} is there already; ./tinyberth user link {name} makes a new link."
            )
        berth = await _or_http_error(
            self.authenticator.warden.ensure_berth(name, uid=uid, gid=gid)
        )
        user = self.user_from_username(name)
        assign_default_roles(self.db, entity=user)
        self.db.commit()
        try:
            await self.authenticator.add_user(user)
        except Exception:
            self.users.delete(user)
            raise
        link = await self.authenticator.make_link(name)
        self.log.info("%s added %s (uid %i)", self.current_user.name, name, berth.uid)
        self.set_status(201)
        self.write(json.dumps({**vars(berth), "link": link}))


class LinkAPIHandler(_AdminAPIHandler):
    """One-time links."""

    @needs_scope("admin:users")
    async def post(self, quoted_name: str) -> None:
        """Make a fresh link: ``{"link"}``; null if ``if_invited`` and a password is set."""
        self.require_admin()
        name = self.authenticator.normalize_username(unquote(quoted_name))
        account = await asyncio.to_thread(self.authenticator.accounts.get, name)
        wanted = (self.get_json_body() or {}).get("if_invited") is not True
        if wanted or account is None or account.state == "invited":
            link = await self.authenticator.make_link(name)
            self.log.info("%s made a link for %s", self.current_user.name, name)
        else:
            link = None
        self.write(json.dumps({"name": name, "link": link}))


def _parse_person(body: Any) -> tuple[str, int | None, int | None]:
    if not isinstance(body, dict) or not isinstance(body.get("name"), str):
        raise web.HTTPError(400, 'The body must be an object such as {"name": "alice"}.')
    unknown = body.keys() - {"name", "uid", "gid"}
    if unknown:
        raise web.HTTPError(400, f"Unknown fields: {', '.join(map(ascii, sorted(unknown)))}.")
    for key in ("uid", "gid"):
        number = body.get(key)
        if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
            raise web.HTTPError(400, f"{key} must be a whole number.")
    return body["name"], body.get("uid"), body.get("gid")


async def _or_http_error(call: Any) -> Any:
    """Await a call to the warden; its refusal becomes the answer to our caller."""
    try:
        return await call
    except WardenError as refusal:
        raise web.HTTPError(refusal.status, refusal.message) from refusal
