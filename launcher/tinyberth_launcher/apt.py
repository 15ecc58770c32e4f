"""Installing Debian and Ubuntu packages, without a question and without more than asked."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .apt_sources import (
    TRIXIE_PIN,
    Mirrors,
    Source,
    debian_mirrors,
    parse_deb822,
    parse_one_line,
    trixie_source,
)
from .command import capture
from .packages import ALL_PACKAGES, Machine, Plan, parse_policy
from .problem import Problem
from .steps import Step

_APT = Path("/etc/apt")
_TRIXIE_SOURCE = _APT / "sources.list.d" / "tinyberth-trixie.sources"
_TRIXIE_PIN = _APT / "preferences.d" / "tinyberth-trixie"
_QUIET = {
    "DEBIAN_FRONTEND": "noninteractive",  # no dialogs: nobody may be there to answer
    "LC_ALL": "C.UTF-8",  # parse_policy reads English
}


def has_apt() -> bool:
    return shutil.which("apt-get") is not None and (_APT).is_dir()


def os_release() -> dict[str, str]:
    """Return the fields of /etc/os-release (os-release(5))."""
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {name: value.strip("\"'") for name, value in pairs}


def mirrors() -> Mirrors:
    """Return the Debian mirrors of this machine's own apt sources."""
    sources: list[Source] = []
    for path in [_APT / "sources.list", *sorted((_APT / "sources.list.d").glob("*"))]:
        if path.suffix in {".list", ".sources"} and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            sources += parse_deb822(text) if path.suffix == ".sources" else parse_one_line(text)
    return debian_mirrors(sources, os_release().get("VERSION_CODENAME", ""))


def survey(missing: frozenset[str]) -> Machine:
    """Ask apt what it offers, after fetching the package lists where there are none."""
    release = os_release()
    return Machine(
        os_id=release.get("ID", ""),
        codename=release.get("VERSION_CODENAME", ""),
        offers=_offers(),
        missing=missing,
    )


def _offers() -> dict[str, str]:
    answer = capture(["apt-cache", "policy", *ALL_PACKAGES], env={**os.environ, **_QUIET})
    return parse_policy(answer.out)


def require_root(purpose: str) -> None:
    """Raise a Problem unless we are root."""
    if os.geteuid() != 0:
        raise Problem(
            f"{purpose} needs root.",
            why="Packages and the engine belong to the whole machine.",
            remedy="Run the same command with sudo.",
        )


def update(step: Step) -> None:
    """Fetch package lists; a broken third-party source must not stop us, so try and go on."""
    step.note("apt-get update")
    capture(["apt-get", "update", "-q"], env={**os.environ, **_QUIET}, timeout=600)


def install(step: Step, plan: Plan) -> None:
    """Install ``plan``; packages of Debian 13 only with its suite pinned below the own one."""
    require_root("Installing packages")
    if plan.from_trixie:
        own = mirrors()
        if not own.main:
            raise Problem(
                "apt has no Debian mirror on this machine.",
                why="The engine comes from Debian 13, from the mirror that apt uses already.",
                remedy="Add your mirror to /etc/apt/sources.list.d, then run the same command.",
            )
        _TRIXIE_SOURCE.write_text(trixie_source(own), encoding="utf-8")
        _TRIXIE_PIN.write_text(TRIXIE_PIN, encoding="utf-8")
        update(step)
    step.run(
        # Recommended packages would bring git, AppArmor tools and more that nobody asked for.
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", *plan.packages],
        failed=f"Installing {', '.join(plan.packages)} failed",
        remedy="Run `apt-get update && apt-get install -f` as root, then the same command again.",
        env={**os.environ, **_QUIET},
    )
