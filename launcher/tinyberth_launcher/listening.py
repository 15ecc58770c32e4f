"""Where the proxy listens: a port of 127.0.0.1, or a unix socket in a folder of the host.

Whoever may enter that folder may connect: its owner is the proxy, its group and mode are the
admin's to choose.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
from pathlib import Path

from tinyberth_common.settings import Settings, load

from .checkout import Checkout
from .command import capture
from .steps import Step

PROXY_UID = 10002
"""Whom the proxy runs as: `user` of docker-compose.yml."""

_SOCKET = "hub.sock"


def host_listen_dir(checkout: Checkout, settings: Settings) -> Path:
    """Return the folder of the socket; the default lies in the checkout."""
    return checkout.root / settings.listen_dir


def host_socket(checkout: Checkout, settings: Settings) -> Path:
    """Return the path of the hub's socket, with LISTEN=unix."""
    return host_listen_dir(checkout, settings) / _SOCKET


def local_address(checkout: Checkout, settings: Settings) -> str:
    """Return where programs of this machine reach the hub, as nginx writes it."""
    if settings.listen == "unix":
        return f"http://unix:{host_socket(checkout, settings)}"
    return f"http://127.0.0.1:{settings.port}"


def ssh_line(checkout: Checkout, settings: Settings, login: str, host: str) -> str:
    """Return what to type on a laptop to reach the hub through ssh."""
    target = f"localhost:{settings.port}"
    if settings.listen == "unix":
        target = shlex.quote(str(host_socket(checkout, settings)))
    return f"ssh -L {settings.port}:{target} {login}@{host}"


def listen_problems(checkout: Checkout, settings: Settings) -> list[str]:
    """Return what keeps the proxy from listening: another program, or the folder's owner."""
    if settings.listen == "unix":
        return _folder_problems(host_listen_dir(checkout, settings))
    if can_bind(settings.port) or settings.port == _port_of_own_proxy(checkout):
        return []
    return [
        f"PORT={settings.port} is in use on 127.0.0.1 by another program "
        f"(`ss -ltnp 'sport = :{settings.port}'` as root names it): stop it, or set another PORT."
    ]


def _folder_problems(host_folder: Path) -> list[str]:
    if not host_folder.exists():
        if os.geteuid() == 0:
            return []  # `ensure_listen_dir` makes it
        return [
            f"LISTEN_DIR: there is no folder {host_folder}. Make it: {make_command(host_folder)}"
        ]
    if not host_folder.is_dir():
        return [f"LISTEN_DIR={host_folder} is not a folder: name another, or remove it."]
    owner = host_folder.stat().st_uid
    if owner == PROXY_UID:
        return []
    return [
        f"LISTEN_DIR={host_folder} belongs to uid {owner}, and the proxy is uid {PROXY_UID}: "
        f"if it is there for the socket alone, {make_command(host_folder)}"
    ]


def make_command(host_folder: Path) -> str:
    """Return the command that makes the folder, open to whoever runs it and the own group."""
    folder = shlex.quote(str(host_folder))
    return f"sudo install -d -o {PROXY_UID} -g $(id -gn) -m 0750 {folder}"


def ensure_listen_dir(step: Step, checkout: Checkout, settings: Settings) -> None:
    """Make the folder where root runs us: for the group of the checkout, and nobody else."""
    host_folder = host_listen_dir(checkout, settings)
    if settings.listen != "unix" or host_folder.exists():
        return
    step.note(f"making {host_folder}")
    host_folder.mkdir(parents=True)
    host_folder.chmod(0o750)
    os.chown(host_folder, PROXY_UID, checkout.root.stat().st_gid)


def can_bind(port: int) -> bool:
    """Tell whether 127.0.0.1:``port`` is free, by binding it for a moment."""
    with socket.socket() as probe:
        # Without this a connection that was closed a moment ago would look like a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _port_of_own_proxy(checkout: Checkout) -> int | None:
    """Return the port that the running proxy of this deployment listens on."""
    ours = f"label=com.docker.compose.project={checkout.project}"
    proxies = "label=com.docker.compose.service=proxy"
    found = capture(["docker", "ps", "--quiet", "--filter", ours, "--filter", proxies], timeout=10)
    if not found.ok or not found.out.split():
        return None
    template = "{{range .Config.Env}}{{println .}}{{end}}"
    variables = capture(["docker", "inspect", "--format", template, found.out.split()[0]])
    match = re.search(r"^PORT=(\d*)$", variables.out, re.MULTILINE)
    if not match or re.search(r"^LISTEN=unix$", variables.out, re.MULTILINE):
        return None
    return int(match[1] or load({}).port)
