"""The engine itself, over its socket: what it counts of a container, which no command prints."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

SOCKET = "/var/run/docker.sock"


class Engine(http.client.HTTPConnection):
    """A connection to the engine itself."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


def call(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> Any:
    headers = {"Content-Type": "application/json"} if body else {}
    raw = json.dumps(body) if body else None
    connection.request(method, f"/v1.44{path}", raw, headers)
    response = connection.getresponse()
    answer = response.read()
    assert response.status < 300, answer
    return json.loads(answer) if answer else None


@dataclass(frozen=True)
class Usage:
    """What a container's cgroup says now."""

    cpu_s: float
    """CPU seconds since its start, of all its processes."""
    working_set_mb: float
    """As `docker stats` counts memory: without pages that the kernel drops first."""
    anon_mb: float
    """Memory of its processes alone: no file's pages, which others may share."""


def usage_of(container: str) -> Usage:
    """Return what ``container`` uses, by its name or number."""
    connection = Engine("docker")
    try:
        path = f"/containers/{container}/stats?stream=false&one-shot=true"
        return parse_stats(call(connection, "GET", path))
    finally:
        connection.close()


def parse_stats(stats: dict[str, Any]) -> Usage:
    """Read the engine's answer, whose memory fields are the kernel's: cgroup v1's or v2's."""
    memory = stats["memory_stats"]
    pages = memory["stats"]
    is_v1 = "total_inactive_file" in pages
    inactive = pages["total_inactive_file" if is_v1 else "inactive_file"]
    anon = pages["total_rss" if is_v1 else "anon"]
    return Usage(
        cpu_s=stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9,
        working_set_mb=(memory["usage"] - inactive) / 1e6,
        anon_mb=anon / 1e6,
    )


def machine_cpu_s(proc_stat: str, ticks: int) -> float:
    """Return the CPU seconds that everything on this machine took, from /proc/stat's text."""
    user, nice, system, _idle, _iowait, irq, softirq = proc_stat.split("\n", 1)[0].split()[1:8]
    return sum(map(int, (user, nice, system, irq, softirq))) / ticks
