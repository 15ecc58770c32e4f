"""From a name or group at a provider to a login or team: pure, stable, never two in one.

What must hold, whatever a provider gives:

1. The result is a login that ``check_login`` takes: Unix account, folder, DNS label at once.
2. The same name always gives the same login. Names that differ in more than the case of ASCII
   letters and Unicode's composition (NFC) never give the same one.
3. A plain name stays as it is: ``alice`` is ``alice``.
4. Nobody can choose a name that becomes another person's login.

A name that cannot stay becomes a slug: a readable beginning, ``--``, and a hash of the whole
name. ``--`` because host names and folders allow it and people's own names do not have it; a
provider's name that looks like a slug is hashed once more (4), so plain names and slugs never
meet. 80 bits: somebody who tries names to hit a given login needs 2^80 of them.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Collection

from tinyberth_common.names import MAX_LOGIN_LENGTH, NameRefusedError, check_login

MAX_NAME_LENGTH = 1024
"""Characters; OpenID Connect limits a subject to 255, and no name needs more."""

_HASH_LENGTH = 16  # of base32, 5 bits each
_BEGIN_LENGTH = MAX_LOGIN_LENGTH - len("--") - _HASH_LENGTH
_SLUG = re.compile(rf"[a-z][a-z0-9_-]*--[a-z2-7]{{{_HASH_LENGTH}}}")
_UPPER_TO_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def login_for(name: str) -> str:
    """Return the login of whom a provider calls ``name``.

    Raises
    ------
    NameRefusedError
        If it is no name: empty, with control characters, or of more than 1,024 characters.
    """
    return _plain_or_none(name) or _slug(name, "user")


def login_of_typed(name: str) -> str:
    """Return the login that an admin means by ``name``, a provider's name or a login.

    Unlike ``login_for`` a slug stays itself, so ``login_of_typed(login_of_typed(x))`` is
    ``login_of_typed(x)``: JupyterHub normalizes names more than once.
    """
    return name if is_slug(name) else login_for(name)


def team_for(group: str, taken: Collection[str] = ()) -> str:
    """Return the name of the team that a provider's ``group`` becomes; none of ``taken``.

    Logins and teams are lines of one group file, so the hash of a team is never a login's.
    """
    plain = _plain_or_none(group)
    return plain if plain and plain not in taken else _slug(group, "team")


def is_name(name: str) -> bool:
    """Tell a name from what is none: empty, endless, or with signs that cannot be shown."""
    return 0 < len(name.strip()) <= len(name) <= MAX_NAME_LENGTH and not any(
        unicodedata.category(sign) in {"Cc", "Cs"} for sign in name
    )


def is_slug(login: str) -> bool:
    return len(login) <= MAX_LOGIN_LENGTH and bool(_SLUG.fullmatch(login))


def _plain_or_none(name: str) -> str | None:
    """Return ``name`` in small letters if it may be a login itself.

    Only what was ASCII from the start: NFC makes a K of the Kelvin sign (THREATS B2).
    """
    if not name.isascii() or is_slug(name.lower()):
        return None
    try:
        return check_login(name.lower())
    except NameRefusedError:
        return None


def _slug(name: str, kind: str) -> str:
    if not is_name(name):
        raise NameRefusedError(
            f"{name[:40]!a} is no name: 1 to {MAX_NAME_LENGTH} characters are, none of "
            "them a control character."
        )
    canonical = _composed(name).translate(_UPPER_TO_LOWER)
    digest = hashlib.sha256(f"{kind}:{canonical}".encode()).digest()
    code = base64.b32encode(digest).decode("ascii").lower()[:_HASH_LENGTH]
    return f"{_readable(canonical, kind)}--{code}"


def _readable(canonical: str, kind: str) -> str:
    """Return 3 to 14 of a-z, 0-9 and -, as much like the name as can be.

    Never two: ``--`` after two letters is reserved for encoded host names (RFC 5891), and
    browsers take ``xn--`` for one.
    """
    local_part = canonical.partition("@")[0]
    plain = unicodedata.normalize("NFKD", local_part).encode("ascii", "ignore").decode("ascii")
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    if len(words) < 3 or not words[0].isalpha():
        words = f"{kind}-{words}"
    return words[:_BEGIN_LENGTH].strip("-")


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
