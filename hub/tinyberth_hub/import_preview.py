"""What would become of each line of a list of people. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from tinyberth_common.names import NameRefusedError

from .csv_import import Line
from .ledger_client import Berth
from .refusals import ChangeRefusedError
from .teams import check_team


@dataclass
class Present:
    """Who is here: what new people are compared with. Grows by each line that is accepted."""

    logins: Collection[str]
    berths: Collection[Berth]
    teams: Mapping[str, int]  # gid by name
    seen: dict[str, int] = field(default_factory=dict)  # line by login
    numbers: dict[int, str] = field(default_factory=dict)  # whose uid or gid, in this file


def judge(
    line: Line, present: Present, resolve_person: Callable[[str], tuple[str, str]]
) -> dict[str, object]:
    """Return what would become of ``line``: ``new``, ``exists`` or ``refused`` with the reason."""
    login, name, outcome, why = None, line.name, "refused", line.why
    if why is None:
        try:
            login, name = resolve_person(line.name)
            if login in present.logins:
                outcome = "exists"
            else:
                _check_new(replace(line, name=name), login, present)
                outcome = "new"
        except NameRefusedError as refusal:
            why = str(refusal)
        except ChangeRefusedError as refusal:
            why = refusal.message
    return {
        "line": line.number,
        "name": name,
        "login": login,
        "uid": line.uid,
        "gid": line.gid,
        "teams": list(line.teams),
        "new_teams": [team for team in line.teams if team not in present.teams],
        "admin": line.admin,
        "outcome": outcome,
        "why": why,
    }


def _check_new(line: Line, login: str, present: Present) -> None:
    if login in present.seen:
        raise ChangeRefusedError(409, f"{login} stands in line {present.seen[login]} already.")
    if login in present.teams:
        raise ChangeRefusedError(409, f"{login} is a team here: choose another login name.")
    for team in line.teams:
        check_team(team, present.berths)
        if team == login or team in present.seen:
            raise ChangeRefusedError(409, f"{team} is a person: choose another name for the team.")
    for number in {line.uid, line.gid} - {None}:
        assert number is not None  # for mypy
        taken = (berth.archive or berth.login for berth in present.berths
                 if berth.login != login and number in (berth.uid, berth.gid))  # fmt: skip
        teams = (team for team, gid in present.teams.items() if gid == number)
        whose = next(taken, None) or next(teams, None) or present.numbers.get(number)
        if whose:
            raise ChangeRefusedError(409, f"{number} is or was the number of {whose}.")
        present.numbers[number] = login
    present.seen[login] = line.number
