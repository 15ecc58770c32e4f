"""What bench/spawn.py makes of its arrivals: rows, ratios, the table."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Callable, Optional

from figures import percentile

STOCK, OURS = "stock", "ours"


@dataclass
class Arrival:
    """Some people who arrived at once, at one of the two hubs; seconds and megabytes.

    ``cell_s`` is from the click to the answer of ``1+1`` where one person arrived, and else from
    the moment when all asked for it, because their servers were measured first.
    """

    kind: str
    users: int
    spawn_s: list[float] = field(default_factory=list)
    """One for each server that came up, from the click on."""
    cell_s: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """One sentence for each server that did not come up, or whose cell got no answer."""
    cpu_s: list[float] = field(default_factory=list)
    working_set_mb: list[float] = field(default_factory=list)
    anon_mb: list[float] = field(default_factory=list)
    services_cpu_s: list[float] = field(default_factory=list)
    """Of the hub and what belongs to it, for each server."""
    machine_cpu_s: list[float] = field(default_factory=list)
    """Of everything on the machine, for each server."""

    @property
    def last_s(self) -> list[float]:
        """Return the time until the last server was up; nothing where not all came."""
        return [] if self.failed or not self.spawn_s else [max(self.spawn_s)]

    @property
    def last_cell_s(self) -> list[float]:
        return [] if self.failed or not self.cell_s else [max(self.cell_s)]


Figure = Callable[[list[float]], float]


def p95(values: list[float]) -> float:
    return percentile(values, 0.95)


def steadiness(values: list[float]) -> float:
    """Return p95 / p50: how much longer than usual it may take."""
    return p95(values) / statistics.median(values)


@dataclass(frozen=True)
class Row:
    """One line of the table; its goal is on the ratio, or with ``own`` on our own figure."""

    users: int
    what: str
    field: str
    figure: Figure = statistics.median
    unit: str = "s"
    goal: Optional[float] = None
    own: bool = False


def rows(users: Iterable[int]) -> list[Row]:
    """Return what is reported, for each number of people who arrive at once."""
    found: list[Row] = []
    for count in users:
        alone = count == 1
        found += [
            Row(count, "click to server, median", "spawn_s", goal=0.35 if alone else None),
            Row(count, "click to server, p95", "spawn_s", p95),
            Row(count, "click to server, max", "spawn_s", max),
        ]
        if alone:
            found += [
                Row(
                    1, "click to server, p95 / p50", "spawn_s", steadiness, "", goal=1.3, own=True
                ),
                Row(1, "click to first cell, median", "cell_s"),
                Row(1, "click to first cell, p95", "cell_s", p95),
            ]
        else:
            goal = 0.5 if count == 16 else None
            found += [
                Row(count, "until the last server is up", "last_s", goal=goal),
                Row(count, "then all run a first cell: the last answer", "last_cell_s"),
            ]
        found += [
            Row(count, "CPU seconds, each server", "cpu_s", goal=0.45 if alone else None),
            Row(count, "CPU seconds, the hub's side for each", "services_cpu_s"),
            Row(count, "CPU seconds, whole machine for each", "machine_cpu_s"),
            Row(
                *(count, "idle memory, each (`docker stats`)", "working_set_mb"),
                unit="MB",
                goal=0.8 if alone else None,
            ),
            Row(count, "idle memory, each (anonymous)", "anon_mb", unit="MB"),
        ]
    return found


def values(arrivals: Iterable[Arrival], kind: str, row: Row) -> list[float]:
    """Return all measured values of a row, of all rounds."""
    return [
        value
        for arrival in arrivals
        if arrival.kind == kind and arrival.users == row.users
        for value in getattr(arrival, row.field)
    ]


def table(arrivals: list[Arrival]) -> str:
    """Return the Markdown table: stock, ours, ratio, goal."""
    users = sorted({arrival.users for arrival in arrivals})
    lines = ["| | stock | ours | ratio | goal |", "|---|---|---|---|---|"]
    lines += [_line(row, *found) for row, *found in _measured(arrivals)]
    lines += [_failures(arrivals, count) for count in users if _count_failed(arrivals, count)]
    return "\n".join(lines)


def goals_missed(arrivals: list[Arrival]) -> list[Row]:
    """Return the rows whose goal is missed, or has no figure to be judged by."""
    return [row for row, *found in _measured(arrivals) if row.goal and not _is_met(row, *found)]


def _measured(
    arrivals: list[Arrival],
) -> Iterator[tuple[Row, Optional[float], Optional[float]]]:
    """Yield the rows of which there is anything, with stock's figure and ours."""
    for row in rows(sorted({arrival.users for arrival in arrivals})):
        stock, ours = (values(arrivals, kind, row) for kind in (STOCK, OURS))
        if stock or ours:
            yield row, row.figure(stock) if stock else None, row.figure(ours) if ours else None


def _ratio(row: Row, stock: float | None, ours: float | None) -> float | None:
    return None if row.own or ours is None or not stock else ours / stock


def _is_met(row: Row, stock: float | None, ours: float | None) -> bool:
    judged = ours if row.own else _ratio(row, stock, ours)
    return judged is not None and row.goal is not None and judged <= row.goal


def _line(row: Row, stock: float | None, ours: float | None) -> str:
    ratio = _ratio(row, stock, ours)
    shown = "" if ratio is None else f"**{ratio:.2f}**"
    # Stock's own limit ends starts after 30 s; what it did not finish is no figure to divide by.
    unfinished = ours is not None and stock is None and not row.own
    verdict = "reached" if _is_met(row, stock, ours) else "missed"
    verdict = "no ratio, stock did not bring all up" if unfinished else verdict
    goal = "" if row.goal is None else f"≤ {row.goal:g}: {verdict}"
    return (
        f"| {people(row.users)}: {row.what} | {_number(stock, row.unit)} | "
        f"{_number(ours, row.unit)} | {shown} | {goal} |"
    )


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "none"
    return f"{value:.0f} MB" if unit == "MB" else f"{value:.2f} {unit}".strip()


def people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} at once"


def _count_failed(arrivals: list[Arrival], users: int, kind: str | None = None) -> int:
    return sum(
        len(arrival.failed)
        for arrival in arrivals
        if arrival.users == users and kind in {None, arrival.kind}
    )


def _failures(arrivals: list[Arrival], users: int) -> str:
    stock, ours = (_count_failed(arrivals, users, kind) for kind in (STOCK, OURS))
    return f"| {people(users)}: did not come up | {stock} | {ours} | | |"
