"""Who comes in bench/spawn.py, in which order, and what is noted of each arrival."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from engine import machine_cpu_s, usage_of
from spawn_figures import OURS, STOCK, Arrival
from spawn_stacks import Client, Stack

SETTLE_SECONDS = 5.0
"""Until a server that answers is idle: it still loads extensions and reports to the hub."""


class Bench:
    """Two hubs, and the people who come to them."""

    def __init__(self, client: Client, stacks: dict[str, Stack], names: list[str]) -> None:
        self._client = client
        self._stacks = stacks
        self._names = names
        self.arrivals: list[Arrival] = []

    def warm_up(self) -> None:
        """Let one person come once to each, so that no figure is of the first time."""
        for kind in (STOCK, OURS):
            self._visit(kind, 1, cell=True)
        self.arrivals.clear()

    def alone(self, turn: int) -> str:
        """Let one person come twice to each: for a first cell at once, and to be measured."""
        for kind in _order(turn):
            self._visit(kind, 1, cell=True)
            self._visit(kind, 1, cell=False)
        return self._said(4)

    def storm(self, users: int, turn: int) -> str:
        """Let ``users`` come at once, be measured, and then run a first cell at once."""
        for kind in _order(turn):
            self._visit(kind, users, cell=False)
        return self._said(2)

    def _visit(self, kind: str, users: int, *, cell: bool) -> None:
        stack, names = self._stacks[kind], self._names[:users]
        machine, services = _machine_cpu_s(), _services_cpu_s(stack)
        times = self._client.do("arrive", hub=stack.hub, names=names, cell=cell)
        arrival = Arrival(kind, users)
        _note(arrival, times)
        if not cell:
            time.sleep(SETTLE_SECONDS)
            arrival.services_cpu_s.append((_services_cpu_s(stack) - services) / users)
            arrival.machine_cpu_s.append((_machine_cpu_s() - machine) / users)
            for name in (name for name in names if "failed" not in times[name]):
                usage = usage_of(stack.container(name))
                arrival.cpu_s.append(usage.cpu_s)
                arrival.working_set_mb.append(usage.working_set_mb)
                arrival.anon_mb.append(usage.anon_mb)
            if users > 1:
                up = [name for name in names if "failed" not in times[name]]
                _note(arrival, self._client.do("cells", hub=stack.hub, names=up))
        self._client.do("leave", hub=stack.hub, names=names)
        self.arrivals.append(arrival)

    def _said(self, count: int) -> str:
        return ", ".join(
            f"{arrival.kind} {max(arrival.spawn_s):.2f} s"
            if arrival.spawn_s
            else f"{arrival.kind} failed"
            for arrival in self.arrivals[-count:]
        )


def _note(arrival: Arrival, times: dict[str, dict[str, Any]]) -> None:
    for found in times.values():
        for field in ("spawn_s", "cell_s"):
            if field in found:
                getattr(arrival, field).append(found[field])
        if "failed" in found:
            arrival.failed.append(found["failed"])


def _order(turn: int) -> tuple[str, str]:
    return (STOCK, OURS) if turn % 2 else (OURS, STOCK)


def _machine_cpu_s() -> float:
    return machine_cpu_s(Path("/proc/stat").read_text(encoding="ascii"), os.sysconf("SC_CLK_TCK"))


def _services_cpu_s(stack: Stack) -> float:
    return sum(usage_of(service).cpu_s for service in stack.services)
