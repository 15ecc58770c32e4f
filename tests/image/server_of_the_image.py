"""For scripts that run inside a user container: the server there, with a stand-in for the hub."""

from __future__ import annotations

import functools
import http.server
import json
import os
import queue
import socketserver
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

OURS = ("/opt/venv/bin/python", "-I", "-m", "tinyberth_start")
STOCK = ("/opt/venv/bin/python", "-m", "jupyterhub.singleuser")
"""JupyterHub's own program, not isolated: what a home can do to it shows that traps are real."""
STOCK_ISOLATED = ("/opt/venv/bin/python", "-I", "-m", "jupyterhub.singleuser")

ACTIVITY_REPORTS: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
"""What servers told the hub of when they were last active, as it came."""

_SOCKET = "/tmp/hub.sock"
_USER = {
    "name": "zora",
    "kind": "user",
    "admin": False,
    "groups": [],
    "version": "6.1.1",
    "scopes": ["access:servers!user=zora"],
}


class _Hub(http.server.BaseHTTPRequestHandler):
    """Answers every question with the user's own name."""

    def answer(self) -> None:
        said = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("/activity"):
            ACTIVITY_REPORTS.put(json.loads(said))
        body = json.dumps(_USER).encode()
        self.send_response(200)
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815 -- the names that http.server looks for

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *args: object) -> None:
        pass


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@functools.cache
def _hub_api() -> str:
    """Start the stand-in once and return the address of its API."""
    hub = _UnixServer(_SOCKET, _Hub)
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    return f"http+unix://{_SOCKET.replace('/', '%2F')}/hub/api"


class Server:
    """A server that was started in ``home``, and how to ask it."""

    def __init__(
        self, home: Path, command: tuple[str, ...] = OURS, port: int = 8888, **variables: str
    ) -> None:
        api = _hub_api()
        self.url = f"http://127.0.0.1:{port}/user/zora"
        self._log = Path(f"/tmp/log-{port}")
        environment = {
            **os.environ,
            "HOME": str(home),
            "JUPYTER_RUNTIME_DIR": f"/tmp/runtime-{port}",
            "JUPYTERHUB_USER": "zora",
            "JUPYTERHUB_API_TOKEN": "any",
            "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-zora",
            "JUPYTERHUB_API_URL": api,
            "JUPYTERHUB_ACTIVITY_URL": f"{api}/users/zora/activity",
            "JUPYTERHUB_SERVICE_URL": f"http://0.0.0.0:{port}/user/zora/",
            "JUPYTERHUB_SERVICE_PREFIX": "/user/zora/",
            "JUPYTERHUB_OAUTH_CALLBACK_URL": "/user/zora/oauth_callback",
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:servers!user=zora"]',
            "MEM_LIMIT": str(4 * 2**30),
            **variables,
        }
        self._started = time.monotonic()
        with self._log.open("w") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def wait(self, seconds: float = 60) -> float:
        """Return after how many seconds it answered, ended, or was no longer waited for."""
        while (waited := time.monotonic() - self._started) < seconds:
            if self.process.poll() is not None or self.ask("GET", "/api")[0] == 200:
                break
            time.sleep(0.05)
        return waited

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Return status and text; 0 where nobody answers."""
        headers = {"Authorization": "token any", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    async def connect(self, path: str) -> WebSocketClientConnection:
        url = self.url.replace("http:", "ws:") + path
        return await websocket_connect(HTTPRequest(url, headers={"Authorization": "token any"}))

    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> None:
        """End it as the engine does: by force where it does not end by itself in time."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)


def execute_request(code: str) -> dict[str, Any]:
    """Return the message to a kernel's websocket that runs ``code``."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": "s"}
    return {
        "header": {**header, "version": "5.3", "username": ""},
        "parent_header": {},
        "metadata": {},
        "content": {"code": code, "silent": False},
        "channel": "shell",
    }
