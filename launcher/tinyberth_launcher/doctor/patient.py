"""What topics look at: one deployment, with what several of them ask looked up once."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from tinyberth_common.settings import Settings

from ..checkout import Checkout
from ..command import Result, capture
from ..compose import Compose
from ..engine_process import server_version
from ..preflight import judge_settings

SERVICES = ("ledger", "warden", "firewall", "proxy", "hub")
"""In start order."""

_PROJECT, _SERVICE = "com.docker.compose.project", "com.docker.compose.service"


class Patient:
    """A deployment. It asks the engine and not Compose, whom a bad ``.env`` stops."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.compose = Compose(checkout)

    @cached_property
    def judged_settings(self) -> tuple[Settings | None, list[str]]:
        return judge_settings(self.checkout)

    @property
    def settings(self) -> Settings | None:
        return self.judged_settings[0]

    @cached_property
    def engine_version(self) -> str:
        return server_version()

    @cached_property
    def containers(self) -> dict[str, dict[str, Any]]:
        """What the engine knows of each service's container, by the service."""
        found = self._containers(f"{_PROJECT}={self.checkout.project}")
        labels = {one["Id"]: one["Config"]["Labels"] for one in found}
        return {
            labels[one["Id"]][_SERVICE]: one
            for one in found
            if labels[one["Id"]].get("com.docker.compose.oneoff") != "True"
        }

    @cached_property
    def user_containers(self) -> list[dict[str, Any]]:
        return self._containers(f"tinyberth.deployment={self.checkout.project}")

    def is_running(self, service: str) -> bool:
        container = self.containers.get(service)
        return bool(container and container["State"]["Status"] == "running")

    def ask(self, service: str, *command: str, user: str = "") -> Result:
        """Run ``command``, which changes nothing, in the container of a service that runs."""
        name = self.containers[service]["Name"].lstrip("/")
        who = ["--user", user] if user else []
        return capture(["docker", "exec", *who, name, *command], timeout=60)

    def image(self, name: str) -> str:
        """Return the name of one of our images; ``name`` is its folder."""
        return f"{self.checkout.project}-{name}:0.1.0"

    def inspect(self, *names: str, kind: str = "container") -> list[dict[str, Any]]:
        """Return what the engine knows of those among ``names`` that are there."""
        if not names:
            return []
        answer = capture(["docker", kind, "inspect", *names])
        # Exit code 1 where one of them is missing; the others are printed all the same.
        found: list[dict[str, Any]] = json.loads(answer.out or "[]")
        return found

    def _containers(self, label: str) -> list[dict[str, Any]]:
        listed = capture(["docker", "ps", "--all", "--quiet", "--filter", f"label={label}"])
        return self.inspect(*listed.out.split())
