"""Where a new person's uid comes from, and which numbers nobody gets. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tinyberth_common.settings import Settings

from .errors import RefusedError, shown
from .host_accounts import HostAccounts
from .ledger import Ledger
from .settings import HUB_UID, PROXY_UID

LOWEST_ID = 1000
"""Below are system accounts (login.defs(5), UID_MIN)."""
HIGHEST_ID = 2**31 - 2
"""Above, programs that use a signed int read a negative number, or -1, "no id"."""
_RESERVED = {
    HUB_UID: "the hub's own",
    PROXY_UID: "the proxy's own",
    65534: "nobody's",
    65535: "-1 in 16 bits",
}


@dataclass(frozen=True)
class World:
    """What a decision depends on. ``home_owners`` maps folder names in data/users to uids."""

    ledger: Ledger
    host: HostAccounts
    settings: Settings
    home_owners: dict[str, int]


def resolve_ids(
    login: str, requested: tuple[int, int | None] | None, world: World
) -> tuple[int, int]:
    """Return uid and gid for a ``login`` that the ledger does not know.

    First match wins: what the admin asked for (gid = uid where none is given); the host's account of that name, with
    MAP_HOST_USERS=yes; the owner of an existing home; the next number that was never used.

    Raises
    ------
    RefusedError
        400 for a number that nobody may have, 409 for one that is somebody's.
    """
    host_ids = world.host.ids(login) if world.settings.map_host_users else None
    home_owner = world.home_owners.get(login)
    if requested:
        ids = (requested[0], requested[0] if requested[1] is None else requested[1])
    elif host_ids and host_ids[0] >= LOWEST_ID:
        ids = host_ids
    elif home_owner and world.ledger.owner_of(home_owner) is None:
        ids = (home_owner, home_owner)
    else:
        return _next_free(world)
    _check(login, *ids, world)
    return ids


def check_number(number: object, field: str) -> int:
    """Return ``number`` if a person may have it as uid or gid.

    Raises
    ------
    RefusedError
        400; JSON's true, "1000" and 1e3 are no numbers here.
    """
    if type(number) is not int or not LOWEST_ID <= number <= HIGHEST_ID:
        raise RefusedError(
            400,
            "bad_id",
            f"{field} {shown(str(number))} is refused: write a whole number from {LOWEST_ID} to "
            f"{HIGHEST_ID}.",
        )
    if number in _RESERVED:
        raise RefusedError(
            400, "bad_id", f"{field} {number} is {_RESERVED[number]}: choose another number."
        )
    return number


def _check(login: str, uid: int, gid: int, world: World) -> None:
    for field, number in (("uid", uid), ("gid", gid)):
        check_number(number, field)
        if number in world.settings.team_gids:
            raise RefusedError(
                409, "taken", f"{field} {number} is in TEAM_GIDS: choose one outside that range."
            )
        owner, host_owner = world.ledger.owner_of(number), world.host.owner_of(number)
        if owner:
            raise _taken(field, number, f"{owner} of this deployment (numbers are never reused)")
        if host_owner not in (None, login):
            raise _taken(field, number, f"{shown(str(host_owner))} of this host")
    others = [name for name, owner_uid in world.home_owners.items() if owner_uid == uid]
    if set(others) - {login}:
        raise _taken("uid", uid, f"the owner of the existing folder {shown(others[0])}")


def _taken(field: str, number: int, whose: str) -> RefusedError:
    return RefusedError(
        409, "taken", f"{field} {number} belongs to {whose}: choose another number."
    )


def _next_free(world: World) -> tuple[int, int]:
    owned = set(world.home_owners.values())
    ids = world.settings.user_uids
    for number in range(ids.first, ids.last + 1):
        if number in _RESERVED or number in owned:
            continue
        if world.ledger.owner_of(number) is None and world.host.owner_of(number) is None:
            return number, number
    raise RefusedError(
        409,
        "no_free_uid",
        f"USER_UIDS={ids.first}-{ids.last} has no number left that was never used: widen it.",
    )
