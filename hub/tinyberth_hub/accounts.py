"""Accounts: who may sign in here with a password, in a small table of our own.

A file beside JupyterHub's database, not a table in it: the hub's own session may hold
SQLite's one write lock while it awaits, and a second writer in the same process would then
wait for itself. All methods block for a few milliseconds; call them in a thread.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry

_metadata = MetaData()

_accounts = Table(
    "accounts",
    _metadata,
    Column("name", String, primary_key=True),  # the Hub's user name
    Column("account_id", String, nullable=False),  # random; never the same for two people
    Column("password_hash", String),  # argon2id, or NULL: invited, waiting for the link
    Column("link_serial", Integer, nullable=False),  # counts links made and passwords set
    Column("created_at", String, nullable=False),  # ISO 8601, UTC
)


@dataclass(frozen=True)
class Account:
    """One row: a person who was added, with a password or still waiting for one."""

    name: str
    account_id: str
    password_hash: str | None
    link_serial: int
    created_at: str

    @property
    def state(self) -> str:
        return "active" if self.password_hash else "invited"


class AccountStore:
    """The table of accounts in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._engine = _open(path)

    def ensure(self, name: str) -> Account:
        """Return the account of ``name``, made if there is none."""
        fresh = Account(
            name=name,
            account_id=secrets.token_hex(16),
            password_hash=None,
            link_serial=0,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(_accounts).values(**vars(fresh)))
        except IntegrityError:
            existing = self.get(name)
            assert existing is not None  # the primary key just said so
            return existing
        return fresh

    def get(self, name: str) -> Account | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(_accounts).where(_accounts.c.name == name)).first()
        return Account(**row._mapping) if row else None

    def all(self) -> dict[str, Account]:
        """Return every account by its name."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(_accounts)).all()
        return {row.name: Account(**row._mapping) for row in rows}

    def renew_link(self, name: str) -> Account | None:
        """Kill the links made so far and return the account as a new link must see it."""
        with self._engine.begin() as connection:
            connection.execute(
                update(_accounts)
                .where(_accounts.c.name == name)
                .values(link_serial=_accounts.c.link_serial + 1)
            )
        return self.get(name)

    def set_password(self, seen: Account, password_hash: str) -> bool:
        """Set the password if the account is still as ``seen``; return whether it was.

        Compare and swap: of two requests with the same link, one wins.
        """
        with self._engine.begin() as connection:
            result = connection.execute(
                update(_accounts)
                .where(
                    _accounts.c.account_id == seen.account_id,
                    _accounts.c.link_serial == seen.link_serial,
                )
                .values(password_hash=password_hash, link_serial=seen.link_serial + 1)
            )
        return result.rowcount == 1

    def remove(self, name: str) -> None:
        """Forget ``name``: password and links die with the row."""
        with self._engine.begin() as connection:
            connection.execute(delete(_accounts).where(_accounts.c.name == name))


def _open(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _use_write_ahead_log(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # Readers do not wait for the writer, and a power cut leaves the old state.
        connection.cursor().execute("PRAGMA journal_mode=WAL")

    path.touch(mode=0o600)
    _metadata.create_all(engine)
    return engine
