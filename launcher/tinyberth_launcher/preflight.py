"""Everything that can be refused before anything is started (THREATS B5)."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

from tinyberth_common.settings import Settings, SettingsError, load

from .checkout import Checkout
from .command import capture
from .listening import listen_problems
from .problem import REFUSED, Problem

MARKER = ".tinyberth-data"
"""The file that tells a data folder from an empty mount point (THREATS F9)."""

_COMPOSE_PROJECT = re.compile(r"\A[a-z0-9][a-z0-9_-]*\Z")
_FIRST_START_BYTES = 8 * 2**30
"""Images, their build cache and the base: 6.5 GB were seen, and people need room to work."""


def judge_settings(checkout: Checkout) -> tuple[Settings | None, list[str]]:
    """Return the settings, if they are valid, and one sentence for each fault of theirs."""
    problems = list(checkout.problems)
    settings = None
    try:
        settings = load(checkout.variables)
    except SettingsError as error:
        problems += error.problems
    if not _COMPOSE_PROJECT.match(checkout.project):
        problems.append(
            f"COMPOSE_PROJECT_NAME={checkout.project[:80]!a} is not valid: write a-z, 0-9, "
            "_ and -, beginning with a letter or digit."
        )
    return settings, problems


def check_settings(checkout: Checkout) -> Settings:
    """Return the settings.

    Raises
    ------
    Problem
        Listing every fault of the settings, one sentence for each, with exit code 3.
    """
    settings, problems = judge_settings(checkout)
    if problems or settings is None:
        raise Problem(
            f"{_count(problems)} in the settings (.env and the shell's variables); "
            "nothing was started:",
            why="\n        ".join(problems),
            remedy="Correct them; .env.example explains every setting.",
            code=REFUSED,
        )
    return settings


def check_machine(checkout: Checkout, settings: Settings) -> None:
    """Check what the settings name on this machine: data folder, CA bundle, address, disk.

    Raises
    ------
    Problem
        Listing every fault, with exit code 3.
    """
    problems = [
        *data_problems(checkout.host_data_dir),
        *_ca_problems(settings.host_ca_bundle),
        *listen_problems(checkout, settings),
        *_disk_problems(checkout),
    ]
    if problems:
        raise Problem(
            f"{_count(problems)} with this machine; nothing was started:",
            why="\n        ".join(problems),
            remedy="Do what the lines say, then run the same command again.",
            code=REFUSED,
        )


def data_problems(host_data_dir: Path) -> list[str]:
    """Return what is wrong with the data folder: absent, or without its marker."""
    marker = host_data_dir / MARKER
    if marker.is_file():
        return []
    quoted = shlex.quote(str(host_data_dir))
    return [
        f"DATA_DIR={host_data_dir} is not a data folder of Tinyberth: it has no file {MARKER}. "
        "If a disk should be mounted there, mount it. If it is meant to be a new, empty data "
        f"folder: mkdir -p {quoted} && touch {quoted}/{MARKER}"
    ]


def _ca_problems(host_ca_bundle: str) -> list[str]:
    if Path(host_ca_bundle).is_file():
        return []
    return [
        f"HOST_CA_BUNDLE: there is no file {host_ca_bundle}. Install the package "
        "ca-certificates, or set it to this system's bundle, such as "
        "/etc/pki/tls/certs/ca-bundle.crt (Fedora) or /etc/ssl/ca-bundle.pem (openSUSE)."
    ]


def _disk_problems(checkout: Checkout) -> list[str]:
    """Only before the first start: later the images are there and `doctor` watches the disk."""
    image = capture(["docker", "image", "inspect", f"{checkout.project}-hub:0.1.0"], timeout=10)
    folder = Path("/var/lib/docker")
    while not folder.exists():
        folder = folder.parent
    if image.ok or not os.access(folder, os.X_OK):
        return []
    free = shutil.disk_usage(folder).free
    if free >= _FIRST_START_BYTES:
        return []
    return [
        f"{folder} has {free / 2**30:.1f} GiB free; building the images needs "
        f"{_FIRST_START_BYTES // 2**30} GiB. Free some space, or move the engine's data-root."
    ]


def _count(problems: list[str]) -> str:
    return "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
