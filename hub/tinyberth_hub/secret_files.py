"""Secrets that are generated once and then read: 0600, never printed."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path


def ensure_secret(path: Path) -> str:
    """Return the secret in ``path``, 64 hexadecimal digits, making it on first use.

    The file appears whole or not at all: written under another name, then linked. A second
    process that comes at the same time reads what the first one made.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass  # the other process was first; its secret is the one
    finally:
        Path(fresh).unlink()
    return _read(path)


def _read(path: Path) -> str:
    secret = path.read_text(encoding="ascii").strip()
    if len(secret) < 64:
        raise ValueError(
            f"{path} does not hold a secret of Tinyberth (64 hexadecimal digits). Remove the "
            "file to have a new one made, or restore the volume hub-state from a backup."
        )
    return secret
