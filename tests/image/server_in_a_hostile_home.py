"""Runs inside a user container: starts the image's command in a home full of traps.

Prints one line of JSON with what happened. The hub is a stand-in on a unix socket that answers
every question with the user's own name.
"""

from __future__ import annotations

import http.server
import json
import os
import re
import socketserver
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

HOME = Path.home()
SOCKET = "/tmp/hub.sock"
TRAP = "open(__import__('os').path.expanduser('~/trapped'), 'a').write({!r} + '\\n')\n"
USER = {"name": "zora", "kind": "user", "admin": False, "groups": [], "version": "6.1.1"}
USER["scopes"] = ["access:servers!user=zora"]


class Hub(http.server.BaseHTTPRequestHandler):
    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps(USER).encode()
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


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def lay_traps() -> None:
    site = HOME / f".local/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    traps = {
        site / "usercustomize.py": "usercustomize",
        site / "jupyterlab.py": "user site-packages",
        HOME / ".jupyter/jupyter_server_config.py": "~/.jupyter",
        HOME / ".jupyter/jupyter_config.py": "~/.jupyter base",
        HOME / "tornado.py": "working directory",
        HOME / "jupyter_server_config.py": "configuration in the working directory",
    }
    for path, name in traps.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TRAP.format(name))
    program = HOME / ".local/bin/git"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho git >> ~/trapped\n")
    program.chmod(0o755)
    kernel = HOME / ".local/share/jupyter/kernels/of-my-own/kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps({"argv": ["x"], "display_name": "x", "language": "python"}))


def get(path: str) -> tuple[int, str]:
    request = urllib.request.Request(
        f"http://127.0.0.1:8888/user/zora{path}", headers={"Authorization": "token any"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


def page_config() -> dict[str, Any]:
    """Return what the server tells JupyterLab's page."""
    found = re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', get("/lab")[1], re.DOTALL)
    return json.loads(found[1]) if found else {}


def main() -> None:
    lay_traps()
    hub = UnixServer(SOCKET, Hub)
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    api = f"http+unix://{SOCKET.replace('/', '%2F')}/hub/api"
    environment = {
        **os.environ,
        "PYTHONPATH": str(HOME),
        "JUPYTERHUB_USER": "zora",
        "JUPYTERHUB_API_TOKEN": "any",
        "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-zora",
        "JUPYTERHUB_API_URL": api,
        "JUPYTERHUB_ACTIVITY_URL": f"{api}/users/zora/activity",
        "JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:8888/user/zora/",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/zora/",
        "JUPYTERHUB_OAUTH_CALLBACK_URL": "/user/zora/oauth_callback",
        "MEM_LIMIT": str(4 * 2**30),
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:servers!user=zora"]',
    }
    command = ["/opt/venv/bin/python", "-I", "-m", "tinyberth_start"]
    started = time.monotonic()
    with Path("/tmp/log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    deadline = started + 60
    while get("/api")[0] != 200 and time.monotonic() < deadline and server.poll() is None:
        time.sleep(0.05)
    seconds = time.monotonic() - started
    status, _ = get("/api")
    kernels = json.loads(get("/api/kernelspecs")[1] or "{}").get("kernelspecs", {})
    proc = Path(f"/proc/{server.pid}")
    mask = next(line for line in (proc / "status").read_text().splitlines() if "Umask" in line)
    trapped = HOME / "trapped"
    report = {
        "status": status,
        "seconds": seconds,
        "code_that_ran": trapped.read_text().splitlines() if trapped.exists() else [],
        "log": Path("/tmp/log").read_text(),
        "delivered": sorted(path.name for path in (HOME / "notebooks").glob("*.ipynb")),
        "git_name": (HOME / ".gitconfig").read_text().split('name = "')[1].split('"')[0],
        "umask": mask.split()[1],
        "kernels": list(kernels),
        "pages": {path: get(path)[0] for path in ("/lab", "/tree", "/lab/api/extensions")},
        "memory": json.loads(get("/api/metrics/v1")[1] or "{}"),
        "extensions": [one["name"] for one in page_config()["federated_extensions"]],
        "news": page_config()["news"],
        "extension_manager": page_config()["extensionManager"],
        "process": (proc / "cmdline").read_bytes().decode().replace("\0", " ").strip(),
    }
    server.terminate()
    server.wait(30)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
