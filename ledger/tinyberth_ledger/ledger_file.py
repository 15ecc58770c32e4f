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
FILES = ("passwd", "group")
_LOCK = ".lock"
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN


@contextmanager
def locked(ledger_fd: int) -> Iterator[None]:
    """Hold the ledger's lock; a second writer waits."""
    # 0600: users have this folder mounted, and whoever can read a file can lock it for good.
    if not {*FILES, _LOCK} & set(os.listdir(ledger_fd)):
        for name in FILES:  # before the lock, which from then on says that they were there
            with suppress(FileExistsError):  # another writer's first start
                os.close(os.open(name, _CREATE, 0o644, dir_fd=ledger_fd))
    lock_fd = os.open(_LOCK, os.O_RDWR | os.O_CREAT | _OPEN, 0o600, dir_fd=ledger_fd)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock_fd)


def read(ledger_fd: int) -> Ledger:
    """Read both files; where neither was ever written, the ledger is empty.

    Raises
    ------
    RefusedError
        If a file is damaged, or is gone: who starts anew would give numbers a second time.
    """
    texts = {name: read_text(ledger_fd, name) for name in FILES}
    gone = [name for name in FILES if texts[name] is None]
    if gone and (any(texts.values()) or _LOCK in os.listdir(ledger_fd)):
        how = "put it back from a backup, or see what `./tinyberth doctor` knows without one."
        raise RefusedError("ledger_damaged", f"data/ledger/{' and '.join(gone)} is gone: {how}")
    return parse(texts["passwd"] or "", texts["group"] or "")


def write(ledger_fd: int, ledger: Ledger) -> None:
    """Replace what differs, ``passwd`` first: ``group`` can be made again from it."""
    for name, text in zip(FILES, (ledger.passwd, ledger.group), strict=True):
        if read_text(ledger_fd, name) != text:
            _replace(ledger_fd, name, text)


def read_text(ledger_fd: int, name: str) -> str | None:
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
