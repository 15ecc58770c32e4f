"""The file accounts.sqlite: how it is opened, and how an older one is brought up to date.

A file beside JupyterHub's database, not tables in it: the hub's own session may hold SQLite's
one write lock while it awaits, and a second writer in the same process would then wait for itself.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, Table, create_engine, event, inspect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateColumn


def open_tables(path: Path, *tables: Table) -> Engine:
    """Open the file, made if missing, with ``tables`` in it as they are declared."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _use_write_ahead_log(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # Readers do not wait for the writer, and a power cut leaves the old state.
        connection.cursor().execute("PRAGMA journal_mode=WAL")

    path.touch(mode=0o600)
    for table in tables:
        _ensure_table(engine, table)
    return engine


def _ensure_table(engine: Engine, table: Table) -> None:
    """Make the table, or give the one of an older version the columns and indexes it lacks."""
    if not inspect(engine).has_table(table.name):
        table.create(engine)
        return
    present = {column["name"] for column in inspect(engine).get_columns(table.name)}
    with engine.begin() as connection:
        for column in table.columns:
            if column.name not in present:
                declared = CreateColumn(column).compile(dialect=engine.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {declared}")
        for index in table.indexes:
            index.create(connection, checkfirst=True)
