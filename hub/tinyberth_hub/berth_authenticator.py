"""Who belongs here: what every way of signing in shares.

A person is added by an admin, by any of JupyterHub's own ways; JupyterHub calls ``add_user`` and
``delete_user`` for all of them. How a person then proves to be that person is for subclasses.
"""

from __future__ import annotations

import asyncio
from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.user import User
from tornado.web import RequestHandler

from tinyberth_common.names import NameRefusedError, check_login, normalize_login

from .accounts import AccountStore
from .people_api import LinkAPIHandler, PeopleAPIHandler
from .settings import STATE_DIR
from .warden_client import WardenClient

Handlers = list[tuple[str, type[RequestHandler]]]


class BerthAuthenticator(Authenticator):
    """Accounts of our own beside JupyterHub's users, and a berth for each."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.accounts = AccountStore(STATE_DIR / "accounts.sqlite")
        self.warden = WardenClient()

    def normalize_username(self, username: str) -> str:
        return normalize_login(username)

    def validate_username(self, username: str) -> bool:
        try:
            check_login(username)
        except NameRefusedError as refusal:
            self.log.warning("Refused a name: %s", refusal)
            return False
        return True

    async def add_user(self, user: User) -> None:
        """Give the person a berth and an account that waits for its first sign-in. Idempotent.

        The warden comes first: where it refuses, no account is left half made.
        """
        check_login(user.name)
        if await asyncio.to_thread(self.accounts.get, user.name) is None:
            await self.warden.ensure_berth(user.name)
            await asyncio.to_thread(self.accounts.ensure, user.name)
        super().add_user(user)

    async def delete_user(self, user: User) -> None:
        """Move the home to the archive, then forget password and links."""
        await self.warden.archive_berth(user.name)
        await asyncio.to_thread(self.accounts.remove, user.name)
        super().delete_user(user)

    def get_handlers(self, app: Any) -> Handlers:
        """Our pages and API; JupyterHub serves them below /hub, before its own."""
        return [
            *super().get_handlers(app),
            ("/api/tinyberth/people", PeopleAPIHandler),
            ("/api/tinyberth/people/([^/]+)/link", LinkAPIHandler),
        ]
