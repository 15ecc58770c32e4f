"""`tinyberth dataset`: files for everybody, read-only at /datasets in every server."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .checkout import Checkout
from .download import format_bytes, progress
from .problem import REFUSED, USAGE, Problem
from .shelf import Shelf, check_name, check_room, open_shelf, size_of
from .steps import Step, Steps

_CHUNK_BYTES = 4 * 2**20


def list_datasets(checkout: Checkout) -> int:
    shelf = open_shelf(checkout, "datasets")
    for name in shelf.names():
        files, size = size_of(shelf.place(name))
        print(f"{name}: {_amount(files, size)}; in servers /datasets/{name}")
    if not shelf.names():
        print("There is no data set yet: ./tinyberth dataset add NAME PATH")
    return 0


def add_dataset(
    checkout: Checkout, steps: Steps, name: str, source: Path, *, replace: bool
) -> int:
    """Copy the file or folder ``source`` to ``data/datasets/NAME``."""
    check_name(name, "data set")
    shelf = open_shelf(checkout, "datasets")
    _check_free(shelf, name, replace=replace)
    files = dict(_files_of(source))
    total = sum(path.stat().st_size for path in files.values())
    with shelf.work_folder(name) as work:
        with steps.step("Copy") as step:
            check_room(work, total - size_of(work)[1])
            staged = work / "files"
            _forget_others(staged, files)
            _copy_all(step, files, staged, total)
            step.done(_amount(len(files), total))
        shelf.publish(staged, name)
    print(f"\n{shelf.place(name)}: everybody reads it at /datasets/{name}, without a restart.")
    return 0


def _amount(files: int, size: int) -> str:
    return f"{files} {'file' if files == 1 else 'files'}, {format_bytes(size)}"


def _check_free(shelf: Shelf, name: str, *, replace: bool) -> None:
    if os.path.lexists(shelf.place(name)) and not replace:
        raise Problem(
            f"There is a data set {name}: {shelf.place(name)}.",
            remedy="Choose another name, or say --replace to put the new one in its place, whole.",
            code=REFUSED,
        )


def _files_of(source: Path) -> Iterator[tuple[PurePosixPath, Path]]:
    """Yield (path in the data set, path here) for every file.

    Raises
    ------
    Problem
        For what is no plain file or folder, and for links: the command may run as root, and a
        link could show everybody a file that was never meant for them.
    """
    try:
        if source.is_file():
            yield PurePosixPath(source.name), source.resolve()
            return
        if not source.is_dir():
            raise Problem(f"There is no file or folder {source}.", code=USAGE)
        for folder, folders, names in os.walk(source, onerror=_raise):
            for name in (*folders, *names):
                path = Path(folder) / name
                mode = path.lstat().st_mode
                if stat.S_ISREG(mode):
                    yield PurePosixPath(path.relative_to(source).as_posix()), path
                elif not stat.S_ISDIR(mode):
                    kind = "a link" if stat.S_ISLNK(mode) else "not a plain file"
                    raise Problem(
                        f"{path} is {kind}, and a data set holds plain files and folders.",
                        remedy="Copy the folder with `cp -rL` to turn links into files, or leave "
                        "it out.",
                        code=REFUSED,
                    )
    except PermissionError as error:
        raise Problem(
            f"This account may not read {error.filename}.",
            remedy="Run the same command with sudo.",
            code=REFUSED,
        ) from None


def _raise(error: OSError) -> None:
    raise error


def _forget_others(staged: Path, files: dict[PurePosixPath, Path]) -> None:
    """Remove what an earlier, interrupted try staged and this one does not have."""
    if not staged.is_dir():
        return
    for path in staged.rglob("*"):
        if path.is_file() and PurePosixPath(path.relative_to(staged).as_posix()) not in files:
            path.unlink()


def _copy_all(step: Step, files: dict[PurePosixPath, Path], staged: Path, total: int) -> None:
    staged.mkdir(exist_ok=True)
    done = 0
    for name, source in files.items():
        target = staged / name
        if not _same(source, target):
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy_one(step, source, target, done, total)
        done += source.stat().st_size


def _same(source: Path, target: Path) -> bool:
    """Tell whether an interrupted try has copied this file: size and time are the source's."""
    if not target.is_file():
        return False
    one, other = source.stat(), target.stat()
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def _copy_one(step: Step, source: Path, target: Path, before: int, total: int) -> None:
    begun = target.with_name(target.name + ".begun")
    began = time.monotonic()
    with source.open("rb") as reader, begun.open("wb") as writer:
        for chunk in iter(lambda: reader.read(_CHUNK_BYTES), b""):
            writer.write(chunk)
            rate = progress(before + writer.tell(), total, time.monotonic() - began)
            step.note(f"{rate}  {source.name}")
    shutil.copystat(source, begun)
    begun.rename(target)
