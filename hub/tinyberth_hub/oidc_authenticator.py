"""Any OpenID Connect provider, found by its issuer when somebody signs in, not at the hub's start.

So a provider that is down keeps neither the hub nor anybody's server from running.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote_plus

import jwt
from oauthenticator.generic import GenericOAuthenticator
from tornado.httputil import url_concat
from traitlets import Unicode

from . import sign_in_refusals as refusals
from .oidc_discovery import DiscoveryError, Endpoints, discovery_url, read_discovery
from .provider_authenticator import ProviderAuthenticator
from .provider_identity import Identity, identity_of_oidc
from .sign_in_refusals import SignInRefusedError

CLOCK_LEEWAY_SECONDS = 120


class OIDCAuthenticator(ProviderAuthenticator, GenericOAuthenticator):
    """OpenID Connect: the code flow with PKCE, the claims of the ID token and of userinfo."""

    auth_name = "oidc"

    issuer = Unicode(help="The provider's own address (AUTH_URL).").tag(config=True)
    groups_claim = Unicode(help="Claim whose groups become teams; empty: none.").tag(config=True)

    _endpoints: Endpoints | None = None

    async def prepare(self) -> None:
        """Ask for the endpoints each time: it is also how the hub knows that somebody answers."""
        document = await self.httpfetch(discovery_url(self.issuer), "asking for its endpoints")
        try:
            found = read_discovery(document, self.issuer)
        except DiscoveryError as fault:
            self.log.error("%s cannot be used: %s", discovery_url(self.issuer), fault)
            raise refusals.not_understood(self.login_service) from None
        self.authorize_url, self.token_url = found.authorize, found.token
        self.userdata_url, self.basic_auth = found.userinfo, found.basic_auth
        self._endpoints = found

    async def prepare_to_ask(self) -> None:
        if self._endpoints is None:  # the hub was restarted while somebody was at the provider
            await self.prepare()

    async def find_sign_out_url(self) -> str:
        try:
            await self.prepare_to_ask()
        except SignInRefusedError:
            return ""
        assert self._endpoints
        if not self._endpoints.end_session:
            return ""
        # Without an id_token_hint the provider asks first, so that no link signs anybody out.
        return str(url_concat(self._endpoints.end_session, {"client_id": self.client_id}))

    def build_token_info_request_headers(self) -> dict[str, str]:
        """Return the request's headers, with id and secret as RFC 6749, section 2.3.1, says.

        oauthenticator leaves out that each is encoded before they are joined by a colon.
        """
        headers: dict[str, str] = super().build_token_info_request_headers()
        if self.basic_auth:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
            code = base64.b64encode(pair.encode("ascii")).decode("ascii")
            headers["Authorization"] = f"Basic {code}"
        return headers

    async def token_to_user(self, token_info: dict[str, Any]) -> dict[str, Any]:
        """Return the claims: some providers tell groups in the one, some names in the other."""
        claims = self._read_id_token(token_info.get("id_token"))
        if not self.userdata_url:
            return claims
        user_info = await super().token_to_user(token_info)
        if user_info.get("sub") != claims.get("sub"):
            self.log.error("%s: userinfo is about somebody else.", self.login_service)
            raise refusals.not_understood(self.login_service)
        return {**claims, **user_info}

    def _read_id_token(self, id_token: Any) -> dict[str, Any]:
        """Return the ID token's claims if it is for us, from the issuer, and of now.

        It came from the issuer's token endpoint over TLS, which stands for its signature (OpenID
        Connect Core, section 3.1.3.7, number 6).
        """
        assert self._endpoints
        try:
            claims: dict[str, Any] = jwt.decode(
                id_token,
                audience=self.client_id,
                issuer=self._endpoints.issuer,
                leeway=CLOCK_LEEWAY_SECONDS,
                options={
                    "verify_signature": False,
                    "verify_aud": True,
                    "verify_iss": True,
                    "verify_exp": True,
                    "verify_iat": True,
                    "verify_nbf": True,
                },
            )
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
            self.log.error("%s: its clock and ours differ: %s", self.login_service, error)
            raise refusals.clocks_differ(self.login_service) from None
        except jwt.InvalidTokenError as error:
            self.log.error("%s gave an ID token that is none: %s", self.login_service, error)
            raise refusals.not_understood(self.login_service) from None
        return claims

    async def read_identity(self, auth_state: dict[str, Any]) -> Identity:
        claims = auth_state[self.user_auth_state_key]
        return identity_of_oidc(
            claims, self.login_service, str(self.username_claim), self.groups_claim
        )
