"""Tell Jupyter, and so the hub, that a server at work is active: an extension of jupyter_server.

Switched on in etc/jupyter/jupyter_server_config.py. No process of its own: a look at /proc now and
then, from the server's own loop.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from tornado.ioloop import PeriodicCallback

from .busy import Look, read_processes, why_busy

LOOK_SECONDS = 30.0
"""At most, between two looks."""


def look_interval(environment: Mapping[str, str]) -> float:
    """Return the seconds between looks: two for each report to the hub."""
    reports = environment.get("JUPYTERHUB_ACTIVITY_INTERVAL", "")
    seconds = int(reports) if reports.isdecimal() else 0
    return min(LOOK_SECONDS, seconds / 2) or LOOK_SECONDS


class Watcher:
    """Looks at the server, and notes in it when it was last at work."""

    def __init__(self, serverapp: Any) -> None:
        self._app = serverapp
        self._before: Look | None = None

    def look(self) -> None:
        manager = self._app.kernel_manager
        states = [manager.get_kernel(one).execution_state for one in manager.list_kernel_ids()]
        now = Look(time.monotonic(), os.getpid(), tuple(states), read_processes())
        why, self._before = why_busy(now, self._before), now
        if why:
            self._app.log.debug("Active, because %s", why)
            # jupyter_server's "place for extensions to register activity"
            times = self._app.web_app.settings["last_activity_times"]
            times["tinyberth_busy"] = datetime.now(timezone.utc)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(serverapp: Any) -> None:
    PeriodicCallback(Watcher(serverapp).look, look_interval(os.environ) * 1000).start()
