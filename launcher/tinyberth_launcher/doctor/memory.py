"""The machine's memory, and what servers may take of it."""

from __future__ import annotations

import re
from pathlib import Path

from .finding import Finding, fault, fine, note
from .patient import Patient

_SCARCE = 0.05
"""Of all memory; below, the kernel is close to killing somebody's process."""


def look(patient: Patient) -> list[Finding]:
    assert patient.settings  # the topic needs them
    text = Path("/proc/meminfo").read_text(encoding="ascii")
    running = 0
    if patient.engine_version:
        running = sum(one["State"]["Running"] for one in patient.user_containers)
    return judge(meminfo(text), patient.settings.mem_limit, running)


def meminfo(text: str) -> dict[str, int]:
    """Return /proc/meminfo (proc(5)) in bytes."""
    return {m[1]: int(m[2]) * 1024 for m in re.finditer(r"^(\w+): +(\d+) kB$", text, re.MULTILINE)}


def judge(memory: dict[str, int], limit: int, running: int) -> list[Finding]:
    total, available = memory["MemTotal"], memory["MemAvailable"]
    found = []
    if available < total * _SCARCE:
        found.append(
            fault(
                "memory_scarce",
                f"{_gib(available)} of {_gib(total)} memory are available.",
                why="When it ends, the kernel kills processes, those of services too.",
                remedy="`./tinyberth user list` shows what servers use; stop some, or lower "
                "MEM_LIMIT.",
            )
        )
    if limit > total:
        found.append(
            fault(
                "memory_limit",
                f"MEM_LIMIT is {_gib(limit)}, and the machine has {_gib(total)}.",
                why="One person's server can take all of it, from everybody.",
                remedy="Set MEM_LIMIT below that in .env, then ./tinyberth up",
            )
        )
    if running and running * limit > total:
        found.append(
            note(
                "memory_promised",
                f"{running} servers may use {_gib(running * limit)} together; the machine has "
                f"{_gib(total)}.",
                why="That is fine while few of them use all of their limit at a time.",
            )
        )
    return found or [fine(f"{_gib(available)} of {_gib(total)} available")]


def _gib(number: int) -> str:
    return f"{number / 2**30:.1f} GiB"
