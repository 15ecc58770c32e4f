"""The firewall's rules as text, from settings: who is dropped and who is let through."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import pytest

from tinyberth_common.settings import SettingsError
from tinyberth_firewall import guard, nft
from tinyberth_firewall.guard import Guard
from tinyberth_firewall.rules import Policy, deletion, rules
from tinyberth_firewall.settings import load_policy, resolvers

DEPLOYMENT = {"TINYBERTH_DEPLOYMENT": "lab"}
PUBLIC = ["203.0.113.9", "8.8.8.8", "2001:db8::1"]
PRIVATE = [
    *("10.1.2.3", "172.16.0.1", "172.31.255.254", "192.168.1.1", "100.64.0.1", "100.127.255.254"),
    *("fc00::1", "fd12:3456::1", "192.0.0.1", "198.19.0.1", "240.0.0.1"),
]
NEVER = [
    *("169.254.169.254", "169.254.0.1", "fe80::1", "224.0.0.1", "255.255.255.255", "ff02::1"),
    *("127.0.0.1", "::1", "0.0.0.0", "fd00:ec2::254", "fd20:ce::254"),
    *("100.100.100.200", "168.63.129.16", "192.0.0.192"),
]


def verdict(text: str, address: str, port: int = 443) -> str:
    """Walk the chain from-users as the kernel would: the first rule that matches decides."""
    chain = re.search(r"chain from-users \{\n(.*?)\n\}", text, re.DOTALL)
    assert chain
    target = ipaddress.ip_address(address)
    for line in chain[1].splitlines():
        if "oifname" in line or ("dport 53" in line and port != 53):
            continue
        to = re.match(r"\s*ip6? daddr \{ (.*?) \}", line)
        if to is None or any(target in ipaddress.ip_network(net) for net in to[1].split(", ")):
            return line.split()[-1]
    return "accept"


def policy(resolv_conf: str = "", **variables: str) -> Policy:
    return load_policy(DEPLOYMENT | variables, resolv_conf)


@pytest.mark.parametrize(
    ("egress", "public", "private"),
    [
        ("", "accept", "drop"),
        ("internet", "accept", "drop"),
        ("none", "drop", "drop"),
        ("all", "accept", "accept"),
    ],
)
def test_a2_egress_decides_about_the_internet_and_private_networks(
    egress: str, public: str, private: str
) -> None:
    text = rules(policy(EGRESS=egress))
    assert {address: verdict(text, address) for address in PUBLIC} == dict.fromkeys(PUBLIC, public)
    assert {address: verdict(text, address) for address in PRIVATE} == dict.fromkeys(
        PRIVATE, private
    )


@pytest.mark.parametrize("egress", ["internet", "none", "all"])
@pytest.mark.parametrize(
    "allow", ["", "100.0.0.0/8,168.0.0.0/5,192.0.0.0/16,fd00::/8,128.0.0.0/1"]
)
def test_a2_nothing_opens_link_local_metadata_or_multicast(egress: str, allow: str) -> None:
    text = rules(policy(EGRESS=egress, EGRESS_ALLOW=allow))
    assert {address: verdict(text, address) for address in NEVER} == dict.fromkeys(NEVER, "drop")


@pytest.mark.parametrize("egress", ["internet", "none"])
def test_what_is_allowed_besides_is_reached_and_its_neighbours_are_not(egress: str) -> None:
    text = rules(policy(EGRESS=egress, EGRESS_ALLOW="10.20.30.0/24, 192.168.7.5,fd12:3456::/32"))
    for address in ("10.20.30.1", "10.20.30.255", "192.168.7.5", "fd12:3456::5"):
        assert verdict(text, address) == "accept"
    for address in ("10.20.31.1", "192.168.7.6", "fd12:3457::5"):
        assert verdict(text, address) == "drop"


RESOLV_CONF = """\
# made by the engine
nameserver 10.255.255.53
nameserver 127.0.0.53
nameserver fe80::53%eth0
nameserver 169.254.169.254
nameserver nonsense
nameserver
options ndots:0
"""


def test_the_name_servers_that_the_engine_asks_from_inside_containers() -> None:
    assert list(map(str, resolvers(RESOLV_CONF))) == [
        "10.255.255.53/32",
        "fe80::53/128",
        "169.254.169.254/32",
    ]


@pytest.mark.parametrize(("egress", "names"), [("internet", "accept"), ("none", "drop")])
def test_names_are_asked_of_the_hosts_name_servers_and_nothing_else_is(
    egress: str, names: str
) -> None:
    text = rules(policy(RESOLV_CONF, EGRESS=egress))
    for server in ("10.255.255.53", "169.254.169.254"):
        assert verdict(text, server, port=53) == names
        assert verdict(text, server, port=80) == "drop"
    assert verdict(text, "10.255.255.54", port=53) == "drop"
    _, _, to_the_host = text.partition("hook input")  # which may be the name server itself
    assert ("dport 53 accept" in to_the_host) == (names == "accept")


def test_users_never_reach_each_other_and_that_comes_first() -> None:
    text = rules(policy(EGRESS="all", EGRESS_ALLOW="172.16.0.0/12", BRIDGE_NAME="tb-lab"))
    _, _, chain = text.partition("chain from-users {\n")
    assert chain.splitlines()[0].strip() == 'oifname "tb-lab" counter drop'


def test_the_table_is_replaced_in_one_transaction_under_the_deployments_name() -> None:
    text = rules(policy())
    assert text.startswith(deletion("tinyberth-lab"))
    assert text.count("table inet tinyberth-lab") == 3
    assert set(re.findall(r"table \w+ (\S+)", text)) == {"tinyberth-lab"}


def test_without_a_deployments_name_or_with_a_wrong_setting_nothing_is_made() -> None:
    with pytest.raises(SettingsError, match="TINYBERTH_DEPLOYMENT"):
        load_policy({}, "")
    with pytest.raises(SettingsError, match="EGRESS="):
        policy(EGRESS="some")


class Kernel:
    """Stands in for nf_tables: one table, which others may change."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.table: str | None = None
        self.applied = 0
        self.refusal = ""
        monkeypatch.setattr(nft, "apply", self.apply)
        monkeypatch.setattr(nft, "listing", lambda _name: self.table)
        monkeypatch.setattr(nft, "remove", self.remove)

    def apply(self, text: str) -> None:
        if self.refusal:
            raise nft.NftError(self.refusal)
        self.table = f"as listed: {text}"
        self.applied += 1

    def remove(self, _name: str) -> None:
        self.table = None


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


def bridge(devices: Path, *ports: str) -> Path:
    (devices / "tb-users" / "bridge").mkdir(parents=True)
    for port in ports:
        (devices / "tb-users" / "brif" / port).mkdir(parents=True)
    return devices


def test_a_table_that_somebody_removed_or_changed_is_applied_again(
    kernel: Kernel, tmp_path: Path
) -> None:
    keeper = Guard(policy(), bridge(tmp_path))
    assert keeper.ensure().message == "The table tinyberth-lab was applied."
    assert keeper.ensure().message == "The table tinyberth-lab is in force."
    assert kernel.applied == 1
    kernel.table = None
    assert "was removed by somebody; applied again" in keeper.ensure().message
    kernel.table = "with a rule less"
    assert "was changed by somebody; applied again" in keeper.ensure().message
    assert (keeper.ensure().ok, kernel.applied) == (True, 3)


def test_a_kernel_that_refuses_is_a_sentence_with_its_reason(
    kernel: Kernel, tmp_path: Path
) -> None:
    kernel.refusal = "Error: Could not process rule: Operation not supported"
    state = Guard(policy(), bridge(tmp_path)).ensure()
    assert not state.ok
    assert state.message == guard.CANNOT.format(error=kernel.refusal + ".")


def test_rules_for_a_bridge_that_is_not_there_are_not_in_force(
    kernel: Kernel, tmp_path: Path
) -> None:
    state = Guard(policy(), tmp_path).ensure()
    assert not state.ok
    assert "BRIDGE_NAME" in state.message
    assert kernel.applied == 0


@pytest.mark.parametrize(("ports", "stays"), [(["veth1"], True), ([], False)])
def test_an_end_removes_the_table_only_when_nobody_is_left_to_guard(
    kernel: Kernel, tmp_path: Path, ports: list[str], stays: bool
) -> None:
    keeper = Guard(policy(), bridge(tmp_path, *ports))
    keeper.ensure()
    keeper.leave()
    assert (kernel.table is not None) == stays
