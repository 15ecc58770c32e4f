"""A deployment of a benchmark's own: its project, port, bridge and data; nothing of it stays."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "launcher"), str(ROOT / "common")]

from tinyberth_common.settings import SCHEMA  # noqa: E402 - after the path
from tinyberth_launcher.testing_traces import remove_traces  # noqa: E402 - after the path

_OF_THE_MACHINE = {"BASE_IMAGE", "HOST_CA_BUNDLE"}
"""Settings that are the machine's and not the deployment's: they stay as they are."""

_CPU_USED = "cat /sys/fs/cgroup/cpu.stat || cat /sys/fs/cgroup/cpuacct/cpuacct.usage"
"""In microseconds after a word (control groups 2), or in nanoseconds (1)."""


@dataclass(frozen=True)
class OwnDeployment:
    """A deployment that `./tinyberth up` started."""

    project: str
    port: int
    admin_link: str
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://hub.localhost:{self.port}"

    def in_service(self, name: str, *command: str) -> str:
        """Return what ``command`` prints in the container of a service."""
        inside = ["docker", "exec", f"{self.project}-{name}-1", *command]
        return subprocess.run(inside, check=True, capture_output=True, text=True).stdout

    def cpu_seconds(self, *services: str) -> float:
        """Return the seconds of processor that these services have used since they started."""
        asked = ("sh", "-c", _CPU_USED)
        return sum(cpu_seconds_in(self.in_service(name, *asked)) for name in services)


@contextlib.contextmanager
def own_deployment(bench: str, **settings: str) -> Iterator[OwnDeployment]:
    """Start a deployment; remove it with its data, also after Ctrl-C or a kill.

    ``bench`` is a short word, and becomes a part of every name. ``settings`` are as in .env,
    which is not asked: a benchmark measures what is shipped.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    project = f"tb{bench}-{secrets.token_hex(3)}"
    host_work = Path(tempfile.mkdtemp(prefix="tinyberth-bench-", dir="/var/tmp"))
    try:
        host_work.chmod(0o755)  # as /srv would be: homes below it protect themselves
        for tracked in (".tinyberth-data", "README.md", "datasets/disaster-tweets/sample.csv"):
            (host_work / "data" / tracked).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / "data" / tracked, host_work / "data" / tracked)
        port = free_port()
        environment = {
            **os.environ,
            **{setting.name: "" for setting in SCHEMA if setting.name not in _OF_THE_MACHINE},
            "COMPOSE_PROJECT_NAME": project,
            "PORT": str(port),
            "DATA_DIR": str(host_work / "data"),
            "BRIDGE_NAME": "tb" + project.rpartition("-")[2],
            **settings,
        }
        up = [str(ROOT / "tinyberth"), "up", "--yes"]
        done = subprocess.run(up, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        link = re.search(r"https?://\S+/hub/welcome#\S+", done.stdout)
        assert link, f"no one-time link in:\n{done.stdout}"
        yield OwnDeployment(project, port, link[0], environment)
    finally:
        print("Removing the deployment …", file=sys.stderr)
        remove_traces(project, host_work, f"{project}-ledger:0.1.0")


def cpu_seconds_in(said: str) -> float:
    """Return the seconds that control groups of either kind tell."""
    first, *rest = said.split()
    return int(rest[0]) / 1e6 if rest else int(first) / 1e9


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
