"""Sign in with a name and a password that a one-time link has set.

There is no sign-up: the admin adds a person, by any of JupyterHub's own ways, and hands over
a link.
"""

from __future__ import annotations

import asyncio
from typing import Any

from tornado.web import RequestHandler
from traitlets import Int, Unicode

from .accounts import Account
from .berth_authenticator import BerthAuthenticator, Handlers
from .links import LinkSigner
from .passwords import hash_password, password_matches, problem_with
from .secret_files import ensure_secret
from .settings import STATE_DIR
from .welcome import WelcomeHandler


class LinkAuthenticator(BerthAuthenticator):
    """Passwords of our own, set by one-time links."""

    auth_name = "local"

    link_days = Int(7, min=1, help="How long a one-time link works, in days.").tag(config=True)
    public_url = Unicode(help="Address that links begin with.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.links = LinkSigner(
            key=ensure_secret(STATE_DIR / "link-key"), max_age_days=self.link_days
        )

    async def authenticate(self, _: RequestHandler, data: dict[str, str]) -> str | None:
        """Return the name if the password is right. Hashing runs off the event loop."""
        name = self.normalize_username(data.get("username", ""))
        account = await asyncio.to_thread(self.accounts.get, name)
        stored = account.password_hash if account else None
        matches = await asyncio.to_thread(password_matches, data.get("password", ""), stored)
        return name if matches else None

    async def link_for(self, account: Account) -> str | None:
        """Return a fresh one-time link; links made before stop working."""
        renewed = await asyncio.to_thread(self.accounts.renew_link, account.name)
        if renewed is None:
            return None  # removed in this moment
        # After the # sign: a browser keeps that part to itself, so that the token reaches no
        # access log and no Referer header on the way.
        return f"{self.public_url}/hub/welcome#{self.links.make(renewed)}"

    async def open_link(self, token: str) -> Account:
        """Return the account that ``token`` opens; raises LinkRefusedError."""
        name = self.links.claimed_name(token)
        return self.links.check(token, await asyncio.to_thread(self.accounts.get, name))

    async def set_password(self, account: Account, password: str) -> str | None:
        """Set the password of the account as ``open_link`` saw it.

        Returns
        -------
        str or None
            The sentence that refuses the password or the link, or None: it is set.
        """
        problem = problem_with(password, account.name)
        if problem:
            return problem
        password_hash = await asyncio.to_thread(hash_password, password)
        if not await asyncio.to_thread(self.accounts.set_password, account, password_hash):
            return "This link has just been used or replaced; ask your admin for a new one."
        return None

    def get_handlers(self, app: Any) -> Handlers:
        return [*super().get_handlers(app), ("/welcome", WelcomeHandler)]
