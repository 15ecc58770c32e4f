"""Many people at once: what a CSV file or a list says. Pure.

Each line stands for itself: one that is wrong never spoils the others.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace

from .refusals import ChangeRefusedError

COLUMNS = ("name", "uid", "gid", "teams", "admin")
MAX_LINES = 5000
MAX_BYTES = 2**20
"""Of a file; a line of 200 bytes for each of 5,000 people."""
MAX_NAME = 255
"""Characters of a name, as JupyterHub's database has them."""

LOWEST_ID, HIGHEST_ID = 1000, 2**31 - 2
"""The range of ids that the ledger gives to people."""

_YES_NO = {"": False, "no": False, "false": False, "0": False,
           "yes": True, "true": True, "1": True}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One person of a list; ``why`` is the sentence that refuses the line."""

    number: int
    name: str
    uid: int | None = None
    gid: int | None = None
    teams: tuple[str, ...] = ()
    admin: bool = False
    why: str | None = None


def parse_csv(text: str) -> list[Line]:
    """Return the people of a CSV file: with a header that names columns, or in their order.

    Raises
    ------
    ChangeRefusedError
        If it is too long, or its header names a column that is not known here.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise ChangeRefusedError(413, "This file has more than 1 MiB: import it in parts.")
    columns: tuple[str, ...] = COLUMNS
    lines: list[Line] = []
    # Line by line, since no name has a line end in it: a quote that is not closed is one bad line.
    for number, written in enumerate(re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")), 1):
        try:
            row = [cell.strip() for cell in next(csv.reader([written], strict=True), [])]
        except csv.Error:
            lines.append(Line(number, "", why="This line is no CSV: look at its quotes."))
            continue
        if not any(row):
            continue
        if not lines and columns is COLUMNS and row[0].lower() == "name":
            columns = _header(row)
            continue
        if len(lines) == MAX_LINES:
            why = f"This file has more than {MAX_LINES} people: import it in parts."
            raise ChangeRefusedError(413, why)
        lines.append(_line(number, dict(zip(columns, row, strict=False)), row, columns))
    return lines


def lines_of(people: list[object]) -> list[Line]:
    """Return the people of a JSON list as lines, numbered from 1."""
    if len(people) > MAX_LINES:
        raise ChangeRefusedError(413, f"More than {MAX_LINES} people: import them in parts.")
    return [_line_of(number, item) for number, item in enumerate(people, start=1)]


def _header(row: list[str]) -> tuple[str, ...]:
    columns = tuple(cell.lower() for cell in row)
    unknown = [column for column in columns if column not in COLUMNS]
    if unknown or len(set(columns)) != len(columns):
        raise ChangeRefusedError(
            400, f"The header must name some of {', '.join(COLUMNS)}, each once; "
            f"{(unknown or list(columns))[0][:40]!a} does not fit."
        )  # fmt: skip
    return columns


def _line_of(number: int, item: object) -> Line:
    """Read one object by way of the cells of a file, so that both are judged alike."""
    if not isinstance(item, dict) or item.keys() - set(COLUMNS):
        return Line(number, "", why=f"A person is an object of {', '.join(COLUMNS)}.")
    teams = item.get("teams") or []
    kinds: dict[str, type | tuple[type, ...]] = {
        "name": str,
        "uid": int,
        "gid": int,
        "admin": bool,
    }
    given = {key: item[key] for key in kinds if item.get(key) is not None}
    if (
        not isinstance(teams, list)
        or not all(isinstance(team, str) for team in teams)
        or any(type(value) is not kinds[key] for key, value in given.items())
    ):
        return Line(number, str(item.get("name", ""))[:MAX_NAME], why="A field has a wrong type.")
    cells = {key: str(value).strip(" ") for key, value in given.items()}
    line = _line(number, cells, [], COLUMNS)
    return line if line.why else replace(line, teams=tuple(dict.fromkeys(teams)))


def _line(number: int, cells: dict[str, str], row: list[str], columns: tuple[str, ...]) -> Line:
    name = cells.get("name", "")
    if len(row) > len(columns) and any(row[len(columns) :]):
        return Line(number, name, why=f"This line has more than {len(columns)} columns.")
    if not name or len(name) > MAX_NAME:
        return Line(number, name[:MAX_NAME], why=f"A name has 1 to {MAX_NAME} characters.")
    ids: dict[str, int | None] = {}
    for column in ("uid", "gid"):
        text = cells.get(column, "")
        # Decimal digits and nothing else (THREATS B4); whose it is, is judged later.
        if text and not re.fullmatch(r"[1-9][0-9]{0,9}", text):
            why = f"{column} {text[:40]!a} is not a Unix id: write a number from {LOWEST_ID}."
            return Line(number, name, why=why)
        if text and not LOWEST_ID <= int(text) <= HIGHEST_ID:
            why = f"{column} {text} is refused: write a number from {LOWEST_ID} to {HIGHEST_ID}."
            return Line(number, name, why=why)
        ids[column] = int(text) if text else None
    if ids["gid"] is not None and ids["uid"] is None:
        return Line(number, name, why="A gid needs a uid: give both, or the uid alone.")
    admin = _YES_NO.get(cells.get("admin", "").lower())
    if admin is None:
        return Line(number, name, why=f"admin is yes or no, not {cells['admin'][:40]!a}.")
    teams = tuple(dict.fromkeys(re.findall(r"[^;\s]+", cells.get("teams", ""))))
    return Line(number, name, ids["uid"], ids["gid"], teams, admin)
