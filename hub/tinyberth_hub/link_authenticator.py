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
from .login_page import ThrottledTokenHandler, WholePasswordLoginHandler
from .password_check import PasswordCheck
from .password_page import PasswordHandler
from .passwords import MIN_CHARACTERS
from .secret_files import ensure_secret
from .settings import STATE_DIR
from .welcome import WelcomeHandler


class LinkAuthenticator(BerthAuthenticator):
    """Passwords of our own, set by one-time links."""

    auth_name = "local"

    link_days = Int(7, min=1, help="How long a one-time link works, in days.").tag(config=True)
    password_min = Int(
        MIN_CHARACTERS, min=8, max=64, help="Characters that a new password has at least."
    ).tag(config=True)
    public_url = Unicode(help="Address that links begin with.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.links = LinkSigner(
            key=ensure_secret(STATE_DIR / "link-key"), max_age_days=self.link_days
        )
        self.passwords = PasswordCheck(self.accounts, self.throttle, self.password_min)

    async def authenticate(self, _: RequestHandler, data: Any) -> str | None:
        """Return the name if the password is right; raises TryLaterError."""
        name, password = _sign_in_fields(data)
        if name is None or password is None:
            return None
        name = self.normalize_username(name)
        return name if await self.passwords.is_right(name, password) else None

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

    def get_handlers(self, app: Any) -> Handlers:
        return [
            ("/login", WholePasswordLoginHandler),
            ("/api/users/([^/]+)/tokens", ThrottledTokenHandler),
            ("/welcome", WelcomeHandler),
            ("/password", PasswordHandler),
            *super().get_handlers(app),
        ]


def _sign_in_fields(data: Any) -> tuple[str | None, str | None]:
    """Return name and password of a login; by JSON anything may come."""
    if not isinstance(data, dict):
        return None, None
    name, password = data.get("username"), data.get("password")
    is_text = isinstance(name, str) and isinstance(password, str)
    return (name, password) if is_text else (None, None)
