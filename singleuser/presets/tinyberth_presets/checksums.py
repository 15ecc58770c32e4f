"""Compare a folder of fetched files with the checksums that were recorded for it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

NOT_RECORDED = "revision-pinned, checksum not recorded"
VERIFIED = "revision-pinned, checksum verified"


class ChecksumError(Exception):
    """What was fetched is not what was recorded; the build must not go on."""


def sha256_of_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below ``folder`` by its relative path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def verify(found: Mapping[str, str], recorded: Mapping[str, str]) -> str:
    """Return how far ``found`` is verified.

    Raises
    ------
    ChecksumError
        If checksums are recorded and any file differs, is missing or is not among them.
    """
    if not recorded:
        return NOT_RECORDED
    wrong = sorted(name for name in {*found, *recorded} if found.get(name) != recorded.get(name))
    if wrong:
        raise ChecksumError(
            f"not as recorded in presets.json: {', '.join(wrong)}. If the change is meant, "
            "record the new checksums; if not, do not use this download."
        )
    return VERIFIED
