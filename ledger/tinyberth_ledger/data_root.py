"""The folder that holds everything people own: whether it is the real one, and its folders."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tinyberth_server.errors import RefusedError

MARKER = ".tinyberth-data"
OURS = ("ledger", "users", "teams", "archive")
_ADMINS = ("datasets", "presets")  # the admin puts files there, so an owner is kept
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class DataRoot:
    """``data/`` as mounted in this container.

    ``container_journal`` is a file outside of it, for the one thing that must be undone after
    a crash.
    """

    def __init__(self, container_path: Path, container_journal: Path) -> None:
        self.path = container_path
        self._journal = container_journal

    @contextmanager
    def open(self, name: str) -> Iterator[int]:
        """Yield a descriptor of one of our folders.

        Raises
        ------
        RefusedError
            If this is not the data root, or the folder is not root's alone.
        """
        self._check()  # at each use, for a mount can go away
        try:
            folder_fd = os.open(self.path / name, _FOLDER)
        except OSError as error:
            raise _unusable(f"data/{name} cannot be opened ({error.strerror})") from None
        try:
            found = os.fstat(folder_fd)
            if found.st_uid != 0 or found.st_mode & 0o022:
                raise _unusable(f"data/{name} must be root's, with mode 755")
            yield folder_fd
        finally:
            os.close(folder_fd)

    def ensure_folders(self) -> None:
        """Make what is missing, root's and 0755; nothing where the marker is missing."""
        self._check()
        self._give_back()
        missing = [n for n in OURS + _ADMINS if not os.path.lexists(self.path / n)]
        if missing:
            self._take()
            try:
                for name in missing:
                    (self.path / name).mkdir(mode=0o755)
            finally:
                self._give_back()
        for name in OURS:  # a restored backup or a copy may have given them to somebody
            os.chown(self.path / name, 0, -1, follow_symlinks=False)

    def _check(self) -> None:
        try:
            marker = (self.path / MARKER).lstat()
        except FileNotFoundError:
            raise _unusable(f"data/{MARKER} is missing, so this is not the data folder") from None
        except OSError as error:
            raise _unusable(f"data/ cannot be read ({error.strerror}): is it 755?") from None
        if not stat.S_ISREG(marker.st_mode):
            raise _unusable(f"data/{MARKER} is not a plain file")

    def _take(self) -> None:
        """Own the root for a moment, with its owner written down first.

        It is of whoever cloned the repository, and root without CAP_DAC_OVERRIDE writes only
        into its own folders.
        """
        found = self.path.stat()
        if found.st_uid != 0:
            with self._journal.open("w") as file:
                file.write(f"{found.st_ino} {found.st_uid}")
                file.flush()
                os.fsync(file.fileno())
            os.chown(self.path, 0, -1)

    def _give_back(self) -> None:
        with suppress(FileNotFoundError):
            inode, _, uid = self._journal.read_text().partition(" ")
            found = self.path.stat()
            # Half a journal is from before the taking: then there is nothing to give back.
            if uid and inode == str(found.st_ino) and found.st_uid == 0:
                os.chown(self.path, int(uid), -1)
            self._journal.unlink()


def _unusable(why: str) -> RefusedError:
    return RefusedError(
        "data_root",
        f"{why}; nothing was written. Mount or repair it, then `docker compose restart ledger` "
        "(see DATA_DIR in .env.example).",
    )
