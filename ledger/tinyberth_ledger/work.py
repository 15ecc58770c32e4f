"""The ledger while it is locked, and the folders that belong to it.

Blocking. Each step can be the last before a crash: the ledger says what is begun, and whoever
locks it next finishes that before anything else.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count

from tinyberth_server.errors import RefusedError

from . import ledger_file
from .data_root import DataRoot
from .folders import Folder, move_folder
from .ledger import Entry, Ledger, Team

_log = logging.getLogger("ledger")


@contextmanager
def locked(root: DataRoot) -> "Iterator[Work]":
    """Yield the ledger, locked, with what a crash left finished."""
    with ExitStack() as opened:
        names = ("ledger", "users", "teams", "archive")
        fds = {name: opened.enter_context(root.open(name)) for name in names}
        opened.enter_context(ledger_file.locked(fds["ledger"]))
        work = Work(fds, ledger_file.read(fds["ledger"]))
        work.finish()
        yield work


@dataclass
class Work:
    fds: Mapping[str, int]
    ledger: Ledger

    def save(self, ledger: Ledger) -> None:
        ledger_file.write(self.fds["ledger"], ledger)
        self.ledger = ledger

    def person(self, login: str) -> Entry | None:
        """Return the living entry of ``login``; raise if the home cannot be moved to its place."""
        entry = self.ledger.living(login)
        return self.finish_move(entry) if entry else None

    def home(self, entry: Entry) -> Folder:
        return self._folder(entry, entry.place)

    def team_folder(self, team: Team) -> Folder:
        return self._folder(team, f"/{'archive' if team.archived else 'teams'}/{team.name}")

    def owners(self) -> dict[str, int]:
        """Uids of what lies in data/, by path; of what is root's, the gid: it is a team's."""
        found: dict[str, int] = {}
        for parent in ("users", "teams", "archive"):
            with os.scandir(self.fds[parent]) as items:
                for item in items:
                    ids = item.stat(follow_symlinks=False)
                    number = ids.st_uid or (ids.st_gid if parent != "users" else 0)
                    found |= {f"{parent}/{item.name}": number} if number else {}
        return found

    def archive_number(self, login: str) -> int:
        """Return the N of the next ``login~N``: one that neither ledger nor archive knows."""
        there = os.listdir(self.fds["archive"])  # noqa: PTH208 - by descriptor
        number = self.ledger.next_archived(login)
        return next(n for n in count(number) if f"{login}~{n}" not in there)

    def finish(self) -> None:
        """Bring ``group`` up to ``passwd``, and every folder to its place.

        What is in the way of one keeps only that one back; it is told here and to whoever asks.
        """
        self.save(self.ledger)
        owners: list[Entry | Team] = [*self.ledger.entries, *self.ledger.teams]
        for owner in owners:
            try:
                if isinstance(owner, Entry):
                    self.finish_move(owner)
                else:
                    self.retire(owner)
            except RefusedError as refusal:  # noqa: PERF203 - for one, not for all
                _log.error("%s", refusal.message)

    def finish_move(self, entry: Entry) -> Entry:
        """Return ``entry`` with its home in its place."""
        if not entry.moving_from:
            return entry
        move_folder(self._folder(entry, entry.moving_from), self.home(entry), self.ledger)
        settled = replace(entry, moving_from="")
        self.save(self.ledger.update(entry, settled))
        return settled

    def retire(self, team: Team) -> None:
        """Move the folder of an archived team, which its gid tells from a later team's."""
        source = self._folder(team, f"/teams/{team.login}")
        found = source.found() if team.archived else None
        if found and source.is_own(found):
            move_folder(source, self.team_folder(team), self.ledger)

    def _folder(self, owner: Entry | Team, place: str) -> Folder:
        _, parent, name = place.replace("/home/", "/users/").split("/")
        uid, mode = (owner.uid, 0o700) if isinstance(owner, Entry) else (0, 0o2770)
        return Folder(self.fds[parent], parent, name, uid, owner.gid, mode, owner.name)
