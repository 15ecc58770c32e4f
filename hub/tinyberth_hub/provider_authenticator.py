"""Sign in with an account from elsewhere: what GitHub, GitLab, Google and OpenID Connect share.

oauthenticator speaks with the provider; this decides who that is here. A person at a provider is
known by the provider's own unchanging number, the subject, which is bound to a login at the first
sign-in. The name only finds the login where nothing is bound yet.
"""

from __future__ import annotations

import asyncio
from typing import Any

from oauthenticator.oauth2 import OAuthenticator
from traitlets import Instance, Unicode

from tinyberth_common.names import NameRefusedError

from . import sign_in_refusals as refusals
from .berth_authenticator import BerthAuthenticator
from .ledger_client import LedgerError
from .person_operations import Add, Change
from .provider_http import ProviderHTTP
from .provider_identity import AllowRules, Identity
from .provider_names import is_name, login_for, login_of_typed, team_for
from .provider_pages import CallbackHandler, ProviderLoginHandler, SignedOutHandler
from .refusals import ChangeRefusedError
from .sign_in_refusals import SignInRefusedError

MAX_TEAMS = 64
"""Of a person: each is a mount of the container, and some universities have hundreds of groups."""


class ProviderAuthenticator(BerthAuthenticator, ProviderHTTP, OAuthenticator):
    """Accounts whose people a provider knows. Subclasses say which, and read its answers."""

    login_handler = ProviderLoginHandler
    callback_handler = CallbackHandler
    logout_handler = SignedOutHandler

    provider = Unicode(help="Whose subjects these are; another one's are other people.").tag(
        config=True
    )
    rules = Instance(AllowRules, ()).tag(config=True)

    ask_again = "login"
    """What makes the provider ask who it is, though it knows (the parameter ``prompt``)."""

    async def prepare(self) -> None:
        """Get ready to send somebody to the provider; raises SignInRefusedError if it is down."""

    async def prepare_to_ask(self) -> None:
        """Get ready to ask the provider who came back; raises SignInRefusedError."""

    async def find_sign_out_url(self) -> str:
        """Return where people sign out of the provider itself, or nothing."""
        return ""

    async def read_identity(self, auth_state: dict[str, Any]) -> Identity:
        """Return who the provider says that it is; raises SignInRefusedError."""
        raise NotImplementedError

    async def allows_more(self, _auth_model: dict[str, Any]) -> bool:
        """Tell whether the provider, asked once more, knows a reason to let somebody in."""
        return False

    def normalize_username(self, username: str) -> str:
        try:
            return login_of_typed(username)
        except NameRefusedError:
            return username  # which validate_username refuses

    def resolve_person(self, name: str) -> tuple[str, str]:
        login = login_of_typed(name)
        return login, login if login == name.lower() else name

    def user_info_to_username(self, user_info: dict[str, Any]) -> str:
        """Return a name for oauthenticator to go on with; ``update_auth_model`` decides."""
        return str(user_info.get(self.username_claim) or "")

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        """Replace the provider's name by the login of whom it is."""
        auth_model = await super().update_auth_model(auth_model)
        identity = await self.read_identity(auth_model["auth_state"])
        auth_model["auth_state"]["identity"] = identity
        auth_model["name"] = await self._login_of(identity)
        auth_model["admin"] = None  # stays what it is; admins are made here
        return auth_model

    async def _login_of(self, identity: Identity) -> str:
        """Return the login that is bound to the person, or that the first sign-in would bind."""
        known = await asyncio.to_thread(
            self.accounts.find_by_subject, self.provider, identity.subject
        )
        if known:
            return known.name
        try:
            login = login_for(identity.name)
        except NameRefusedError:
            raise refusals.not_a_name(self.login_service) from None
        namesake = await asyncio.to_thread(self.accounts.get, login)
        if namesake and namesake.subject:
            raise refusals.name_of_another(self.login_service, identity.name)
        return login

    async def get_user_groups(self, auth_state: dict[str, Any]) -> set[str]:
        """Return the teams of the person; a group that is a person's name here becomes a slug."""
        identity: Identity = auth_state["identity"]
        taken = {berth.login for berth in await self.ledger.list_berths()}
        groups = [group for group in identity.groups if is_name(group)]
        if len(groups) > MAX_TEAMS:
            self.log.warning(
                "%a is in %i groups; only the first %i become teams: let the provider tell fewer.",
                identity.name,
                len(groups),
                MAX_TEAMS,
            )
        return {team_for(group, taken) for group in groups[:MAX_TEAMS]}

    async def check_allowed(self, username: str, auth_model: dict[str, Any] | None) -> bool:
        """Let in by the rules; admins always, so that none of them locks everybody out."""
        assert auth_model  # of update_auth_model
        identity: Identity = auth_model["auth_state"]["identity"]
        was_added = await asyncio.to_thread(self.accounts.get, username) is not None
        if (
            self.rules.allow(identity, was_added=was_added)
            or self.people.hub.is_admin(username)
            or await self.allows_more(auth_model)
        ):
            return True
        self.log.warning("%s: no rule lets %a in.", self.login_service, identity.name)
        raise refusals.not_allowed(
            self.login_service,
            identity.name,
            adding_helps=self.rules.added,
            domains=self.rules.domains,
        )

    async def run_post_auth_hook(self, handler: Any, auth_model: dict[str, Any]) -> dict[str, Any]:
        """Whoever is allowed gets account, berth and teams before JupyterHub signs them in."""
        identity: Identity = auth_model["auth_state"]["identity"]
        try:
            await self._welcome(auth_model["name"], identity, auth_model.get("groups"))
        except (ChangeRefusedError, LedgerError) as refusal:
            raise SignInRefusedError(refusal.status, refusal.message) from refusal
        done: dict[str, Any] = await super().run_post_auth_hook(handler, auth_model)
        return done

    async def _welcome(self, login: str, identity: Identity, teams: list[str] | None) -> None:
        by = f"The sign-in with {self.login_service}"
        if await asyncio.to_thread(self.accounts.get, login) is None:
            try:
                await self.people.change(Add(login, identity.name, teams=teams or ()), by=by)
            except ChangeRefusedError as refusal:
                if refusal.status != 409 or self.people.hub.find(login) is None:
                    raise
                # Somebody pressed twice; the other request has added them.
        bound = await asyncio.to_thread(
            self.accounts.bind_subject, login, self.provider, identity.subject
        )
        if not bound:
            raise refusals.name_of_another(self.login_service, identity.name)
        present = {team for team, people in self.people.hub.teams().items() if login in people}
        if teams is not None and present != set(teams):
            await self.people.change(Change(login, teams=teams), by=by)
