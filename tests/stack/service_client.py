"""Talk to a service's socket as the hub does: as uid 10001, which the socket checks."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

HUB_UID = HUB_GID = 10001
_one_at_a_time = threading.Lock()


def connect_as(path: Path, uid: int) -> socket.socket:
    """Connect to a unix socket with another effective uid: what SO_PEERCRED tells.

    With the hub's group, which the socket's mode lets in, so that the uid alone decides; through a
    descriptor of the folder, so that it needs no way to it.
    """
    connection = socket.socket(socket.AF_UNIX)
    with _one_at_a_time:  # the effective uid is the whole process's
        folder_fd = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            os.setegid(HUB_GID)
            os.seteuid(uid)
            connection.connect(f"/proc/self/fd/{folder_fd}/{path.name}")
        except OSError:
            connection.close()
            raise
        finally:
            os.seteuid(0)
            os.setegid(0)
            os.close(folder_fd)
    connection.settimeout(60)  # not before: with one, connect(2) does not wait for its turn
    return connection


class ServiceClient:
    """Requests to one service, each on a connection of its own."""

    def __init__(self, path: Path, uid: int = HUB_UID) -> None:
        self.path = path
        self.uid = uid

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Return status and answer; a body that is not bytes is sent as JSON."""
        connection = ServiceConnection(self.path, self.uid)
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if raw is not None:
            headers = {"Content-Type": "application/json"} | headers
        try:
            connection.request(method, path, body=raw, headers=headers)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        is_json = answer and response.headers.get_content_type() == "application/json"
        return response.status, json.loads(answer) if is_json else answer

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer of a call that must succeed."""
        status, answer = self.call(method, path, body)
        assert status < 300, (method, path, status, answer)
        return answer


class ServiceConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, uid: int) -> None:
        super().__init__("service", timeout=60)
        self._path, self._uid = path, uid

    def connect(self) -> None:
        self.sock = connect_as(self._path, self._uid)

    def _validate_path(self, url: str) -> None:
        """Send any path: the nasty ones are what is tested."""
