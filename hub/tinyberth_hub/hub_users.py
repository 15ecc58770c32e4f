"""JupyterHub's side of people: its users, their groups and their servers.

The session of JupyterHub's database is shared by everything on the event loop, so each change here
is made and committed without an await in between. Every method can be repeated after a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from jupyterhub import orm
from jupyterhub.metrics import TOTAL_USERS
from jupyterhub.roles import assign_default_roles
from jupyterhub.user import User
from sqlalchemy import Text, literal_column
from sqlalchemy.orm import Session

from .sessions import revoke_everything


class HubUsers:
    """Users and groups of the running JupyterHub application ``app``."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def serving(self) -> None:
        """Return when the hub answers requests and knows which servers run."""
        await self._app._start_future
        for user in list(self._app.users.values()):
            for spawner in list(user.spawners.values()):
                while spawner._check_pending:
                    await asyncio.sleep(0.1)

    @property
    def db(self) -> Session:
        session: Session = self._app.db
        return session

    def find(self, login: str) -> User | None:
        """Return JupyterHub's user with servers, which it makes and keeps; ``has`` only looks."""
        return self._app.users.get(login)

    def has(self, login: str) -> bool:
        return orm.User.find(self.db, login) is not None

    def is_admin(self, login: str) -> bool:
        row = orm.User.find(self.db, login)
        return bool(row and row.admin)

    def admins(self) -> set[str]:
        rows = self.db.query(orm.User.name).filter(orm.User.admin.is_(True))
        return {row.name for row in rows}

    def teams(self) -> dict[str, set[str]]:
        """Return the groups and who is in them."""
        found: dict[str, set[str]] = {row.name: set() for row in self.db.query(orm.Group.name)}
        members = self.db.query(orm.Group.name, orm.User.name).join(orm.Group.users)
        for group, login in members:
            found[group].add(login)
        return found

    def members(self, team: str) -> set[str]:
        """Return who is in the group; nobody is in one that is not here."""
        names = self.db.query(orm.User.name).join(orm.User.groups).filter(orm.Group.name == team)
        return {row.name for row in names}

    def ensure(self, login: str, *, admin: bool) -> None:
        """Add the user, and make or unmake them an admin."""
        user = orm.User.find(self.db, login)
        if user is None:
            user = orm.User(name=login)
            self.db.add(user)
            TOTAL_USERS.inc()
        user.admin = admin
        self.db.flush()
        assign_default_roles(self.db, entity=user)
        self.db.commit()

    def rename(self, old: str, new: str) -> None:
        user = self.find(old)
        if user is None:
            return  # done before
        user.orm_user.name = new
        self.db.commit()
        # The wrapper holds addresses and a container's name made of the old login. Not `del`,
        # which would take the row out of the session while groups still refer to it.
        self._app.users.pop(user.id)

    def delete(self, login: str) -> None:
        """Delete the user with all tokens, sessions and memberships."""
        user = self.find(login)
        if user is not None:
            self._app.authenticator.delete_user(user)
            self._app.users.delete(user)

    def lock_out(self, login: str) -> None:
        """End the person's sessions and revoke every token."""
        user = self.find(login)
        if user is not None:
            revoke_everything(user)

    def set_teams_of(self, login: str, teams: Iterable[str]) -> None:
        """Put the person into exactly these groups; missing ones are made."""
        user = orm.User.find(self.db, login)
        assert user is not None  # whoever calls has looked
        user.groups = [self._ensure_group(name) for name in sorted(set(teams))]
        self.db.commit()

    def set_members(self, team: str, logins: Iterable[str]) -> None:
        """Put exactly these people into the group, which is made if missing."""
        members = self.db.query(orm.User).filter(orm.User.name.in_(list(logins)))
        self._ensure_group(team).users = members.all()
        self.db.commit()

    def delete_team(self, team: str) -> None:
        group = orm.Group.find(self.db, team)
        if group is not None:
            group.users = []
            self.db.delete(group)
            self.db.commit()

    def rows(self) -> list[Any]:
        """Return (name, admin, last_activity) of everybody, in one query."""
        columns = (orm.User.name, orm.User.admin, orm.User.last_activity)
        return list(self.db.query(*columns).order_by(orm.User.name))

    def running_spawners(self) -> dict[str, Any]:
        """Return the spawners of running servers by login; JupyterHub caches whose they are."""
        spawners = [user.spawners.get("") for user in self._app.users.values()]
        return {s.user.name: s for s in spawners if s is not None and s.active}

    def parked_spawners(self) -> dict[str, Any]:
        """Return the spawners of parked servers by login; JupyterHub makes them if missing."""
        # Most people are stopped, and nothing is written down of them.
        state = literal_column("spawners.state", Text)
        rows = self.db.query(orm.Spawner).filter(state.contains('"parked_at"')).all()
        spawners = [self._app.users[row.user].spawner for row in rows]
        return {s.user.name: s for s in spawners if s.is_parked}

    async def look_at_activity(self) -> None:
        """Bring everybody's last activity up to what the proxy knows."""
        await self._app.update_last_activity()

    def is_running(self, login: str) -> bool:
        """Tell whether the person's server runs, starts or stops."""
        return any(
            spawner.active or spawner.pending
            for user in self._app.users.values()
            if user.name == login
            for spawner in user.spawners.values()
        )

    async def park(self, login: str) -> bool:
        """Park the person's server; return whether it was ready for it and could be paused."""
        user = self.find(login)
        spawner = user and user.spawners.get("")
        if user is None or spawner is None or not spawner.ready:
            return False
        spawner._stop_pending = True  # before anything is awaited, as JupyterHub does
        seen = user.orm_user.last_activity
        try:
            await self._app.proxy.delete_user(user, "")
            if not await spawner.pause():
                spawner._stop_pending = False
                await self._app.proxy.add_user(user, "")
                return False
            await user.stop("")
        finally:
            spawner._stop_pending = False
        user.orm_user.last_activity = seen  # JupyterHub counts a stop as something the person did
        self.db.commit()
        return True

    async def stop(self, login: str) -> None:
        """Stop the person's server, starting, running or parked, and leave no container of it."""
        user = self.find(login)
        if user is None:
            return
        for name, spawner in list(user.spawners.items()):
            while spawner.pending == "stop":  # by somebody else; it ends by itself
                await asyncio.sleep(0.1)
            if spawner._spawn_future:
                spawner._spawn_future.cancel()
                await asyncio.wait({spawner._spawn_future})
            if spawner.active or spawner.pending:
                await self._app.proxy.delete_user(user, name)
                await user.stop(name)
        # One that a crash or the cancelled start left: it is named after the login.
        await user.spawner.discard()

    def _ensure_group(self, name: str) -> orm.Group:
        group = orm.Group.find(self.db, name)
        if group is None:
            group = orm.Group(name=name)
            self.db.add(group)
        return group
