"""Berths: a person's entry in the ledger and the home that goes with it, for a whole life.

Blocking; the API calls it in threads. The ledger changes first, then the home moves, and both
only where nothing is in the way. Every call can be repeated: after a crash it finishes, and it
answers as it did the first time.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from tinyberth_common.settings import Settings
from tinyberth_server.errors import RefusedError

from . import ledger_file
from .data_root import DataRoot
from .folders import check_move, ensure_folder
from .identity import HostAccounts, World, parse_host, resolve_ids
from .ledger import Entry, Ledger, Team
from .work import Work, locked


@dataclass(frozen=True)
class Berths:
    root: DataRoot
    container_host_etc: Path
    settings: Settings

    def prepare(self) -> None:
        """Make the folders, finish what a crash left, and bring ``group`` up to ``passwd``."""
        self.root.ensure_folders()
        with locked(self.root):
            pass

    def ledger(self) -> Ledger:
        with self.root.open("ledger") as ledger_fd:
            return ledger_file.read(ledger_fd)

    def ensure(
        self, login: str, ids: tuple[int, int | None] | None, gecos: str | None = None
    ) -> tuple[Entry, bool, bool]:
        """Give ``login`` an entry and a home; return it, and whether each of the two is new."""
        with locked(self.root) as work:
            entry = work.person(login)
            created = entry is None
            if entry is None:
                work.ledger.check_new_login(login)
                entry = Entry(login, *resolve_ids(login, ids, self.world(work)), gecos or login)
                # A home that is refused leaves no entry behind.
                ensure_folder(work.home(entry), work.ledger, dry_run=True)
                work.save(work.ledger.add(entry))
            elif ids and (ids[0] != entry.uid or ids[1] not in (None, entry.gid)):
                raise RefusedError(
                    "taken",
                    f"{login} has uid {entry.uid} and gid {entry.gid}, and ids never change: "
                    "leave them out, or choose another login name.",
                )
            elif gecos:
                renamed = replace(entry, gecos=gecos)
                work.save(work.ledger.update(entry, renamed))
                entry = renamed
            return entry, created, ensure_folder(work.home(entry), work.ledger)

    def ensure_folders(self, login: str) -> tuple[Entry, tuple[Team, ...]]:
        """Return the living ``login`` and their teams, the folders of all made sure."""
        with locked(self.root) as work:
            entry = work.person(login)
            if entry is None:
                raise RefusedError("no_berth", f"{login} has no berth: make one before a server.")
            teams = work.ledger.teams_of(entry)
            for folder in (work.home(entry), *map(work.team_folder, teams)):
                ensure_folder(folder, work.ledger)
            return entry, teams

    def archive(self, login: str) -> Entry:
        """Turn ``login`` into a tombstone in no team, and move the home to data/archive."""
        with locked(self.root) as work:
            if entry := work.person(login):
                return self._move(work, entry, login, work.archive_number(login))
            if tombstone := work.ledger.tombstone(login):
                return work.finish_move(tombstone)
            raise RefusedError("not_found", f"{login} has no berth: nothing to archive.")

    def rename(self, login: str, to: str) -> Entry:
        """Give the person ``login`` the login ``to``; ids, home and teams stay theirs."""
        with locked(self.root) as work:
            if entry := work.person(login):
                return self._move(work, entry, to)
            if entry := work.person(to):
                return entry
            raise RefusedError("not_found", f"{login} has no berth: nobody to rename.")

    def restore(self, tombstone: str, login: str) -> Entry:
        """Bring the archived person ``tombstone`` (alice~1) back to life as ``login``."""
        with locked(self.root) as work:
            for archived in work.ledger.entries:
                if archived.archived and archived.name == tombstone:
                    return self._move(work, work.finish_move(archived), login)
            if entry := work.person(login):
                return entry
            raise RefusedError("not_found", f"{tombstone} is nobody in the archive.")

    def _move(self, work: Work, entry: Entry, login: str, archived: int = 0) -> Entry:
        gecos = login if entry.gecos == entry.login else entry.gecos
        moved = replace(entry, login=login, gecos=gecos, archived=archived)
        moved = replace(moved, moving_from=entry.place)
        if moved.place == entry.place:
            return entry
        if not archived:
            work.ledger.check_new_login(login)
        check_move(work.home(entry), work.home(moved), work.ledger)
        work.save(work.ledger.update(entry, moved))
        return work.finish_move(moved)

    def host_accounts(self) -> HostAccounts:
        files = [self.container_host_etc / name for name in ("passwd", "group")]
        return parse_host(*(file.read_text(errors="replace") for file in files))

    def world(self, work: Work) -> World:
        return World(work.ledger, self.host_accounts(), self.settings, work.owners())
