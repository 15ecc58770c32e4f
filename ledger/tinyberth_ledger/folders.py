"""Folders on the host: made once, for their owner, moved whole, and never entered.

They lie in data/users, data/teams and data/archive, which belong to root: nobody else can put a
link in the way. What is in a folder is its owner's; nothing here looks at it.
"""

import os
import stat
from contextlib import suppress
from dataclasses import dataclass

from tinyberth_server.errors import RefusedError

from .ledger import Ledger

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_KINDS = {stat.S_IFDIR: "folder", stat.S_IFLNK: "symbolic link", stat.S_IFIFO: "FIFO"}


@dataclass(frozen=True)
class Folder:
    """Where a person's or a team's folder is or should be: ``name`` in data/``parent``.

    A person's is told by ``uid``, whatever the group; a team's is root's and told by ``gid``.
    """

    parent_fd: int
    parent: str
    name: str
    uid: int
    gid: int
    mode: int
    whose: str

    def found(self) -> os.stat_result | None:
        """Return what is there, of whatever kind and owner."""
        try:
            return os.stat(self.name, dir_fd=self.parent_fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def is_own(self, found: os.stat_result) -> bool:
        ids = found.st_uid == self.uid and (self.uid or found.st_gid == self.gid)
        return stat.S_ISDIR(found.st_mode) and bool(ids)

    def is_unclaimed(self, found: os.stat_result) -> bool:
        """Whether it is root's; for a team's, also of no group but the one that mkdir gives."""
        groups = (0, os.fstat(self.parent_fd).st_gid)
        whose = found.st_uid == 0 and (self.uid or found.st_gid in groups)
        return stat.S_ISDIR(found.st_mode) and bool(whose)

    def in_the_way(self, found: os.stat_result, ledger: Ledger) -> RefusedError:
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "file")
        number = found.st_uid or (0 if self.uid else found.st_gid)
        owner = ledger.owner_of(number) or "unknown here" if number else "root"
        return RefusedError(
            "home_refused",
            f"data/{self.parent}/{self.name} is a {kind} of uid {found.st_uid} and gid "
            f"{found.st_gid} ({owner}), not a folder of uid {self.uid} and gid {self.gid} "
            f"({self.whose}): move it away, or give it to them, and try again. "
            "Nothing was changed.",
        )


def ensure_folder(folder: Folder, ledger: Ledger, *, dry_run: bool = False) -> bool:
    """Make ``folder`` unless it is there; return whether it was (would be) made.

    An empty folder of root's is one that a crash left between making and giving it; it is
    finished. A dry run refuses the same and writes nothing.

    Raises
    ------
    RefusedError
        Saying what is in the way and whose it is. Nothing was changed.
    """
    found = folder.found()
    if found is None:
        if dry_run:
            return True
        with suppress(FileExistsError):
            os.mkdir(folder.name, 0o700, dir_fd=folder.parent_fd)
    elif folder.is_own(found):
        return False
    elif not folder.is_unclaimed(found):
        raise folder.in_the_way(found, ledger)
    # What is opened is what is checked and given: a swap since the first look meets O_NOFOLLOW
    # or the look at the descriptor.
    folder_fd = os.open(folder.name, _FOLDER, dir_fd=folder.parent_fd)
    try:
        found = os.fstat(folder_fd)
        if not folder.is_unclaimed(found) or os.listdir(folder_fd):  # noqa: PTH208 - descriptor
            raise folder.in_the_way(found, ledger)
        if not dry_run:
            # The mode first: a folder given away is no longer ours to change, and without
            # CAP_FSETID a mode keeps its setgid bit only while the group is root's.
            os.fchown(folder_fd, -1, 0)
            os.fchmod(folder_fd, folder.mode)
            os.fchown(folder_fd, folder.uid, folder.gid)
            os.fsync(folder.parent_fd)
    finally:
        os.close(folder_fd)
    return True


def check_move(source: Folder, target: Folder, ledger: Ledger) -> None:
    """Raise ``RefusedError`` where a move that has not begun could not be made."""
    there, here = target.found(), source.found()
    if there:
        raise target.in_the_way(there, ledger)
    if here:
        ensure_folder(source, ledger)  # what a crash left half made; refuses what is not its own
    disks = {os.fstat(fd).st_dev for fd in (source.parent_fd, target.parent_fd)}
    if here and {here.st_dev} != disks:
        where = f"data/{source.parent}/{source.name} cannot be moved to data/{target.parent}"
        raise RefusedError("home_refused", f"{where}: they are on different disks.")


def move_folder(source: Folder, target: Folder, ledger: Ledger) -> None:
    """Move a folder to where it belongs; again after a crash is the same as once.

    Moving a folder to another parent writes its ``..``, which without CAP_DAC_OVERRIDE only
    its owner may: it is root's for that moment, and writable by its owner from then on.

    Raises
    ------
    RefusedError
        Where something is in the way. Nothing is overwritten, and nothing is merged.
    """
    lent = source.parent != target.parent
    there, here = target.found(), source.found()
    for folder, found in ((target, there), (source, here)):
        is_lent = found and lent and stat.S_ISDIR(found.st_mode) and not found.st_uid
        if found and not folder.is_own(found) and not (is_lent and folder.uid):
            raise folder.in_the_way(found, ledger)
    if there and here:
        raise target.in_the_way(there, ledger)
    try:
        if here:
            if lent and source.uid:
                _lend(source)
            from_fd, to_fd = source.parent_fd, target.parent_fd
            os.rename(source.name, target.name, src_dir_fd=from_fd, dst_dir_fd=to_fd)
        if (here or there) and lent and target.uid:
            os.chown(target.name, target.uid, -1, dir_fd=target.parent_fd, follow_symlinks=False)
        os.fsync(target.parent_fd)
        os.fsync(source.parent_fd)
    except OSError as error:
        where = f"data/{source.parent}/{source.name} to data/{target.parent}/{target.name}"
        why = f"{where} cannot be moved ({error.strerror}): mend that and try again."
        raise RefusedError("home_refused", why) from None


def _lend(source: Folder) -> None:
    """Make a home root's own, and writable: people may have closed theirs to themselves."""
    os.chown(source.name, 0, -1, dir_fd=source.parent_fd, follow_symlinks=False)
    folder_fd = os.open(source.name, _FOLDER, dir_fd=source.parent_fd)
    try:
        mode = stat.S_IMODE(os.fstat(folder_fd).st_mode)
        if mode & stat.S_IRWXU != stat.S_IRWXU:
            os.fchmod(folder_fd, mode | stat.S_IRWXU)
    finally:
        os.close(folder_fd)
