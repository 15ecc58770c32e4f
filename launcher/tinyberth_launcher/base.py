"""The base of all images: the pinned one, or the same made from Debian packages.

Where a registry answers, Compose's default (pinned by digest in docker-compose.yml) is
used. Where none does, `mmdebstrap` makes it, and BASE_IMAGE tells Compose its name.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from . import apt
from .apt_sources import DEBIAN_KEYRING, Mirrors
from .checkout import Checkout
from .command import capture
from .packages import Plan
from .problem import REFUSED, Problem
from .steps import Step

BOOTSTRAPPED = "tinyberth-base:trixie"
"""Its presence in the engine is the memory of the choice; remove it to ask again."""

_PULL_SECONDS = 120.0

# As in Debian's own slim images: nobody reads manuals in a container.
_SLIM = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
)

# A hook, not --aptopt: that would hold for mmdebstrap's own downloads, too, and break them.
_APT_CONF = (
    'echo \'APT::Keep-Downloaded-Packages "false"; Acquire::Languages "none";\''
    ' > "$1"/etc/apt/apt.conf.d/90tinyberth'
)
"""Packages that were installed must not stay in an image's layers a second time. Descriptions of
packages in English are a third of what `apt-get update` reads, eight times in a build."""


def ensure_base(step: Step, checkout: Checkout) -> dict[str, str]:
    """Return what Compose must be told about the base: nothing, or BASE_IMAGE."""
    wished = checkout.variables.get("BASE_IMAGE", "")
    image = wished or checkout.pinned_base
    if has_image(image):
        step.done(f"{_short(image)} is here")
        return {}
    if not wished and has_image(BOOTSTRAPPED):
        step.done(f"{BOOTSTRAPPED} is here, made from Debian packages")
        return {"BASE_IMAGE": BOOTSTRAPPED}
    step.note(f"pulling {_short(image)}")
    pulled = capture(["docker", "pull", "--quiet", image], timeout=_PULL_SECONDS)
    if pulled.ok:
        step.done(f"{_short(image)} pulled")
        return {}
    if wished:
        raise Problem(
            f"The base image {wished} is not here and cannot be pulled.",
            why=pulled.err.strip()[-300:] + " (BASE_IMAGE is set, so that image is meant.)",
            remedy="Load it, or remove BASE_IMAGE from .env to use the pinned one.",
            code=REFUSED,
        )
    _bootstrap(step)
    step.done(f"{BOOTSTRAPPED} made from Debian packages (no registry answered)")
    return {"BASE_IMAGE": BOOTSTRAPPED}


def has_image(reference: str) -> bool:
    return capture(["docker", "image", "inspect", "--format", "{{.Id}}", reference]).ok


def _bootstrap(step: Step) -> None:
    if shutil.which("mmdebstrap") is None:
        _install_mmdebstrap(step)
    with tempfile.TemporaryDirectory(prefix="tinyberth-base-", dir="/var/tmp") as folder:
        tarball = Path(folder) / "base.tar"
        step.note("making it from Debian packages")
        step.run(
            mmdebstrap_command(apt.mirrors(), tarball),
            failed="Making the base image from Debian packages failed",
            remedy="Check that this machine reaches its Debian mirror, then run it again.",
        )
        step.note("importing it")
        step.run(
            ["docker", "import", "--change", "CMD bash", str(tarball), BOOTSTRAPPED],
            failed="The engine could not import the base image",
        )


def _install_mmdebstrap(step: Step) -> None:
    if not apt.has_apt():
        raise Problem(
            "No container registry answers, and this system cannot make the base image itself.",
            why="That takes `mmdebstrap`, a Debian and Ubuntu package.",
            remedy="Load a Debian 13 image by hand and name it in .env as BASE_IMAGE.",
            code=REFUSED,
        )
    apt.require_root("Installing mmdebstrap (no container registry answers)")
    apt.update(step)
    apt.install(step, Plan(("mmdebstrap", "debian-archive-keyring")))


def mmdebstrap_command(mirrors: Mirrors, tarball: Path) -> list[str]:
    """Return the command that makes Debian 13's smallest useful system as a tar file.

    Where the machine names no Debian mirror (Ubuntu), mmdebstrap uses Debian's own.
    """
    lines = []
    if mirrors.main:
        lines += [f"deb {mirrors.main} {suite} main" for suite in ("trixie", "trixie-updates")]
    if mirrors.main and mirrors.security:
        lines.append(f"deb {mirrors.security} trixie-security main")
    return [
        "mmdebstrap",
        "--variant=minbase",
        f"--keyring={DEBIAN_KEYRING}",
        f"--customize-hook={_APT_CONF}",
        *(f"--dpkgopt={line}" for line in _SLIM),
        "trixie",
        str(tarball),
        *lines,
    ]


def _short(image: str) -> str:
    """Return ``image`` without its digest, which nobody reads."""
    return image.split("@", 1)[0]
