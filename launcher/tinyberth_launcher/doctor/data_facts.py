"""What lies in the data folder: the ledger's lines as they are, and what stat(2) says of folders.

Read on the host, where all of it is open to look at; also while everything is down. The ledger's
files are passwd(5) and group(5); unlike the service, this reads past a line that is damaged.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PARENTS = ("users", "teams", "archive")
FILES = ("passwd", "group")

_KINDS = {
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "FIFO",
    stat.S_IFREG: "file",
}


@dataclass(frozen=True)
class Entry:
    """A person in the ledger; ``name`` is ``alice~1`` of one who was removed."""

    name: str
    uid: int
    gid: int
    home: str

    @property
    def is_archived(self) -> bool:
        return "~" in self.name

    @property
    def place(self) -> str:
        """Where the home should be, below data/."""
        return f"{'archive' if self.is_archived else 'users'}/{self.name}"

    @property
    def moving_from(self) -> str:
        """Where the home still is, below data/, if a move has not ended."""
        place = self.home.lstrip("/").replace("home/", "users/", 1)
        return "" if place in {self.place, "nonexistent"} else place


@dataclass(frozen=True)
class Team:
    name: str
    gid: int
    members: frozenset[str]

    @property
    def place(self) -> str:
        return f"{'archive' if '~' in self.name else 'teams'}/{self.name}"


@dataclass(frozen=True)
class Folder:
    """What lies at a place; ``kind`` is ``folder`` if it is one. ``empty``: as far as is known."""

    kind: str
    uid: int
    gid: int
    mode: int
    empty: bool = False


@dataclass(frozen=True)
class Data:
    """The data folder. ``damaged`` are lines of the ledger that nobody can read."""

    entries: tuple[Entry, ...] = ()
    teams: tuple[Team, ...] = ()
    folders: Mapping[str, Folder] | None = None
    damaged: tuple[str, ...] = ()
    host_accounts: Mapping[int, str] | None = None

    @property
    def living(self) -> set[str]:
        return {entry.name for entry in self.entries if not entry.is_archived}

    def owner(self, folder: Folder) -> str:
        """Say whose ``folder`` is, by its numbers."""
        number = folder.uid or folder.gid
        names = [one.name for one in self.entries if one.uid == number]
        names += [team.name for team in self.teams if team.gid == number and not folder.uid]
        accounts = self.host_accounts or {}
        if names:
            return names[0]
        account = accounts.get(folder.uid) if folder.uid else None
        return f"{account}, an account of this host" if account else "nobody known"


def lost(host_data: Path) -> list[str]:
    """Return which files of the ledger are gone; before a first start they never were there."""
    ledger = host_data / "ledger"
    gone = [name for name in FILES if not os.path.lexists(ledger / name)]
    begun = any(os.path.lexists(ledger / name) for name in (*FILES, ".lock"))
    return gone if begun else []


def collect(host_data: Path) -> Data:
    texts = {name: _text(host_data / "ledger" / name) for name in FILES}
    entries, damaged = parse_passwd(texts["passwd"])
    teams, damaged_too = parse_group(texts["group"])
    folders = {}
    for parent in PARENTS:
        if (host_data / parent).is_dir():
            with os.scandir(host_data / parent) as items:
                folders.update({f"{parent}/{item.name}": _folder(item) for item in items})
    accounts = {account.pw_uid: account.pw_name for account in pwd.getpwall()}
    damaged_lines = (*damaged, *damaged_too)
    return Data(tuple(entries), tuple(teams), folders, damaged_lines, accounts)


def parse_passwd(text: str) -> tuple[list[Entry], list[str]]:
    """Return the people in ``text``, and the lines that are none."""
    entries, damaged = [], []
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) == 7 and (fields[2] + fields[3]).isdecimal():
            entries.append(Entry(fields[0], int(fields[2]), int(fields[3]), fields[5]))
        else:
            damaged.append(f"passwd: {line[:80]!a}")
    return entries, damaged


def parse_group(text: str) -> tuple[list[Team], list[str]]:
    """Return the teams in ``text``; people's private groups follow from passwd."""
    teams, damaged = [], []
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) != 4 or not fields[2].isdecimal() or fields[1] not in "*!":
            damaged.append(f"group: {line[:80]!a}")
        elif fields[1] == "!":
            members = frozenset(filter(None, fields[3].split(",")))
            teams.append(Team(fields[0], int(fields[2]), members))
    return teams, damaged


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _folder(item: os.DirEntry[str]) -> Folder:
    found = item.stat(follow_symlinks=False)
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), "special file")
    return Folder(kind, found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode), _is_empty(item))


def _is_empty(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir(follow_symlinks=False) and not os.listdir(item.path)  # noqa: PTH208
    except OSError:  # closed to us, so not known to be
        return False
