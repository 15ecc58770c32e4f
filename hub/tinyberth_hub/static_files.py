"""Our own scripts and styles, beside JupyterHub's.

JupyterHub serves one static folder, its own. Ours is served below an address that carries a hash
of its contents: modules import each other by relative addresses, so that all of them change
address together when one changes, and browsers may keep each for good.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tornado.web import RequestHandler, StaticFileHandler

STATIC_DIR = Path(__file__).parent / "static"


def content_hash(folder: Path) -> str:
    """Return 16 hexadecimal digits that change with any name or byte below ``folder``."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


STATIC_PATH = f"/tinyberth-static/{content_hash(STATIC_DIR)}"
"""Below the hub's own prefix."""


class OurStaticHandler(StaticFileHandler):
    """Serves files that never change at their address."""

    def initialize(self, *_: Any, **__: Any) -> None:
        super().initialize(str(STATIC_DIR))

    def set_extra_headers(self, path: str) -> None:  # noqa: ARG002 - tornado's signature
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.set_header("X-Content-Type-Options", "nosniff")


static_handlers: list[tuple[str, type[RequestHandler]]] = [
    (f"{STATIC_PATH}/(.*)", OurStaticHandler),
]
