"""The host's own accounts, read from its /etc: numbers that we must not give to anybody else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyberth_common.settings import IdRange, Settings, SettingsError


@dataclass(frozen=True)
class HostAccounts:
    """``users``: (name, uid, gid) of passwd(5); ``groups``: (name, gid, members) of group(5)."""

    users: tuple[tuple[str, int, int], ...] = ()
    groups: tuple[tuple[str, int, str], ...] = ()

    def ids(self, login: str) -> tuple[int, int] | None:
        """Uid of the host's account ``login`` and the gid to use with it.

        The gid is the account's primary group if that is private to it, else the uid: with
        umask 0002 everything would be writable by whoever else is in the group.
        """
        account = next((user for user in self.users if user[0] == login), None)
        if account is None:
            return None
        _, uid, gid = account
        private = [user[0] for user in self.users if user[2] == gid] == [login] and [
            (name, members) for name, number, members in self.groups if number == gid
        ] in ([(login, "")], [(login, login)])
        return uid, gid if private else uid

    def owner_of(self, number: int) -> str | None:
        """Name of a host user or group with this number as uid or gid."""
        users = (name for name, uid, gid in self.users if number in (uid, gid))
        groups = (name for name, gid, _ in self.groups if gid == number)
        return next(groups, None) or next(users, None)

    def check_ranges(self, settings: Settings) -> None:
        """Raise ``SettingsError`` if USER_UIDS or TEAM_GIDS hold a number of the host's own."""
        problems = []
        for variable, ids in (
            ("USER_UIDS", settings.user_uids),
            ("TEAM_GIDS", settings.team_gids),
        ):
            taken = self._names_in(ids)
            if taken:
                problems.append(
                    f"{variable}={ids.first}-{ids.last} overlaps accounts of this host "
                    f"({', '.join(taken[:5])}): choose a range that the host does not use."
                )
        if problems:
            raise SettingsError(problems)

    def _names_in(self, ids: IdRange) -> list[str]:
        users = [
            f"{name}:{uid}:{gid}" for name, uid, gid in self.users if uid in ids or gid in ids
        ]
        return users + [f"group {name}:{gid}" for name, gid, _ in self.groups if gid in ids]


def read(container_host_etc: Path) -> HostAccounts:
    """Read ``passwd`` and ``group``; lines that are none (comments, NIS) are passed over."""
    users, groups = [], []
    for fields in _records(container_host_etc / "passwd", count=7):
        if fields[2].isdecimal() and fields[3].isdecimal():
            users.append((fields[0], int(fields[2]), int(fields[3])))
    for fields in _records(container_host_etc / "group", count=4):
        if fields[2].isdecimal():
            groups.append((fields[0], int(fields[2]), fields[3]))
    return HostAccounts(tuple(users), tuple(groups))


def _records(path: Path, count: int) -> list[list[str]]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [fields for line in lines if len(fields := line.split(":")) == count]
