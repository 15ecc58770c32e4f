"""/hub/password: everybody changes the own password, and other sessions end."""

from __future__ import annotations

import asyncio

from jupyterhub.handlers import BaseHandler
from tornado import web

from .login_page import posted_password
from .password_check import TryLaterError
from .sessions import end_sessions
from .throttle import PASSWORD_PAGE

_WRONG = "That is not your present password. Nothing was changed."
_CHANGED_MEANWHILE = "Your password was changed elsewhere in this moment. Please try again."


class PasswordHandler(BaseHandler):
    """Asks the old password, because a session that was left open is not its owner."""

    @web.authenticated
    async def get(self) -> None:
        await self._show()

    @web.authenticated
    async def post(self) -> None:
        user = self.current_user
        old, new = posted_password(self, "old_password"), posted_password(self)
        try:
            problem = await self._change(user.name, old or "", new or "")
        except TryLaterError as refusal:
            for header, value in refusal.headers.items():
                self.set_header(header, value)
            await self._show(status=refusal.status_code, problem=refusal.jupyterhub_message)
            return
        if problem:
            await self._show(status=403 if problem == _WRONG else 400, problem=problem)
            return
        end_sessions(user, keep=self.get_session_cookie())
        self.set_login_cookie(user)
        self.log.info("%s changed the own password", user.name)
        await self._show(done=True)

    async def _change(self, login: str, old: str, new: str) -> str | None:
        """Return the sentence that refuses the change, or None: it is made."""
        accounts, passwords = self.authenticator.accounts, self.authenticator.passwords
        seen = await asyncio.to_thread(accounts.get, login)
        if not await passwords.is_right(login, old, PASSWORD_PAGE):
            return _WRONG
        if old == new:
            return "That is your present password; please choose another one."
        problem: str | None = await passwords.set(seen, new, if_changed=_CHANGED_MEANWHILE)
        return problem

    async def _show(self, *, status: int = 200, problem: str = "", done: bool = False) -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(
            await self.render_template(
                "password.html",
                problem=problem,
                done=done,
                password_min=self.authenticator.password_min,
            )
        )
