"""Read the passwd(5) and group(5) files of a deployment as strictly as they are written.

The private groups in ``group`` say whose a login was when that file was written, so that after a
crash between the two files a team's member is still the same person, never another of that name.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from tinyberth_server.errors import RefusedError, shown

from .ledger import Entry, Ledger, Team

GECOS = r"(?! )[^:\x00-\x1f\x7f-\x9f]+"  # libnss-extrausers drops spaces at its beginning
_LOGIN, _ID = r"[a-z][a-z0-9_-]{0,31}", r"[1-9][0-9]{3,9}"
_NUMBERED = rf"{_LOGIN}~[1-9][0-9]{{0,5}}"
_PASSWD_LINE = re.compile(
    rf"(?P<name>{_LOGIN}|{_NUMBERED}):\*:(?P<uid>{_ID}):(?P<gid>{_ID}):(?P<gecos>{GECOS}):"
    rf"(?P<home>/home/{_LOGIN}|/archive/{_NUMBERED}|/nonexistent):[^:]+"
)
# The password, which nobody has, tells a person's private group (*) from a team (!).
_GROUP_LINE = re.compile(
    rf"(?P<name>{_LOGIN}|{_NUMBERED}):(?P<kind>[*!]):(?P<gid>{_ID}):"
    rf"(?P<members>(?:{_LOGIN}(?:,{_LOGIN})*)?)"
)


def parse(passwd: str, group: str) -> Ledger:
    """Read the two files; ``group`` may be older than ``passwd``.

    Raises
    ------
    RefusedError
        Naming the file, the line and the remedy. A line is never guessed at: what is written
        must be what this module would write.
    """
    entries: list[Entry] = []
    taken: set[int | str] = set()  # numbers, names, and places of homes
    for number, match in enumerate(_matches("passwd", passwd, _PASSWD_LINE), start=1):
        login, _, archived = match["name"].partition("~")
        ids = int(match["uid"]), int(match["gid"])
        entry = Entry(login, *ids, match["gecos"], int(archived or 0))
        if match["home"] not in (entry.place, "/nonexistent"):
            entry = replace(entry, moving_from=match["home"])
        homes = {entry.place, entry.moving_from} - {""}
        if entry.passwd_line != match[0] or taken & {*ids, *homes}:
            raise damaged("passwd", match[0], number)
        taken |= {*ids, *homes}
        entries.append(entry)
    return Ledger(tuple(entries), tuple(_teams(group, entries, taken)))


def _teams(group: str, entries: list[Entry], taken: set[int | str]) -> Iterator[Team]:
    by_gid, by_old_login = {e.gid: e for e in entries}, dict[str, Entry]()
    taken |= {e.name for e in entries}
    for number, match in enumerate(_matches("group", group, _GROUP_LINE), start=1):
        name, gid, members = match["name"], int(match["gid"]), set(match["members"].split(","))
        if match["kind"] == "*" and gid in by_gid and name not in by_old_login and members == {""}:
            by_old_login[name] = by_gid[gid]
        elif (
            match["kind"] == "!"
            and not {gid, name} & taken
            and by_old_login.keys() >= members - {""}
        ):
            login, _, archived = name.partition("~")
            people = (by_old_login[member] for member in members - {""})
            living = frozenset(entry.login for entry in people if not entry.archived)
            yield Team(login, gid, living, int(archived or 0))
            taken |= {gid, name}
        else:  # a person whom passwd does not know is refused too: numbers would be given twice
            raise damaged("group", match[0], number)


def damaged(file: str, line: str, number: int) -> RefusedError:
    return RefusedError(
        "ledger_damaged",
        f"data/ledger/{file}, line {number}, is not what is written here: {shown(line)}. "
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
