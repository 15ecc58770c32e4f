"""The folder that holds everything people own: is it the real one, and are its folders ours?"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import RefusedError

MARKER = ".tinyberth-data"
_OURS = ("ledger", "users", "teams", "archive")
_ADMINS = ("datasets", "presets")  # the admin puts files there, so an owner is kept
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class DataRoot:
    """``data/`` as mounted in this container.

    ``container_journal`` is a file outside of it, for the one thing that must be undone after
    a crash.
    """

    def __init__(self, container_path: Path, container_journal: Path) -> None:
        self._path = container_path
        self._journal = container_journal

    @contextmanager
    def open(self, name: str) -> Iterator[int]:
        """Yield a descriptor of one of our folders; at each use, for a mount can go away.

        Raises
        ------
        RefusedError
            503, if this is not the data root or the folder is not root's alone.
        """
        self.check()
        try:
            fd = os.open(self._path / name, os.O_RDONLY | _FOLDER)
        except OSError as error:
            raise _unusable(f"data/{name} cannot be opened ({error.strerror})") from None
        try:
            found = os.fstat(fd)
            if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o022:
                raise _unusable(f"data/{name} must be root's, with mode 755")
            yield fd
        finally:
            os.close(fd)

    def check(self) -> None:
        """Raise ``RefusedError`` (503) unless the marker is there: an empty mount point is not."""
        try:
            marker = os.stat(self._path / MARKER, follow_symlinks=False)
        except FileNotFoundError:
            raise _unusable(f"data/{MARKER} is missing, so this is not the data folder") from None
        except OSError as error:
            raise _unusable(f"data/ cannot be read ({error.strerror}; mode 755?)") from None
        if not stat.S_ISREG(marker.st_mode):
            raise _unusable(f"data/{MARKER} is not a plain file")

    def ensure_folders(self) -> None:
        """Make what is missing, root's and 0755; nothing where the marker is missing."""
        self.check()
        self._give_back()
        if any(not os.path.lexists(self._path / name) for name in _OURS + _ADMINS):
            with self._taken():
                for name in _OURS + _ADMINS:
                    with suppress(FileExistsError):
                        (self._path / name).mkdir(mode=0o755)
        for name in _OURS:
            fd = os.open(self._path / name, os.O_PATH | _FOLDER)
            try:
                if os.fstat(fd).st_uid != os.geteuid():
                    os.chown(f"/proc/self/fd/{fd}", os.geteuid(), -1)
                os.chmod(f"/proc/self/fd/{fd}", 0o755)
            finally:
                os.close(fd)

    @contextmanager
    def _taken(self) -> Iterator[None]:
        """Own the root for a moment.

        It is of whoever cloned the repository, and root without CAP_DAC_OVERRIDE writes only
        into its own folders. The journal gives it back after a crash in between.
        """
        found = self._path.stat()
        if found.st_uid == os.geteuid():
            yield
            return
        self._journal.write_text(f"{found.st_ino} {found.st_uid}\n")
        with self._journal.open() as file:
            os.fsync(file.fileno())
        os.chown(self._path, os.geteuid(), -1)
        try:
            yield
        finally:
            self._give_back()

    def _give_back(self) -> None:
        with suppress(FileNotFoundError):
            fields = self._journal.read_text().split()
            found = self._path.stat()
            if (
                len(fields) == 2
                and fields[0] == str(found.st_ino)
                and found.st_uid == os.geteuid()
            ):
                os.chown(self._path, int(fields[1]), -1)
            self._journal.unlink()


def _unusable(why: str) -> RefusedError:
    return RefusedError(
        503,
        "data_root",
        f"{why}: nothing was written. Mount or repair it, then `docker compose restart warden` "
        f"(see DATA_DIR in .env.example).",
    )
