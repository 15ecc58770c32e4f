"""The warden's environment, read here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyberth_common.settings import Settings, SettingsError, load

CONTAINER_DATA = Path("/data")
CONTAINER_RUN = Path("/run/tinyberth/warden")
CONTAINER_LEDGER_SOCKET = Path("/run/tinyberth/ledger/ledger.sock")
CONTAINER_ENGINE_SOCKET = Path("/var/run/docker.sock")

# Names that compose fills in, in the order of ``Wiring``.
_WIRING = ("DEPLOYMENT", "USER_IMAGE", "USER_NETWORK", "HUB_RUN_VOLUME")


@dataclass(frozen=True)
class Wiring:
    """Names that the parts of one deployment share, and the deployment's settings."""

    settings: Settings
    deployment: str
    user_image: str
    user_network: str
    hub_run_volume: str


def load_wiring(variables: Mapping[str, str]) -> Wiring:
    """Parse the environment.

    Raises
    ------
    SettingsError
        With one sentence for each variable that is missing or wrong.
    """
    names = [variables.get(f"TINYBERTH_{name}", "") for name in _WIRING]
    problems = [
        f"TINYBERTH_{name} is missing: start the warden through docker-compose.yml, which sets it."
        for name, value in zip(_WIRING, names, strict=True)
        if not value
    ]
    try:
        settings = load(variables)
    except SettingsError as error:
        raise SettingsError(problems + error.problems) from None
    if problems:
        raise SettingsError(problems)
    return Wiring(settings, *names)
