"""`tinyberth tunnel USER@HOST`: opens a server's hub on this machine, through ssh.

It needs ssh, and nothing of Tinyberth's but this file: no engine, no settings, no Linux.
"""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from .command import end
from .listening import can_bind
from .problem import OK, USAGE, Problem
from .tunnel_hints import hint_for_ssh

_ANSWER_SECONDS = 20
"""For the far end's first answer; a hub takes milliseconds, and the way there not many more."""


@dataclass(frozen=True)
class Tunnel:
    """One forward: from ``port`` of this machine to the hub of ``destination``.

    The port is the same at both ends, because the hub's own links name it. ``host_socket`` is the
    server's path of it where the hub listens on a unix socket (LISTEN=unix).
    """

    destination: str
    port: int
    host_socket: str = ""
    ssh_options: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        """What runs; the caller's own options stand first, since ssh takes the first of two."""
        target = self.host_socket or f"127.0.0.1:{self.port}"
        return [
            *("ssh", *self.ssh_options),
            "-N",  # no shell: a key that is for the tunnel alone has none
            *("-o", "ExitOnForwardFailure=yes"),  # no tunnel that looks open and is not
            *("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3"),  # dead in 45 s
            *("-L", f"127.0.0.1:{self.port}:{target}"),
            self.destination,
        ]


def open_tunnel(tunnel: Tunnel) -> int:
    """Run ssh until Ctrl-C or until it ends; say what to open once the hub answers.

    Raises
    ------
    Problem
        Where there is no tunnel, or none any more, with what ssh said and what it means.
    """
    _check(tunnel)
    said: deque[str] = deque(maxlen=20)
    try:
        child = subprocess.Popen(
            tunnel.command, stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
        )
    except FileNotFoundError:
        raise Problem(
            "There is no ssh on this machine.",
            why="The tunnel is ssh's, and the program was not found in PATH.",
            remedy="Install OpenSSH's client (Debian, Ubuntu: apt install openssh-client).",
        ) from None
    relay = threading.Thread(target=_relay, args=(child, said), daemon=True)
    relay.start()
    try:
        is_open = _announce(tunnel, child)
        if is_open:
            child.wait()
    except KeyboardInterrupt:
        print("\nThe tunnel is closed.", flush=True)
        return OK
    finally:
        end(child)
        relay.join(1)  # for ssh's last words
    if is_open and child.returncode == 0:
        return OK
    raise explain(tunnel, list(said))


def explain(tunnel: Tunnel, said: list[str]) -> Problem:
    """Return why there is no tunnel, or none any more, by what ssh said last."""
    why, remedy = hint_for_ssh(said, tunnel.destination, tunnel.port)
    return Problem(f"There is no tunnel to {tunnel.destination}.", why=why, remedy=remedy)


def _check(tunnel: Tunnel) -> None:
    if not re.fullmatch(r"[^\s-]\S*", tunnel.destination):
        raise Problem(
            f"{tunnel.destination[:80]!a} is not a server.",
            remedy="Write USER@HOST, or a Host of ~/.ssh/config; ssh's own options go behind --.",
            code=USAGE,
        )
    if not can_bind(tunnel.port):
        raise Problem(
            f"Port {tunnel.port} of this machine is in use, so no tunnel was opened.",
            why="Another program listens on it: perhaps a tunnel in another window, which is "
            f"open then (http://hub.localhost:{tunnel.port}), or a hub of this machine's own.",
            remedy="Close that one. The port cannot be another here than on the server, where "
            "it is PORT in .env: the hub's own links name it.",
        )


def _relay(child: subprocess.Popen[str], said: deque[str]) -> None:
    """Show what ssh says, and keep its last lines; it asks for passwords on the terminal."""
    assert child.stderr is not None
    with suppress(ValueError):  # closed, because the tunnel is
        for line in child.stderr:
            said.append(line.rstrip())
            print(line, end="", file=sys.stderr, flush=True)


def _announce(tunnel: Tunnel, child: subprocess.Popen[str]) -> bool:
    """Wait until ssh listens, however long a person types, and say which address to open.

    Returns whether a hub answers at the other end.
    """
    while (url := find_hub(tunnel.port)) is None:
        with suppress(subprocess.TimeoutExpired):
            child.wait(0.2)
            return False
    if url:
        print(f"The tunnel is open:  {url}\nCtrl-C closes it.", flush=True)
    return bool(url)


def find_hub(port: int) -> str | None:
    """Return the address that people open, as the hub itself names it.

    Asked by another of its names, a hub sends to the one that its pages are made for. None:
    nobody listens here (yet); an empty string: what answers is no hub.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/", headers={"Host": f"localhost:{port}"})
        location = connection.getresponse().getheader("Location", "")
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
    parts = urlsplit(location)
    if parts.scheme and parts.netloc:
        return f"{parts.scheme}://{parts.netloc}"
    return f"http://localhost:{port}" if parts.path.startswith("/hub") else ""
