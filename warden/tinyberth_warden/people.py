"""Who a container is for, as the ledger says it; believed no further than it must be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinyberth_server.checks import checked_login, checked_number
from tinyberth_server.peer import Peer


@dataclass(frozen=True)
class Team:
    name: str
    gid: int


@dataclass(frozen=True)
class Person:
    login: str
    uid: int
    gid: int
    teams: tuple[Team, ...] = ()


async def person_with_folders(ledger: Peer, login: str) -> Person:
    """Return ``login`` as the ledger knows them now, with the folders of all teams made sure.

    Raises
    ------
    RefusedError
        As the ledger says: no such person, or something is in the way of a folder.
    """
    return parse_person(login, await ledger.ask("POST", f"/v1/berths/{login}/folders"))


def parse_person(login: str, answer: Mapping[str, Any]) -> Person:
    """Read the ledger's answer: no fault of the ledger's makes a container root's."""
    if answer["login"] != login:
        raise ValueError("the ledger answered for somebody else")
    teams = (
        Team(checked_login(team["name"]), checked_number(team["gid"], "gid"))
        for team in answer["teams"]
    )
    uid, gid = (checked_number(answer[field], field) for field in ("uid", "gid"))
    return Person(login, uid, gid, tuple(teams))
