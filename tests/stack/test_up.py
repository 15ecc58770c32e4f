"""What `./tinyberth up` leaves on the host, and what a person sees of it."""

from __future__ import annotations

import os
import re

import pytest

from deployment import Deployment, Person, first_link

SERVICES = ["ledger", "warden", "firewall", "proxy", "hub"]


def test_up_prints_the_address_the_tunnel_and_the_admins_link(deployment: Deployment) -> None:
    assert deployment.url in deployment.up_output
    port = deployment.port
    assert re.search(rf"ssh -L {port}:localhost:{port} \S+", deployment.up_output)
    assert first_link(deployment.up_output).startswith(f"{deployment.url}/hub/welcome#")


def test_the_admin_opens_the_link_and_is_in_and_the_link_is_used_up(
    deployment: Deployment,
) -> None:
    link = first_link(deployment.tinyberth("user", "link", "admin").stdout)
    admin = Person(deployment.url, "admin")
    answer = admin.open_link(link)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/hub/people")
    assert admin.api("GET", "/users").status_code == 200
    again = Person(deployment.url, "admin").open_link(link)
    assert again.status_code == 403
    assert "used or replaced" in again.text


def test_a_second_up_changes_nothing_and_says_that_the_admin_is_in(deployment: Deployment) -> None:
    before = {name: deployment.inspect(deployment.service(name))["Id"] for name in SERVICES}
    output = deployment.tinyberth("up", "--yes").stdout
    after = {name: deployment.inspect(deployment.service(name))["Id"] for name in SERVICES}
    assert before == after
    assert "/hub/welcome#" not in output
    assert "user link admin" in output


@pytest.mark.parametrize("service", SERVICES)
def test_services_run_with_nothing_that_they_do_not_need(
    deployment: Deployment, service: str
) -> None:
    model = deployment.inspect(deployment.service(service))
    host = model["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    added = [name.removeprefix("CAP_") for name in host["CapAdd"] or []]
    needed = {"ledger": ["CHOWN", "DAC_READ_SEARCH"], "firewall": ["NET_ADMIN"]}
    assert added == needed.get(service, [])
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Init"]
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert not host["Privileged"]
    assert not host["PortBindings"]
    assert host["NetworkMode"] == ("none" if service in {"ledger", "warden"} else "host")
    writable = {mount["Source"]: mount["RW"] for mount in model["Mounts"]}
    holds_engine = any(source.endswith("docker.sock") for source in writable)
    assert holds_engine == (service == "warden")
    data = writable.get(str(deployment.host_data_dir))
    assert data is {"ledger": True, "warden": False}.get(service)
    etc = writable.get("/etc")
    assert etc is {"ledger": False}.get(service)
    assert model["Config"]["User"] == {"hub": "10001:10001", "proxy": "10002:10001"}.get(
        service, ""
    )


def test_a4_only_the_hosts_loopback_listens(deployment: Deployment) -> None:
    """THREATS A4: every listening TCP socket of every process of the deployment."""
    ours: set[str] = set()
    for service in SERVICES:
        top = deployment.docker("top", deployment.service(service), "-eo", "pid").stdout
        ours |= set(top.split()[1:])
    listeners = deployment.docker(
        "run", "--rm", "--network", "host", "--pid", "host", "--privileged",
        f"{deployment.project}-tests:0.1.0", "ss", "--tcp", "--listening", "--numeric",
        "--processes", "--no-header",
    ).stdout.splitlines()  # fmt: skip
    addresses = {
        line.split()[3] for line in listeners if set(re.findall(r"pid=(\d+)", line)) & ours
    }
    assert addresses == {f"127.0.0.1:{deployment.port}"}


def test_status_tells_services_people_and_versions(deployment: Deployment) -> None:
    deployment.with_server("alice")
    output = deployment.tinyberth("status").stdout
    for word in [*SERVICES, "healthy", "alice", "0.1.0"]:
        assert word in output


def test_a15_no_secret_is_in_the_logs(deployment: Deployment) -> None:
    logs = deployment.compose("logs").stdout
    token = deployment.compose("exec", "-T", "proxy", "cat", "/run/tinyberth/proxy/token").stdout
    cli = deployment.compose("exec", "-T", "hub", "cat", "/var/lib/tinyberth/cli-token").stdout
    key = deployment.compose("exec", "-T", "hub", "cat", "/var/lib/tinyberth/link-key").stdout
    assert all(len(secret.strip()) == 64 for secret in [token, cli, key])
    for secret in [token, cli, key, "welcome#"]:
        assert secret.strip() not in logs


def test_secrets_are_their_holders_alone(deployment: Deployment) -> None:
    modes = deployment.compose(
        "exec", "-T", "hub", "sh", "-c",
        "cd /var/lib/tinyberth && stat -c '%n %a %u' . cookie_secret link-key cli-token "
        "jupyterhub.sqlite accounts.sqlite && stat -c '%n %a %u %g' /run/tinyberth/proxy/token",
    ).stdout.splitlines()  # fmt: skip
    assert modes == [
        ". 700 10001",
        "cookie_secret 600 10001",
        "link-key 600 10001",
        "cli-token 600 10001",
        "jupyterhub.sqlite 600 10001",
        "accounts.sqlite 600 10001",
        "/run/tinyberth/proxy/token 640 10002 10001",  # the proxy's, read by the hub
    ]


def test_the_tests_never_use_the_default_deployment() -> None:
    assert os.environ["COMPOSE_PROJECT_NAME"] != "tinyberth"
    assert os.environ["PORT"] != "8000"
