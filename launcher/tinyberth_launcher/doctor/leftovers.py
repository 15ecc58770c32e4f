"""What a killed run leaves lying: unfinished copies, containers that ended, temporary folders."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .finding import Finding, Fix, fault, fine, note
from .patient import Patient

_OLD = 600.0
"""Seconds; what is younger may still be at work."""
_DAY = 86400.0
_TEMPORARY = Path("/var/tmp")  # noqa: S108 - where base.py makes the base image


def look(patient: Patient) -> list[Finding]:
    data = patient.checkout.host_data_dir
    now = time.time()
    found = [
        *judge_unfinished(
            [path for shelf in ("datasets", "presets") for path in _children(data / shelf)], now
        ),
        *judge_temporary(_TEMPORARY.glob("tinyberth-base-*"), now),
    ]
    if patient.engine_version:
        found += judge_containers(patient.user_containers, now)
    return found or [fine("none")]


def _children(shelf: Path) -> list[Path]:
    try:
        return sorted((shelf / ".unfinished").iterdir())
    except OSError:  # there is none, or it is the admin's alone
        return []


def judge_unfinished(paths: Collection[Path], now: float) -> list[Finding]:
    """Name copies and downloads that were broken off."""
    return [
        note(
            "unfinished_copy",
            f"{path.parent.parent.name}/{path.name} was not finished.",
            why="A `dataset` or `preset` command was interrupted. Nobody sees it.",
            remedy=f"The same command goes on where it stopped. Or: sudo rm -r {path}",
        )
        for path in paths
        if now - path.stat().st_mtime > _OLD
    ]


def judge_temporary(paths: Any, now: float) -> list[Finding]:
    return [
        note(
            "temporary",
            f"{path} was left by a run of ./tinyberth up.",
            why="It was killed while it made the base image.",
            remedy=f"sudo rm -r {path}",
        )
        for path in sorted(paths)
        if now - path.stat().st_mtime > _DAY
    ]


def judge_containers(containers: Collection[Mapping[str, Any]], now: float) -> list[Finding]:
    """Name people's containers that ended and were not removed; parked ones are paused."""
    found = []
    for one in containers:
        name, state = str(one["Name"]).lstrip("/"), one["State"]
        ended = state["Status"] in {"created", "exited", "dead"}
        since = max(_moment(one["Created"]), _moment(state.get("FinishedAt", "")))
        if ended and now - since > _OLD:
            found.append(
                fault(
                    "container_left",
                    f"the container {name} is {state['Status']} and was not removed.",
                    why="The hub or the engine was killed just then. It takes disk; the person's "
                    "next start removes it.",
                    remedy=f"docker rm {name}",
                    fix=Fix("removes it; files are in the home", (("docker", "rm", name),)),
                )
            )
    return found


def _moment(text: str) -> float:
    """Return a time of the engine's; 0 where there is none (it writes the year 1)."""
    if not text or text.startswith("0001"):
        return 0.0
    whole = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    return whole.replace(tzinfo=timezone.utc).timestamp()
