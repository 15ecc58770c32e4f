"""A real HTTP server on loopback that serves ranges, as storage does, and breaks on wish."""

from __future__ import annotations

import http.server
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Storage:
    """What is served, how badly, and what was asked."""

    content: bytes
    etag: str = '"edition-1"'
    status: int = 200
    redirect: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    break_after: list[int] = field(default_factory=list)
    """Bytes after which an answer's connection is cut, one for each of the next answers."""
    delay: float = 0.0
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serve(storage: Storage) -> Iterator[Storage]:
    """Serve ``storage`` while the block runs; its ``url`` has no path."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            storage.asked.append({"path": self.path, **dict(self.headers)})
            self.close_connection = True
            if storage.redirect:
                self._head(302, {"Location": storage.redirect, "Content-Length": "0"})
            elif storage.status != 200:
                self._head(storage.status, {"Content-Length": "0"})
            else:
                self._body(*self._wished())

        def _wished(self) -> tuple[int, int]:
            match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            if not match or self.headers.get("If-Range", storage.etag) != storage.etag:
                return 200, 0
            start = int(match[1])
            return (206, start) if start < len(storage.content) else (416, 0)

        def _body(self, status: int, start: int) -> None:
            body = b"" if status == 416 else storage.content[start:]
            sent = {"Content-Length": str(len(body)), "ETag": storage.etag, **storage.headers}
            self._head(status, sent)
            cut = storage.break_after.pop(0) if storage.break_after else len(body)
            for begin in range(0, min(cut, len(body)), 65536):
                self.wfile.write(body[begin : min(begin + 65536, cut)])
                self.wfile.flush()
                time.sleep(storage.delay)

        def _head(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *args: object) -> None:
            """Say nothing of clients that go away: some tests are about that."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    storage.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield storage
    finally:
        server.shutdown()
        server.server_close()
