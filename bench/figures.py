"""Samples into figures, and figures beside their goals: pure functions, tested by tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """What is said of many times of one kind, in seconds."""

    count: int
    p50: float
    p95: float
    most: float


@dataclass(frozen=True)
class Goal:
    """A figure and what it must stay under; equal is not under."""

    what: str
    figure: float
    under: float
    unit: str = "s"

    @property
    def reached(self) -> bool:
        return self.figure < self.under

    def __str__(self) -> str:
        verdict = "reached" if self.reached else "MISSED"
        measured = f"{self.figure:.2f}".rstrip("0").rstrip(".") + f" {self.unit}".rstrip()
        return f"{verdict:8} {self.what}: {measured}, goal: under {self.under:g}"


def percentile(values: Iterable[float], part: float) -> float:
    """Return the least value that ``part`` of all are at or below: one that was measured."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing was measured")
    # Integers: 0.95 * 20 is 19.000000000000004 in floats, and would give the 20th of 20.
    rank = -(-len(ordered) * round(part * 1000) // 1000)
    return ordered[max(rank, 1) - 1]


def spread(values: Sequence[float]) -> Spread:
    return Spread(len(values), percentile(values, 0.5), percentile(values, 0.95), max(values))


def spreads(samples: Iterable[tuple[str, float]]) -> dict[str, Spread]:
    """Return the spread of each kind, in the order in which the kinds were first seen."""
    by_kind: dict[str, list[float]] = {}
    for kind, seconds in samples:
        by_kind.setdefault(kind, []).append(seconds)
    return {kind: spread(values) for kind, values in by_kind.items()}


def table(rest: Mapping[str, Spread], busy: Mapping[str, Spread]) -> list[str]:
    """Return lines: each kind at rest and under load, and how many times its p95 grew."""
    width = max(len(kind) for kind in (*rest, *busy))
    lines = [
        f"{'':{width}}  {'at rest':>21}  {'under load':>21}",
        f"{'':{width}}  {'p50':>6} {'p95':>6} {'max':>7}  {'p50':>6} {'p95':>6} {'max':>7}  ratio",
    ]
    for kind in {**rest, **busy}:
        cells = [_cells(side.get(kind)) for side in (rest, busy)]
        both = kind in rest and kind in busy
        ratio = f"{busy[kind].p95 / rest[kind].p95:7.1f}" if both else ""
        lines.append(f"{kind:{width}}  {cells[0]}  {cells[1]}{ratio}".rstrip())
    return lines


def _cells(found: Spread | None) -> str:
    return f"{found.p50:6.3f} {found.p95:6.3f} {found.most:7.3f}" if found else " " * 21
