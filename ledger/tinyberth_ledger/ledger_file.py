"""The ledger on disk: one writer at a time, and each file old or new, never torn.

Functions take the descriptor of the ledger folder, opened by ``DataRoot``.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tinyberth_server.errors import RefusedError

from .ledger import Ledger
from .ledger_text import damaged, parse

_OPEN = os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN


@contextmanager
def locked(ledger_fd: int) -> Iterator[None]:
    """Hold the ledger's lock; a second writer waits."""
    # 0600: users have this folder mounted, and whoever can read a file can lock it for good.
    lock_fd = os.open(".lock", os.O_RDWR | os.O_CREAT | _OPEN, 0o600, dir_fd=ledger_fd)
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
        If a file is damaged, or ``passwd`` is gone while ``group`` still knows people.
    """
    passwd, group = _read(ledger_fd, "passwd"), _read(ledger_fd, "group")
    if passwd is None and group:
        raise RefusedError(
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
        with os.fdopen(os.open(name, os.O_RDONLY | _OPEN, dir_fd=ledger_fd), "rb") as file:
            raw = file.read()
        return raw.decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        number = raw.count(b"\n", 0, error.start) + 1
        raise damaged(name, repr(raw[error.start :][:20]), number) from None


def _replace(ledger_fd: int, name: str, text: str) -> None:
    temporary = f".{name}.new"
    with suppress(FileNotFoundError):  # of a writer that died: the lock says that it is dead
        os.unlink(temporary, dir_fd=ledger_fd)
    with os.fdopen(os.open(temporary, _CREATE, 0o644, dir_fd=ledger_fd), "wb") as file:
        os.fchmod(file.fileno(), 0o644)  # whatever the umask: everybody's `ls -l` reads it
        file.write(text.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, name, src_dir_fd=ledger_fd, dst_dir_fd=ledger_fd)
    os.fsync(ledger_fd)
