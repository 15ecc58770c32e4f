"""GitHub, GitLab and Google: what each answers, and which of its groups let somebody in."""

from __future__ import annotations

from typing import Any

from oauthenticator.github import GitHubOAuthenticator
from oauthenticator.gitlab import GitLabOAuthenticator
from oauthenticator.google import GoogleOAuthenticator

from tinyberth_common.settings import Settings

from .oidc_authenticator import OIDCAuthenticator
from .provider_authenticator import ProviderAuthenticator
from .provider_identity import (
    AllowRules,
    Identity,
    identity_of_github,
    identity_of_gitlab,
    identity_of_google,
)

Config = Any


class GitHubAuthenticator(ProviderAuthenticator, GitHubOAuthenticator):
    """Names are GitHub's user names; groups are organisations and their teams."""

    auth_name = "github"
    ask_again = "select_account"

    async def read_identity(self, auth_state: dict[str, Any]) -> Identity:
        emails = await self._emails(auth_state) if "user:email" in self.scope else []
        user = auth_state[self.user_auth_state_key]
        return identity_of_github(user, emails, self.login_service, str(self.username_claim))

    async def _emails(self, auth_state: dict[str, Any]) -> list[dict[str, Any]]:
        token = auth_state["token_response"]
        emails: list[dict[str, Any]] = await self.httpfetch(
            f"{self.github_api}/user/emails",
            "asking for verified addresses",
            headers=self.build_userdata_request_headers(
                token["access_token"], token["token_type"]
            ),
        )
        return emails

    async def allows_more(self, auth_model: dict[str, Any]) -> bool:
        # GitHub's own name, which is not always the login here.
        name = auth_model["auth_state"][self.user_auth_state_key]["login"]
        return bool(await GitHubOAuthenticator.check_allowed(self, name, auth_model))

    async def find_sign_out_url(self) -> str:
        return f"{self.github_url}/logout"


class GitLabAuthenticator(ProviderAuthenticator, GitLabOAuthenticator):
    """Names are GitLab's user names; groups are its groups, with those who inherit membership."""

    auth_name = "gitlab"

    async def read_identity(self, auth_state: dict[str, Any]) -> Identity:
        user = auth_state[self.user_auth_state_key]
        return identity_of_gitlab(user, self.login_service, str(self.username_claim))

    async def allows_more(self, auth_model: dict[str, Any]) -> bool:
        return bool(await GitLabOAuthenticator.check_allowed(self, "", auth_model))


class GoogleAuthenticator(ProviderAuthenticator, GoogleOAuthenticator):
    """Names are e-mail addresses."""

    auth_name = "google"
    ask_again = "select_account"

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        # oauthenticator's own takes the domain that it has cut off; here names are whole.
        user = auth_model["auth_state"][self.user_auth_state_key]
        user["domain"] = str(user.get("email", "")).rpartition("@")[2].lower()
        return await super().update_auth_model(auth_model)

    async def read_identity(self, auth_state: dict[str, Any]) -> Identity:
        user = auth_state[self.user_auth_state_key]
        return identity_of_google(user, self.login_service, str(self.username_claim))

    async def find_sign_out_url(self) -> str:
        return "https://accounts.google.com/Logout"


_KINDS = (GitHubAuthenticator, GitLabAuthenticator, GoogleAuthenticator, OIDCAuthenticator)
AUTHENTICATORS: dict[str, type[ProviderAuthenticator]] = {kind.auth_name: kind for kind in _KINDS}
_NAME_CLAIMS = {
    "github": "login",
    "gitlab": "username",
    "google": "email",
    "oidc": "preferred_username",
}


def scopes(settings: Settings) -> list[str]:
    """Return what to ask the provider for, and no more than the rules need."""
    if settings.auth_scopes:
        return list(settings.auth_scopes)
    if settings.auth == "github":
        needs_email = settings.allow_domains or settings.auth_name_claim == "email"
        return [
            *(["user:email"] if needs_email else []),
            *(["read:org"] if settings.allow_groups else []),
        ]
    if settings.auth == "gitlab":
        return ["read_api"] if settings.allow_groups else ["read_user"]
    return ["openid", "email"] if settings.auth == "google" else ["openid", "profile", "email"]


def update_provider(c: Config, settings: Settings) -> None:
    """Set what AUTH and the settings that go with it mean."""
    kind = AUTHENTICATORS[settings.auth]
    c.JupyterHub.authenticator_class = kind
    c.OAuthenticator.login_service = settings.sign_in_service
    c.OAuthenticator.client_id = settings.auth_client_id
    c.OAuthenticator.client_secret = settings.auth_client_secret
    c.OAuthenticator.oauth_callback_url = f"{settings.public_url}/hub/oauth_callback"
    c.OAuthenticator.scope = scopes(settings)
    c.OAuthenticator.username_claim = settings.auth_name_claim or _NAME_CLAIMS[settings.auth]
    c.ProviderAuthenticator.provider = f"{settings.auth}:{settings.auth_url.rstrip('/')}"
    # Groups that the provider's own interface tells are asked for by oauthenticator.
    in_claim = frozenset(settings.allow_groups) if settings.auth == "oidc" else frozenset()
    c.ProviderAuthenticator.rules = AllowRules(
        settings.allow_added, in_claim, frozenset(settings.allow_domains)
    )
    # The rules are of ours, so JupyterHub sees none and would warn at each start.
    c.Authenticator.any_allow_config = True
    # Teams come from the provider or are made by hand, not both: a sign-in sets them all.
    c.Authenticator.manage_groups = bool(settings.auth_groups_claim)
    c.OIDCAuthenticator.groups_claim = settings.auth_groups_claim
    c.OIDCAuthenticator.issuer = settings.auth_url
    c.GitHubOAuthenticator.allowed_organizations = set(settings.allow_groups)
    c.GitLabOAuthenticator.allowed_gitlab_groups = set(settings.allow_groups)
    if settings.auth_url:
        c.GitHubOAuthenticator.github_url = settings.auth_url.rstrip("/")
        c.GitLabOAuthenticator.gitlab_url = settings.auth_url.rstrip("/")
