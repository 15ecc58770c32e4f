"""The topics, in the order in which they are looked at, and what each of them needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from . import (
    clock,
    data_root,
    disk,
    engine,
    firewall,
    homes,
    images,
    leftovers,
    memory,
    people,
    port,
    refusals,
    services,
    settings,
    sockets,
    volumes,
)
from .finding import Finding, skipped
from .patient import Patient


@dataclass(frozen=True)
class Topic:
    """``look`` collects and judges; ``needs`` says what must be there for that."""

    name: str
    about: str
    look: Callable[[Patient], list[Finding]]
    needs: tuple[str, ...] = ()


TOPICS = (
    Topic("settings", "`.env` and the shell's variables", settings.look),
    Topic("engine", "Docker's engine, Compose and buildx", engine.look),
    Topic("port", "who listens on PORT, or on the socket of LISTEN", port.look, ("settings",)),
    Topic("disk", "free space and files on the disks in use", disk.look),
    Topic("memory", "the machine's memory and the limits of servers", memory.look, ("settings",)),
    Topic("clock", "the machine's time", clock.look),
    Topic(
        "services", "whether the services run, are healthy and stay up", services.look, ("engine",)
    ),
    Topic(
        "firewall", "the table that guards people's servers", firewall.look, ("settings", "engine")
    ),
    Topic(
        "images", "images against the checkout, servers against images", images.look, ("engine",)
    ),
    Topic("sockets", "by which the parts reach each other", sockets.look, ("hub",)),
    Topic("volumes", "the volumes, their owners, the hub's secrets", volumes.look, ("engine",)),
    Topic("data", "the data folder, its marker, the ledger's files", data_root.look),
    Topic("homes", "the ledger's people and teams against their folders", homes.look),
    Topic("people", "the ledger against the hub's users and servers", people.look, ("hub",)),
    Topic("leftovers", "what killed runs left", leftovers.look),
    Topic("refusals", "what services refused and failed at", refusals.look, ("engine",)),
)

NAMES = tuple(topic.name for topic in TOPICS)


def examine(patient: Patient, topic: Topic) -> list[Finding]:
    """Look at one topic; say so where something keeps us from looking."""
    for need in topic.needs:
        missing = _missing(patient, need)
        if missing:
            return [skipped(f"not looked at: {missing}", why="", remedy="")]
    try:
        return topic.look(patient)
    except OSError as error:
        why = f"{error.filename or 'It'}: {error.strerror}."
        return [skipped("not looked at", why=why, remedy=f"sudo ./tinyberth doctor {topic.name}")]


def _missing(patient: Patient, need: str) -> str:
    """Return what is not there of what is needed, or an empty string."""
    if need == "settings":
        return "" if patient.settings else "the settings have faults"
    if not patient.engine_version:
        return "no engine answers"
    if need == "engine":
        return ""
    return "" if patient.is_running(need) else f"the service {need} does not run"
