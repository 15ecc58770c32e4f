"""Docker's engine, Compose and buildx: versions, kind, and the limits that the kernel gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..command import capture
from ..engine import compose_version, require_local_engine
from ..packages import MIN_COMPOSE, MIN_ENGINE, version_tuple
from ..problem import Problem
from .finding import Finding, fault, fine
from .patient import Patient

_MANUAL = "https://docs.docker.com/engine/install/"
_LIMITS = {
    "MemoryLimit": "MEM_LIMIT",
    "CpuCfsQuota": "CPU_LIMIT",
    "PidsLimit": "PIDS_LIMIT",
}


def look(patient: Patient) -> list[Finding]:
    if not patient.engine_version:
        return [_silent()]
    buildx = capture(["docker", "buildx", "version"], timeout=20)
    return [
        *versions(patient.engine_version, compose_version(), buildx.out if buildx.ok else ""),
        *kind(json.loads(capture(["docker", "info", "--format", "{{json .}}"]).out or "{}")),
        *after_a_reboot(_enabled()),
    ]


def _silent() -> Finding:
    what, why, remedy = "no engine answers on this machine.", "", "./tinyberth up starts it."
    try:
        require_local_engine()
    except Problem as problem:
        what, why, remedy = problem.what, problem.why, problem.remedy
    return fault(
        "engine_silent", what, why=why or "It is not installed, or not started.", remedy=remedy
    )


def versions(engine: str, compose: str, buildx: str) -> list[Finding]:
    """Judge three versions; empty where the program is not there."""
    found = []
    for key, name, version, least in (
        ("engine_old", "the engine", engine, MIN_ENGINE),
        ("compose_old", "Compose", compose, MIN_COMPOSE),
    ):
        if version_tuple(version) < least:
            found.append(
                fault(
                    key,
                    f"{name} is {version or 'not there'}; Tinyberth needs "
                    f"{'.'.join(map(str, least))} or newer.",
                    why="Older ones do not understand docker-compose.yml.",
                    remedy=f"Upgrade it: {_MANUAL}",
                )
            )
    if not buildx:
        found.append(
            fault(
                "buildx_missing",
                "buildx is not there.",
                why="Without it no image can be built.",
                remedy="./tinyberth up installs it, or its package docker-buildx does.",
            )
        )
    number = ".".join(map(str, version_tuple(buildx.partition(" ")[2])))
    return found or [fine(f"{engine}, Compose {compose}, buildx {number}")]


def kind(info: Mapping[str, Any]) -> list[Finding]:
    """Judge what `docker info` says: engines on which files' owners or limits do not hold."""
    options = [word for item in info.get("SecurityOptions") or [] for word in item.split(",")]
    found = [
        fault(
            "engine_kind",
            f"the engine runs with {option}.",
            why="Uids in a container are others on the host, so people's files get other owners.",
            remedy="Use an engine that runs as root without user namespaces.",
        )
        for option in ("rootless", "userns")
        if f"name={option}" in options
    ]
    if "Docker Desktop" in str(info.get("OperatingSystem")):
        found.append(
            fault(
                "engine_kind",
                "the engine is Docker Desktop's.",
                why="It runs in a machine of its own, where this host's owners do not count.",
                remedy="Run Tinyberth on a Linux server, and open it from here with `ssh -L`.",
            )
        )
    lost = [setting for field, setting in _LIMITS.items() if info.get(field) is False]
    if lost:
        found.append(
            fault(
                "limits_lost",
                f"the kernel does not keep {', '.join(lost)}.",
                why="Its control groups lack them, so one server can take all of the machine.",
                remedy="Boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1).",
            )
        )
    return found


def after_a_reboot(enabled: str) -> list[Finding]:
    """Judge `systemctl is-enabled docker`; empty where there is no systemd to ask."""
    if enabled not in {"disabled", "masked"}:
        return []
    return [
        fault(
            "engine_not_enabled",
            f"systemd has docker.service {enabled}.",
            why="Nothing comes back after a reboot.",
            remedy="sudo systemctl enable docker",
        )
    ]


def _enabled() -> str:
    if not Path("/run/systemd/system").is_dir():  # sd_booted(3)
        return ""
    socket = capture(["systemctl", "is-enabled", "docker.socket"], timeout=20).out.strip()
    service = capture(["systemctl", "is-enabled", "docker.service"], timeout=20).out.strip()
    # By the socket alone it would start when somebody asks it, and after a reboot nobody does.
    return service if service or not socket else ""
