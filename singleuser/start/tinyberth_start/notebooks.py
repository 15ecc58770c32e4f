"""Deliver the image's notebooks into the home, as the user, never over the user's work.

Every file is opened without following a symlink and without waiting for a FIFO's other end,
and nothing here raises for what a home may contain: a server must start in any home.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from .plan import NOT_A_FILE, Delivery, plan_deliveries

MANIFEST = Path(".local/share/tinyberth/delivered.json")
FOLDER = "notebooks"

_MANIFEST_BYTES_MAX = 2**20
_NOTEBOOK_BYTES_MAX = 64 * 2**20
"""A larger file is taken for the user's own without reading it: ours are far smaller."""

_SAFE_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SAFE_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def deliver_notebooks(container_shipped: Path, container_home: Path) -> list[str]:
    """Bring ``notebooks/`` in the home up to date and return what was written there.

    Raises
    ------
    OSError
        If the home cannot take the notebooks: full, read-only, or ``notebooks`` is no folder.
    """
    shipped = {path.name: _sha256(path) for path in sorted(container_shipped.glob("*.ipynb"))}
    delivered = read_manifest(container_home / MANIFEST)
    if not shipped.items() - delivered.items():
        return []  # the usual start reads one small file and is done
    folder = container_home / FOLDER
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
    with _opened_folder(folder) as folder_fd:
        plan = plan_deliveries(shipped, delivered, _hashes(folder_fd))
        for delivery in plan.deliveries:
            _write(folder_fd, delivery, (container_shipped / delivery.name).read_bytes())
    _write_manifest(container_home / MANIFEST, plan.manifest)
    return [delivery.target for delivery in plan.deliveries]


def read_manifest(path: Path) -> dict[str, str]:
    """Return what was delivered before; a missing, odd or broken manifest says: nothing."""
    try:
        manifest = json.loads(_read(path, _MANIFEST_BYTES_MAX))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(manifest, dict):
        return {}
    return {str(name): str(edition) for name, edition in manifest.items()}


def _write_manifest(path: Path, manifest: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _opened_folder(path.parent) as folder_fd:
        text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
        _replace(folder_fd, path.name, text.encode())


def _hashes(folder_fd: int) -> dict[str, str]:
    return {
        name: _hash_or_kind(folder_fd, name)
        for name in os.listdir(folder_fd)
        if name.endswith(".ipynb")
    }


def _hash_or_kind(folder_fd: int, name: str) -> str:
    try:
        return hashlib.sha256(_read(name, _NOTEBOOK_BYTES_MAX, folder_fd)).hexdigest()
    except OSError:
        return NOT_A_FILE


def _read(path: str | Path, bytes_max: int, folder_fd: int | None = None) -> bytes:
    """Read a regular file of bounded size; OSError for anything else, and never a hang."""
    file_fd = os.open(path, _SAFE_READ, dir_fd=folder_fd)
    with os.fdopen(file_fd, "rb") as file:
        status = os.fstat(file_fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > bytes_max:
            raise OSError(f"{path} is not a regular file of at most {bytes_max} bytes")
        return file.read(bytes_max)


def _write(folder_fd: int, delivery: Delivery, content: bytes) -> None:
    """Write one notebook, whole or not at all, and only where the plan found what it said."""
    if delivery.replaces is not None:
        if _hash_or_kind(folder_fd, delivery.target) == delivery.replaces:
            _replace(folder_fd, delivery.target, content)
        return
    temporary = _create_temporary(folder_fd, content)
    try:
        # link, not rename: it fails where a file of that name has appeared meanwhile
        os.link(temporary, delivery.target, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
    finally:
        os.unlink(temporary, dir_fd=folder_fd)


def _replace(folder_fd: int, name: str, content: bytes) -> None:
    temporary = _create_temporary(folder_fd, content)
    try:
        os.replace(temporary, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
    except OSError:
        os.unlink(temporary, dir_fd=folder_fd)
        raise


def _create_temporary(folder_fd: int, content: bytes) -> str:
    """Write ``content`` to a new file in the folder; leave nothing behind if that fails."""
    name = f".tinyberth-{secrets.token_hex(8)}"
    file_fd = os.open(name, _SAFE_CREATE, 0o666, dir_fd=folder_fd)
    try:
        with os.fdopen(file_fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file_fd)
    except OSError:
        os.unlink(name, dir_fd=folder_fd)
        raise
    return name


@contextlib.contextmanager
def _opened_folder(path: Path) -> Iterator[int]:
    folder_fd = os.open(path, _OPEN_FOLDER)
    try:
        yield folder_fd
    finally:
        os.close(folder_fd)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
