"""Accounts: who may sign in here and by what, in a small table of our own.

All methods block for a few milliseconds; call them in a thread.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import (
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from .state_file import open_tables

_accounts = Table(
    "accounts",
    MetaData(),
    Column("name", String, primary_key=True),  # the login, which is the Hub's user name
    Column("account_id", String, nullable=False),  # random; never the same for two people
    Column("password_hash", String),  # argon2id, or NULL: invited, waiting for the link
    Column("link_serial", Integer, nullable=False),  # counts links made and passwords set
    Column("created_at", String, nullable=False),  # ISO 8601, UTC
    Column("given_name", String),  # as the admin or the provider wrote it; NULL: the login
    # Who this is to a provider (OAuth), once they have signed in. Two NULLs are not equal.
    Column("provider", String),
    Column("subject", String),
    Index("accounts_by_subject", "provider", "subject", unique=True),
)


@dataclass(frozen=True)
class Account:
    """One row: a person who was added, with a password or still waiting for one."""

    name: str
    account_id: str
    password_hash: str | None
    link_serial: int
    created_at: str
    given_name: str | None = None
    provider: str | None = None
    subject: str | None = None

    @property
    def state(self) -> str:
        return "active" if self.password_hash or self.subject else "invited"


class AccountStore:
    """The table of accounts in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._engine = open_tables(path, _accounts)

    def ensure(self, name: str, given_name: str | None = None) -> Account:
        """Return the account of ``name``, made if there is none."""
        fresh = Account(
            name=name,
            account_id=secrets.token_hex(16),
            password_hash=None,
            link_serial=0,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            given_name=given_name,
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

    def find_by_subject(self, provider: str, subject: str) -> Account | None:
        """Return the account of whom ``provider`` calls ``subject``."""
        known = (_accounts.c.provider == provider) & (_accounts.c.subject == subject)
        with self._engine.connect() as connection:
            row = connection.execute(select(_accounts).where(known)).first()
        return Account(**row._mapping) if row else None

    def bind_subject(self, name: str, provider: str, subject: str) -> bool:
        """Say who ``name`` is to ``provider``, unless that is said; return whether it is so now.

        False too where that subject is somebody else's here, or there is no such account.
        """
        unbound = (_accounts.c.name == name) & (_accounts.c.subject.is_(None))
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    update(_accounts).where(unbound).values(provider=provider, subject=subject)
                )
        except IntegrityError:
            return False
        account = self.get(name)
        return account is not None and (account.provider, account.subject) == (provider, subject)

    def rename(self, old: str, new: str, given_name: str | None) -> None:
        """Give the account of ``old`` to the login ``new``; its links die. Idempotent."""
        with self._engine.begin() as connection:
            connection.execute(
                update(_accounts)
                .where(_accounts.c.name == old)
                .values(name=new, given_name=given_name)
            )

    def remove(self, name: str) -> None:
        """Forget ``name``: password and links die with the row."""
        with self._engine.begin() as connection:
            connection.execute(delete(_accounts).where(_accounts.c.name == name))
