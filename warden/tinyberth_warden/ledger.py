"""Who is who: the passwd(5) and group(5) files of a deployment, as values.

``passwd`` is the truth about people. The private groups in ``group`` follow from it, so a crash
between the two files is repaired by rendering again; lines of other groups (teams) are kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .errors import RefusedError, shown

_PASSWD_LINE = re.compile(
    r"([a-z][a-z0-9_-]{0,31})(?:~([1-9][0-9]{0,5}))?"
    r":\*:([1-9][0-9]{3,9}):([1-9][0-9]{3,9}):([^:\x00-\x1f\x7f]+):[^:]+:[^:]+"
)
_GROUP_LINE = re.compile(r"([a-z][a-z0-9_~-]{0,39}):\*:([1-9][0-9]{3,9}):([a-z0-9_,-]*)")


@dataclass(frozen=True)
class Entry:
    """One person.

    ``archived`` is 0 for the living and the number N in ``alice~N`` for a tombstone: ``~`` is
    in no login, so a tombstone is nobody's account. ``moving`` says that a tombstone's home is
    still to be moved into the archive; it is told by the home field, so that it survives a crash.
    """

    login: str
    uid: int
    gid: int
    hub_name: str
    archived: int = 0
    moving: bool = False

    @property
    def name(self) -> str:
        return f"{self.login}~{self.archived}" if self.archived else self.login

    @property
    def passwd_line(self) -> str:
        home = f"/home/{self.login}" if self.moving or not self.archived else "/nonexistent"
        shell = "/usr/sbin/nologin" if self.archived else "/bin/bash"
        return f"{self.name}:*:{self.uid}:{self.gid}:{self.hub_name}:{home}:{shell}"


@dataclass(frozen=True)
class Ledger:
    """The people, living and archived, in order of arrival, and the lines of other groups."""

    entries: tuple[Entry, ...] = ()
    team_lines: tuple[str, ...] = ()

    def living(self, login: str) -> Entry | None:
        return next((e for e in self.entries if e.login == login and not e.archived), None)

    def tombstones(self, login: str) -> list[Entry]:
        return [e for e in self.entries if e.login == login and e.archived]

    def owner_of(self, number: int) -> str | None:
        """Name whose uid or gid ``number`` is or was: a person, a tombstone or a team."""
        for entry in self.entries:
            if number in (entry.uid, entry.gid):
                return entry.name
        for line in self.team_lines:
            name, _, gid, _ = line.split(":")
            if int(gid) == number:
                return name
        return None

    def add(self, entry: Entry) -> Ledger:
        return replace(self, entries=(*self.entries, entry))

    def update(self, old: Entry, new: Entry) -> Ledger:
        return replace(self, entries=tuple(new if e == old else e for e in self.entries))

    def archive(self, entry: Entry) -> Ledger:
        number = 1 + max((e.archived for e in self.tombstones(entry.login)), default=0)
        return self.update(entry, replace(entry, archived=number, moving=True))

    @property
    def passwd(self) -> str:
        return "".join(e.passwd_line + "\n" for e in self.entries)

    @property
    def group(self) -> str:
        private = [f"{e.name}:*:{e.gid}:" for e in self.entries]
        return "".join(line + "\n" for line in (*private, *self.team_lines))


def parse(passwd: str, group: str) -> Ledger:
    """Read the two files; ``group`` may be older than ``passwd``.

    Raises
    ------
    RefusedError
        503, naming the file, the line and the remedy. A line is never guessed at: what is
        written must be what this module would write.
    """
    entries: list[Entry] = []
    names: set[str] = set()
    numbers: set[int] = set()
    for number, line in _lines("passwd", passwd):
        match = _PASSWD_LINE.fullmatch(line)
        entry = match and Entry(
            match[1], int(match[3]), int(match[4]), match[5], int(match[2] or 0)
        )
        if entry and entry.archived and line != entry.passwd_line:
            entry = replace(entry, moving=True)
        if not entry or line != entry.passwd_line:
            raise damaged("passwd", number, "is not a line that the warden writes", line)
        if entry.name in names or {entry.uid, entry.gid} & numbers:
            raise damaged("passwd", number, "repeats a name, a uid or a gid", line)
        names.add(entry.name)
        numbers |= {entry.uid, entry.gid}
        entries.append(entry)
    teams = []
    for number, line in _lines("group", group):
        match = _GROUP_LINE.fullmatch(line)
        if not match:
            raise damaged("group", number, "is not a line that the warden writes", line)
        # A private group of a state before or after a crash has the gid of a person.
        if int(match[2]) not in numbers:
            teams.append(line)
    return Ledger(tuple(entries), tuple(teams))


def damaged(file: str, line_number: int, why: str, line: str) -> RefusedError:
    return RefusedError(
        503,
        "ledger_damaged",
        f"data/ledger/{file}, line {line_number} {why}: {shown(line)}. Nothing was changed; "
        "correct that line or put the file back from a backup.",
    )


def _lines(file: str, text: str) -> list[tuple[int, str]]:
    lines = text.split("\n")
    if lines.pop():
        raise damaged(file, len(lines) + 1, "has no end: the file was cut", text[-80:])
    return list(enumerate(lines, start=1))
