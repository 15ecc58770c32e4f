"""Whether a user's server is at work although nobody looks at it.

Jupyter counts requests, a kernel's messages and a terminal's output. A training that prints
nothing for an hour has none of them, and must neither be parked nor stopped as idle (THREATS L4).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

BUSY_SHARE = 0.01
"""Of one CPU. An idle kernel takes a twentieth of that, a download some times as much."""
SLACK_SECONDS = 0.05
"""Of CPU time that no look counts: a few ticks of the kernel's clock, where looks are frequent."""

SHELLS = frozenset({"bash", "dash", "fish", "sh", "tcsh", "zsh"})

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One line of /proc, of it what matters here."""

    pid: int
    name: str
    state: str
    parent: int
    session: int
    terminal: int
    cpu_seconds: float
    """Its own, and of its children that have ended."""


@dataclass(frozen=True)
class Look:
    """What was found at one moment, in seconds of some clock."""

    at: float
    server: int
    kernels: tuple[str, ...]
    """Their execution states."""
    processes: tuple[Process, ...]


def why_busy(now: Look, before: Look | None) -> str | None:
    """Return what the server is at work on, None for nothing.

    A job in an open terminal counts for as long as it runs, asleep or not. What was detached from
    one (`nohup … &`, `setsid`) and what a kernel left behind counts while it takes CPU time.
    """
    if "busy" in now.kernels:
        return "a kernel is busy"
    if jobs := terminal_jobs(now):
        return f"{jobs[0].name!r} runs in a terminal"
    if before is None:
        return None
    used = _cpu_seconds(now) - _cpu_seconds(before)
    allowed = BUSY_SHARE * (now.at - before.at) + SLACK_SECONDS
    return f"processes took {used:.1f} s of CPU time" if used > allowed else None


def terminal_jobs(look: Look) -> list[Process]:
    """Return what runs in the server's terminals, apart from shells, which wait at their prompt.

    Only what descends from a terminal's first process: a `git credential-cache` that stays for
    an hour, or an ssh-agent, is nobody's job. Stopped ones (Ctrl-Z) do not run.
    """
    children: dict[int, list[Process]] = {}
    for process in look.processes:
        children.setdefault(process.parent, []).append(process)
    terminals = [
        process
        for process in children.get(look.server, [])
        if process.terminal and process.session == process.pid
    ]
    found: list[Process] = []
    while terminals:
        below = children.pop(terminals.pop().pid, [])
        terminals += below
        found += below
    return [one for one in found if one.name not in SHELLS and one.state not in "TtZX"]


def _cpu_seconds(look: Look) -> float:
    """Add up all processes but the server, which works when it is asked, and that is counted."""
    return sum(one.cpu_seconds for one in look.processes if one.pid != look.server)


def read_processes() -> tuple[Process, ...]:
    """Return all processes of this container."""
    return tuple(found for path in Path("/proc").glob("[0-9]*") if (found := _read(path)))


def _read(folder: Path) -> Process | None:
    try:
        return parse_stat((folder / "stat").read_text(encoding="utf-8", errors="replace"))
    except OSError:  # it has ended meanwhile
        return None


def parse_stat(text: str) -> Process:
    """Read one ``/proc/PID/stat``; the name in it may hold spaces and brackets (proc(5))."""
    pid, _, rest = text.partition(" (")
    name, _, rest = rest.rpartition(") ")
    fields = rest.split()
    state, parent, _group, session, terminal = fields[:5]
    ticks = sum(int(number) for number in fields[11:15])
    seconds = ticks / _TICKS_PER_SECOND
    return Process(int(pid), name, state, int(parent), int(session), int(terminal), seconds)
