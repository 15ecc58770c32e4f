"""Berths: a person's entry in the ledger and the home that goes with it.

Blocking; the API calls it in threads. Each step can be the last before a crash: what is in the
ledger is finished by the next call that meets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tinyberth_common.names import NameRefusedError, check_login
from tinyberth_common.settings import Settings

from . import host_accounts, ledger_file
from .data_root import DataRoot
from .errors import RefusedError
from .homes import check_home, ensure_home, move_home, owners
from .identity import World, resolve_ids
from .ledger import Entry, Ledger


@dataclass(frozen=True)
class _Folders:
    """Descriptors of the folders that belong together, open while the ledger is locked."""

    ledger: int
    users: int
    archive: int


class Berths:
    def __init__(self, root: DataRoot, container_host_etc: Path, settings: Settings) -> None:
        self._root = root
        self._host_etc = container_host_etc
        self._settings = settings

    def prepare(self) -> None:
        """Make the folders, finish what a crash left, and bring ``group`` up to ``passwd``."""
        self._root.ensure_folders()
        with self._open() as folders:
            ledger = ledger_file.read(folders.ledger)
            for entry in ledger.entries:
                ledger = _finish_move(folders, ledger, entry)
            ledger_file.write(folders.ledger, ledger)

    def ledger(self) -> Ledger:
        with self._root.open("ledger") as ledger_fd:
            return ledger_file.read(ledger_fd)

    def ensure(self, name: str, ids: tuple[int, int | None] | None) -> tuple[Entry, bool, bool]:
        """Give ``name`` an entry and a home; return it, and whether each of the two is new."""
        login = checked_login(name)
        with self._open() as folders:
            ledger = ledger_file.read(folders.ledger)
            entry = ledger.living(login)
            created = entry is None
            if entry is None:
                for tombstone in ledger.tombstones(login):
                    ledger = _finish_move(folders, ledger, tombstone)
                entry = self._new_entry(folders, ledger, login, ids)
                # The home's state is checked before anything is written: a refusal leaves no trace.
                check_home(folders.users, login, entry.uid, ledger)
                ledger = ledger.add(entry)
                ledger_file.write(folders.ledger, ledger)
            elif ids and (ids[0] != entry.uid or ids[1] not in (None, entry.gid)):
                raise RefusedError(
                    409,
                    "taken",
                    f"{login} has uid {entry.uid} and gid {entry.gid} already, and ids never "
                    "change: leave them out, or choose another login name.",
                )
            return entry, created, ensure_home(folders.users, entry, ledger)

    def ensure_home(self, name: str) -> Entry:
        """Return the living entry of ``name`` with its home made sure; 409 where there is none."""
        login = checked_login(name)
        with self._open() as folders:
            ledger = ledger_file.read(folders.ledger)
            entry = ledger.living(login)
            if entry is None:
                raise RefusedError(
                    409, "no_berth", f"{login} has no berth: PUT /v1/berths/{login} first."
                )
            ensure_home(folders.users, entry, ledger)
            return entry

    def archive(self, name: str) -> Entry:
        """Turn ``name`` into a tombstone and move the home; return the tombstone.

        The ledger says what is going on before anything moves, so a crash at any point is
        finished by the next call, by ``ensure`` of the same name, or at the next start.
        """
        login = checked_login(name)
        with self._open() as folders:
            ledger = ledger_file.read(folders.ledger)
            entry = ledger.living(login)
            if entry:
                check_home(folders.users, login, entry.uid, ledger)
                ledger = ledger.archive(entry)
                ledger_file.write(folders.ledger, ledger)
            tombstones = ledger.tombstones(login)
            if not tombstones:
                raise RefusedError(404, "no_berth", f"{login} has no berth: nothing to archive.")
            ledger = _finish_move(folders, ledger, tombstones[-1])
            return ledger.tombstones(login)[-1]

    def _new_entry(
        self, folders: _Folders, ledger: Ledger, login: str, ids: tuple[int, int | None] | None
    ) -> Entry:
        home_owners = owners(folders.archive) | owners(folders.users)
        host = host_accounts.read(self._host_etc)
        uid, gid = resolve_ids(login, ids, World(ledger, host, self._settings, home_owners))
        return Entry(login, uid, gid, hub_name=login)

    @contextmanager
    def _open(self) -> Iterator[_Folders]:
        with (
            self._root.open("ledger") as ledger_fd,
            self._root.open("users") as users_fd,
            self._root.open("archive") as archive_fd,
            ledger_file.locked(ledger_fd),
        ):
            yield _Folders(ledger_fd, users_fd, archive_fd)


def checked_login(name: str) -> str:
    """Return ``name`` if it is a login; raise ``RefusedError`` 400 otherwise."""
    try:
        return check_login(name)
    except NameRefusedError as refusal:
        raise RefusedError(400, "bad_name", str(refusal)) from None


def _finish_move(folders: _Folders, ledger: Ledger, entry: Entry) -> Ledger:
    if not entry.moving:
        return ledger
    move_home(folders.users, folders.archive, entry, ledger)
    ledger = ledger.update(entry, replace(entry, moving=False))
    ledger_file.write(folders.ledger, ledger)
    return ledger
