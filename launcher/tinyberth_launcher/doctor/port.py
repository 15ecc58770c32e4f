"""Who listens where people come in: read from the kernel's table, for our own port alone."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tinyberth_common.settings import Settings

from ..listening import PROXY_UID, host_socket, listen_problems
from .finding import Finding, fault, fine
from .patient import Patient

_LISTENS = "0A"
"""TCP_LISTEN of the kernel's tcp_states.h, as /proc/net/tcp writes it."""


@dataclass(frozen=True)
class Listener:
    """A listening socket: its address, and the uid of the process that made it."""

    address: str
    uid: int


def look(patient: Patient) -> list[Finding]:
    settings = patient.settings
    assert settings  # the topic needs them
    proxy_runs = bool(patient.engine_version) and patient.is_running("proxy")
    if settings.listen == "unix":
        return judge_socket(patient, settings, proxy_runs=proxy_runs)
    tables = [Path("/proc/net", name) for name in ("tcp", "tcp6")]
    texts = [table.read_text(encoding="ascii") for table in tables if table.exists()]
    found = [one for text in texts for one in listeners(text, settings.port)]
    if not patient.engine_version:
        # Nobody says whether the proxy runs; what has its uid there is taken for it.
        proxy_runs = any(one.uid == PROXY_UID for one in found)
    return judge_port(settings.port, found, proxy_runs=proxy_runs)


def listeners(table: str, port: int) -> list[Listener]:
    """Return who listens on ``port``, from the text of /proc/net/tcp or tcp6 (proc(5))."""
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        address, _, number = fields[1].partition(":")
        if fields[3] == _LISTENS and int(number, 16) == port:
            found.append(Listener(_address(address), int(fields[7])))
    return found


def _address(text: str) -> str:
    """Return an address of that table: 32-bit words in the machine's own byte order."""
    words = [int(text[i : i + 8], 16) for i in range(0, len(text), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    return socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, packed)


def judge_port(port: int, found: Iterable[Listener], *, proxy_runs: bool) -> list[Finding]:
    """Judge who listens; only a program of the proxy's uid can be the proxy."""
    ours = [one for one in found if proxy_runs and one.uid == PROXY_UID]
    others = [one for one in found if one not in ours]
    if others:
        who = ", ".join(f"{one.address} by uid {one.uid}" for one in others)
        return [
            fault(
                "port_taken",
                f"PORT={port} is in use by another program (on {who}).",
                why="People who open the hub's address may reach that program instead.",
                remedy=f"`sudo ss -ltnp 'sport = :{port}'` names it: stop it, or set another PORT "
                "and run ./tinyberth up.",
            )
        ]
    wide = [one.address for one in ours if one.address != "127.0.0.1"]
    if wide:
        return [
            fault(
                "port_open",
                f"the proxy listens on {', '.join(wide)}, not on 127.0.0.1 alone.",
                why="Others on the network reach the hub, and nothing between is encrypted.",
                remedy="./tinyberth down, then ./tinyberth up; if it stays, report it.",
            )
        ]
    if proxy_runs and not ours:
        return [
            fault(
                "port_silent",
                f"the proxy runs, and nobody listens on 127.0.0.1:{port}.",
                why="It runs with another PORT, or it is still starting.",
                remedy="./tinyberth up, and `./tinyberth logs proxy` if that does not help.",
            )
        ]
    return [fine(f"{port} is ours" if ours else f"{port} is free")]


def judge_socket(patient: Patient, settings: Settings, *, proxy_runs: bool) -> list[Finding]:
    """Judge the folder and the socket of LISTEN=unix."""
    problems = listen_problems(patient.checkout, settings)
    if problems:
        return [
            fault(
                "listen_dir",
                problem,
                why="The proxy cannot make its socket there, so nobody comes in.",
                remedy="Do what the line says, then ./tinyberth up",
            )
            for problem in problems
        ]
    host_path = host_socket(patient.checkout, settings)
    if proxy_runs and not host_path.is_socket():
        return [
            fault(
                "port_silent",
                f"the proxy runs, and there is no socket {host_path}.",
                why="It runs with other settings, or somebody removed the socket.",
                remedy="docker compose restart proxy",
            )
        ]
    return [fine(f"{host_path} is ours" if proxy_runs else f"{host_path.parent} is ready")]
