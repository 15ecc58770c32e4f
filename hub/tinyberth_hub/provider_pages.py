"""The way to a provider and back, in a browser: there, back in, refused, and signed out."""

from __future__ import annotations

from typing import Any

from jupyterhub.handlers import BaseHandler
from oauthenticator.oauth2 import OAuthCallbackHandler, OAuthLoginHandler, OAuthLogoutHandler
from tornado import web

from . import sign_in_refusals as refusals
from .sign_in_refusals import SignInRefusedError

ASK_AGAIN_COOKIE = "tinyberth-ask-who"
"""Set where the next sign-in must not take whom the provider still knows in this browser: after
signing out, since the next one at a shared computer is somebody else, and after a refusal."""


class _ProviderHandler(BaseHandler):
    async def show_refusal(self, refusal: SignInRefusedError) -> None:
        self.log.warning("Sign-in refused (%i): %a", refusal.status, refusal.text)
        if refusal.other_account:
            self.ask_who_next_time()
        self.set_status(refusal.status)
        self.set_header("Cache-Control", "no-store")
        service = self.authenticator.login_service
        self.finish(
            await self.render_template(
                "sign_in_refused.html", text=refusal.text, login_service=service
            )
        )

    def ask_who_next_time(self) -> None:
        self._set_cookie(ASK_AGAIN_COOKIE, "yes", path=self.hub.base_url, expires_days=30)


class ProviderLoginHandler(_ProviderHandler, OAuthLoginHandler):
    """Send the browser to the provider, if that answers."""

    async def get(self) -> None:
        try:
            await self.authenticator.prepare()
        except SignInRefusedError as refusal:
            await self.show_refusal(refusal)
            return
        super().get()

    def authorize_redirect(self, *args: Any, extra_params: dict[str, Any], **kwargs: Any) -> None:
        if self.get_secure_cookie(ASK_AGAIN_COOKIE):
            extra_params = {**extra_params, "prompt": self.authenticator.ask_again}
        super().authorize_redirect(*args, extra_params=extra_params, **kwargs)


class CallbackHandler(_ProviderHandler, OAuthCallbackHandler):
    """Take back whom the provider sends, and sign them in or say why not."""

    async def get(self) -> None:
        try:
            self.check_arguments()
            await self.authenticator.prepare_to_ask()
            user = await self.login_user()
            if user is None:
                raise refusals.not_understood(self.authenticator.login_service)
        except SignInRefusedError as refusal:
            await self.show_refusal(refusal)
            return
        self.clear_cookie(ASK_AGAIN_COOKIE, path=self.hub.base_url)
        self.redirect(self.get_next_url(user))

    def check_error(self) -> None:
        """Refuse without the words in the address, which anybody could have put there."""
        error = self.get_argument("error", "")
        if error:
            self.log.warning("The provider sent somebody back with: %a", error[:100])
            busy = error in {"server_error", "temporarily_unavailable"}
            refuse = refusals.not_answering if busy else refusals.cancelled
            raise refuse(self.authenticator.login_service)

    def check_arguments(self) -> None:
        try:
            super().check_arguments()
        except (web.HTTPError, ValueError, AttributeError):
            # No state, no code, those of another sign-in, or what never was a state.
            raise refusals.begun_elsewhere() from None


class SignedOutHandler(_ProviderHandler, OAuthLogoutHandler):
    """Say what is left to do at a shared computer: the provider still knows the person."""

    async def render_logout_page(self) -> None:
        self.ask_who_next_time()
        self.finish(
            await self.render_template(
                "signed_out.html",
                login_service=self.authenticator.login_service,
                sign_out_url=await self.authenticator.find_sign_out_url(),
            )
        )
