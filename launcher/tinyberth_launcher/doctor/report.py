"""How findings are shown: lines for people, one JSON document for scripts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from ..problem import FAILED, OK, USAGE
from .finding import FAULT, MARKS, SKIPPED, Finding, Fix

Found = Mapping[str, Sequence[Finding]]
"""Findings by topic."""


def lines(topic: str, finding: Finding) -> list[str]:
    """Return what is printed of one finding."""
    said = [f"{MARKS[finding.level]} {topic}: {finding.what}"]
    said += [f"    Why: {finding.why}"] if finding.why else []
    said += [f"    Do:  {finding.remedy}"] if finding.remedy else []
    return said


def command_line(fix: Fix) -> str:
    return " && ".join(shlex.join(command) for command in fix.commands)


def ending(found: Found) -> str:
    """Return the last line: how many faults, and how many of them `--fix` mends."""
    faults = _of(found, FAULT)
    unseen = len(_of(found, SKIPPED))
    fixes = sum(finding.fix is not None for finding in faults)
    words = "Nothing to mend" if not faults else f"{_count(len(faults), 'fault')}"
    if fixes:
        words += f", of which `./tinyberth doctor --fix` mends {fixes}"
    return words + (f"; {_count(unseen, 'thing')} not looked at" if unseen else "") + "."


def exit_code(found: Found) -> int:
    """Return 1 where a fault is left; 2 where there is none and not all could be looked at."""
    if _of(found, FAULT):
        return FAILED
    return USAGE if _of(found, SKIPPED) else OK


def document(found: Found, mended: Sequence[Mapping[str, Any]]) -> str:
    """Return the one JSON document: every finding that is left, and what was done."""
    findings = [
        {
            "topic": topic,
            "level": finding.level,
            "key": finding.key,
            "what": finding.what,
            "why": finding.why,
            "remedy": finding.remedy,
            "fix": finding.fix
            and {"does": finding.fix.does, "commands": [list(c) for c in finding.fix.commands]},
        }
        for topic, findings in found.items()
        for finding in findings
    ]
    return json.dumps(
        {"findings": findings, "mended": list(mended), "exit_code": exit_code(found)}, indent=2
    )


def _of(found: Found, level: str) -> list[Finding]:
    return [one for findings in found.values() for one in findings if one.level == level]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun if number == 1 else noun + 's'}"
