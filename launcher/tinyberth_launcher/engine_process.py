"""Starting an installed engine, and stopping one that we started.

With systemd it is systemd's; without (a container, a minimal VM) it is a `dockerd` of our
own in a session of its own, with a pid file and a log file.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from .command import capture
from .hints import hint_for
from .problem import Problem
from .steps import Step

_PID_FILE = Path("/var/run/docker.pid")  # dockerd's default, where other tools look, too
_CONTAINERD_PID_FILE = Path("/var/run/docker/containerd/containerd.pid")
_LOG_FILE = Path("/var/log/tinyberth-dockerd.log")
_STARTED_BY_US = Path("/var/run/tinyberth-engine")
"""Holds ``systemd`` or the pid of the dockerd that we started."""

_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_BINARIES = "/usr/local/sbin:/usr/sbin:/sbin"
"""Not in every account's PATH, but dockerd and its iptables are there."""


def find_dockerd() -> str | None:
    return shutil.which("dockerd", path=_path())


def _path() -> str:
    return os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin") + ":" + _BINARIES


def server_version() -> str:
    """Return the version of the engine that answers, or an empty string."""
    answer = capture(["docker", "version", "--format", "{{.Server.Version}}"], timeout=20)
    return answer.out.strip() if answer.ok else ""


def start_engine(step: Step, dockerd: str) -> None:
    """Start the installed engine and wait until it answers."""
    if Path("/run/systemd/system").is_dir():  # sd_booted(3)
        step.run(
            ["systemctl", "start", "docker"],
            failed="systemd could not start the engine",
            remedy="`journalctl -u docker -n 50` says why.",
        )
        _STARTED_BY_US.write_text("systemd", encoding="ascii")
        pid = 0
    else:
        pid = _running_dockerd() or _spawn(dockerd)
        _STARTED_BY_US.write_text(str(pid), encoding="ascii")
    _wait_until_it_answers(step, pid)


def _spawn(dockerd: str) -> int:
    """Start dockerd in a session of its own, so that our terminal's Ctrl-C is not its."""
    _remove_stale(_PID_FILE, "dockerd")
    # dockerd waits for the containerd of a pid file left by a crash, whoever has the pid now.
    _remove_stale(_CONTAINERD_PID_FILE, "containerd")
    with _LOG_FILE.open("ab") as log:
        child = subprocess.Popen(
            [dockerd, "--pidfile", str(_PID_FILE)],
            env={**os.environ, "PATH": _path()},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return child.pid


def _wait_until_it_answers(step: Step, pid: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    step.note("waiting for the engine to answer")
    while not server_version():
        died = pid and not _is_running(pid, "dockerd")
        if died or time.monotonic() > deadline:
            lines = _last_log_lines()
            meaning, advice = hint_for(lines)
            raise Problem(
                "The engine stopped while it was starting."
                if died
                else f"The engine did not answer within {_START_SECONDS:.0f} s.",
                why=meaning or f"The lines above are the last of {_LOG_FILE}.",
                remedy=advice or "Mend what they name, then run the same command again.",
                lines=lines,
            )
        time.sleep(0.2)  # the pace of a poll with a deadline


def _last_log_lines() -> list[str]:
    try:
        return _LOG_FILE.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
    except OSError:
        return []


def stop_own_engine(step: Step) -> None:
    """Stop the engine if it is one that we started; otherwise leave it alone."""
    try:
        started = _STARTED_BY_US.read_text(encoding="ascii").strip()
    except OSError:
        step.done("left alone: it was not started by Tinyberth")
        return
    if started == "systemd":
        # The socket first, or the next `docker` command would start it again.
        step.run(
            ["systemctl", "stop", "docker.socket", "docker.service"],
            failed="systemd could not stop the engine",
        )
    elif started.isdigit() and _is_running(int(started), "dockerd"):
        _stop(int(started))
    _STARTED_BY_US.unlink()
    step.done("stopped")


def _stop(pid: int) -> None:
    containerd = _read_pid(_CONTAINERD_PID_FILE)
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while _is_running(pid, "dockerd") or _is_running(containerd, "containerd"):
        if time.monotonic() > deadline:
            raise Problem(
                f"The engine (pid {pid}) did not stop within {_STOP_SECONDS:.0f} s.",
                why="It waits for containers that do not end.",
                remedy=f"See {_LOG_FILE}; `docker ps` names what still runs.",
            )
        _reap(pid)
        time.sleep(0.1)  # the pace of a poll with a deadline


def _reap(pid: int) -> None:
    """Collect a dockerd that is our own child, or it would stay as a zombie until we exit."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _running_dockerd() -> int:
    """Return the pid of a dockerd that runs but does not answer yet, or 0."""
    pid = _read_pid(_PID_FILE)
    return pid if _is_running(pid, "dockerd") else 0


def _read_pid(file: Path) -> int:
    try:
        return int(file.read_text(encoding="ascii").strip() or 0)
    except (OSError, ValueError):
        return 0


def _is_running(pid: int, name: str) -> bool:
    """Tell whether ``pid`` is a live process called ``name``: pids are used again."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return fields["Name"].strip() == name and not fields["State"].strip().startswith("Z")


def _remove_stale(file: Path, name: str) -> None:
    if file.exists() and not _is_running(_read_pid(file), name):
        file.unlink()
