"""Servers outlive the parts around them, and everything outlives `down` (THREATS F1 to F4)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

import firewalls
from deployment import Deployment, Person, wait_until
from kernels import Kernel


@pytest.mark.parametrize("service", ["hub", "ledger", "proxy", "warden"])
def test_a_killed_service_comes_back_and_kernels_never_notice(
    deployment: Deployment, service: str
) -> None:
    alice = deployment.with_server("alice")
    kernel = Kernel(alice)
    kernel.run(f"kept = 'through the death of the {service}'")
    container_id = deployment.inspect(deployment.container("alice"))["Id"]

    deployment.kill_service(service)
    wait_until(deployment.hub_healthy, "the hub answers again")
    wait_until(lambda: _reaches(alice), "alice's server is reached again", 60)

    assert kernel.run("print(kept)") == f"through the death of the {service}\n"
    assert deployment.inspect(deployment.container("alice"))["Id"] == container_id
    assert alice.api("GET", "/users/alice").status_code == 200  # her session is still valid
    bob = deployment.with_server("bob")
    bob.stop_server()
    bob.start_server()


def test_a_server_that_dies_at_its_start_says_why_and_leaves_no_container(
    deployment: Deployment,
) -> None:
    """THREATS F6, by really killing it while Jupyter starts."""
    erin = deployment.add("erin-dies")
    container = deployment.container("erin-dies")
    running = ["ps", "--quiet", "--filter", f"name=^/{container}$"]
    erin.api("POST", "/users/erin-dies/server")
    wait_until(lambda: deployment.docker(*running).stdout, "the container runs", 30)
    events = erin.session.get(
        f"{erin.url}/hub/api/users/erin-dies/server/progress", timeout=60, stream=True
    )
    deployment.docker("kill", container)
    assert "Your server stopped while it was starting. Its last line:" in events.text
    wait_until(lambda: not erin.server(), "the failed server is gone")
    left = ["ps", "--all", "--quiet", *running[2:]]
    wait_until(lambda: not deployment.docker(*left).stdout, "the container is removed")
    assert f"{container} stopped at its start" in deployment.compose("logs", "hub").stdout
    erin.start_server()
    erin.stop_server()


def test_down_and_up_keep_accounts_passwords_uids_and_files(deployment: Deployment) -> None:
    deployment.with_server("alice")
    deployment.as_user("alice", "echo before > survivor")
    before = deployment.tinyberth("user", "list").stdout
    ledger = (deployment.host_data_dir / "ledger" / "passwd").read_text()
    deployment.with_server("bob")
    paused = deployment.container("bob")
    deployment.docker("pause", paused)

    with ThreadPoolExecutor() as pool:
        ends = pool.submit(deployment.docker, "wait", paused)
        deployment.tinyberth("down")
    exit_code = ends.result().stdout
    assert exit_code.strip() in ("0", "143"), "by SIGTERM and its own will, not by SIGKILL (137)"
    left = deployment.docker(
        "ps",
        "--all",
        "--quiet",
        "--filter",
        f"name=^/{deployment.project}-(hub|ledger|proxy|firewall|warden|user)",
    ).stdout
    assert left == ""
    assert not firewalls.has_table(deployment)

    deployment.tinyberth("up", "--yes")
    assert _without_servers(deployment.tinyberth("user", "list").stdout) == _without_servers(
        before
    )
    assert (deployment.host_data_dir / "ledger" / "passwd").read_text() == ledger
    alice = Person(deployment.url, "alice")
    assert alice.sign_in().status_code == 302
    alice.start_server()
    deployment.people["alice"] = alice
    assert deployment.as_user("alice", "cat survivor").stdout == "before\n"


def _without_servers(listing: str) -> list[list[str]]:
    return [line.split()[:4] for line in listing.splitlines()]


def _reaches(person: Person) -> bool:
    """Tell whether the own server answers; until the route is back, the hub does instead."""
    try:
        answer = requests.get(f"{person.server_url}/api", timeout=5)
    except (requests.RequestException, AssertionError):
        return False
    return answer.headers.get("Content-Type", "").startswith("application/json")
