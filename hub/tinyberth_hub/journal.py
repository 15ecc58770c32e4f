"""Which changes of people and teams are under way: written before the first effect of each.

A change touches three stores (the ledger, JupyterHub's database, our accounts). Whatever
stands here at a start of the hub was cut short, and is finished or undone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, delete, insert, select

from .state_file import open_tables

_operations = Table(
    "operations",
    MetaData(),
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("arguments", String, nullable=False),  # a JSON object; no secret is ever in it
    Column("by", String, nullable=False),  # who asked for it
    Column("begun_at", String, nullable=False),  # ISO 8601, UTC
)


@dataclass(frozen=True)
class Record:
    """A change that has begun and has not come to its end."""

    number: int
    kind: str
    arguments: dict[str, Any]
    by: str
    begun_at: str


class Journal:
    """The table of changes under way. Methods block for a few milliseconds."""

    def __init__(self, path: Path) -> None:
        self._engine = open_tables(path, _operations)

    def begin(self, kind: str, arguments: dict[str, Any], by: str) -> Record:
        row = {
            "kind": kind,
            "arguments": json.dumps(arguments),
            "by": by,
            "begun_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with self._engine.begin() as connection:
            key = connection.execute(insert(_operations).values(**row)).inserted_primary_key
        assert key is not None  # an insert of one row has one
        return Record(key[0], kind, arguments, by, row["begun_at"])

    def end(self, record: Record) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(_operations).where(_operations.c.number == record.number))

    def unfinished(self) -> list[Record]:
        """Return what has begun and not ended, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(_operations).order_by(_operations.c.number)).all()
        return [
            Record(row.number, row.kind, json.loads(row.arguments), row.by, row.begun_at)
            for row in rows
        ]

    def logins(self) -> set[str]:
        """Return the logins that unfinished changes speak of."""
        fields = ("login", "to")
        return {
            str(record.arguments[field])
            for record in self.unfinished()
            for field in fields
            if field in record.arguments
        }
