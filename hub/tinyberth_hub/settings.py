"""What the hub's container is told: the deployment's settings and its wiring.

This is the one module of the hub that reads the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyberth_common.settings import Settings, load

STATE_DIR = Path("/var/lib/tinyberth")
"""The volume hub-state: database, accounts, cookie secret, keys, CLI token."""

HUB_DATABASE = STATE_DIR / "jupyterhub.sqlite"

HUB_SOCKET = Path("/run/tinyberth/hub/hub.sock")
PROXY_API_SOCKET = Path("/run/tinyberth/proxy/api.sock")
PROXY_TOKEN_FILE = Path("/run/tinyberth/proxy/token")
LEDGER_SOCKET = Path("/run/tinyberth/ledger/ledger.sock")
WARDEN_SOCKET = Path("/run/tinyberth/warden/warden.sock")
FIREWALL_SOCKET = Path("/run/tinyberth/firewall/firewall.sock")

CLI_SERVICE = "tinyberth-cli"
"""Name of the JupyterHub service that `tinyberth-hub user …` speaks as."""

PEOPLE_SCOPE = "custom:tinyberth:people"
"""The one scope of that service: our people API, and nothing of JupyterHub's own."""


@dataclass(frozen=True)
class HubSettings:
    """The settings that people may change, and the names that docker-compose.yml gives."""

    settings: Settings
    deployment: str
    user_image: str
    user_network: str


def load_settings(environ: Mapping[str, str] = os.environ) -> HubSettings:
    """Read the environment.

    Raises
    ------
    SettingsError
        With every fault at once.
    KeyError
        If a wiring variable is missing: the container was not started by our compose file.
    """
    return HubSettings(
        settings=load(environ),
        deployment=environ["TINYBERTH_DEPLOYMENT"],
        user_image=environ["TINYBERTH_USER_IMAGE"],
        user_network=environ["TINYBERTH_USER_NETWORK"],
    )


def read_cli_token(state_dir: Path = STATE_DIR) -> str:
    """Return the token of `tinyberth-hub user …`; the hub writes it before it starts."""
    return (state_dir / "cli-token").read_text(encoding="ascii")
