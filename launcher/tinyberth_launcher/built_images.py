"""What each image was built from: written down by `up`, so that `doctor` can tell an older one.

A digest of every file that the builder is given, with the id of the image that came out. An
image's own date says nothing: where nothing changed, the builder gives an old one again, and a
checkout can bring older files. What somebody else built is not in the list: its id is another.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .checkout import Checkout
from .command import capture

FOLDERS = {
    "ledger": ("ledger", "common"),
    "warden": ("warden", "common"),
    "firewall": ("firewall", "common"),
    "proxy": ("proxy",),
    "hub": ("hub", "common"),
    "singleuser": ("singleuser", "notebooks"),
}
"""The folders that each image is built from: contexts in docker-compose.yml (a test compares)."""

_IGNORED = {"__pycache__", ".mypy_cache"}
"""As .dockerignore has it in each of them: not given to the builder."""


@dataclass(frozen=True)
class Source:
    """What an image is built from: a digest of it, and which file changed last, and when."""

    digest: str
    newest: str
    changed: float


def source_of(checkout: Checkout, image: str) -> Source:
    digest, newest, changed = hashlib.sha256(), "", 0.0
    digest.update((checkout.variables.get("BASE_IMAGE") or checkout.pinned_base).encode())
    for path in _files(checkout.root, FOLDERS[image]):
        name, found = str(path.relative_to(checkout.root)), path.lstat()
        content = bytes(path.readlink()) if path.is_symlink() else path.read_bytes()
        parts = (name, str(found.st_mode & 0o111), hashlib.sha256(content).hexdigest())
        digest.update("\0".join(parts).encode() + b"\n")
        if found.st_mtime > changed:
            newest, changed = name, found.st_mtime
    return Source(digest.hexdigest(), newest, changed)


def sources(checkout: Checkout) -> dict[str, str]:
    """Return the digests of what all images would be built from now."""
    return {image: source_of(checkout, image).digest for image in FOLDERS}


def record(checkout: Checkout, before: Mapping[str, str]) -> None:
    """Write down what was built just now, unless files changed since ``before`` it was begun."""
    names = {image: f"{checkout.project}-{image}:0.1.0" for image in FOLDERS}
    after, known = sources(checkout), _read(checkout)
    for image, name in names.items():
        found = capture(["docker", "image", "inspect", "--format", "{{.Id}}", name])
        known.pop(name, None)
        if found.ok and after[image] == before[image]:
            known[name] = {"id": found.out.strip(), "source": after[image]}
    with suppress(OSError):  # a checkout that cannot be written; `doctor` then goes by times
        _file(checkout).parent.mkdir(exist_ok=True)
        _file(checkout).write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def recorded_source(checkout: Checkout, name: str, image_id: str) -> str | None:
    """Return the digest of what the image ``name`` was built from, if `up` built just that one."""
    known = _read(checkout).get(name, {})
    return known.get("source") if known.get("id") == image_id else None


def _read(checkout: Checkout) -> dict[str, dict[str, str]]:
    try:
        known = json.loads(_file(checkout).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _file(checkout: Checkout) -> Path:
    return checkout.root / ".state" / "built-images.json"


def _files(root: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        for parent, below, names in os.walk(root / folder):
            below[:] = sorted(set(below) - _IGNORED)
            yield from (Path(parent, name) for name in sorted(names))
