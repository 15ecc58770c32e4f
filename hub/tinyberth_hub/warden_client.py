"""What the hub asks the warden besides DockerSpawner's calls, over its unix socket."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from .settings import WARDEN_SOCKET
from .unix_http import UnreachableError, request_json

WARDEN_WAIT_SECONDS = 20.0
"""How long a warden that restarts is waited for; its restart takes one or two."""

NOT_ANSWERING = (
    "The part of Tinyberth that starts containers does not answer; please try again in a minute. "
    "For the admin: docker compose logs warden."
)


@dataclass(frozen=True)
class WardenClient:
    """Ask the warden about containers."""

    socket: Path = WARDEN_SOCKET

    async def is_paused(self, container: str, timeout: float) -> bool | None:
        """Tell whether a container is there and paused; None if the warden cannot say."""
        path = f"/containers/{quote(container, safe='')}/json"
        try:
            status, answer = await request_json(self.socket, "GET", path, timeout=timeout)
        except UnreachableError:
            return None
        if status == 200 and isinstance(answer, dict):
            return bool(answer["State"].get("Paused"))
        return False if status == 404 else None

    async def memory(self, container: str, timeout: float) -> tuple[int, int | None] | None:
        """Return the memory in use and the limit of a container, in bytes; None if not known."""
        path = f"/containers/{quote(container, safe='')}/stats?stream=false&one-shot=true"
        try:
            status, answer = await request_json(self.socket, "GET", path, timeout=timeout)
        except UnreachableError:
            return None
        stats = answer.get("memory_stats") if status == 200 and isinstance(answer, dict) else None
        if not stats or "usage" not in stats:
            return None
        # As `docker stats` counts: pages that the kernel drops first are not in use.
        # The field has one name with cgroup v2 and another with v1.
        pages = stats.get("stats", {})
        inactive = pages.get("inactive_file", pages.get("total_inactive_file", 0))
        return stats["usage"] - inactive, stats.get("limit")
