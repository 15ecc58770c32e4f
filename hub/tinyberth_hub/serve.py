"""`tinyberth-hub serve`: checks the settings, waits for the neighbours, becomes JupyterHub."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from tinyberth_common.settings import SettingsError

from .cli_output import BAD_SETTINGS, FAILED
from .settings import (
    HUB_DATABASE,
    LEDGER_SOCKET,
    PROXY_TOKEN_FILE,
    WARDEN_SOCKET,
    load_settings,
)

START_WAIT_SECONDS = 60.0
"""For the proxy's token and two sockets: after a reboot the engine starts all at once."""


def serve() -> int:
    """Return only on failure."""
    try:
        load_settings()
    except SettingsError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return BAD_SETTINGS
    os.umask(0o077)
    try:
        ensure_written_ahead(HUB_DATABASE)
    except sqlite3.Error as error:
        print(
            f"The hub's database {HUB_DATABASE} (volume hub-state) cannot be opened: {error}. "
            "Restore the volume from a backup; if it is only locked, end what else uses it.",
            file=sys.stderr,
        )
        return FAILED
    if not _wait_for([PROXY_TOKEN_FILE, LEDGER_SOCKET, WARDEN_SOCKET], START_WAIT_SECONDS):
        return FAILED
    command = ["jupyterhub", "--config", "/etc/jupyterhub/jupyterhub_config.py"]
    return os.execvp(command[0], command)  # noqa: S606 - replaces this process, by design


def ensure_written_ahead(path: Path) -> None:
    """Make the file, if missing, and have whoever opens it write ahead; the file remembers that.

    JupyterHub commits on its event loop, where everybody waits meanwhile. A commit is then a sync
    of one file in place of several of two files and their folder, and lasts as well: `synchronous`
    stays FULL, so that who was locked out is locked out after a power cut too.

    Raises
    ------
    sqlite3.Error
        If the file is no database, or another process keeps it locked.
    """
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _wait_for(paths: list[Path], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while missing := [path for path in paths if not path.exists()]:
        if time.monotonic() > deadline:
            print(
                f"The hub waits for {', '.join(map(str, missing))} since {seconds:.0f} s. "
                "docker compose ps shows which service is down; docker compose logs says why.",
                file=sys.stderr,
            )
            return False
        time.sleep(0.1)
    return True
