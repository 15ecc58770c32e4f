"""The deployment's firewall as it is, away, or run with other settings; always put back."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator

from deployment import Deployment, wait_until

_NFT = ("run", "--rm", "--network", "host", "--cap-drop", "ALL", "--cap-add", "NET_ADMIN")
_ASK = ("python3", "-IS", "/opt/tinyberth/tinyberth_firewall/healthcheck.py")


def image(deployment: Deployment) -> str:
    return f"{deployment.project}-firewall:0.1.0"


def table(deployment: Deployment) -> str:
    return f"tinyberth-{deployment.project}"


def bridge(deployment: Deployment) -> str:
    """Return the users' bridge on the host."""
    return deployment.variables.get("BRIDGE_NAME") or os.environ["BRIDGE_NAME"]


def nft(deployment: Deployment, *arguments: str) -> str:
    """Run nft on the host's tables."""
    return deployment.docker(*_NFT, image(deployment), "nft", *arguments).stdout


def has_table(deployment: Deployment) -> bool:
    return f"table inet {table(deployment)}" in nft(deployment, "list", "tables").splitlines()


def in_force(deployment: Deployment, container: str = "") -> bool:
    """Tell whether the firewall says so, after it has looked."""
    name = container or deployment.service("firewall")
    said = deployment.docker("exec", name, *_ASK, check=False)
    return said.returncode == 0 and bool(json.loads(said.stdout)["ok"])


@contextlib.contextmanager
def held(deployment: Deployment) -> Iterator[None]:
    """Hold the service still, so that it does not put its table back, and let it do so after."""
    name = deployment.service("firewall")
    deployment.docker("pause", name)
    try:
        yield
    finally:
        deployment.docker("unpause", name)
        wait_until(lambda: in_force(deployment), "the table is in force again")


@contextlib.contextmanager
def no_table(deployment: Deployment) -> Iterator[None]:
    """Remove the table: what is reached then is what the table keeps from being reached."""
    with held(deployment):
        nft(deployment, "delete", "table", "inet", table(deployment))
        yield


@contextlib.contextmanager
def firewall_with(deployment: Deployment, *options: str, **variables: str) -> Iterator[None]:
    """Put a firewall with other settings in the place of the deployment's."""
    name = f"{deployment.project}-other-firewall"
    given = {
        "TINYBERTH_DEPLOYMENT": deployment.project,
        "BRIDGE_NAME": bridge(deployment),
        **variables,
    }
    environment = [f"--env={key}={value}" for key, value in given.items()]
    with held(deployment):
        deployment.docker(
            *("run", "--detach", "--name", name, *_NFT[2:], *options, *environment),
            image(deployment),
        )
        try:
            wait_until(lambda: in_force(deployment, name), f"the firewall with {variables}")
            yield
        finally:
            deployment.docker("rm", "--force", name)
