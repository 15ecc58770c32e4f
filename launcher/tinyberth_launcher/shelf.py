"""A shelf: a folder of data/ that the admin fills and everybody reads (datasets, presets).

Things are put together in a folder that only the admin sees, and appear under their name in one
step: whole, readable by all, owned by whoever owns the shelf.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .checkout import Checkout
from .download import format_bytes
from .preflight import data_problems
from .problem import FAILED, REFUSED, USAGE, Problem

_NAME = re.compile(r"\A[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}\Z")
_WORK = ".unfinished"


@dataclass(frozen=True)
class Shelf:
    """``data/datasets`` or ``data/presets`` on the host."""

    host_path: Path

    def names(self) -> list[str]:
        if not self.host_path.is_dir():
            return []
        paths = self.host_path.iterdir()
        return sorted(path.name for path in paths if path.is_dir() and not _hidden(path))

    def place(self, name: str) -> Path:
        return self.host_path / name

    @contextmanager
    def work_folder(self, name: str) -> Iterator[Path]:
        """Yield a folder for what is not finished; it stays after a failure, to go on there."""
        hidden = self.host_path / _WORK
        folder = hidden / name
        try:
            with _explained(self.host_path):
                self.host_path.mkdir(mode=0o755, exist_ok=True)
                hidden.mkdir(mode=0o700, exist_ok=True)
                folder.mkdir(exist_ok=True)
                yield folder
        finally:
            with suppress(OSError):  # not empty: there is something to go on with
                folder.rmdir()
                hidden.rmdir()

    def publish(self, staged: Path, name: str) -> None:
        """Give ``staged`` (a folder or a file) its owner, its modes and its name."""
        self.open_to_all(staged)
        target = self.place(name)
        with _explained(self.host_path):
            if not os.path.lexists(target):
                staged.rename(target)
                return
            old = staged.with_name(staged.name + ".replaced")
            _remove(old)
            target.rename(old)
            try:
                staged.rename(target)
            except BaseException:
                old.rename(target)
                raise
            _remove(old)

    def open_to_all(self, path: Path) -> None:
        """Make ``path`` and all below readable by everyone, and the shelf's owner's."""
        owner = self.host_path.stat()
        for one in (path, *path.rglob("*")):
            if os.geteuid() == 0:
                os.chown(one, owner.st_uid, owner.st_gid, follow_symlinks=False)
            if not one.is_symlink():
                one.chmod(0o755 if one.is_dir() else 0o644)


def open_shelf(checkout: Checkout, folder: str) -> Shelf:
    """Return the shelf ``data/FOLDER``.

    Raises
    ------
    Problem
        If the data folder is not there, or not ours to write.
    """
    problems = data_problems(checkout.host_data_dir)
    if problems:
        raise Problem(problems[0], code=REFUSED)
    return Shelf(checkout.host_data_dir / folder)


def check_name(name: str, kind: str) -> str:
    if not _NAME.match(name):
        raise Problem(
            f"{name[:80]!a} cannot be a {kind}'s name.",
            remedy="Write a-z, 0-9, '.', '_' and '-', at most 64, a letter or digit first.",
            code=USAGE,
        )
    return name


def check_room(folder: Path, needed: int) -> None:
    """Refuse before the disk is full instead of after."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise Problem(
            f"This takes {format_bytes(needed)}, and {folder} has {format_bytes(free)} free.",
            remedy="Free some space, then run the same command again.",
            code=FAILED,
        )


def size_of(path: Path) -> tuple[int, int]:
    """Return (files, bytes) below ``path``."""
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return len(files), sum(one.stat().st_size for one in files)


def _hidden(path: Path) -> bool:
    return path.name.startswith(".")


@contextmanager
def _explained(host_path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise Problem(
            f"This account may not write {error.filename or host_path}.",
            why=f"{host_path} belongs to the machine's admin.",
            remedy="Run the same command with sudo.",
            code=REFUSED,
        ) from None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
