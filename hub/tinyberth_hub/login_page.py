"""JupyterHub's login page and its login by JSON, with passwords taken whole."""

from __future__ import annotations

from typing import Any

from jupyterhub.apihandlers.users import UserTokenListAPIHandler
from jupyterhub.handlers import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from tornado import web

from .password_check import TryLaterError, could_be_login


def posted_password(handler: BaseHandler, field: str = "password") -> str | None:
    """Return a field of the posted form as it was sent, or None if it is not there.

    tornado's own way would put spaces for control characters, and answer bytes that are not
    UTF-8 with an error that quotes them, in the log too.
    """
    values = handler.request.body_arguments.get(field)
    return values[-1].decode("utf-8", "surrogateescape") if values else None


class WholePasswordLoginHandler(LoginHandler):
    """JupyterHub's login page; nothing that is posted to it is an error of the server."""

    async def post(self) -> None:
        # Not tornado's way either: bytes that are no text are a wrong name, not an empty page.
        names = self.request.body_arguments.get("username", [b""])
        name = names[-1].decode("utf-8", "replace").strip()
        is_login = could_be_login(self.authenticator.normalize_username(name))
        user = await self.login_user(
            {
                # The log names who failed. What is no login may be a password in the wrong field.
                "username": name if is_login else "(not a login name)",
                "password": posted_password(self) or "",
            }
        )
        if user:
            self._jupyterhub_user = user
            self.redirect(self.get_next_url(user))
            return
        self.set_status(403)
        self.finish(
            await self._render(login_error="Invalid username or password", username=name[:64])
        )


class ThrottledTokenHandler(UserTokenListAPIHandler):
    """JupyterHub's API for tokens, which takes name and password for a login too.

    It makes 403 of every refusal; a program should be told when to come back.
    """

    _refusal: TryLaterError | None = None

    async def authenticate(self, data: Any) -> Any:
        try:
            return await super().authenticate(data)
        except TryLaterError as refusal:
            self._refusal = refusal
            raise

    async def post(self, user_name: str) -> None:
        try:
            await super().post(user_name)
        except web.HTTPError:
            if self._refusal:
                raise self._refusal from None
            raise
