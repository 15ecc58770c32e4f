"""Finds an engine, starts one that is installed, or installs one, in that order.

An engine that answers is used as it is and never changed.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import Callable

from . import apt
from .command import capture
from .engine_process import find_dockerd, server_version, start_engine
from .packages import MIN_COMPOSE, MIN_ENGINE, Plan, plan_packages, version_tuple
from .problem import FAILED, REFUSED, Problem
from .steps import Step

_MANUAL = "https://docs.docker.com/engine/install/"

Confirm = Callable[[str], bool]
"""Asks a question on the terminal."""


def always(_question: str) -> bool:
    """Answer for a person who said --yes, or where there is no terminal."""
    return True


def ensure_engine(step: Step, confirm: Confirm) -> None:
    """Make sure that an engine, Compose and buildx of sufficient versions answer."""
    if not sys.platform.startswith("linux"):
        raise Problem(
            "Tinyberth needs Linux.",
            why="Users' files keep their Unix owners only on the engine's own machine.",
            remedy="Run it on a Linux server and open it from here with `ssh -L`.",
            code=REFUSED,
        )
    version = server_version()
    how = "answers"
    if not version:
        require_local_engine()
        how = "started"
        if find_dockerd() is None:
            how = "installed and started"
            _install(step, {"engine"} | _missing_plugins(), confirm)
        version = _start(step)
    if version_tuple(version) < MIN_ENGINE:
        raise Problem(
            f"The engine here is {version}; Tinyberth needs {_dotted(MIN_ENGINE)} or newer.",
            why="Older ones refuse the healthchecks, and an engine in use is never changed by us.",
            remedy=f"Upgrade it: {_MANUAL}",
            code=REFUSED,
        )
    missing = _missing_plugins()
    if missing:
        _install(step, missing, confirm)
    step.done(f"{version} {how}, Compose {compose_version()}")


def require_local_engine() -> None:
    """Raise a Problem where an engine exists but this account or this shell cannot reach it."""
    remote = os.environ.get("DOCKER_HOST", "")
    if remote:
        raise Problem(
            f"The engine at DOCKER_HOST={remote} does not answer.",
            why="DOCKER_HOST is set, so that engine is meant and no other is started.",
            remedy="Start it, or unset DOCKER_HOST to use the engine of this machine.",
            code=REFUSED,
        )
    if shutil.which("docker"):
        answer = capture(["docker", "version"], timeout=20)
        if "permission denied" in answer.err.lower():
            raise Problem(
                "This account may not use the engine.",
                why="Its socket is for root and the group docker (which is as good as root).",
                remedy="Run the same command with sudo.",
                code=REFUSED,
            )


def require_engine() -> None:
    """Raise a Problem unless an engine answers; starts nothing (for all but `up`, `test`)."""
    if server_version():
        return
    require_local_engine()
    raise Problem(
        "No engine answers on this machine.",
        why="It is not installed, or not started.",
        remedy="`./tinyberth up` starts it and the services.",
    )


def compose_version() -> str:
    answer = capture(["docker", "compose", "version", "--short"], timeout=20)
    return answer.out.strip() if answer.ok else ""


def _missing_plugins() -> set[str]:
    missing = set()
    if version_tuple(compose_version()) < MIN_COMPOSE:
        missing.add("compose")
    if not capture(["docker", "buildx", "version"], timeout=20).ok:
        missing.add("buildx")
    return missing


def _start(step: Step) -> str:
    dockerd = find_dockerd()
    version = server_version()  # the package's installation may have started it
    if version or dockerd is None:
        return version
    apt.require_root("Starting the engine")
    start_engine(step, dockerd)
    return server_version()


def _install(step: Step, missing: set[str], confirm: Confirm) -> None:
    names = ", ".join(sorted(missing))
    if not apt.has_apt():
        raise Problem(
            f"This machine lacks: {names} (of Docker).",
            why="Tinyberth installs Debian and Ubuntu packages only; this is another system.",
            remedy=f"Install Docker's engine, compose and buildx: {_MANUAL}",
            code=REFUSED,
        )
    apt.require_root(f"Installing Docker's {names}")
    plan = plan_packages(apt.survey(frozenset(missing)))
    if not plan.packages:
        apt.update(step)
        plan = plan_packages(apt.survey(frozenset(missing)))
    if not plan.packages:
        raise Problem(
            f"Docker's {names} cannot be installed here: {plan.why_not}.",
            remedy=f"Install it by hand: {_MANUAL}",
            code=REFUSED,
        )
    with step.pause():
        agreed = confirm(_question(plan))
    if not agreed:
        raise Problem(
            "Nothing was installed, as you said.",
            remedy=f"Install Docker yourself ({_MANUAL}), or run the same command again.",
            code=FAILED,
        )
    step.note(f"installing {names}")
    apt.install(step, plan)


def _question(plan: Plan) -> str:
    origin = " from Debian 13, pinned so that nothing else follows" if plan.from_trixie else ""
    return f"Install {', '.join(plan.packages)}{origin}, with apt?"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
