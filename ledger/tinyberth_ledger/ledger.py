"""Who is who: the passwd(5) and group(5) files of a deployment, as values.

``passwd`` is the truth about people, ``group`` about teams. The private groups in ``group`` follow
from people. ``ledger_text.py`` reads what is written here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from tinyberth_server.errors import RefusedError


class _Named:
    """``archived`` is 0, or the number N of a tombstone: ``~`` is in no login or team's name."""

    login: str
    archived: int

    @property
    def name(self) -> str:
        return f"{self.login}~{self.archived}" if self.archived else self.login


_Owner = TypeVar("_Owner", bound=_Named)


@dataclass(frozen=True)
class Entry(_Named):
    """One person.

    ``gecos`` is the name as the admin or the provider gives it. ``moving_from`` says where a home
    is that still has to be moved to its place; it is told by the home field, so that it survives
    a crash: ``/home/OLD`` is data/users/OLD, ``/archive/OLD~1`` is data/archive/OLD~1.
    """

    login: str
    uid: int
    gid: int
    gecos: str
    archived: int = 0
    moving_from: str = ""

    @property
    def place(self) -> str:
        return f"/archive/{self.name}" if self.archived else f"/home/{self.login}"

    @property
    def passwd_line(self) -> str:
        settled = "/nonexistent" if self.archived else self.place
        shell = "/usr/sbin/nologin" if self.archived else "/bin/bash"
        home = self.moving_from or settled
        return f"{self.name}:*:{self.uid}:{self.gid}:{self.gecos}:{home}:{shell}"


@dataclass(frozen=True)
class Team(_Named):
    """A group of people with a folder; its name is in ``login`` as a person's is."""

    login: str
    gid: int
    members: frozenset[str] = frozenset()
    archived: int = 0

    @property
    def group_line(self) -> str:
        return f"{self.name}:!:{self.gid}:{','.join(sorted(self.members))}"


@dataclass(frozen=True)
class Ledger:
    """The people and the teams, living and archived, each in order of arrival."""

    entries: tuple[Entry, ...] = ()
    teams: tuple[Team, ...] = ()

    def living(self, login: str) -> Entry | None:
        return _last(self.entries, login, archived=False)

    def tombstone(self, login: str) -> Entry | None:
        """Return who of that login was archived last."""
        return _last(self.entries, login, archived=True)

    def team(self, name: str) -> Team | None:
        return _last(self.teams, name, archived=False)

    def archived_team(self, name: str) -> Team | None:
        return _last(self.teams, name, archived=True)

    def teams_of(self, entry: Entry) -> tuple[Team, ...]:
        return tuple(t for t in self.teams if entry.name in t.members)

    def owner_of(self, number: int) -> str | None:
        """Name whose uid or gid ``number`` is or was: a person, a tombstone or a team."""
        people = (e.name for e in self.entries if number in (e.uid, e.gid))
        teams = (t.name for t in self.teams if number == t.gid)
        return next(people, None) or next(teams, None)

    def next_archived(self, login: str) -> int:
        """Return the number of the next tombstone; a home that waits to leave keeps its own."""
        waiting = [e.moving_from.partition(f"/archive/{login}~")[2] for e in self.entries]
        numbers = [n.archived for n in (*self.entries, *self.teams) if n.login == login]
        return 1 + max((*numbers, *(int(n) for n in waiting if n)), default=0)

    def check_new_login(self, login: str) -> None:
        """Raise ``RefusedError`` if nobody can get the ``login`` now."""
        if self.living(login):
            raise RefusedError("taken", f"{login} is somebody's login: choose another one.")
        if any(t.login == login for t in self.teams):
            raise RefusedError("taken", f"{login} is the name of a team: choose another login.")
        for entry in self.entries:
            if entry.moving_from == f"/home/{login}":
                why = f"The home of {entry.name} still lies in data/users/{login}"
                raise RefusedError("taken", f"{why}: the log of the ledger says why.")

    def add(self, entry: Entry) -> Self:
        return replace(self, entries=(*self.entries, entry))

    def update(self, old: Entry, new: Entry) -> Self:
        """Put ``new`` in the place of ``old``; its teams follow a living person's login."""
        names = {old.name: set() if new.archived else {new.name}}
        teams = (
            replace(t, members=frozenset().union(*(names.get(m, {m}) for m in t.members)))
            for t in self.teams
        )
        entries = (new if e == old else e for e in self.entries)
        return replace(self, entries=tuple(entries), teams=tuple(teams))

    def put_team(self, team: Team) -> Self:
        """Add ``team``, or put it in the place of the one that has its gid."""
        teams = {**{t.gid: t for t in self.teams}, team.gid: team}
        return replace(self, teams=tuple(teams.values()))

    @property
    def passwd(self) -> str:
        return "".join(e.passwd_line + "\n" for e in self.entries)

    @property
    def group(self) -> str:
        private = [f"{e.name}:*:{e.gid}:" for e in self.entries]
        return "".join(line + "\n" for line in (*private, *(t.group_line for t in self.teams)))


def _last(owners: Iterable[_Owner], login: str, *, archived: bool) -> _Owner | None:
    found = [o for o in owners if o.login == login and bool(o.archived) == archived]
    return max(found, key=lambda owner: owner.archived, default=None)
