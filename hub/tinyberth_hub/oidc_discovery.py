"""What an OpenID Connect provider says of itself (OpenID Connect Discovery 1.0), checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinyberth_common.setting_values import is_private_way


class DiscoveryError(ValueError):
    """The provider's document cannot be used; the message is for the hub's log."""


@dataclass(frozen=True)
class Endpoints:
    """Addresses of a provider; ``userinfo`` and ``end_session`` are empty where it has none."""

    issuer: str
    authorize: str
    token: str
    userinfo: str
    end_session: str
    basic_auth: bool
    """Whether the hub's id and secret go into a header instead of the form."""


def discovery_url(issuer: str) -> str:
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def read_discovery(document: Any, issuer: str) -> Endpoints:
    """Return the endpoints in ``document``, which ``issuer`` has served.

    Raises
    ------
    DiscoveryError
        If it is another issuer's, or names addresses that a secret must not go to.
    """
    if not isinstance(document, Mapping):
        raise DiscoveryError("it is not a JSON object")
    # The standard wants them equal; people write the last slash or not.
    if str(document.get("issuer")).rstrip("/") != issuer.rstrip("/"):
        raise DiscoveryError(f"it says issuer {document.get('issuer')!a}; AUTH_URL must be that")
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Endpoints(
        issuer=document["issuer"],
        authorize=_address(document, "authorization_endpoint"),
        token=_address(document, "token_endpoint"),
        userinfo=_address(document, "userinfo_endpoint", optional=True),
        end_session=_address(document, "end_session_endpoint", optional=True),
        basic_auth=isinstance(methods, list) and "client_secret_basic" in methods,
    )


def _address(document: Mapping[str, Any], key: str, *, optional: bool = False) -> str:
    address = document.get(key)
    if address is None and optional:
        return ""
    if not isinstance(address, str) or not is_private_way(address):
        raise DiscoveryError(f"its {key} is {address!a}")
    return address
