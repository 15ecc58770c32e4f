"""`tinyberth-hub team`: list, add, remove. Who is in which is `user team`'s matter."""

from __future__ import annotations

import argparse
from typing import Any

from .cli_command import add_command, add_yes, agree, for_each, listed, removal
from .cli_hub import TEAMS, ask, team_path
from .cli_output import NOTHING, OK, print_json, table
from .cli_terminal import Terminal

_LOSS = """\
Its members leave it: their running servers see its files until they stop.
The files stay: the folder moves to data/archive/NAME~N, until you delete it there.
The gid is given to no other team; a later team of that name begins empty."""


def add_team_actions(actions: Any) -> None:
    add_command(actions, "list", team_list, "all teams, their gids and members", "", "--json")
    it = add_command(
        actions, "add", team_add, "make teams, each with a shared folder", "nlp vision",
        notes="Then: user team NAME --join TEAM.",
    )  # fmt: skip
    it.add_argument("names", nargs="+", metavar="TEAM")
    it = add_command(
        actions, "remove", team_remove, "remove teams; their files move to data/archive",
        "nlp", "nlp --yes",
        notes="Asks once, and where nobody can be asked wants --yes.",
    )  # fmt: skip
    it.add_argument("names", nargs="+", metavar="TEAM")
    add_yes(it)


def team_list(arguments: argparse.Namespace, _: Terminal) -> int:
    answer = ask("GET", TEAMS)
    if arguments.json:
        print_json(answer)
        return OK
    rows = [("TEAM", "GID", "MEMBERS")]
    for team in sorted(answer["teams"], key=lambda team: str(team["name"])):
        members = ", ".join(team["members"]) or NOTHING
        rows.append((team["name"], str(team["gid"] or NOTHING), members))
    print(table(rows))
    return OK


def team_add(arguments: argparse.Namespace, _: Terminal) -> int:
    def add(name: str) -> dict[str, Any]:
        team = ask("POST", TEAMS, {"name": name})
        if not arguments.json:
            print(
                f"{team['name']} (gid {team['gid']}): data/teams/{team['name']}, for its members "
                f"/teams/{team['name']}",
                flush=True,
            )
        return dict(team)

    return for_each(arguments, arguments.names, add, key="teams")


def team_remove(arguments: argparse.Namespace, terminal: Terminal) -> int:
    question = f"Remove {listed(arguments.names, 'teams')}?"
    refused = agree(arguments, terminal, _LOSS, question)
    if refused:
        return refused

    def remove(name: str) -> dict[str, Any]:
        answer = ask("DELETE", team_path(name))
        if not arguments.json:
            print(removal(name, answer), flush=True)
        return {"name": name, **answer}

    return for_each(arguments, arguments.names, remove, key="removed")
