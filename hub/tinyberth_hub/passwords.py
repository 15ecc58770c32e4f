"""Passwords: what is accepted, how it is kept, how it is compared."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

MIN_CHARACTERS = 12
"""NIST SP 800-63B asks for 8 or more and recommends longer; 12 resists offline guessing."""

MAX_BYTES = 1024
"""Taken whole up to here: argon2id has no 72-byte limit, but hashing time must be bounded."""

MIN_GUESSES = 10**8
"""zxcvbn's own line between "somewhat" and "safely" unguessable: a score of 3."""

_ESTIMATED_CHARACTERS = 24
"""zxcvbn's time grows with the fourth power of the length for letters like 4@8({[<3: 0.15 s
here, 1.6 s at its own limit of 72. That is about guessing: the hash takes the whole."""

# OWASP's first choice of parameters for argon2id: 46 MiB, one pass, one lane. The library's own,
# RFC 9106's 64 MiB and three passes in four threads, take three times the processor: a class that
# signs in together would wait for them on two cores (THREATS L1).
_hasher = PasswordHasher(memory_cost=46 * 1024, time_cost=1, parallelism=1)

_DUMMY_HASH = _hasher.hash("compared when a name is unknown, so that the time is the same")


def problem_with(password: str, login: str, minimum: int = MIN_CHARACTERS) -> str | None:
    """Return the sentence that refuses ``password``, or None if it is accepted.

    Takes up to 0.3 s for letters chosen to be slow: call it in a thread.
    """
    password = unicodedata.normalize("NFC", password)
    if len(password) < minimum:
        return f"Please choose a password of at least {minimum} characters."
    if len(_encode(password)) > MAX_BYTES:
        return f"Please choose a password of at most {MAX_BYTES} bytes."
    # Its beginning or its end must hold on its own: what is between cannot weaken them.
    ends = (password[:_ESTIMATED_CHARACTERS], password[-_ESTIMATED_CHARACTERS:])
    if not any(_is_hard_to_guess(end, login) for end in ends):
        return (
            "That password is easy to guess: it is common, or made of a common word, a name, "
            "a date, a row of keys or a repetition. Please choose another one, such as four or "
            "five words that do not belong together."
        )
    return None


def hash_password(password: str) -> str:
    """Return an argon2id hash with its own salt. Takes about 50 ms: call it in a thread."""
    return _hasher.hash(_encode(password))


def password_matches(password: str, password_hash: str | None) -> bool:
    """Compare; for None do the same work and return False. Call it in a thread."""
    encoded = _encode(password)
    if len(encoded) > MAX_BYTES:
        return False
    try:
        _hasher.verify(password_hash or _DUMMY_HASH, encoded)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def _is_hard_to_guess(password: str, login: str) -> bool:
    estimate = zxcvbn(password, user_inputs=[login, "tinyberth", "jupyterhub"])
    return bool(estimate["guesses"] >= MIN_GUESSES)


def _encode(password: str) -> bytes:
    # NFC, as RFC 8265 says: the same letters typed on two systems must be the same bytes.
    # A lone surrogate cannot be typed, but a client can send one; it must not become a 500.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
