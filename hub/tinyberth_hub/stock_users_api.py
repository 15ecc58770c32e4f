"""JupyterHub's own addresses for users, led to the one place where people change.

The stock admin page and every script written for JupyterHub's REST API use them. Who may call,
what is sent and answered stays JupyterHub's; only what is done is ours.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.apihandlers.users import (
    UserAPIHandler,
    UserListAPIHandler,
    UserServerAPIHandler,
)
from jupyterhub.scopes import needs_scope
from tornado import web

from tinyberth_common.names import NameRefusedError

from .moving_operations import Remove, Rename
from .person_operations import Add, Change
from .refusals import ChangeRefusedError


class _StockHandler(APIHandler):
    """What both have in common; ``current_user`` is a user or a service."""

    async def add_person(self, name: str, *, admin: bool) -> Any:
        """Add an account that waits for its link; return JupyterHub's user."""
        if admin and not self.current_user.admin:
            raise web.HTTPError(403, "Only admins can grant admin permissions")
        login, shown = self.resolve(name)
        people = self.authenticator.people
        await people.change(Add(login, shown, admin=admin), by=self.current_user.name)
        return self.find_user(login)

    def resolve(self, name: Any) -> tuple[str, str]:
        if not isinstance(name, str):
            raise web.HTTPError(400, "A name is a string.")
        try:
            login, shown = self.authenticator.resolve_person(name)
        except NameRefusedError as refusal:
            raise ChangeRefusedError(400, str(refusal)) from None
        return login, shown


class StockUserListAPIHandler(_StockHandler, UserListAPIHandler):
    @needs_scope("admin:users")
    async def post(self) -> None:
        """Add several people; who is there already is passed over, as JupyterHub does it."""
        data = self.get_json_body()
        if not isinstance(data, dict) or not isinstance(data.get("usernames"), list):
            raise web.HTTPError(400, "Must specify at least one user to create")
        names = data.pop("usernames")
        self._check_user_model(data)
        # All names before any of them, so that a bad one refuses the whole request.
        by_login = {self.resolve(name)[0]: name for name in names}
        new = [name for login, name in by_login.items() if self.find_user(login) is None]
        if not new:
            raise web.HTTPError(409, f"All {len(names)} users already exist")
        admin = bool(data.get("admin"))
        users = [await self.add_person(name, admin=admin) for name in new]
        self.write(json.dumps([self.user_model(user) for user in users]))
        self.set_status(201)


class StockUserAPIHandler(_StockHandler, UserAPIHandler):
    @needs_scope("admin:users")
    async def post(self, user_name: str) -> None:
        data = self.get_json_body() or {}
        self._check_user_model(data)
        user = await self.add_person(unquote(user_name), admin=bool(data.get("admin")))
        self.write(json.dumps(self.user_model(user)))
        self.set_status(201)

    @needs_scope("delete:users")
    async def delete(self, user_name: str) -> None:
        login = unquote(user_name)
        if login == self.current_user.name:
            raise web.HTTPError(400, "Cannot delete yourself!")
        await self.authenticator.people.change(Remove(login), by=self.current_user.name)
        self.set_status(204)

    @needs_scope("admin:users")
    async def patch(self, user_name: str) -> None:
        """Rename, make or unmake an admin; anything else of a user is JupyterHub's to set."""
        user = self.find_user(user_name)
        if user is None:
            raise web.HTTPError(404)
        data = self.get_json_body()
        self._check_user_model(data)
        if not self.current_user.admin and (user.admin or data.get("admin")):
            raise web.HTTPError(403, "Only admins can modify other admins")
        login, people, by = user.name, self.authenticator.people, self.current_user.name
        if "admin" in data:
            await people.change(Change(login, admin=bool(data["admin"])), by=by)
        if "name" in data and data["name"] != login:
            to, _ = self.resolve(data["name"])
            await people.change(Rename(login, to), by=by)
            login = to
        user = self.find_user(login)
        if "auth_state" in data:
            await user.save_auth_state(data["auth_state"])
        self.write(
            json.dumps({**self.user_model(user), "auth_state": await user.get_auth_state()})
        )


class StockUserServerAPIHandler(UserServerAPIHandler):
    @needs_scope("delete:servers")
    async def delete(self, user_name: str, server_name: str = "") -> None:
        """Stop a server; a parked one, which is stopped to JupyterHub, too."""
        hub = self.authenticator.people.hub
        if not server_name and user_name in hub.parked_spawners():
            await hub.stop(user_name)
        await super().delete(user_name, server_name)


stock_users_handlers: list[tuple[str, type[APIHandler]]] = [
    ("/api/users", StockUserListAPIHandler),
    ("/api/users/([^/]+)", StockUserAPIHandler),
    ("/api/users/([^/]+)/server", StockUserServerAPIHandler),
    ("/api/users/([^/]+)/servers/([^/]*)", StockUserServerAPIHandler),
]
