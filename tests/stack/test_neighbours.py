"""THREATS A3: a machine on the host's own wire, with a route to the users' bridge."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

import firewalls
from deployment import Deployment, wait_until
from neighbour import CONNECTED, REFUSED, SILENCE, Neighbour, connect, neighbour, on_host


@pytest.fixture(scope="module")
def lan(deployment: Deployment) -> Iterator[Neighbour]:
    """Return a machine beside the host, whose default route is the host."""
    with neighbour(deployment.project) as machine:
        yield machine


def address(deployment: Deployment, container: str) -> str:
    (network,) = deployment.inspect(container)["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def test_a3_a_neighbour_reaches_no_container_and_published_ones_only_without_the_table(
    deployment: Deployment, lan: Neighbour
) -> None:
    """The control is what this design avoids: a container published on 127.0.0.1 (moby 45610)."""
    deployment.with_server("alice")
    published = f"{deployment.project}-published"
    deployment.docker(
        *("run", "--detach", "--name", published, "--publish", "127.0.0.1::80"),
        *("--network", f"{deployment.project}_users", f"{deployment.project}-tests:0.1.0"),
        *("python3", "-m", "http.server", "80"),
    )
    try:
        port = deployment.docker("port", published, "80").stdout.rpartition(":")[2].strip()
        wait_until(lambda: _answers(f"http://127.0.0.1:{port}"), "the published one answers")
        targets = {
            "alice's server": (address(deployment, deployment.container("alice")), 8888),
            "published on 127.0.0.1": (address(deployment, published), 80),
        }
        assert connect(lan.container, targets) == dict.fromkeys(targets, SILENCE)
        with firewalls.no_table(deployment):
            without = connect(lan.container, targets)
        assert without == {"alice's server": SILENCE, "published on 127.0.0.1": CONNECTED}
    finally:
        deployment.docker("rm", "--force", published)


def test_a3_a_neighbour_reaches_the_hubs_door_only_where_loopback_is_routed_and_no_table_is(
    deployment: Deployment, lan: Neighbour
) -> None:
    """With route_localnet, which kube-proxy sets, 127.0.0.1 is an address as any other."""
    door = {"the hub": ("127.0.0.1", deployment.port)}
    other = {"the host": (lan.address("10/8", 1), deployment.port)}
    assert connect(lan.container, other) == {"the host": REFUSED}
    lan.run(
        "ip addr del 127.0.0.1/8 dev lo\n"
        f"ip route add 127.0.0.1/32 via {lan.address('10/8', 1)} src {lan.address('10/8')}"
    )
    assert connect(lan.container, door) == {"the hub": SILENCE}
    on_host(deployment.project, f"echo 1 > /proc/sys/net/ipv4/conf/{lan.host_wire}/route_localnet")
    assert connect(lan.container, door) == {"the hub": SILENCE}
    with firewalls.no_table(deployment):
        assert connect(lan.container, door) == {"the hub": CONNECTED}


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False
