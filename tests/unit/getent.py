"""Read a ledger as every program does: glibc's getent(1), through libnss-extrausers."""

from __future__ import annotations

import ctypes
import fcntl
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

_EXTRAUSERS = Path("/var/lib/extrausers")


def is_here() -> bool:
    """Say whether names can be looked up; in the tests' image they must be."""
    if os.environ.get("TINYBERTH_TEST_WORK"):
        return True
    with suppress(OSError):
        return bool(ctypes.CDLL("libnss_extrausers.so.2"))
    return False


def getent(host_ledger: Path, database: str, *keys: str) -> list[str]:
    """Return the lines of ``passwd`` or ``group``: all, or those of ``keys``."""
    if not is_here():
        pytest.skip("libnss-extrausers is not here: run the tests with ./tinyberth test")
    _EXTRAUSERS.mkdir(exist_ok=True)
    with (_EXTRAUSERS / ".tests").open("w") as lock:  # the library knows this one folder
        fcntl.flock(lock, fcntl.LOCK_EX)
        text = (host_ledger / database).read_bytes()
        (_EXTRAUSERS / database).write_bytes(text)
        command = ["getent", "-s", "extrausers", database, *keys]
        done = subprocess.run(command, capture_output=True, check=False, timeout=20)
    assert not done.stderr, done.stderr
    return done.stdout.decode().split("\n")[:-1]  # a name may have other line ends
