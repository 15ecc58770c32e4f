"""One-time links: a signed, expiring token that dies with the state it was made for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from .accounts import Account


class LinkRefusedError(Exception):
    """A link does not open; the message says why and what to do."""


_NOT_VALID = (
    "This link is not valid. Check that it was copied whole, or ask your admin for a new one."
)
_USED = (
    "This link has been used or replaced by a newer one. "
    "Sign in with your password, or ask your admin for a new link."
)


@dataclass(frozen=True)
class LinkSigner:
    """Makes and checks tokens.

    Single use needs no list of used tokens: the signature covers a fingerprint of the
    account's state, and setting a password or making another link changes that state.
    """

    key: str
    max_age_days: int

    def make(self, account: Account) -> str:
        """Return the token that opens ``account`` as it is now."""
        return self._serializer().dumps({"name": account.name, "state": fingerprint(account)})

    def claimed_name(self, token: str) -> str:
        """Return the name that a well-signed token was made for.

        Raises
        ------
        LinkRefusedError
            If the token is altered, malformed or older than ``max_age_days``.
        """
        return self._load(token)["name"]

    def check(self, token: str, account: Account | None) -> Account:
        """Return ``account`` if ``token`` opens it in its present state.

        Raises
        ------
        LinkRefusedError
        """
        claim = self._load(token)
        if account is None or claim["name"] != account.name:
            raise LinkRefusedError(_NOT_VALID)
        if claim["state"] != fingerprint(account):
            raise LinkRefusedError(_USED)
        return account

    def _serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            self.key,
            salt="tinyberth.one-time-link",
            signer_kwargs={"digest_method": hashlib.sha256},
        )

    def _load(self, token: str) -> dict[str, str]:
        try:
            claim = self._serializer().loads(token, max_age=self.max_age_days * 86400)
        except SignatureExpired:
            raise LinkRefusedError(
                f"This link has expired: links work for {self.max_age_days} days. "
                "Ask your admin for a new one."
            ) from None
        except BadSignature:
            raise LinkRefusedError(_NOT_VALID) from None
        if not isinstance(claim, dict) or not {"name", "state"} <= claim.keys():
            raise LinkRefusedError(_NOT_VALID)
        return claim


def fingerprint(account: Account) -> str:
    """Return 32 hexadecimal digits that change when the account's state changes.

    ``account_id`` is random per account: a person added again under the same name is not
    opened by a link of the one before.
    """
    state = f"{account.account_id}|{account.link_serial}|{account.password_hash or ''}"
    return hashlib.sha256(state.encode()).hexdigest()[:32]
