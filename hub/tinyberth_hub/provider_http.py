"""Requests to a provider: bounded in time and size, and each failure becomes a page."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from oauthenticator.oauth2 import OAuthenticator
from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from traitlets import default

from . import sign_in_refusals as refusals

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
MAX_ANSWER_BYTES = 2**20
LOGGED_CHARACTERS = 300


class ProviderHTTP(OAuthenticator):
    """oauthenticator's requests. What it asks and answers is secret, so little of it is logged."""

    @default("http_client")
    def _http_client_default(self) -> AsyncHTTPClient:
        return SimpleAsyncHTTPClient(force_instance=True, max_body_size=MAX_ANSWER_BYTES)

    @default("http_request_kwargs")
    def _http_request_kwargs_default(self) -> dict[str, Any]:
        return {"connect_timeout": CONNECT_SECONDS, "request_timeout": ANSWER_SECONDS}

    async def fetch(
        self, req: HTTPRequest, label: str = "fetching", parse_json: bool = True, **kwargs: Any
    ) -> Any:
        """Return the answer, decoded if ``parse_json``.

        Raises
        ------
        SignInRefusedError
        """
        address = urlsplit(req.url)._replace(query="").geturl()
        try:
            answer = await self.http_client.fetch(req, **kwargs)
            return json.loads(answer.body) if parse_json else answer
        except HTTPClientError as error:
            body = error.response.body or b"" if error.response else b""
            said = body[:LOGGED_CHARACTERS].decode("utf-8", "replace") or error.message
            self.log.error("%s: %s answered %i: %a", label, address, error.code, said)
            if error.code >= 500:  # tornado's 599 is no answer at all
                raise refusals.not_answering(self.login_service) from None
            if b'"invalid_grant"' in body:
                raise refusals.begun_elsewhere() from None
            raise refusals.not_understood(self.login_service) from None
        except OSError as error:  # refused, no such name, a certificate that nobody vouches for
            self.log.error("%s: %s cannot be reached: %s", label, address, error)
            raise refusals.not_answering(self.login_service) from None
        except ValueError:
            self.log.error("%s: %s did not answer with JSON.", label, address)
            raise refusals.not_understood(self.login_service) from None

    async def get_token_info(self, handler: Any, params: dict[str, Any]) -> dict[str, Any]:
        try:
            token_info = await super().get_token_info(handler, params)
        except web.HTTPError as error:  # its words may hold tokens
            self.log.error("%s gave no token for the code.", self.login_service)
            if error.status_code == 403:  # an error told with status 200, as GitHub does
                raise refusals.begun_elsewhere() from None
            raise refusals.not_understood(self.login_service) from None
        except TypeError:
            token_info = None
        if not isinstance(token_info, dict) or not isinstance(token_info["access_token"], str):
            raise refusals.not_understood(self.login_service)
        return {**token_info, "token_type": str(token_info.get("token_type", "Bearer"))}

    async def token_to_user(self, token_info: dict[str, Any]) -> dict[str, Any]:
        user_info = await super().token_to_user(token_info)
        if not isinstance(user_info, dict):
            raise refusals.not_understood(self.login_service)
        return user_info
