"""Homes on the host: made once, for their owner, and never entered.

Functions take descriptors of data/users and data/archive, which belong to root: nobody else
can put a link in the way. A home's own content is its user's; nothing here looks at it.
"""

import os
import stat
from contextlib import suppress

from .errors import RefusedError
from .ledger import Entry, Ledger

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_KINDS = {stat.S_IFDIR: "folder", stat.S_IFLNK: "symbolic link", stat.S_IFIFO: "FIFO"}


def owners(folder_fd: int) -> dict[str, int]:
    """Uids of what lies in a folder, by name; root's own is nobody's and left out."""
    with os.scandir(folder_fd) as items:
        found = {item.name: item.stat(follow_symlinks=False).st_uid for item in items}
    return {name: uid for name, uid in found.items() if uid}


def ensure_home(users_fd: int, entry: Entry, ledger: Ledger, *, dry_run: bool = False) -> bool:
    """Make the home of ``entry`` unless it is there; return whether it was (would be) made.

    An empty folder of root's is one that a crash left between making and giving it; it is
    finished. A dry run refuses the same and writes nothing.

    Raises
    ------
    RefusedError
        Saying what is in the way and whose it is. Nothing was changed.
    """
    found = _lstat(users_fd, entry.login)
    if found is None:
        if dry_run:
            return True
        with suppress(FileExistsError):
            os.mkdir(entry.login, 0o700, dir_fd=users_fd)
    elif stat.S_ISDIR(found.st_mode) and found.st_uid == entry.uid:
        return False
    elif not stat.S_ISDIR(found.st_mode) or found.st_uid != 0:
        raise _in_the_way(entry, found, ledger)
    # What is opened is what is checked and given: a swap since the first look meets O_NOFOLLOW
    # or the look at the descriptor.
    home_fd = os.open(entry.login, _FOLDER, dir_fd=users_fd)
    try:
        found = os.fstat(home_fd)
        if found.st_uid != 0 or os.listdir(home_fd):  # noqa: PTH208 - no descriptors in pathlib
            raise _in_the_way(entry, found, ledger)
        if not dry_run:
            os.fchmod(home_fd, 0o700)  # first: a folder given away is no longer ours to change
            os.fchown(home_fd, entry.uid, entry.gid)
            os.fsync(users_fd)
    finally:
        os.close(home_fd)
    return True


def move_home(users_fd: int, archive_fd: int, tombstone: Entry, ledger: Ledger) -> None:
    """Move the home of a tombstone into the archive; again after a crash is the same as once.

    Moving a folder to another parent writes its ``..``, which without CAP_DAC_OVERRIDE only
    its owner may: the home's top folder is root's for that moment.
    """
    if _lstat(archive_fd, tombstone.name) is None:
        found = _lstat(users_fd, tombstone.login)
        if found is None:
            return
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (0, tombstone.uid):
            raise _in_the_way(tombstone, found, ledger)
        os.chown(tombstone.login, 0, -1, dir_fd=users_fd, follow_symlinks=False)
        os.rename(tombstone.login, tombstone.name, src_dir_fd=users_fd, dst_dir_fd=archive_fd)
    os.chown(tombstone.name, tombstone.uid, -1, dir_fd=archive_fd, follow_symlinks=False)
    os.fsync(archive_fd)
    os.fsync(users_fd)


def _lstat(folder_fd: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _in_the_way(entry: Entry, found: os.stat_result, ledger: Ledger) -> RefusedError:
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), "file")
    owner = "root" if found.st_uid == 0 else ledger.owner_of(found.st_uid) or "unknown here"
    return RefusedError(
        "home_refused",
        f"data/users/{entry.login} is a {kind} of uid {found.st_uid} ({owner}), not a folder of "
        f"uid {entry.uid} ({entry.name}): move it away, or give it to that uid, and try again. "
        "Nothing was changed.",
    )
