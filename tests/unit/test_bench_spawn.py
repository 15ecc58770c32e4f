"""bench/spawn.py: what the engine says of a container, the table and its goals."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

import engine
import spawn_results
from spawn_figures import OURS, STOCK, Arrival, goals_missed, rows, table

V1 = {"total_inactive_file": 20_000_000, "total_rss": 60_000_000, "rss": 1, "inactive_file": 1}
V2 = {"inactive_file": 20_000_000, "anon": 60_000_000, "file": 25_000_000}


@pytest.mark.parametrize("pages", [V1, V2], ids=["cgroup-v1", "cgroup-v2"])
def test_what_a_container_uses(pages: dict[str, int]) -> None:
    stats = {
        "cpu_stats": {"cpu_usage": {"total_usage": 970_000_000}},
        "memory_stats": {"usage": 95_000_000, "stats": pages},
    }

    assert engine.parse_stats(stats) == engine.Usage(0.97, 75.0, 60.0)


def test_cpu_seconds_of_the_machine_leave_out_idling_and_waiting() -> None:
    stat = "cpu  100 20 300 9999 8888 4 6 777 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"

    assert engine.machine_cpu_s(stat, 100) == pytest.approx(4.3)


def arrivals() -> list[Arrival]:
    """Return one person's two turns at each hub, and a storm that stock does not survive."""
    return [
        Arrival(STOCK, 1, spawn_s=[3.0], cell_s=[5.0]),
        Arrival(OURS, 1, spawn_s=[0.9], cell_s=[2.5]),
        Arrival(STOCK, 1, spawn_s=[3.0], cpu_s=[2.0], working_set_mb=[100], anon_mb=[80]),
        Arrival(OURS, 1, spawn_s=[1.1], cpu_s=[1.0], working_set_mb=[75], anon_mb=[60]),
        Arrival(STOCK, 16, spawn_s=[9.0, 20.0], failed=["guest03: timed out"]),
        Arrival(OURS, 16, spawn_s=[4.0, 8.0]),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "| 1 person: click to server, median | 3.00 s | 1.00 s | **0.33** | ≤ 0.35: reached |",
        "| 1 person: click to server, p95 / p50 | 1.00 | 1.10 |  | ≤ 1.3: reached |",
        "| 1 person: click to first cell, median | 5.00 s | 2.50 s | **0.50** |  |",
        "| 1 person: CPU seconds, each server | 2.00 s | 1.00 s | **0.50** | ≤ 0.45: missed |",
        "| 1 person: idle memory, each (`docker stats`) | 100 MB | 75 MB | **0.75** | "
        "≤ 0.8: reached |",
        # A hub that did not bring all up has no time for the last, and there is no ratio.
        "| 16 at once: until the last server is up | none | 8.00 s |  | "
        "≤ 0.5: no ratio, stock did not bring all up |",
        "| 16 at once: did not come up | 1 | 0 | | |",
    ],
)
def test_table_has_the_line(line: str) -> None:
    assert line in table(arrivals()).splitlines()


def test_table_leaves_out_what_nobody_measured() -> None:
    assert "first cell: the last answer" not in table(arrivals())
    assert "1 person: did not come up" not in table(arrivals())


def test_goals_that_are_missed_or_cannot_be_judged() -> None:
    assert [(row.users, row.what) for row in goals_missed(arrivals())] == [
        (1, "CPU seconds, each server"),
        (16, "until the last server is up"),
    ]


def test_goals_are_the_issues() -> None:
    goals = {(row.users, row.what): row.goal for row in rows([1, 16, 30]) if row.goal}

    assert goals == {
        (1, "click to server, median"): 0.35,
        (1, "click to server, p95 / p50"): 1.3,
        (1, "CPU seconds, each server"): 0.45,
        (1, "idle memory, each (`docker stats`)"): 0.8,
        (16, "until the last server is up"): 0.5,
    }


def test_figures_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "spawn.json"

    spawn_results.write(path, tmp_path, arrivals(), load=0.5)

    assert [*map(asdict, spawn_results.read(path))] == [*map(asdict, arrivals())]
