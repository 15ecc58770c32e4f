"""The page behind a one-time link: choose a password, and you are in."""

from __future__ import annotations

from jupyterhub.handlers import BaseHandler
from jupyterhub.utils import url_path_join

from .accounts import Account
from .links import LinkRefusedError
from .login_page import posted_password
from .sessions import end_sessions

_LINK_REPLACED = "This link has just been used or replaced; ask your admin for a new one."


class WelcomeHandler(BaseHandler):
    """Three states of one page: opening the link, choosing a password, refused.

    The token is in the URL's fragment, which browsers do not send, so the first page posts it
    by a line of script. Fetching the page does nothing: link previews cannot use a link up.
    """

    async def get(self) -> None:
        await self._show(stage="opening")

    async def post(self) -> None:
        token = self.get_body_argument("token", "")
        password = posted_password(self)
        try:
            account = await self.authenticator.open_link(token)
        except LinkRefusedError as refusal:
            await self._show(status=403, stage="refused", problem=str(refusal))
            return
        user = self.find_user(account.name)
        if user is None:
            await self._show(status=403, stage="refused", problem="This account was removed.")
            return
        if password is None:
            await self._show(stage="choose", token=token, account=account)
            return
        problem = await self.authenticator.passwords.set(
            account, password, if_changed=_LINK_REPLACED
        )
        if problem:
            await self._show(
                status=400, stage="choose", token=token, account=account, problem=problem
            )
            return
        # Whoever was signed in with the old password is not any more.
        end_sessions(user)
        self.log.info("Password set by a one-time link for %s", user.name)
        self.set_login_cookie(user)
        self._jupyterhub_user = user
        # An admin comes to add people; everybody else to work.
        people_page = url_path_join(self.hub.base_url, "people")
        self.redirect(people_page if user.admin else self.get_next_url(user))

    async def _show(
        self,
        *,
        stage: str,
        status: int = 200,
        token: str = "",
        account: Account | None = None,
        problem: str = "",
    ) -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.finish(
            await self.render_template(
                "welcome.html",
                stage=stage,
                token=token,
                login=account.name if account else "",
                problem=problem,
                password_min=self.authenticator.password_min,
                xsrf=self.xsrf_token.decode("ascii"),
            )
        )
