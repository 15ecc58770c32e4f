"""The firewall as a service: it keeps its table, and no server starts without it."""

from __future__ import annotations

import firewalls
from deployment import Deployment, wait_until


def test_a_flushed_table_is_back_within_seconds_and_the_log_says_so(
    deployment: Deployment,
) -> None:
    firewalls.nft(deployment, "delete", "table", "inet", firewalls.table(deployment))
    wait_until(lambda: firewalls.has_table(deployment), "the table is back", 20)
    assert "removed by somebody; applied again" in deployment.compose("logs", "firewall").stdout


def test_a_killed_firewall_leaves_the_table_in_force(deployment: Deployment) -> None:
    deployment.kill_service("firewall")
    assert firewalls.has_table(deployment)
    wait_until(lambda: firewalls.in_force(deployment), "it is back")


def test_an_ended_firewall_leaves_the_table_while_users_servers_run(
    deployment: Deployment,
) -> None:
    deployment.with_server("alice")
    deployment.compose("stop", "firewall")
    try:
        assert firewalls.has_table(deployment)
    finally:
        deployment.compose("start", "firewall")
        wait_until(lambda: firewalls.in_force(deployment), "it is back")


def test_no_server_starts_while_the_firewall_is_silent(deployment: Deployment) -> None:
    fred = deployment.add("fw-fred")
    with firewalls.held(deployment):
        fred.api("POST", "/users/fw-fred/server")
        events = fred.session.get(
            f"{fred.url}/hub/api/users/fw-fred/server/progress", timeout=60, stream=True
        )
        assert "no server is started without it" in events.text
        wait_until(lambda: not fred.server(), "the failed server is gone")
    container = [
        "ps",
        "--all",
        "--quiet",
        "--filter",
        f"name=^/{deployment.container('fw-fred')}$",
    ]
    assert not deployment.docker(*container).stdout
    fred.start_server()
    fred.stop_server()


def test_the_doctor_sees_it_stopped_starts_it_and_compares_the_settings(
    deployment: Deployment,
) -> None:
    deployment.with_server("alice")
    assert "✓ Firewall: The table" in deployment.tinyberth("doctor", "firewall").stdout
    deployment.compose("stop", "firewall")
    firewalls.nft(deployment, "delete", "table", "inet", firewalls.table(deployment))
    seen = deployment.tinyberth("doctor", "firewall", "services", check=False)
    assert seen.returncode == 1
    assert "✗ Firewall: it does not run." in seen.stdout
    assert "✗ Services: firewall is exited" in seen.stdout
    assert not firewalls.has_table(deployment)  # a look changes nothing

    deployment.tinyberth("doctor", "firewall", "--fix", "--yes")
    assert firewalls.has_table(deployment)
    wait_until(lambda: firewalls.in_force(deployment), "it is back")

    deployment.variables["EGRESS"] = "none"
    try:
        differs = deployment.tinyberth("doctor", "firewall", check=False)
    finally:
        del deployment.variables["EGRESS"]
    assert differs.returncode == 1
    assert "✗ Firewall: it runs with EGRESS=internet, and the settings say EGRESS=none." in (
        differs.stdout
    )
    assert "Do:  ./tinyberth up" in differs.stdout


def test_a_host_that_cannot_have_the_table_is_told_so_and_the_start_fails(
    deployment: Deployment,
) -> None:
    """Without NET_ADMIN, as with a kernel without nf_tables, the kernel refuses."""
    start = ["run", "--rm", "--network", "host", "--cap-drop", "ALL"]
    given = ["--env", f"TINYBERTH_DEPLOYMENT={deployment.project}-none"]
    image = firewalls.image(deployment)
    bridge = ["--env", f"BRIDGE_NAME={firewalls.bridge(deployment)}"]
    refused = deployment.docker(*start, *given, *bridge, image, check=False)
    assert refused.returncode == 1
    assert "The kernel did not take the firewall's table" in refused.stderr
    assert "Traceback" not in refused.stderr

    elsewhere = deployment.docker(
        *start, *given, "--env", "BRIDGE_NAME=tb-elsewhere", image, check=False
    )
    assert elsewhere.returncode == 1
    assert "There is no bridge tb-elsewhere" in elsewhere.stderr
