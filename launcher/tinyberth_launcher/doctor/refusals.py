"""What the services refused and failed at in the last day, from their logs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ..command import capture
from .finding import Finding, fine, note
from .patient import SERVICES, Patient

_HOURS = 24
_LINES = "20000"
"""Of each service; what is older than the rotation of logs is gone anyway."""

# Our own hub never causes these; the others (not_found, running, …) are everyday answers.
_STRANGE = {"refused", "wrong_caller", "bad_json", "bad_request", "too_large", "not_json"}
_REFUSAL = re.compile(r" WARNING uid \d+ .* \d{3} \d+ ms (?P<code>\w+): ")
_ERROR = re.compile(r"^\[[EC] |^\S+ \S+ (ERROR|CRITICAL) ")
_FAILED_LOGIN = re.compile(r"Failed login|\b429\b")
_MANY_LOGINS = 50
"""Failed logins a day; a class of thirty has fewer."""


def look(patient: Patient) -> list[Finding]:
    found = []
    for service in SERVICES:
        if service in patient.containers:
            name = str(patient.containers[service]["Name"]).lstrip("/")
            log = capture(["docker", "logs", "--since", f"{_HOURS}h", "--tail", _LINES, name])
            found += judge(service, (log.out + log.err).splitlines())
    return found or [fine(f"nothing strange in the last {_HOURS} hours")]


def judge(service: str, lines: Sequence[str]) -> list[Finding]:
    """Count what is strange in a log, and show the last of each kind."""
    found = []
    refused = [
        (match["code"], line)
        for line in lines
        if (match := _REFUSAL.search(line)) and match["code"] in _STRANGE
    ]
    if refused:
        codes = Counter(code for code, _ in refused)
        kinds = ", ".join(f"{code} {count}" for code, count in codes.most_common())
        found.append(
            note(
                "refused",
                f"{service} refused what nobody of ours asks, {len(refused)} times in {_HOURS} "
                f"hours ({kinds}).",
                why=f"The last: {refused[-1][1][-300:]}",
                remedy="After an upgrade, ./tinyberth up: two parts are of different versions. "
                f"Else look into `./tinyberth logs {service}`: somebody may be trying something.",
            )
        )
    errors = [line for line in lines if _ERROR.search(line)]
    if errors:
        found.append(
            note(
                "errors",
                f"{service} wrote {len(errors)} errors in {_HOURS} hours.",
                why=f"The last: {errors[-1][-300:]}",
                remedy=f"`./tinyberth logs {service}` has all; most name what to do.",
            )
        )
    failed = sum(bool(_FAILED_LOGIN.search(line)) for line in lines) if service == "hub" else 0
    if failed > _MANY_LOGINS:
        found.append(
            note(
                "logins_failed",
                f"{failed} logins failed in {_HOURS} hours.",
                why="Somebody may be guessing passwords. Who fails often is slowed down.",
                remedy="`./tinyberth logs hub` shows the names.",
            )
        )
    return found
