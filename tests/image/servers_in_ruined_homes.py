"""Runs inside a user container: starts the image's command in homes that people broke.

Prints one line of JSON: for each ruin, whether the server answers, its pages, what it says, and
whether a file can be deleted and a kernel and a terminal be started.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from server_of_the_image import Server, execute_request

HOMES = Path.home()
FULL = Path("/full")
FOLDERS = (".local", ".jupyter", ".ipython", ".config", ".cache")


def each(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def ruin(home: Path) -> None:
        for name in FOLDERS:
            make(home / name)

    return ruin


def closed(path: Path) -> None:
    path.mkdir()
    (path / "share/jupyter/kernels").mkdir(parents=True)
    path.chmod(0)


def fill(home: Path) -> None:
    """Write until nothing more goes in, with the folders of earlier days there or not."""
    for name in (".ipython/profile_default", ".jupyter/lab/user-settings", ".local/share/jupyter"):
        (home / name).mkdir(parents=True)
    with contextlib.suppress(OSError), (home / "big").open("wb") as file:
        while True:
            file.write(b"x" * 2**16)
            file.flush()


RUINS: dict[str, Callable[[Path], object]] = {
    "full": fill,
    "files": each(Path.touch),
    "links to nowhere": each(lambda path: path.symlink_to("/nowhere/at/all")),
    "links to themselves": each(lambda path: path.symlink_to(path.name)),
    "links to /etc": each(lambda path: path.symlink_to("/etc")),
    "pipes": each(os.mkfifo),
    "closed folders": each(closed),
    "a closed home": lambda home: home.chmod(0),
    "a home without writing": lambda home: home.chmod(0o500),
}


def main() -> None:
    reports = {}
    for number, (name, ruin) in enumerate(RUINS.items()):
        home = FULL if name == "full" else HOMES / str(number)
        home.mkdir(exist_ok=True)
        ruin(home)
        server = Server(home, port=9000 + number)
        server.wait()
        reports[name] = look(server)
        server.stop()
    print(json.dumps(reports))


def look(server: Server) -> dict[str, Any]:
    settings = "/lab/api/settings/@jupyterlab/apputils-extension:themes"
    report: dict[str, Any] = {
        "answers": [server.ask("GET", path)[0] for path in ("/api", "/lab", "/api/kernelspecs")],
        "settings": server.ask("PUT", settings, {"raw": "{}"})[0],
        "log": server.log(),
    }
    if server.process.poll() is None:
        report["terminal"] = asyncio.run(terminal(server))
        report["kernel"] = asyncio.run(kernel(server))
        report["deleted"] = server.ask("DELETE", "/api/contents/big")[0]
    return report


async def terminal(server: Server) -> str:
    """Return what a terminal shows once a command has run in it, or in a minute."""
    status, text = await asyncio.to_thread(server.ask, "POST", "/api/terminals")
    if status != 200:
        return text
    name = json.loads(text)["name"]
    socket = await server.connect(f"/terminals/websocket/{name}")
    await socket.write_message(json.dumps(["stdin", "echo A$((40 + 2))B\r"]))
    shown, deadline = "", time.monotonic() + 60
    while "A42B" not in shown and time.monotonic() < deadline:
        message = await socket.read_message()
        if message is None:
            return shown + "(closed)"
        kind, *content = json.loads(message)
        shown += content[0] if kind == "stdout" else ""
    return shown


async def kernel(server: Server) -> str:
    """Return what a kernel prints for a sum, or what went wrong."""
    status, text = await asyncio.to_thread(server.ask, "POST", "/api/kernels", {})
    if status != 201:
        return text
    socket = await server.connect(f"/api/kernels/{json.loads(text)['id']}/channels")
    request = execute_request("print(40 + 2)")
    await socket.write_message(json.dumps(request))
    while answer := await asyncio.wait_for(socket.read_message(), 60):
        said = json.loads(answer)
        ours = said["parent_header"].get("msg_id") == request["header"]["msg_id"]
        if ours and said["msg_type"] == "stream":
            return str(said["content"]["text"])
    return "(closed)"


if __name__ == "__main__":
    sys.exit(main())
