"""`.env` and the shell's variables: names, values, and whether what runs was started with them."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping

from tinyberth_common.settings import SCHEMA

from .finding import Finding, Fix, fault, fine
from .patient import SERVICES, Patient

# Known from elsewhere once a deployment runs: `up` may have told Compose another base, and the
# secret's value is the hub's container's alone.
_NOT_COMPARED = {"BASE_IMAGE", "AUTH_CLIENT_SECRET", "HOST_CA_BUNDLE"}


def look(patient: Patient) -> list[Finding]:
    settings, problems = patient.judged_settings
    env_file = patient.checkout.root / ".env"
    found = wrong(problems)
    if env_file.exists():
        secrets = [s.name for s in SCHEMA if s.secret and patient.checkout.variables.get(s.name)]
        found += readable_secret(str(env_file), env_file.stat().st_mode, secrets)
    if settings and patient.engine_version:
        running = {
            service: dict(
                item.partition("=")[::2] for item in patient.containers[service]["Config"]["Env"]
            )
            for service in SERVICES
            if patient.is_running(service)
        }
        found += stale(patient.checkout.variables, running)
    seen = ", and what runs was started with them" if patient.engine_version else ""
    return found or [fine(f"valid{seen}")]


def wrong(problems: Iterable[str]) -> list[Finding]:
    return [
        fault(
            "setting",
            problem,
            why="`./tinyberth up` refuses to start anything while it stands there.",
            remedy="Correct it in .env or in the shell; .env.example explains every setting.",
        )
        for problem in problems
    ]


def readable_secret(env_file: str, mode: int, secrets: list[str]) -> list[Finding]:
    """Judge the mode of ``.env`` where it holds secrets."""
    if not secrets or not mode & 0o077:
        return []
    return [
        fault(
            "env_readable",
            f".env has the mode {stat.S_IMODE(mode):o} and holds {', '.join(secrets)}.",
            why="Every account of this machine that may read it can act as this hub.",
            remedy=f"chmod 600 {env_file}",
            fix=Fix("closes .env to others", (("chmod", "600", env_file),)),
        )
    ]


def stale(variables: Mapping[str, str], running: Mapping[str, Mapping[str, str]]) -> list[Finding]:
    """Name the settings with which services run and that are others by now."""
    differs: dict[str, list[str]] = {}
    values: dict[str, tuple[str, str]] = {}
    for setting in SCHEMA:
        now = variables.get(setting.name) or setting.default
        for service, environment in running.items():
            then = environment.get(setting.name) or setting.default
            if setting.name not in _NOT_COMPARED and then != now:
                differs.setdefault(setting.name, []).append(service)
                values[setting.name] = then, now
    return [
        fault(
            "setting_not_applied",
            f"{name} is {values[name][1]!a}, and {', '.join(services)} "
            f"{'runs' if len(services) == 1 else 'run'} with {values[name][0]!a}.",
            why="A service reads the settings when its container is made.",
            remedy="./tinyberth up",
        )
        for name, services in differs.items()
    ]
