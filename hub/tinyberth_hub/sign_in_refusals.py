"""Why somebody from a provider does not get in: a page each, with what to do now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass
class SignInRefusedError(Exception):
    """Somebody cannot be signed in; ``text`` says why and what to do now.

    ``other_account``: the next try should ask which account, because with this one it would end
    here again.
    """

    status: int
    text: str
    other_account: bool = False

    def __str__(self) -> str:
        return self.text


def not_answering(service: str) -> SignInRefusedError:
    return SignInRefusedError(
        503,
        f"{service} does not answer, so nobody can sign in with it just now. Please try again in "
        "a few minutes; servers that run already go on. For the admin: docker compose logs hub.",
    )


def not_understood(service: str) -> SignInRefusedError:
    """Refuse after an answer that the person can do nothing about."""
    return SignInRefusedError(
        502,
        f"{service} and this hub did not understand each other. Please try again; if it stays, "
        "tell your admin. For the admin: docker compose logs hub says what was answered.",
    )


def clocks_differ(service: str) -> SignInRefusedError:
    return SignInRefusedError(
        502,
        f"The clocks of {service} and of this hub differ by minutes, so nothing that it says can "
        "be believed. Please tell your admin: the host needs its time set (timedatectl).",
    )


def cancelled(service: str) -> SignInRefusedError:
    return SignInRefusedError(
        403,
        f"{service} did not sign you in: it was cancelled there, or your account may not be used "
        "for this hub. Please try again, or ask your admin.",
        other_account=True,
    )


def begun_elsewhere() -> SignInRefusedError:
    return SignInRefusedError(
        400,
        "This sign-in was begun in another window, or too long ago. Please try again from here.",
    )


def no_name(service: str, claim: str) -> SignInRefusedError:
    return SignInRefusedError(
        403,
        f"{service} did not tell this hub your name (its claim {claim}). Please tell your admin, "
        "who can ask for another claim or scope with AUTH_NAME_CLAIM and AUTH_SCOPES.",
        other_account=True,
    )


def unverified(service: str) -> SignInRefusedError:
    return SignInRefusedError(
        403,
        f"Your e-mail address is not verified at {service}, so anybody could have written it "
        "there. Please verify it there, then try again.",
        other_account=True,
    )


def name_of_another(service: str, name: str) -> SignInRefusedError:
    return SignInRefusedError(
        403,
        f"The name {name} belongs to another account at {service} here. If that one was yours "
        "before, ask your admin to give this one its place.",
        other_account=True,
    )


def not_a_name(service: str) -> SignInRefusedError:
    return SignInRefusedError(
        403,
        f"The name that {service} gave cannot be a name here: it is too long, or has characters "
        "that cannot be shown. Please change it there, or ask your admin.",
        other_account=True,
    )


def not_allowed(
    service: str, name: str, *, adding_helps: bool, domains: Iterable[str]
) -> SignInRefusedError:
    """Refuse whom no rule lets in; say only what would help."""
    ask = f"Ask your admin to add {name}" if adding_helps else "Ask your admin who may come in"
    at = " or ".join(sorted(domains))
    hint = f", or sign in with an account that has a verified address of {at}" if at else ""
    return SignInRefusedError(
        403,
        f"{service} knows you as {name}, but nobody has let that account in here. {ask}{hint}.",
        other_account=True,
    )
