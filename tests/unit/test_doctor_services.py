"""What the doctor says of services, settings and the firewall, by tables of what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyberth_common.settings import load
from tinyberth_launcher.checkout import load_checkout
from tinyberth_launcher.doctor import firewall, services, settings
from tinyberth_launcher.doctor.finding import FAULT, Finding
from tinyberth_launcher.doctor.patient import Patient


def keys(findings: list[Finding]) -> list[str]:
    return [finding.key for finding in findings]


def answer(message: str, *, ok: bool = True, egress: str = "internet", allow: str = "") -> dict:
    return {"ok": ok, "message": message, "EGRESS": egress, "EGRESS_ALLOW": allow}


WELL = answer("The table x is in force.")


@pytest.mark.parametrize(
    ("variables", "said", "expected", "mended"),
    [
        ({}, WELL, ["fine"], False),
        ({}, answer("The table x was removed by somebody; …"), ["firewall_touched"], False),
        ({}, None, ["firewall_silent"], True),
        ({}, answer("There is no bridge.", ok=False), ["firewall_off"], True),
        ({"EGRESS": "none"}, WELL, ["firewall_other"], False),
        ({"EGRESS_ALLOW": "10.0.0.1"}, WELL, ["firewall_other"], False),
        ({"EGRESS_ALLOW": "10.0.0.1"}, answer("", allow="10.0.0.1/32"), ["fine"], False),
    ],
)
def test_the_firewalls_words_become_findings(variables, said, expected, mended) -> None:
    findings = firewall.judge(load(variables), said, "tb-firewall-1")
    assert keys(findings) == expected
    assert [finding.fix is not None for finding in findings] == [mended]


def container(status: str = "running", health: str = "healthy", **others: object) -> dict:
    log = [{"Output": "old"}, {"Output": "data/.tinyberth-data is missing\n"}]
    state = {"Status": status, "ExitCode": 3, "Health": {"Status": health, "Log": log}}
    return {"Name": "/tb-hub-1", "RestartCount": 0, "State": state, **others}


@pytest.mark.parametrize(
    ("found", "expected", "words"),
    [
        (container(), [], ""),
        (None, ["service_missing"], "./tinyberth up"),
        (container("exited"), ["service_stopped"], "exit code 3"),
        (container("restarting"), ["service_stopped"], "restarting"),
        (container(health="unhealthy"), ["service_unhealthy"], "data/.tinyberth-data is missing"),
        (container(health="starting"), ["service_unhealthy"], "starting"),
        (container(RestartCount=4), ["service_restarted"], "4 times"),
    ],
)
def test_a_containers_state_becomes_findings(found, expected, words) -> None:
    findings = services.judge("hub", found)
    assert keys(findings) == expected
    assert words in " ".join(f"{f.what} {f.why} {f.remedy}" for f in findings)


def test_a_stopped_service_is_started_by_the_command_that_is_shown() -> None:
    (finding,) = services.judge("hub", container("exited"))
    assert finding.fix
    assert finding.fix.commands == (("docker", "start", "tb-hub-1"),)


@pytest.mark.parametrize(
    ("mode", "secrets", "expected"),
    [
        (0o100600, ["AUTH_CLIENT_SECRET"], []),
        (0o100644, [], []),
        (0o100644, ["AUTH_CLIENT_SECRET"], ["env_readable"]),
        (0o100640, ["AUTH_CLIENT_SECRET"], ["env_readable"]),
    ],
)
def test_secrets_are_in_a_file_of_ones_own(mode, secrets, expected) -> None:
    assert keys(settings.readable_secret(".env", mode, secrets)) == expected


@pytest.mark.parametrize(
    ("variables", "running", "named"),
    [
        ({}, {"hub": {"PORT": ""}}, []),
        ({}, {"hub": {}}, []),
        ({"PORT": "8000"}, {"hub": {"PORT": ""}}, []),  # the default, written down
        ({"PORT": "9000"}, {"hub": {"PORT": ""}, "proxy": {"PORT": "8000"}}, ["PORT"]),
        ({}, {"hub": {"EGRESS": "none"}}, ["EGRESS"]),
        ({"AUTH_CLIENT_SECRET": "s"}, {"hub": {"AUTH_CLIENT_SECRET": "(known)"}}, []),
    ],
)
def test_settings_that_are_not_in_force_are_named(variables, running, named) -> None:
    findings = settings.stale(variables, running)
    assert [finding.what.split()[0] for finding in findings] == named
    assert all(finding.level == FAULT for finding in findings)


def test_each_fault_of_the_settings_is_a_finding_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text("name: tinyberth\n")
    (tmp_path / ".env").write_text("PROT=8000\nMEM_LIMIT=-1\n")
    patient = Patient(load_checkout(tmp_path, shell={}))
    found = settings.look(patient)
    assert keys(found) == ["setting", "setting"]
    assert "did you mean PORT?" in " ".join(finding.what for finding in found)
    assert "MEM_LIMIT" in " ".join(finding.what for finding in found)
