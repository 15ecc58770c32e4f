"""Who is who: the passwd(5) and group(5) files of a deployment, as values.

``passwd`` is the truth about people. The private groups in ``group`` follow from it, so a crash
between the two files is repaired by rendering again; lines of other groups (teams) are kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from .errors import RefusedError, shown

_PASSWD_LINE = re.compile(
    r"(?P<login>[a-z][a-z0-9_-]{0,31})(?:~(?P<archived>[1-9][0-9]{0,5}))?:\*:"
    r"(?P<uid>[1-9][0-9]{3,9}):(?P<gid>[1-9][0-9]{3,9}):(?P<hub_name>[^:\x00-\x1f\x7f]+):"
    r"(?P<home>[^:]+):[^:]+"
)
_GROUP_LINE = re.compile(
    r"(?P<name>[a-z][a-z0-9_~-]{0,39}):\*:(?P<gid>[1-9][0-9]{3,9}):[a-z0-9_,-]*"
)


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
        people = (e.name for e in self.entries if number in (e.uid, e.gid))
        teams = (line.split(":")[0] for line in self.team_lines if f":{number}:" in line)
        return next(people, None) or next(teams, None)

    def add(self, entry: Entry) -> Self:
        return replace(self, entries=(*self.entries, entry))

    def update(self, old: Entry, new: Entry) -> Self:
        return replace(self, entries=tuple(new if e == old else e for e in self.entries))

    def archive(self, entry: Entry) -> Self:
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
        Naming the file, the line and the remedy. A line is never guessed at: what is written
        must be what this module would write.
    """
    entries: list[Entry] = []
    names: set[str] = set()
    numbers: set[int] = set()
    for number, match in enumerate(_matches("passwd", passwd, _PASSWD_LINE), start=1):
        archived = int(match["archived"] or 0)
        moving = bool(archived) and match["home"] != "/nonexistent"
        uid, gid = int(match["uid"]), int(match["gid"])
        entry = Entry(match["login"], uid, gid, match["hub_name"], archived, moving)
        if entry.passwd_line != match[0] or entry.name in names or {uid, gid} & numbers:
            raise damaged("passwd", match[0], number)
        names.add(entry.name)
        numbers |= {uid, gid}
        entries.append(entry)
    groups = _matches("group", group, _GROUP_LINE)
    # A group with a person's gid is private, perhaps of a state before or after a crash.
    return Ledger(tuple(entries), tuple(m[0] for m in groups if int(m["gid"]) not in numbers))


def damaged(file: str, line: str, number: int) -> RefusedError:
    return RefusedError(
        "ledger_damaged",
        f"data/ledger/{file}, line {number}, is not what the warden writes: {shown(line)}. "
        "Nothing was changed; correct that line or put the file back from a backup.",
    )


def _matches(file: str, text: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    *lines, rest = text.split("\n")
    for number, line in enumerate(lines, start=1):
        match = pattern.fullmatch(line)
        if not match:
            raise damaged(file, line, number)
        yield match
    if rest:  # no line end: the file was cut
        raise damaged(file, rest, len(lines) + 1)
