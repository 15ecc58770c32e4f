"""Runs inside a user container: starts the image's command in homes full of traps.

Prints one line of JSON with what happened, in a home whose traps lie in it, in one whose folders
are links to elsewhere, and, as the control, with JupyterHub's own program in both.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from server_of_the_image import OURS, STOCK, STOCK_ISOLATED, Server

HOME = Path.home()
ELSEWHERE = Path("/tmp/elsewhere")
TRAP = "open({!r}, 'a').write({!r} + '\\n')\n"
LAB_CONFIG = {"disabledExtensions": {"@jupyterlab/terminal-extension": True}}


def lay_traps(home: Path) -> None:
    site = home / f".local/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    traps = {
        site / "usercustomize.py": "usercustomize",
        site / "jupyterlab.py": "user site-packages",
        home / ".jupyter/jupyter_server_config.py": "~/.jupyter",
        home / ".jupyter/jupyter_config.py": "~/.jupyter base",
        home / "tornado.py": "working directory",
        home / "jupyter_server_config.py": "configuration in the working directory",
    }
    for path, name in traps.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TRAP.format(str(home / "trapped"), name))
    program = home / ".local/bin/git"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho git >> {home}/trapped\n")
    program.chmod(0o755)
    share = home / ".local/share/jupyter"
    kernel = {"argv": ["x"], "display_name": "x", "language": "python"}
    extension = {"name": "trap", "version": "1.0.0", "jupyterlab": {"_build": {"load": "x.js"}}}
    for path, content in [
        (share / "kernels/of-my-own/kernel.json", kernel),
        (share / "labextensions/trap/package.json", extension),
        (home / ".jupyter/labconfig/page_config.json", LAB_CONFIG),
        (home / ".jupyter/jupyter_server_config.d/trap.json",
         {"ServerApp": {"jpserver_extensions": {"trap": True}}}),
    ]:  # fmt: skip
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content))


def move_elsewhere(home: Path) -> None:
    """Replace the folders that Jupyter looks into by links, as who keeps them in /teams does."""
    ELSEWHERE.mkdir()
    for name in (".jupyter", ".local"):
        shutil.move(home / name, ELSEWHERE / name)
        (home / name).symlink_to(ELSEWHERE / name)


def page_config(server: Server) -> dict[str, Any]:
    """Return what the server tells JupyterLab's page."""
    page = server.ask("GET", "/lab")[1]
    found = re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1]) if found else {}


def code_that_ran(home: Path) -> list[str]:
    trapped = home / "trapped"
    return trapped.read_text().splitlines() if trapped.exists() else []


def look(server: Server, home: Path) -> dict[str, Any]:
    """Return what the image's server is like in that home."""
    seconds = server.wait()
    proc = Path(f"/proc/{server.process.pid}")
    mask = next(line for line in (proc / "status").read_text().splitlines() if "Umask" in line)
    kernels = json.loads(server.ask("GET", "/api/kernelspecs")[1] or "{}").get("kernelspecs", {})
    page = page_config(server)
    return {
        "status": server.ask("GET", "/api")[0],
        "seconds": seconds,
        "code_that_ran": code_that_ran(home),
        "log": server.log(),
        "delivered": sorted(path.name for path in (home / "notebooks").glob("*.ipynb")),
        "git_name": (home / ".gitconfig").read_text().split('name = "')[1].split('"')[0],
        "umask": mask.split()[1],
        "kernels": list(kernels),
        "pages": {
            path: server.ask("GET", path)[0] for path in ("/lab", "/tree", "/lab/api/extensions")
        },
        "memory": json.loads(server.ask("GET", "/api/metrics/v1")[1] or "{}"),
        "extensions": [one["name"] for one in page["federated_extensions"]],
        "disabled": page.get("disabledExtensions", []),
        "news": page["news"],
        "extension_manager": page["extensionManager"],
        "process": (proc / "cmdline").read_bytes().decode().replace("\0", " ").strip(),
    }


def run(home: Path, command: tuple[str, ...], **variables: str) -> dict[str, Any]:
    server = Server(home, command, PYTHONPATH=str(home), **variables)
    report = look(server, home) if command == OURS else {"seconds": server.wait()}
    if server.process.poll() is None:
        server.stop()
    return {**report, "code_that_ran": code_that_ran(home)}


def main() -> None:
    here, linked = HOME / "here", HOME / "linked"
    for home in (here, linked):
        home.mkdir()
        lay_traps(home)
    move_elsewhere(linked)
    report = {"here": run(here, OURS), "linked": run(linked, OURS)}
    report["stock"] = run(here, STOCK)
    report["switch"] = run(linked, STOCK_ISOLATED, JUPYTERHUB_DISABLE_USER_CONFIG="1")
    print(json.dumps(report))


if __name__ == "__main__":
    main()
