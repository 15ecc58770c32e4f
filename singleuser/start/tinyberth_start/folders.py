"""Folders in a home that may be full, closed or something else: used where that is possible."""

from __future__ import annotations

import functools
import os
import secrets
import stat
import sys
from pathlib import Path

CONTAINER_FALLBACK = Path("/tmp/instead-of-home")  # noqa: S108 -- nobody else is in here
"""Where server and kernels keep what a broken home does not take, until the server stops."""

_PROBE = b"\0" * 4096
"""One block: a full disk still takes empty files."""


@functools.cache
def home_folder(name: str) -> Path:
    """Return the folder of that name in the home, or one in /tmp where the home cannot take it."""
    wanted = Path.home() / name
    found = usable_folder(wanted, CONTAINER_FALLBACK / name)
    if found != wanted:
        why = "takes no file: the home is full, or this is closed or no folder"
        print(f"tinyberth: ~/{name} {why}. Until the server stops: {found}", file=sys.stderr)
    return found


def usable_folder(container_folder: Path, fallback: Path) -> Path:
    """Return ``container_folder`` if it takes a file, made where it is missing; else ``fallback``.

    A server must start in any home. What it keeps in the fallback is gone when it stops.
    """
    try:
        container_folder.mkdir(parents=True, exist_ok=True)
        _write_and_remove(container_folder)
    except OSError:
        fallback.mkdir(parents=True, exist_ok=True)
        return fallback
    return container_folder


def ensure_enterable(container_home: Path) -> bool:
    """Give its owner the way into ``container_home`` back, after a `chmod` too many; say if so.

    Raises
    ------
    OSError
        If that cannot be done: the home is somebody else's.
    """
    mode = stat.S_IMODE(container_home.stat().st_mode)
    if os.access(container_home, os.R_OK | os.X_OK):
        return False
    container_home.chmod(mode | stat.S_IRWXU)
    return True


def _write_and_remove(folder: Path) -> None:
    probe = folder / f".tinyberth-{secrets.token_hex(8)}"
    try:
        with probe.open("xb") as file:
            file.write(_PROBE)
    finally:
        probe.unlink(missing_ok=True)
