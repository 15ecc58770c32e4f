"""`tinyberth doctor`: what must hold while the services run, checked, and mended if it can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Callable

from tinyberth_common.settings import Settings, load

from .checkout import Checkout
from .compose import Compose
from .firewall import Answer, ask_firewall, reapply_firewall
from .problem import FAILED, OK


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``remedy`` says what to do where it is not ``ok``."""

    ok: bool
    what: str
    remedy: str = ""


@dataclass(frozen=True)
class Patient:
    """What checks look at."""

    checkout: Checkout
    settings: Settings
    compose: Compose


Check = Callable[[Patient], Iterator[Finding]]


def doctor(checkout: Checkout) -> int:
    """Run every check and print what was found; the exit code says whether all is well."""
    patient = Patient(checkout, load(checkout.variables), Compose(checkout))
    well = True
    for check in CHECKS:
        for finding in check(patient):
            well = well and finding.ok
            print(f"{'✓' if finding.ok else '✗'} {finding.what}", flush=True)
            if finding.remedy:
                print(f"  Do:   {finding.remedy}", flush=True)
    return OK if well else FAILED


def check_firewall(patient: Patient) -> Iterator[Finding]:
    """Check that the table is there and is what the settings say, and apply it again."""
    if not patient.compose.services():
        yield Finding(False, "Firewall: nothing of Tinyberth runs here.", "./tinyberth up")
        return
    before = ask_firewall(patient.compose)
    after = reapply_firewall(patient.compose)
    if after is None:
        last = patient.compose.last_lines("firewall", 1)
        yield Finding(
            False,
            "Firewall: it does not run, so nobody's server can start. Its last line: "
            + ("".join(last)[-600:] or "(none)"),
            "Do what the line says, then ./tinyberth up",
        )
        return
    yield from firewall_findings(patient.settings, before, after)


def firewall_findings(settings: Settings, before: Answer | None, after: Answer) -> list[Finding]:
    """Judge what the firewall said before and after it was started again; a pure function."""
    findings = []
    if before is None:
        findings.append(Finding(True, "Firewall: it did not run; started."))
    elif "somebody" in str(before["message"]) or not before["ok"]:
        findings.append(Finding(True, f"Firewall: {before['message']}"))
    findings.append(Finding(bool(after["ok"]), f"Firewall: {after['message']}"))
    wanted = {
        "EGRESS": settings.egress,
        "EGRESS_ALLOW": ",".join(map(str, settings.egress_allow)),
    }
    findings += [
        Finding(
            False,
            f"Firewall: it runs with {name}={after[name]}, and the settings say {name}={value}.",
            "./tinyberth up applies them",
        )
        for name, value in wanted.items()
        if after[name] != value
    ]
    return findings


CHECKS: tuple[Check, ...] = (check_firewall,)
"""In the order in which they are run and printed."""
