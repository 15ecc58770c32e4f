"""The table that guards people's servers: whether it is in force, and is what the settings say."""

from __future__ import annotations

from tinyberth_common.settings import Settings

from ..firewall import Answer, ask_firewall
from .finding import Finding, Fix, fault, fine, note, skipped
from .patient import Patient


def look(patient: Patient) -> list[Finding]:
    assert patient.settings  # the topic needs them
    container = patient.containers.get("firewall")
    if container is None:
        return [skipped("not looked at: it is not there", why="", remedy="./tinyberth up")]
    name = str(container["Name"]).lstrip("/")
    if not patient.is_running("firewall"):
        return [stopped(name)]
    return judge(patient.settings, ask_firewall(patient.compose), name)


def stopped(container: str) -> Finding:
    return fault(
        "firewall_stopped",
        "it does not run.",
        why="Nobody's server starts without it. Its last table may still be in force.",
        remedy=f"docker start {container}",
        fix=Fix("starts the firewall", (("docker", "start", container),)),
    )


def judge(settings: Settings, answer: Answer | None, container: str) -> list[Finding]:
    """Judge what the firewall says of its table."""
    restart = Fix("applies the table again", (("docker", "restart", container),))
    if answer is None:
        return [
            fault(
                "firewall_silent",
                "it runs and does not answer.",
                why="Nobody's server starts while nobody knows whether the table is in force.",
                remedy=f"docker restart {container}",
                fix=restart,
            )
        ]
    if not answer["ok"]:
        return [
            fault(
                "firewall_off",
                str(answer["message"]),
                why="Nobody's server starts without the table.",
                remedy=f"Do what it says, then: docker restart {container}",
                fix=restart,
            )
        ]
    wanted = {
        "EGRESS": settings.egress,
        "EGRESS_ALLOW": ",".join(map(str, settings.egress_allow)),
    }
    found = [
        fault(
            "firewall_other",
            f"it runs with {name}={answer[name]}, and the settings say {name}={value}.",
            why="What servers may reach is not what you decided.",
            remedy="./tinyberth up applies the settings",
        )
        for name, value in wanted.items()
        if answer[name] != value
    ]
    if "somebody" in str(answer["message"]):
        found.append(
            note(
                "firewall_touched",
                str(answer["message"]),
                why="`nft flush ruleset`, or a reload of the host's rules, removes all tables.",
            )
        )
    return found or [fine(str(answer["message"]))]
