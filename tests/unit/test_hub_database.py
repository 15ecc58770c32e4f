"""JupyterHub's database is written ahead, whoever opens it, and is nobody else's to read."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from jupyterhub import orm

from tinyberth_hub.serve import ensure_written_ahead


def journal_mode(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def test_jupyterhub_fills_the_file_that_was_made_for_it(tmp_path: Path) -> None:
    path = tmp_path / "jupyterhub.sqlite"
    ensure_written_ahead(path)
    db = orm.new_session_factory(f"sqlite:///{path}")()
    db.add(orm.User(name="alice"))
    db.commit()
    (synchronous,) = db.connection().exec_driver_sql("PRAGMA synchronous").one()
    assert (journal_mode(path), synchronous) == ("wal", 2), "2 is FULL"
    beside = [tmp_path / f"jupyterhub.sqlite{end}" for end in ("", "-wal", "-shm")]
    assert {stat.S_IMODE(file.stat().st_mode) for file in beside} == {0o600}
    db.close()


def test_a_database_of_an_older_version_keeps_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "jupyterhub.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE users AS SELECT 'alice' AS name")
        connection.commit()
    assert journal_mode(path) == "delete"
    ensure_written_ahead(path)
    ensure_written_ahead(path)  # at the next start
    assert journal_mode(path) == "wal"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM users").fetchall() == [("alice",)]


def test_what_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "jupyterhub.sqlite"
    path.write_bytes(b"no database at all, but some text" * 100)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        ensure_written_ahead(path)
    assert path.read_bytes().startswith(b"no database")
