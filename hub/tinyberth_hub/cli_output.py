"""How the terminal's commands answer: tables, sizes, times, and JSON for scripts."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

OK, FAILED, USAGE, BAD_SETTINGS, INTERRUPTED = 0, 1, 2, 3, 130

EXIT_CODES = """\
exit codes:
  0    done
  1    refused or failed, at least in part; each reason is on stderr
  2    the command line is wrong, or nobody can be asked; nothing was done
  130  interrupted; the same command can be run again"""

NOTHING = "-"
"""Stands in a table where there is nothing to tell."""


def print_json(document: Any) -> None:
    """Print the one document on stdout; ASCII, which every terminal and every parser reads."""
    print(json.dumps(document, indent=2), flush=True)


def print_error(message: str, *, as_json: bool, **about: Any) -> None:
    """Print one sentence on stderr, or one line of JSON with what it is ``about``."""
    text = json.dumps({"message": message, **about}) if as_json else visible(message)
    print(text, file=sys.stderr, flush=True)


def visible(text: str) -> str:
    """Replace what would move the cursor, hide text or turn its direction."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return ``rows``, the first of them the heads, in columns."""
    shown = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*shown, strict=True)]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in shown
    )


def size(number: int | None) -> str:
    """Return bytes in the units of MEM_LIMIT: ``310M``, ``1.2G``."""
    if number is None:
        return NOTHING
    value = float(number)
    for unit in ("B", "K", "M", "G", "T"):
        if value < 1023.5 or unit == "T":
            break
        value /= 1024
    return f"{value:.1f}{unit}" if value < 9.95 and unit != "B" else f"{value:.0f}{unit}"


def duration(seconds: float) -> str:
    """Return ``40 s``, ``5 min``, ``3 h`` or ``2 days``."""
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{max(seconds, 0) / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} days"


def since(moment: str | None, now: datetime | None = None) -> str:
    """Return how long ago an ISO 8601 time was."""
    if not moment:
        return NOTHING
    then = datetime.fromisoformat(moment)
    if then.tzinfo is None:  # JupyterHub's times are UTC and not all of them say so
        then = then.replace(tzinfo=timezone.utc)
    return duration(((now or datetime.now(timezone.utc)) - then).total_seconds())


def ago(moment: str | None, now: datetime | None = None) -> str:
    return f"{since(moment, now)} ago" if moment else NOTHING


def count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def _width(text: str) -> int:
    """Return the columns of a terminal that ``text`` takes: two for each CJK character."""
    return sum(
        0
        if unicodedata.combining(letter)
        else 2
        if unicodedata.east_asian_width(letter) in "WF"
        else 1
        for letter in text
    )
