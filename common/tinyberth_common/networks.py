"""IP networks in settings, and those that no setting opens to users' containers."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from typing import Union

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

NEVER: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "127.0.0.0/8", "::/128", "::1/128"),  # the machine itself
        *("169.254.0.0/16", "fe80::/10"),  # link-local: metadata services of clouds, routers
        *("224.0.0.0/4", "ff00::/8", "255.255.255.255/32"),  # everybody at once
    )
)
"""Not even EGRESS=all or EGRESS_ALLOW lets anybody's container reach these."""


def networks(text: str) -> tuple[Network, ...]:
    """Parse a list of networks and addresses, IPv4 and IPv6, with commas between."""
    return tuple(dict.fromkeys(_network(word.strip()) for word in text.split(",")))


def _network(word: str) -> Network:
    network: Network | None = None
    with suppress(ValueError):
        network = ipaddress.ip_network(word, strict=False)
    if network is None or "%" in word:
        raise ValueError(
            "write networks or addresses with commas between, such as 10.20.30.0/24,192.168.7.5"
        )
    if ipaddress.ip_address(word.partition("/")[0]) != network.network_address:
        raise ValueError(f"{word} has bits set behind its prefix; write {network}")
    if network.prefixlen == 0:
        raise ValueError(f"{network} is everything; for that, set EGRESS=all")
    if any(_inside(network, never) for never in NEVER):
        raise ValueError(f"{network} is never opened: this machine, link-local or multicast")
    return network


def _inside(network: Network, other: Network) -> bool:
    return network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]
