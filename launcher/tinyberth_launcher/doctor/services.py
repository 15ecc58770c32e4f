"""Whether the services run, are healthy, and stay up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .finding import Finding, Fix, fault, fine, note
from .patient import SERVICES, Patient


def look(patient: Patient) -> list[Finding]:
    if not set(SERVICES) & patient.containers.keys():
        return [
            fault(
                "down",
                "nothing of Tinyberth runs here.",
                why="`./tinyberth down` removed it, or it was never started.",
                remedy="./tinyberth up",
            )
        ]
    judged = {service: judge(service, patient.containers.get(service)) for service in SERVICES}
    found = [finding for findings in judged.values() for finding in findings]
    well = [service for service, findings in judged.items() if not findings]
    return ([fine(f"{', '.join(well)}: healthy")] if well else []) + found


def judge(service: str, container: Mapping[str, Any] | None) -> list[Finding]:
    """Judge one service by what `docker inspect` says of its container."""
    if container is None:
        return [
            fault(
                "service_missing",
                f"{service} is not there.",
                why="Its container was removed.",
                remedy="./tinyberth up makes it again",
            )
        ]
    name, state = str(container["Name"]).lstrip("/"), container["State"]
    if state["Status"] != "running":
        return [
            fault(
                "service_stopped",
                f"{service} is {state['Status']} (exit code {state['ExitCode']})"
                + (", killed for memory" * bool(state.get("OOMKilled"))) + ".",
                why=f"`./tinyberth logs {service}` has its last words.",
                remedy=f"docker start {name}",
                fix=Fix(f"starts {service}", (("docker", "start", name),)),
            )
        ]  # fmt: skip
    found = []
    health = state.get("Health") or {}
    if health.get("Status") != "healthy":
        said = (health.get("Log") or [{}])[-1].get("Output", "").strip()
        found.append(
            fault(
                "service_unhealthy",
                f"{service} is {health.get('Status', 'without a health check')}.",
                why=f"It says: {said[-600:] or '(nothing)'}",
                remedy="Do what it says; "
                f"`./tinyberth logs {service}` has more. While it is starting, wait a minute.",
            )
        )
    if container["RestartCount"]:
        found.append(
            note(
                "service_restarted",
                f"{service} was started again {container['RestartCount']} times since its "
                "container was made" + (", once for memory" * bool(state.get("OOMKilled"))) + ".",
                why="The engine starts again what crashes; people's servers go on meanwhile.",
                remedy=f"`./tinyberth logs {service}` says what happened, if it goes on.",
            )
        )
    return found
