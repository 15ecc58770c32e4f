"""The images of the services: who they run as and what is not in them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from containers import docker

ROOT = Path(__file__).parents[2]
USERS = {"hub": "10001:10001", "ledger": "", "warden": "", "firewall": "", "proxy": "10002:10001"}
"""Of the image; three are root by design and hold few capabilities (see the stack tests)."""


def image(service: str) -> str:
    reference = os.environ.get(f"TINYBERTH_TEST_{service.upper()}_IMAGE", "")
    if not reference:
        pytest.skip(f"no {service} image was built: run ./tinyberth test image")
    return reference


def run(service: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command in the image as the service runs: no network, no rights, nothing writable."""
    return docker(
        "run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL",
        "--security-opt", "no-new-privileges", image(service), *command, check=check,
    )  # fmt: skip


@pytest.mark.parametrize("service", USERS)
def test_the_image_runs_as_its_own_user(service: str) -> None:
    (model,) = json.loads(docker("image", "inspect", image(service)).stdout)
    assert model["Config"]["User"] == USERS[service]
    uid = USERS[service].split(":")[0] or "0"
    assert run(service, "id", "-u").stdout.strip() == uid


@pytest.mark.parametrize("service", USERS)
def test_a8_no_program_gives_rights_away(service: str) -> None:
    search = ("find", "/", "-xdev", "-perm", "/6000", "-type", "f")
    # As root with its capabilities, who sees every folder of the image.
    command = ("run", "--rm", "--network", "none", "--user", "0:0", image(service), *search)
    assert docker(*command).stdout == ""


@pytest.mark.parametrize("service", USERS)
def test_nothing_that_the_service_runs_is_the_services_to_change(service: str) -> None:
    found = run(
        service, "find", "/opt", "/etc", "/usr", "-xdev", "-not", "-user", "root", "-print"
    ).stdout
    assert found == ""


@pytest.mark.parametrize("service", USERS)
def test_no_secret_and_no_certificate_of_the_builder_is_left(service: str) -> None:
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image(service)).stdout
    assert "BEGIN " not in history
    assert "password" not in history.lower()
    (model,) = json.loads(docker("image", "inspect", image(service)).stdout)
    assert not [item for item in model["Config"]["Env"] if "TOKEN" in item or "SECRET" in item]
    host_bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    found = run(service, "cat", str(host_bundle), check=False).stdout
    assert found == "" or found != host_bundle.read_text()


@pytest.mark.parametrize("service", USERS)
def test_sizes_are_told(service: str, record_property: Callable[[str, object], None]) -> None:
    size = int(docker("image", "inspect", "--format", "{{.Size}}", image(service)).stdout)
    record_property("bytes", size)
    print(f"{service}: {size / 1e6:.0f} MB")
    assert 0 < size < 600e6


def test_hub_and_users_have_the_same_jupyterhub() -> None:
    ask = "import jupyterhub; print(jupyterhub.__version__)"
    ours = run("hub", "/opt/venv/bin/python", "-c", ask).stdout.strip()
    theirs = run("singleuser", "/opt/venv/bin/python", "-c", ask).stdout.strip()
    assert ours == theirs
    assert ours.startswith("6.")


def test_the_hub_has_what_the_design_names() -> None:
    ask = (
        "from importlib.metadata import version\n"
        "for name in ('dockerspawner', 'oauthenticator', 'argon2-cffi', 'itsdangerous'):\n"
        "    print(name, version(name))"
    )
    versions = dict(
        line.split() for line in run("hub", "/opt/venv/bin/python", "-c", ask).stdout.splitlines()
    )
    assert versions["dockerspawner"].startswith("14.")
    assert set(versions) == {"dockerspawner", "oauthenticator", "argon2-cffi", "itsdangerous"}


def test_the_proxy_is_the_one_of_the_lock_file() -> None:
    locked = json.loads((ROOT / "proxy" / "package-lock.json").read_text())["packages"]
    name = "node_modules/configurable-http-proxy"
    found = json.loads(run("proxy", "cat", f"/opt/tinyberth/{name}/package.json").stdout)
    assert found["version"] == locked[name]["version"]
    assert found["version"].startswith("5.")


@pytest.mark.parametrize("service", ["hub", "ledger", "warden", "firewall"])
def test_b5_wrong_settings_are_told_all_at_once_and_nothing_starts(service: str) -> None:
    """THREATS B5, for those who start without the launcher."""
    command = {
        "hub": ["tinyberth-hub", "serve"],
        "ledger": ["/opt/venv/bin/python", "-m", "tinyberth_ledger"],
        "warden": ["/opt/venv/bin/python", "-m", "tinyberth_warden"],
        "firewall": ["python3", "-m", "tinyberth_firewall"],
    }[service]
    wrong = {"PORT": "eight", "MEM_LIMIT": "-1", "DATA_DIR": "/", "PROT": "8000"}
    refused = docker(
        "run", "--rm", "--network", "none", "--read-only",
        *(word for pair in wrong.items() for word in ("--env", "=".join(pair))),
        "--env", "TINYBERTH_DEPLOYMENT=x", "--env", "TINYBERTH_USER_IMAGE=x",
        "--env", "TINYBERTH_USER_NETWORK=x", "--env", "TINYBERTH_HUB_RUN_VOLUME=x",
        image(service), *command, check=False,
    )  # fmt: skip
    assert refused.returncode == 3
    for name in wrong:
        lines = refused.stderr.splitlines()
        assert sum(line.startswith((f"{name}=", f"'{name}' ")) for line in lines) == 1, name
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("service", ["hub", "ledger", "warden", "firewall", "proxy", "singleuser"])
def test_an_image_is_pinned_by_what_compose_names_and_by_no_other_default(service: str) -> None:
    lines = (ROOT / service / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("ARG BASE_IMAGE")] == ["ARG BASE_IMAGE"]
    bases = {line.split()[1] for line in lines if line.startswith("FROM ")}
    names = {line.split()[3] for line in lines if line.startswith("FROM ") and " AS " in line}
    assert bases - names == {"${BASE_IMAGE}"}
