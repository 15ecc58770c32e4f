"""The firewall's environment, read here and nowhere else."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path

from tinyberth_common.networks import Network
from tinyberth_common.settings import SettingsError, load

from .rules import Policy

CONTAINER_RESOLV_CONF = Path("/etc/resolv.conf")
"""In a container on the host's network: the engine's copy of what it asks names of."""

CONTAINER_SOCKET = Path("/run/tinyberth/firewall/firewall.sock")


def load_policy(variables: Mapping[str, str], resolv_conf: str) -> Policy:
    """Parse the environment.

    Raises
    ------
    SettingsError
        With one sentence for each variable that is missing or wrong.
    """
    settings = load(variables)
    deployment = variables.get("TINYBERTH_DEPLOYMENT", "")
    if not deployment:
        raise SettingsError(
            ["TINYBERTH_DEPLOYMENT is missing: start it by docker-compose.yml, which sets it."]
        )
    return Policy(
        table=f"tinyberth-{deployment}",
        bridge=settings.bridge_name,
        port=settings.port,
        egress=settings.egress,
        allow=settings.egress_allow,
        resolvers=resolvers(resolv_conf),
    )


def resolvers(resolv_conf: str) -> tuple[Network, ...]:
    """Return the name servers that the engine asks from inside users' containers.

    It asks those on loopback, such as systemd-resolved, from the host; they need no rule.
    """
    words = [line.split() for line in resolv_conf.splitlines()]
    found = []
    for word in [word[1] for word in words if word[:1] == ["nameserver"] and len(word) > 1]:
        try:
            address = ipaddress.ip_address(word.partition("%")[0])
        except ValueError:
            continue  # the engine ignores it, too
        if not address.is_loopback:
            found.append(ipaddress.ip_network(address))
    return tuple(dict.fromkeys(found))
