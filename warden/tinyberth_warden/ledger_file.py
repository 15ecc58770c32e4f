"""The ledger on disk: one writer at a time, and each file old or new, never torn.

Functions take the descriptor of the ledger folder, opened by ``DataRoot``.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .errors import RefusedError
from .ledger import Ledger, damaged, parse

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def locked(ledger_fd: int) -> Iterator[None]:
    """Hold the ledger's lock; a second writer waits."""
    # 0600: users have this folder mounted, and whoever can read a file can lock it for good.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    lock_fd = os.open(".lock", flags, 0o600, dir_fd=ledger_fd)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock_fd)


def read(ledger_fd: int) -> Ledger:
    """Read both files; two absent files are an empty ledger.

    Raises
    ------
    RefusedError
        503, if a file is damaged, or ``passwd`` is gone while ``group`` still knows people.
    """
    passwd, group = _read(ledger_fd, "passwd"), _read(ledger_fd, "group")
    if passwd is None and group:
        raise RefusedError(
            503,
            "ledger_damaged",
            "data/ledger/passwd is gone but data/ledger/group is there: put passwd back from a "
            "backup, or uids would be given a second time.",
        )
    return parse(passwd or "", group or "")


def write(ledger_fd: int, ledger: Ledger) -> None:
    """Replace what differs, ``passwd`` first: ``group`` can be made again from it."""
    for name, text in (("passwd", ledger.passwd), ("group", ledger.group)):
        if _read(ledger_fd, name) != text:
            _replace(ledger_fd, name, text)


def _read(ledger_fd: int, name: str) -> str | None:
    try:
        file_fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=ledger_fd)
    except FileNotFoundError:
        return None
    with open(file_fd, "rb") as file:
        raw = file.read()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise damaged(name, line, "is not UTF-8", repr(raw[-40:])) from None


def _replace(ledger_fd: int, name: str, text: str) -> None:
    temporary = f".{name}.new"
    with suppress(FileNotFoundError):  # of a writer that died; the lock says it is not writing
        os.unlink(temporary, dir_fd=ledger_fd)
    with open(os.open(temporary, _CREATE, 0o644, dir_fd=ledger_fd), "wb") as file:
        os.fchmod(file.fileno(), 0o644)  # whatever the umask: everybody's `ls -l` reads it
        file.write(text.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, name, src_dir_fd=ledger_fd, dst_dir_fd=ledger_fd)
    os.fsync(ledger_fd)
