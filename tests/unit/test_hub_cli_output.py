"""Tables, sizes and times, as people read them in a terminal."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tinyberth_hub.cli_output import ago, size, table, visible
from tinyberth_hub.cli_terminal import progress_bar

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "-"), (0, "0B"), (1023, "1023B"), (1024, "1.0K"), (10189, "10K"), (10240, "10K"),
        (2**20 - 1, "1.0M"), (310 * 2**20, "310M"), (4 * 2**30, "4.0G"), (5 * 2**50, "5120T"),
    ],
)  # fmt: skip
def test_sizes_have_the_units_of_mem_limit(number: int | None, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (None, "-"),
        ("2026-03-01T12:00:05+00:00", "0 s ago"),  # the hub's clock is ours; rounding is not
        ("2026-03-01T11:59:20Z", "40 s ago"),
        ("2026-03-01T11:50:00", "10 min ago"),
        ("2026-03-01T10:00:00+01:00", "3 h ago"),
        ("2026-02-01T12:00:00.123456Z", "28 days ago"),
    ],
)
def test_times_are_told_as_distances(moment: str | None, text: str) -> None:
    assert ago(moment, NOW) == text


def test_columns_are_as_wide_as_their_widest_cell_also_in_japanese() -> None:
    assert table([("A", "B"), ("José", "x"), ("山田", "y")]) == "A     B\nJosé  x\n山田  y"


def test_a_name_cannot_move_the_cursor_or_turn_the_line() -> None:
    assert visible("a\x1b[2Jb\nc\u202ed\x9be") == "a\ufffd[2Jb\ufffdc\ufffdd\ufffde"


@pytest.mark.parametrize(
    ("done", "total", "columns", "bar"),
    [
        (0, 4, 80, "[..............................] 0/4"),
        (4, 4, 80, "[##############################] 4/4"),
        (120, 500, 20, "[##.......] 120/500"),
        (1, 2, 3, "[] 1/2"),
    ],
)
def test_the_bar_fits_into_the_line(done: int, total: int, columns: int, bar: str) -> None:
    assert progress_bar(done, total, columns) == bar
