"""The kernel's nf_tables, by Debian's nft."""

from __future__ import annotations

import subprocess

from .rules import deletion

_TIMEOUT_SECONDS = 20
"""For a machine that is very busy; 20 ms were seen."""


class NftError(Exception):
    """nft refused, in its own words."""


def apply(text: str) -> None:
    """Apply ``text`` whole or not at all."""
    _nft("-f", "-", stdin=text)


def remove(table: str) -> None:
    """Remove ``table``, if it is there."""
    apply(deletion(table))


def listing(table: str) -> str | None:
    """Return ``table`` as the kernel has it, without its counters; None if it is not there."""
    try:
        return _nft("--stateless", "list", "table", "inet", table)
    except NftError as error:
        if "No such file or directory" in str(error):
            return None
        raise


def _nft(*args: str, stdin: str = "") -> str:
    done = subprocess.run(
        ["/usr/sbin/nft", *args],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise NftError(done.stderr.strip() or f"nft ended with {done.returncode}")
    return done.stdout
