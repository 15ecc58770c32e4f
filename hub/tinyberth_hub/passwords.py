"""Passwords: what is accepted, how it is kept, how it is compared."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_CHARACTERS = 12
"""NIST SP 800-63B asks for 8 or more and recommends longer; 12 resists offline guessing."""

MAX_BYTES = 1024
"""Taken whole up to here: argon2id has no 72-byte limit, but hashing time must be bounded."""

# argon2-cffi's defaults are RFC 9106's second recommendation: argon2id, 64 MiB, 3 passes.
_hasher = PasswordHasher()

_DUMMY_HASH = _hasher.hash("compared when a name is unknown, so that the time is the same")


def problem_with(password: str, login: str) -> str | None:
    """Return the sentence that refuses ``password``, or None if it is accepted."""
    if len(password) < MIN_CHARACTERS:
        return f"Please choose a password of at least {MIN_CHARACTERS} characters."
    if len(_encode(password)) > MAX_BYTES:
        return f"Please choose a password of at most {MAX_BYTES} bytes."
    if len(set(password)) < 4 or (login in password.lower() and len(password) < len(login) + 8):
        return "That password is easy to guess; please choose another one."
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


def _encode(password: str) -> bytes:
    # NFC, as RFC 8265 says: the same letters typed on two systems must be the same bytes.
    # A lone surrogate cannot be typed, but a client can send one; it must not become a 500.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
