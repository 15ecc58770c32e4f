"""JupyterHub's own addresses for groups, led to the one place where teams change.

The stock groups page uses them. Who may call, what is sent and answered stays JupyterHub's.
"""

from __future__ import annotations

import json
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.apihandlers.groups import (
    GroupAPIHandler,
    GroupListAPIHandler,
    GroupUsersAPIHandler,
)
from jupyterhub.scopes import needs_scope
from tornado import web

from .operations import Operation
from .password_check import could_be_login
from .team_operations import AddTeam, ArchiveTeam, SetMembers


class _StockHandler(APIHandler):
    async def make_change(self, operation: Operation) -> None:
        await self.authenticator.people.change(operation, by=self.current_user.name)

    def logins(self, model: dict[str, Any]) -> list[str]:
        """Return the people whom a request names; raises a 400 for who is not here."""
        if model.get("users"):
            self.authenticator.check_teams_are_ours()
        for name in model.get("users", []):
            # JupyterHub would quote what is no name, megabytes and half characters, too.
            if not isinstance(name, str) or not could_be_login(name):
                raise web.HTTPError(400, f"No such user: {str(name)[:40]!a}")
        users = self._usernames_to_users(model.get("users", []))
        return list(dict.fromkeys(user.name for user in users))

    def write_group(self, name: str, status: int = 200) -> None:
        self.write(json.dumps(self.group_model(self.find_group(name))))
        self.set_status(status)


class StockGroupListAPIHandler(_StockHandler, GroupListAPIHandler):
    @needs_scope("admin:groups")
    async def post(self) -> None:
        """Make several teams with the same members."""
        model = self.get_json_body()
        names = model.pop("groups", None) if isinstance(model, dict) else None
        if not names or not all(isinstance(name, str) for name in names):
            raise web.HTTPError(400, "Must specify at least one group to create")
        self._check_group_model(model)
        members = self.logins(model)
        for name in names:
            await self.make_change(AddTeam(name, members))
        self.write(json.dumps([self.group_model(self.find_group(name)) for name in names]))
        self.set_status(201)


class StockGroupAPIHandler(_StockHandler, GroupAPIHandler):
    @needs_scope("admin:groups")
    async def post(self, group_name: str) -> None:
        model = self.get_json_body() or {}
        self._check_group_model(model)
        await self.make_change(AddTeam(group_name, self.logins(model)))
        self.write_group(group_name, 201)

    @needs_scope("delete:groups")
    async def delete(self, group_name: str) -> None:
        self.find_group(group_name)
        await self.make_change(ArchiveTeam(group_name))
        self.set_status(204)


class StockGroupUsersAPIHandler(_StockHandler, GroupUsersAPIHandler):
    @needs_scope("groups")
    async def post(self, group_name: str) -> None:
        await self.make_change(SetMembers(group_name, joining=self.users_of(group_name)))
        self.write_group(group_name)

    @needs_scope("groups")
    async def delete(self, group_name: str) -> None:
        await self.make_change(SetMembers(group_name, leaving=self.users_of(group_name)))
        self.write_group(group_name)

    def users_of(self, group_name: str) -> list[str]:
        self.find_group(group_name)
        data = self.get_json_body()
        self._check_group_model(data)
        if "users" not in data:
            raise web.HTTPError(400, "Must specify users")
        return self.logins(data)


stock_groups_handlers: list[tuple[str, type[APIHandler]]] = [
    ("/api/groups", StockGroupListAPIHandler),
    ("/api/groups/([^/]+)", StockGroupAPIHandler),
    ("/api/groups/([^/]+)/users", StockGroupUsersAPIHandler),
]
