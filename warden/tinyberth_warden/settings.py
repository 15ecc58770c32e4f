"""The warden's environment, read here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyberth_common.settings import Settings, SettingsError, load

HUB_UID = 10001
PROXY_UID = 10002
CONTAINER_DATA = Path("/data")
CONTAINER_HOST_ETC = Path("/host/etc")
CONTAINER_RUN = Path("/run/tinyberth/warden")
CONTAINER_ENGINE_SOCKET = Path("/var/run/docker.sock")

# What compose fills in; the patterns are the engine's own for such names.
_WIRING = {
    "TINYBERTH_DEPLOYMENT": re.compile(r"\A[a-z0-9][a-z0-9_-]{0,62}\Z"),
    "TINYBERTH_USER_IMAGE": re.compile(r"\A[a-z0-9][a-zA-Z0-9._/:@-]{0,254}\Z"),
    "TINYBERTH_USER_NETWORK": re.compile(r"\A[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}\Z"),
    "TINYBERTH_HUB_RUN_VOLUME": re.compile(r"\A[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}\Z"),
}
# Network names with a meaning of their own for the engine: the host's network, for one.
_ENGINE_NETWORKS = {"host", "none", "bridge", "default"}


@dataclass(frozen=True)
class Wiring:
    """Names that the parts of one deployment share, and the deployment's settings."""

    deployment: str
    user_image: str
    user_network: str
    hub_run_volume: str
    settings: Settings


def load_wiring(variables: Mapping[str, str]) -> Wiring:
    """Parse the environment.

    Raises
    ------
    SettingsError
        With one sentence for each variable that is missing or wrong.
    """
    problems = [
        f"{name} is missing or wrong: start the warden through docker-compose.yml, which sets it."
        for name, pattern in _WIRING.items()
        if not pattern.match(variables.get(name, ""))
    ]
    if variables.get("TINYBERTH_USER_NETWORK") in _ENGINE_NETWORKS:
        problems.append("TINYBERTH_USER_NETWORK must be a network of the deployment's own.")
    try:
        settings = load(variables)
    except SettingsError as error:
        raise SettingsError(problems + error.problems) from None
    if problems:
        raise SettingsError(problems)
    return Wiring(*(variables[name] for name in _WIRING), settings=settings)
