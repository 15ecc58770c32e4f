"""THREATS A2: what users' containers reach, with the firewall, without it, and by each setting.

Every attack is made a second time with the table away, so that "no connection" is the table's
doing and not the test's.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests

import firewalls
from deployment import Deployment, wait_until
from neighbour import (
    CONNECTED,
    HTTP,
    METADATA,
    REFUSED,
    SILENCE,
    Neighbour,
    connect,
    neighbour,
    on_host,
)

PRIVATE = ["10/8", "100.64/10", "192.168/16"]
Targets = dict[str, tuple[str, int]]


@pytest.fixture(scope="module")
def lan(deployment: Deployment) -> Iterator[Neighbour]:
    """Return a machine beside the host."""
    with neighbour(deployment.project) as machine:
        yield machine


@pytest.fixture
def host_port() -> Iterator[int]:
    """Return a port on which the host listens, on all its addresses of both families."""
    with socket.create_server(
        ("::", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64
    ) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def alice(deployment: Deployment) -> str:
    """Return alice's container."""
    deployment.with_server("alice")
    return deployment.container("alice")


def network(deployment: Deployment, container: str) -> dict[str, Any]:
    (found,) = deployment.inspect(container)["NetworkSettings"]["Networks"].values()
    return dict(found)


def all_are(answers: dict[str, str], expected: str) -> bool:
    """Tell whether every answer is as expected, and show them if not."""
    assert answers == dict.fromkeys(answers, expected)
    return True


def test_a2_private_networks_metadata_and_the_host_are_silent(
    deployment: Deployment, alice: str, lan: Neighbour, host_port: int
) -> None:
    gateway = network(deployment, alice)["Gateway"]
    routed = json.loads(on_host(deployment.project, "ip -json route get 192.88.99.1").stdout)
    targets: Targets = {
        **{f"neighbour in {kind}": (lan.address(kind), HTTP) for kind in PRIVATE},
        **{f"host in {kind}": (lan.address(kind, 1), host_port) for kind in PRIVATE},
        "the host's side of the internet": (lan.address("internet", 1), host_port),
        "the host at its own address": (routed[0]["prefsrc"], host_port),
        "the host as the gateway": (gateway, host_port),
        "metadata": (METADATA, HTTP),
    }
    with lan.as_metadata():
        assert all_are(connect(alice, targets), SILENCE)
        with firewalls.no_table(deployment):
            assert all_are(connect(alice, targets), CONNECTED)


def test_a2_the_proxys_api_and_the_hubs_door_are_no_address_of_the_network(
    deployment: Deployment, alice: str
) -> None:
    """The API is a unix socket in a volume that is in no user's container."""
    gateway = network(deployment, alice)["Gateway"]
    targets = {"door": (gateway, deployment.port), "inside": ("127.0.0.1", deployment.port)}
    assert connect(alice, targets) == {"door": SILENCE, "inside": REFUSED}
    sockets = deployment.as_user("alice", "find / -xdev -type s 2>/dev/null; true").stdout.split()
    mounted = deployment.as_user("alice", "find /run/tinyberth -type s").stdout.split()
    assert mounted == ["/run/tinyberth/hub/hub.sock"]
    assert not [path for path in sockets if "api.sock" in path or "firewall" in path]


def test_a2_bobs_ports(deployment: Deployment, alice: str) -> None:
    """Also without the table: Docker's own rule (ICC off) keeps containers apart."""
    deployment.with_server("bob")
    bob = deployment.container("bob")
    port = {"bob's server": (network(deployment, bob)["IPAddress"], 8888)}
    assert all_are(connect(bob, port), CONNECTED)
    assert all_are(connect(alice, port), SILENCE)
    with firewalls.no_table(deployment):
        assert all_are(connect(alice, port), SILENCE)


@pytest.mark.parametrize(
    ("rule", "reached"),
    [
        (("internet", "10/8"), {"internet", "10/8"}),
        (("all", ""), {"internet", *PRIVATE, "second in 10/8"}),
        (("none", ""), set()),
        (("none", "10/8"), {"10/8"}),
    ],
)
def test_a2_egress_and_what_is_allowed_besides(
    deployment: Deployment, alice: str, lan: Neighbour, rule: tuple[str, str], reached: set[str]
) -> None:
    targets = {kind: (lan.address(kind), HTTP) for kind in ["internet", *PRIVATE]}
    targets["second in 10/8"] = (lan.address("10/8", 3), HTTP)
    targets["metadata"] = (METADATA, HTTP)
    targets["gateway"] = (network(deployment, alice)["Gateway"], deployment.port)
    egress, allow = rule
    settings = {"EGRESS": egress, "EGRESS_ALLOW": lan.address(allow) if allow else ""}
    with firewalls.firewall_with(deployment, **settings), lan.as_metadata():
        answers = connect(alice, targets)
        server = requests.get(f"{deployment.people['alice'].server_url}/api", timeout=10)
    assert "version" in server.json()  # hub and proxy reach her server whatever EGRESS says
    assert {name for name, answer in answers.items() if answer == CONNECTED} == reached
    assert set(answers.values()) <= {CONNECTED, SILENCE}


# Sends to a port where nothing listens, and prints what comes of it.
_UNREACHABLE = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
    sending.settimeout(4)
    sending.connect((sys.argv[1], 9))
    sending.send(b"x")
    try:
        sending.recv(1)
    except ConnectionRefusedError:
        print("told")
    except TimeoutError:
        print("silence")
"""


def test_routers_may_tell_a_container_what_became_of_its_packets(
    deployment: Deployment, alice: str, lan: Neighbour
) -> None:
    """ICMP errors belong to a connection of its own; without them large downloads would hang."""
    address = lan.address("internet")
    told = deployment.docker("exec", alice, "python3", "-c", _UNREACHABLE, address)
    assert told.stdout == "told\n"


# Asks a name server for a name, and prints whether it answered that it is or is not there.
_NAMES = """
import socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
    asking.settimeout(4)
    name = b"\\7example\\3com\\0" + struct.pack(">2H", 1, 1)
    asking.sendto(struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + name, (sys.argv[1], 53))
    try:
        print("answer" if asking.recv(512)[3] & 15 in (0, 3) else "failure")
    except TimeoutError:
        print("silence")
"""


def test_names_resolve_with_the_hosts_name_server_in_a_private_network(
    deployment: Deployment, alice: str
) -> None:
    """The engine asks the host's name servers in the name of the container that wants to know."""

    def ask(container: str, server: str) -> str:
        asked = deployment.docker("exec", container, "python3", "-c", _NAMES, server)
        return asked.stdout.strip()

    resolv_conf = deployment.docker(
        "exec", deployment.service("firewall"), "cat", "/etc/resolv.conf"
    ).stdout
    server = resolv_conf.partition("nameserver ")[2].split()[0]
    if ask(deployment.service("hub"), server) != "answer":
        pytest.skip(f"the host's own name server {server} does not answer on this machine")
    assert ask(alice, "127.0.0.11") == "answer"
    if not server.startswith("127."):  # else the engine asks from the host, whatever EGRESS says
        with firewalls.firewall_with(deployment, EGRESS="none"):
            assert ask(alice, "127.0.0.11") != "answer"


def test_a_name_server_is_reached_on_its_port_alone_also_where_it_is_the_host(
    deployment: Deployment, alice: str, lan: Neighbour, host_port: int
) -> None:
    near, far = lan.address("10/8", 1), lan.address("10/8")
    names: Targets = {"names of the host": (near, 53), "names of a neighbour": (far, 53)}
    others: Targets = {"the host": (near, host_port), "the neighbour": (far, HTTP)}
    servers = ["--dns", near, "--dns", far]
    with (
        socket.create_server((near, 53)),
        firewalls.firewall_with(deployment, *servers),
    ):
        answers = connect(alice, names | others)
    assert answers == {
        "names of the host": CONNECTED,
        "names of a neighbour": REFUSED,  # by itself: nothing listens there
        "the host": SILENCE,
        "the neighbour": SILENCE,
    }


def test_a2_over_ipv6_from_a_container_that_has_it(
    deployment: Deployment, lan: Neighbour, host_port: int
) -> None:
    """Users' containers have no IPv6 at all; this one on their bridge has, and more rights."""
    attacker = f"{deployment.project}-six"
    bridge = firewalls.bridge(deployment)
    near, far = (lan.address("internet6", number).replace(":1::", ":2::") for number in (1, 2))
    deployment.docker(
        *("run", "--detach", "--name", attacker, "--network", f"{deployment.project}_users"),
        *("--cap-add", "NET_ADMIN", "--sysctl", "net.ipv6.conf.all.disable_ipv6=0"),
        *(f"{deployment.project}-tests:0.1.0", "sleep", "600"),
    )
    # With force_forwarding (Linux 6.17) the host forwards what comes in there, and nothing else.
    forwards = on_host(
        deployment.project,
        f"ip -6 addr add {near}/64 dev {bridge} nodad\n"
        f"for device in {bridge} {lan.host_wire}; do\n"
        "  echo 1 > /proc/sys/net/ipv6/conf/$device/force_forwarding\n"
        "done",
        check=False,
    )
    try:
        deployment.docker(
            *("exec", attacker, "sh", "-euc"),
            f"ip -6 addr add {far}/64 dev eth0 nodad; ip -6 route add default via {near}",
        )
        link = on_host(
            deployment.project, f"ip -6 -brief addr show dev {bridge} scope link"
        ).stdout
        link_local = next(word for word in link.split() if word.startswith("fe80")).split("/")[0]
        targets: Targets = {
            "the host, link-local": (f"{link_local}%eth0", host_port),
            "the host on the bridge": (near, host_port),
            "the host's private address": (lan.address("fd00::/8", 1), host_port),
            "the host's public address": (lan.address("internet6", 1), host_port),
        }
        through: Targets = {"neighbour in fd00::/8": (lan.address("fd00::/8"), HTTP)}
        if forwards.returncode == 0:
            targets |= through
            outside = {"internet": (lan.address("internet6"), HTTP)}
            assert all_are(connect(attacker, outside), CONNECTED)
        assert all_are(connect(attacker, targets), SILENCE)
        with firewalls.no_table(deployment):
            assert all_are(connect(attacker, targets), CONNECTED)
        # From outside in: the attacker is now the one who listens.
        deployment.docker(
            *("exec", "--detach", attacker, "python3", "-m", "http.server", "--bind", "::", "80")
        )
        wait_until(
            lambda: connect(attacker, {"itself": ("::1", 80)})["itself"] == CONNECTED, "listens"
        )
        if forwards.returncode == 0:
            inward: Targets = {"container": (far, 80)}
            assert all_are(connect(lan.container, inward), SILENCE)
            with firewalls.no_table(deployment):
                assert all_are(connect(lan.container, inward), CONNECTED)
    finally:
        deployment.docker("rm", "--force", attacker)
        on_host(deployment.project, f"ip -6 addr del {near}/64 dev {bridge}")
