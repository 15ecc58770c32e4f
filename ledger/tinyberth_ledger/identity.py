"""Where a new person's uid comes from, and which numbers nobody gets. Pure."""

from dataclasses import dataclass

from tinyberth_common.setting_values import IdRange
from tinyberth_common.settings import Settings, SettingsError
from tinyberth_server.checks import LOWEST_ID, RESERVED_IDS, checked_number
from tinyberth_server.errors import RefusedError, shown

from .ledger import Ledger


@dataclass(frozen=True)
class HostAccounts:
    """The host's own: ``users`` are (name, uid, gid), ``groups`` are (name, gid, members)."""

    users: tuple[tuple[str, int, int], ...] = ()
    groups: tuple[tuple[str, int, str], ...] = ()

    def ids(self, login: str) -> tuple[int, int] | None:
        """Uid of the host's account ``login`` and the gid to use with it.

        The gid is the account's primary group if that is private to it, else the uid: with
        umask 0002 everything would be writable by whoever else is in the group.
        """
        for name, uid, gid in self.users:
            if name == login:
                users = [user[0] for user in self.users if user[2] == gid]
                groups = [(group[0], group[2]) for group in self.groups if group[1] == gid]
                private = users == [login] and groups in ([(login, "")], [(login, login)])
                return uid, gid if private else uid
        return None

    def owners_in(self, ids: IdRange) -> list[str]:
        """Names of users and groups with a uid or gid in ``ids``."""
        names = [name for name, uid, gid in self.users if uid in ids or gid in ids]
        return names + [name for name, gid, _ in self.groups if gid in ids]

    def check_ranges(self, settings: Settings) -> None:
        """Raise ``SettingsError`` if USER_UIDS or TEAM_GIDS hold a number of the host's own."""
        ranges = {"USER_UIDS": settings.user_uids, "TEAM_GIDS": settings.team_gids}
        problems = [
            f"{name}={ids.first}-{ids.last} has numbers of this host's own accounts "
            f"({', '.join(self.owners_in(ids)[:5])}): choose a range that the host does not use."
            for name, ids in ranges.items()
            if self.owners_in(ids)
        ]
        if problems:
            raise SettingsError(problems)


@dataclass(frozen=True)
class World:
    """What a decision depends on. ``owners`` maps what lies in data/ (users/alice) to a number."""

    ledger: Ledger
    host: HostAccounts
    settings: Settings
    owners: dict[str, int]


def parse_host(passwd: str, group: str) -> HostAccounts:
    """Read the host's files; lines that are no accounts (comments, NIS) are passed over."""
    users = [line.split(":") for line in passwd.splitlines() if line.count(":") == 6]
    groups = [line.split(":") for line in group.splitlines() if line.count(":") == 3]
    return HostAccounts(
        tuple((f[0], int(f[2]), int(f[3])) for f in users if (f[2] + f[3]).isdecimal()),
        tuple((f[0], int(f[2]), f[3]) for f in groups if f[2].isdecimal()),
    )


def resolve_ids(
    login: str, requested: tuple[int, int | None] | None, world: World
) -> tuple[int, int]:
    """Return uid and gid for a ``login`` that the ledger does not know.

    First match wins: what the admin asked for (gid = uid where none is given); the host's
    account of that name, with MAP_HOST_USERS=yes; the owner of an existing home; the next
    number that was never used.

    Raises
    ------
    RefusedError
        ``bad_id`` for a number that nobody may have, ``taken`` for one that is somebody's.
    """
    host_ids = world.host.ids(login) if world.settings.map_host_users else None
    home_owner = world.owners.get(f"users/{login}")
    if requested:
        uid, gid = requested[0], requested[0] if requested[1] is None else requested[1]
    elif host_ids and host_ids[0] >= LOWEST_ID:
        uid, gid = host_ids
    elif home_owner and not world.ledger.owner_of(home_owner):
        uid = gid = home_owner
    else:
        uid = gid = _next_free(world, "USER_UIDS", world.settings.user_uids)
    for field, number in (("uid", uid), ("gid", gid)):
        checked_number(number, field)
        whose = _owner(login, number, world)
        if whose is None and number in world.settings.team_gids:
            whose = "the teams (TEAM_GIDS)"
        if whose:
            raise RefusedError(
                "taken", f"{field} {number} for {login} belongs to {whose}: choose another one."
            )
    return uid, gid


def next_free_gid(world: World) -> int:
    """Return the gid of a new team: one that was never anybody's."""
    return _next_free(world, "TEAM_GIDS", world.settings.team_gids)


def _owner(login: str, number: int, world: World) -> str | None:
    """Say whose ``number`` is, if it is not free for ``login``."""
    if person := world.ledger.owner_of(number):
        return f"{person} (numbers are never used again)"
    others = [name for name in world.host.owners_in(IdRange(number, number)) if name != login]
    folders = [n for n, uid in world.owners.items() if uid == number and n != f"users/{login}"]
    if others:
        return f"the account {shown(others[0])} of this host"
    return f"the owner of the folder {shown('data/' + folders[0])}" if folders else None


def _next_free(world: World, setting: str, ids: IdRange) -> int:
    for number in range(ids.first, ids.last + 1):
        # No login has an empty name, so a number that is anybody's at all is passed over.
        if number not in RESERVED_IDS and not _owner("", number, world):
            return number
    used = f"{setting}={ids.first}-{ids.last} is used up: write a wider range."
    raise RefusedError("no_free_id", used)
