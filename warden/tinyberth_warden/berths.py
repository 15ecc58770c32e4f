"""Berths: a person's entry in the ledger and the home that goes with it.

Blocking; the API calls it in threads. Each step can be the last before a crash: what the ledger
says is begun is finished by the next call that meets it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tinyberth_common.names import NameRefusedError, check_login
from tinyberth_common.settings import Settings

from . import ledger_file
from .data_root import DataRoot
from .errors import RefusedError
from .homes import ensure_home, move_home, owners
from .identity import HostAccounts, World, parse_host, resolve_ids
from .ledger import Entry, Ledger


@dataclass(frozen=True)
class Berths:
    root: DataRoot
    container_host_etc: Path
    settings: Settings

    def prepare(self) -> None:
        """Make the folders, finish what a crash left, and bring ``group`` up to ``passwd``."""
        self.root.ensure_folders()
        with self._work() as work:
            for entry in work.ledger.entries:
                work.finish_move(entry)
            work.save(work.ledger)

    def ledger(self) -> Ledger:
        with self.root.open("ledger") as ledger_fd:
            return ledger_file.read(ledger_fd)

    def ensure(self, login: str, ids: tuple[int, int | None] | None) -> tuple[Entry, bool, bool]:
        """Give ``login`` an entry and a home; return it, and whether each of the two is new."""
        with self._work() as work:
            entry = work.ledger.living(login)
            created = entry is None
            if entry is None:
                for tombstone in work.ledger.tombstones(login):
                    work.finish_move(tombstone)
                home_owners = owners(work.archive_fd) | owners(work.users_fd)
                world = World(work.ledger, self.host_accounts(), self.settings, home_owners)
                entry = Entry(login, *resolve_ids(login, ids, world), hub_name=login)
                # A home that is refused leaves no entry behind.
                ensure_home(work.users_fd, entry, work.ledger, dry_run=True)
                work.save(work.ledger.add(entry))
            elif ids and (ids[0] != entry.uid or ids[1] not in (None, entry.gid)):
                raise RefusedError(
                    "taken",
                    f"{login} has uid {entry.uid} and gid {entry.gid}, and ids never change: "
                    "leave them out, or choose another login name.",
                )
            return entry, created, ensure_home(work.users_fd, entry, work.ledger)

    def ensure_home(self, login: str) -> Entry:
        """Return the living entry of ``login``, its home made sure."""
        with self._work() as work:
            entry = work.ledger.living(login)
            if entry is None:
                raise RefusedError("no_berth", f"{login} has no berth: make one before a server.")
            ensure_home(work.users_fd, entry, work.ledger)
            return entry

    def archive(self, login: str) -> Entry:
        """Turn ``login`` into a tombstone and move the home; return the tombstone.

        The ledger says what is going on before anything moves, so a crash at any point is
        finished by the next call, by ``ensure`` of the same name, or at the next start.
        """
        with self._work() as work:
            entry = work.ledger.living(login)
            if entry:
                ensure_home(work.users_fd, entry, work.ledger, dry_run=True)
                work.save(work.ledger.archive(entry))
            if not work.ledger.tombstones(login):
                raise RefusedError("not_found", f"{login} has no berth: nothing to archive.")
            work.finish_move(work.ledger.tombstones(login)[-1])
            return work.ledger.tombstones(login)[-1]

    def host_accounts(self) -> HostAccounts:
        files = [self.container_host_etc / name for name in ("passwd", "group")]
        return parse_host(*(file.read_text(errors="replace") for file in files))

    @contextmanager
    def _work(self) -> "Iterator[_Work]":
        with (
            self.root.open("ledger") as ledger_fd,
            self.root.open("users") as users_fd,
            self.root.open("archive") as archive_fd,
            ledger_file.locked(ledger_fd),
        ):
            yield _Work(ledger_fd, users_fd, archive_fd, ledger_file.read(ledger_fd))


@dataclass
class _Work:
    """The ledger while it is locked, and the folders that belong to it."""

    ledger_fd: int
    users_fd: int
    archive_fd: int
    ledger: Ledger

    def save(self, ledger: Ledger) -> None:
        ledger_file.write(self.ledger_fd, ledger)
        self.ledger = ledger

    def finish_move(self, entry: Entry) -> None:
        if entry.moving:
            move_home(self.users_fd, self.archive_fd, entry, self.ledger)
            self.save(self.ledger.update(entry, replace(entry, moving=False)))


def checked_login(name: str) -> str:
    """Return ``name`` if it is a login; raise ``RefusedError`` otherwise."""
    try:
        return check_login(name)
    except NameRefusedError as refusal:
        raise RefusedError("bad_name", str(refusal)) from None
