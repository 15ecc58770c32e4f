"""Login names: which are allowed, and the one sentence that refuses the others.

A login is a Unix account name, a folder on the host, a container name's suffix and a
DNS label at once, so the rule is the narrowest of the four.
"""

from __future__ import annotations

import re

MAX_LOGIN_LENGTH = 32
"""Characters; the limit of useradd(8) and of utmp(5)."""

LOGIN_PATTERN = re.compile(r"\A[a-z][a-z0-9_-]{0,31}\Z")

# Accounts and groups of Debian's base-passwd: a user's private group carries the login's
# name, so a login equal to a group of the image would make `ls -l` lie.
_DEBIAN_NAMES = """
root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc nobody
nogroup adm tty disk kmem dialout fax voice cdrom floppy tape sudo audio dip operator src
shadow utmp video sasl plugdev staff users input sgx kvm render crontab netdev messagebus
sshd ssh docker systemd-network systemd-timesync systemd-journal wheel _apt
"""

# Names with a meaning in Tinyberth's own addresses, containers and folders.
_OWN_NAMES = "hub warden firewall singleuser localhost tinyberth jupyter jupyterhub api static"

RESERVED_LOGINS = frozenset((_DEBIAN_NAMES + " " + _OWN_NAMES).split())


class NameRefusedError(ValueError):
    """A name cannot be a login; the message is one sentence for a person."""


def normalize_login(name: str) -> str:
    """Return ``name`` as it is looked up: ASCII letters in lower case, nothing else changed.

    Only ASCII is folded: ``str.lower`` maps the Kelvin sign to "k", which would let two
    spellings that look alike meet in one home (THREATS B2).
    """
    return name.lower() if name.isascii() else name


def check_login(login: str) -> str:
    """Return ``login`` unchanged if it may be a login name.

    Raises
    ------
    NameRefusedError
        With one sentence that says what to write instead.
    """
    if not LOGIN_PATTERN.match(login):
        raise NameRefusedError(
            f"{_shown(login)} cannot be a login name: use 1 to {MAX_LOGIN_LENGTH} characters, "
            "a-z, 0-9, _ and -, beginning with a letter."
        )
    if login in RESERVED_LOGINS:
        raise NameRefusedError(f"'{login}' is reserved for the system; choose another login name.")
    return login


def _shown(name: str) -> str:
    """Quote at most 40 characters of ``name``, escaped: a log line and a page stay bounded."""
    return ascii(name if len(name) <= 40 else name[:40] + "…")
