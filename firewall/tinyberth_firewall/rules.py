"""Who may speak to whom, as the text that nft applies in one transaction: a pure function.

A drop is final whatever other tables say (Docker's, firewalld's, the admin's); an accept here only
ends our own chain. So nothing in this table opens anything, and nobody else's opens what it drops.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from tinyberth_common.networks import NEVER, Network

# Ranges that the internet does not route: whatever answers there is somebody's own.
_PRIVATE = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
    *("192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "fc00::/7", "fec0::/10"),
)
# Where clouds hand out the host's credentials beside 169.254.169.254: AWS and Google by IPv6,
# Alibaba, Oracle, Azure (whose address is a public one).
_METADATA = (
    *("fd00:ec2::254", "fd20:ce::254"),
    *("100.100.100.200", "192.0.0.192", "168.63.129.16"),
)

_NEIGHBOURS = "{ nd-neighbor-solicit, nd-neighbor-advert }"


@dataclass(frozen=True)
class Policy:
    """What the rules are made from; ``resolvers`` are whom the engine asks for names."""

    table: str
    bridge: str
    port: int
    egress: str
    allow: tuple[Network, ...] = ()
    resolvers: tuple[Network, ...] = ()


def deletion(table: str) -> str:
    """Return what removes ``table``; named first, so that it is no error where there is none."""
    return f"table inet {table}\ndelete table inet {table}\n"


def rules(policy: Policy) -> str:
    """Return the whole table, in the place of an older one."""
    bridge = f'"{policy.bridge}"'
    return deletion(policy.table) + "\n".join(
        [
            f"table inet {policy.table} {{",
            *_chain(
                "forward",
                # Users' containers to elsewhere, and among themselves.
                f"iifname {bridge} goto from-users",
                # Only answers to what they asked for; not by state alone, so that a connection
                # that a neighbour opened before the table was there ends with it.
                f"oifname {bridge} ct state established,related ct direction reply accept",
                f"oifname {bridge} counter drop",
                hook="forward",
            ),
            *_chain("from-users", f"oifname {bridge} counter drop", *_egress(policy)),
            *_chain(
                "input",
                # The hub and the proxy, on the host, ask users' servers; this is the answer.
                f"iifname {bridge} ct state established,related ct direction reply accept",
                # IPv6's ARP, without which no answer finds its way.
                f"iifname {bridge} icmpv6 type {_NEIGHBOURS} accept",
                *(f"iifname {bridge} {rule}" for rule in _names(policy)),
                f"iifname {bridge} counter drop",
                # The hub's door: with route_localnet a host lets neighbours ask for 127.0.0.1.
                f'iifname != "lo" ip daddr 127.0.0.0/8 tcp dport {policy.port} counter drop',
                hook="input",
            ),
            "}\n",
        ]
    )


def _chain(name: str, *lines: str, hook: str = "") -> list[str]:
    # Before Docker's and firewalld's (0), so that what we drop is counted by us.
    head = [f"type filter hook {hook} priority -10; policy accept;"] if hook else []
    return [f"chain {name} {{", *(f"  {line}" for line in [*head, *lines]), "}"]


def _egress(policy: Policy) -> list[str]:
    metadata = tuple(ipaddress.ip_network(address) for address in _METADATA)
    private = tuple(ipaddress.ip_network(network) for network in _PRIVATE)
    return [
        # First, because in some clouds what answers for names is at the metadata's address.
        *_names(policy),
        *_to((*NEVER, *metadata), "counter drop"),
        *_to(policy.allow, "accept"),
        *_to(private if policy.egress == "internet" else (), "counter drop"),
        *(["counter drop"] if policy.egress == "none" else []),
    ]


def _names(policy: Policy) -> list[str]:
    """Let the engine's resolver, which asks from inside containers, ask the host's servers."""
    asked = policy.resolvers if policy.egress != "none" else ()
    return _to(asked, "meta l4proto { tcp, udp } th dport 53 accept")


def _to(networks: Iterable[Network], verdict: str) -> list[str]:
    """Return a rule for each family that ``networks`` has members of."""
    given = list(networks)
    four = ipaddress.collapse_addresses(net for net in given if isinstance(net, IPv4Network))
    six = ipaddress.collapse_addresses(net for net in given if isinstance(net, IPv6Network))
    return [
        f"{family} daddr {{ {', '.join(map(str, members))} }} {verdict}"
        for family, members in (("ip", list(four)), ("ip6", list(six)))
        if members
    ]
