"""Which packages make an engine on this machine: a pure decision, tested by tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MIN_ENGINE = (25, 0)
"""`start_interval` of the healthchecks; older engines refuse the compose file."""
MIN_COMPOSE = (2, 24)
"""`required: false` of an env_file."""


def version_tuple(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: ``v26.1.5+dfsg1`` is ``(26, 1, 5)``."""
    match = re.match(r"v?(?:\d+:)?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


@dataclass(frozen=True)
class Machine:
    """What the decision needs to know; ``offers`` maps a package to its apt candidate."""

    os_id: str
    codename: str
    offers: Mapping[str, str]
    missing: frozenset[str]
    """Of ``engine``, ``compose``, ``buildx``."""


@dataclass(frozen=True)
class Plan:
    """Packages to install, perhaps from Debian 13; empty with ``why_not`` where none fit."""

    packages: tuple[str, ...] = ()
    from_trixie: bool = False
    why_not: str = ""


@dataclass(frozen=True)
class _Choice:
    """Packages for one part, and the least version of the first that will do."""

    packages: tuple[str, ...]
    least: tuple[int, ...] = field(default=())


# First that the machine's own suites offer wins. Ubuntu calls compose v2 docker-compose-v2;
# docker.com's repository has its own names, which fit machines that use it already.
_CHOICES: dict[str, tuple[_Choice, ...]] = {
    "engine": (
        _Choice(("docker.io", "docker-cli", "iptables"), MIN_ENGINE),
        _Choice(("docker.io", "iptables"), MIN_ENGINE),
    ),
    "compose": (
        _Choice(("docker-compose-v2",), MIN_COMPOSE),
        _Choice(("docker-compose-plugin",), MIN_COMPOSE),
        _Choice(("docker-compose",), MIN_COMPOSE),
    ),
    "buildx": (
        _Choice(("docker-buildx",)),
        _Choice(("docker-buildx-plugin",)),
    ),
}

_FROM_TRIXIE = {
    "engine": ("docker.io/trixie", "docker-cli/trixie", "iptables"),
    "compose": ("docker-compose/trixie",),
    "buildx": ("docker-buildx/trixie",),
}


def plan_packages(machine: Machine) -> Plan:
    """Decide what to install for the parts that are missing."""
    chosen = {part: _first_offered(part, machine.offers) for part in sorted(machine.missing)}
    if all(chosen.values()):
        return Plan(tuple(name for names in chosen.values() for name in names))
    if (machine.os_id, machine.codename) == ("debian", "bookworm"):
        # Debian 12's own are too old (engine 20.10, no compose v2).
        names = tuple(name for part in sorted(machine.missing) for name in _FROM_TRIXIE[part])
        return Plan(names, from_trixie=True)
    lacking = ", ".join(part for part, names in chosen.items() if not names)
    return Plan(why_not=f"the package sources of this system have no recent {lacking}")


def _first_offered(part: str, offers: Mapping[str, str]) -> tuple[str, ...]:
    for choice in _CHOICES[part]:
        offered = all(offers.get(name) for name in choice.packages)
        if offered and version_tuple(offers[choice.packages[0]]) >= choice.least:
            return choice.packages
    return ()


def parse_policy(text: str) -> dict[str, str]:
    """Return package → candidate version from the output of ``apt-cache policy``."""
    offers = {}
    name = ""
    for line in text.splitlines():
        if line and not line[0].isspace():
            name = line.rstrip(":")
        elif line.strip().startswith("Candidate:") and not line.strip().endswith("(none)"):
            offers[name] = line.split(":", 1)[1].strip()
    return offers


ALL_PACKAGES = tuple(
    sorted({name for part in _CHOICES.values() for choice in part for name in choice.packages})
)
