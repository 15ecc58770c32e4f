"""What the doctor says of the firewall, from what the firewall said."""

from __future__ import annotations

import pytest

from tinyberth_common.settings import load
from tinyberth_launcher.doctor import firewall_findings


def answer(message: str, *, ok: bool = True, egress: str = "internet", allow: str = "") -> dict:
    return {"ok": ok, "message": message, "EGRESS": egress, "EGRESS_ALLOW": allow}


WELL = answer("The table x was applied.")


@pytest.mark.parametrize(
    ("settings", "before", "after", "expected"),
    [
        ({}, answer("The table x is in force."), WELL, [(True, "applied")]),
        ({}, None, WELL, [(True, "did not run; started"), (True, "applied")]),
        ({}, answer("was removed by somebody"), WELL, [(True, "removed"), (True, "applied")]),
        ({}, WELL, answer("There is no bridge.", ok=False), [(False, "no bridge")]),
        ({"EGRESS": "none"}, WELL, WELL, [(True, ""), (False, "the settings say EGRESS=none")]),
        (
            {"EGRESS_ALLOW": "10.0.0.1"},
            WELL,
            WELL,
            [(True, ""), (False, "say EGRESS_ALLOW=10.0.0.1/32")],
        ),
    ],
)
def test_the_firewalls_words_become_findings(
    settings: dict, before: dict | None, after: dict, expected: list[tuple[bool, str]]
) -> None:
    findings = firewall_findings(load(settings), before, after)
    assert [finding.ok for finding in findings] == [ok for ok, _ in expected]
    for finding, (_, words) in zip(findings, expected, strict=True):
        assert words in finding.what
