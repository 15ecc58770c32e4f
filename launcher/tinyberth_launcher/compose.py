"""`docker compose` for this checkout: build, start, ask, and what a failure means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .checkout import Checkout
from .command import Result, capture, converse, passthrough
from .problem import Problem
from .steps import Step

_BUILD_STEP = re.compile(r"^#\d+ \[(.+?)\] (.+)$")
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_WAIT_LIMIT = ("--wait-timeout", "180")
"""Seconds for all services to be healthy; 20 s were seen, a busy machine gets nine times that."""


class Compose:
    """Runs Compose in the checkout with its project name and, perhaps, another base."""

    def __init__(self, checkout: Checkout, extra: Mapping[str, str] | None = None) -> None:
        self.checkout = checkout
        self._env = checkout.child_env(extra)

    def ask(self, *args: str, timeout: float = 60) -> Result:
        return capture(self._args(*args), env=self._env, cwd=self.checkout.root, timeout=timeout)

    def pass_through(self, *args: str) -> int:
        return passthrough(self._args(*args), env=self._env, cwd=self.checkout.root)

    def converse(self, *args: str, data: bytes, attended: bool) -> int:
        return converse(
            self._args(*args), data, attended=attended, env=self._env, cwd=self.checkout.root
        )

    def run(self, step: Step, *args: str, failed: str) -> None:
        step.run(self._args(*args), failed=failed, env=self._env, cwd=self.checkout.root)

    def build(self, step: Step) -> None:
        """Build the images; the builder's own cache decides what there is to do."""
        step.run(
            self._args("--progress", "plain", "build"),
            failed="Building the images failed",
            env=self._env,
            cwd=self.checkout.root,
            show=build_progress,
        )

    def start(self, step: Step) -> None:
        """Start the services and wait until all of them are healthy."""
        try:
            step.run(
                self._args("up", "--detach", "--no-build", "--wait", *_WAIT_LIMIT),
                failed="The services did not become healthy",
                env=self._env,
                cwd=self.checkout.root,
            )
        except Problem as problem:
            raise self._explained(problem) from None

    def services(self) -> list[dict[str, Any]]:
        """Return Compose's record of each container of the project, stopped ones, too."""
        answer = self.ask("ps", "--all", "--format", "json")
        return list(parse_json_records(answer.out)) if answer.ok else []

    def is_running(self, service: str) -> bool:
        return any(
            record.get("Service") == service and record.get("State") == "running"
            for record in self.services()
        )

    def last_lines(self, service: str, count: int) -> list[str]:
        """Return the end of what the service said, without colours."""
        log = self.ask("logs", "--no-color", "--no-log-prefix", "--tail", str(count), service)
        return _TERMINAL_CODES.sub("", log.out + log.err).rstrip().splitlines()

    def _explained(self, problem: Problem) -> Problem:
        """Add the last log lines of the first service that is not well, in start order."""
        for record in sorted(self.services(), key=_start_order):
            if record.get("State") == "running" and record.get("Health") in {"healthy", ""}:
                continue
            service = str(record.get("Service"))
            lines = self.last_lines(service, 15)
            state = " ".join(str(record.get(key)) for key in ("State", "Health")).strip()
            if not lines:
                continue
            return Problem(
                f"The service {service} is {state}, so the deployment is not ready.",
                why=f"The lines above are the last that {service} said.",
                remedy=f"Mend what they name and run `./tinyberth up` again; "
                f"`./tinyberth logs {service}` shows all.",
                lines=lines,
            )
        return problem

    def _args(self, *args: str) -> list[str]:
        return ["docker", "compose", *args]


def _start_order(record: Mapping[str, Any]) -> int:
    order = ("ledger", "warden", "firewall", "proxy", "hub")
    service = str(record.get("Service"))
    return order.index(service) if service in order else len(order)


def build_progress(line: str) -> str | None:
    """Return ``hub 3/9  RUN uv pip install`` for a builder's line that begins a step."""
    match = _BUILD_STEP.match(line)
    if not match:
        return None
    words = [word for word in match[2].split() if not word.startswith("--mount=")]
    return f"{match[1]}  {' '.join(words)}"


def parse_json_records(text: str) -> Iterator[dict[str, Any]]:
    """Yield Compose's records: one per line, or one list in some versions."""
    for line in text.splitlines():
        if line.strip():
            value = json.loads(line)
            yield from value if isinstance(value, list) else [value]
