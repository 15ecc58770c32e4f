"""`tinyberth-hub user remove` and `restore`."""

from __future__ import annotations

import argparse
from typing import Any

from .cli_command import add_command, add_yes, agree, for_each, listed, removal
from .cli_hub import PEOPLE, STOP_SECONDS, HubError, Person, ask, person_path
from .cli_output import FAILED, OK, print_error, print_json
from .cli_terminal import Terminal
from .cli_user import print_added
from .cli_user_list import is_removed, people_table

_LOSS = """\
Servers are stopped; passwords, sessions, tokens and links end.
The files stay: each home moves to data/archive/NAME~N, until you delete it there.
The uid is given to nobody else; `user restore NAME` brings files, uid and name back."""


def add_life_actions(actions: Any) -> None:
    it = add_command(
        actions, "remove", user_remove, "remove people; their files move to data/archive",
        "alice", "alice bob --yes",
        notes="Asks once, and where nobody can be asked wants --yes.",
    )  # fmt: skip
    it.add_argument("names", nargs="+", metavar="NAME")
    add_yes(it)
    it = add_command(
        actions, "restore", user_restore, "bring a removed person back, with uid and files",
        "alice", "alice~2", "alice~1 --as alicia",
        notes="Password, teams and the right to be admin are given anew.",
    )  # fmt: skip
    it.add_argument("name", metavar="NAME", help="alice~1, or alice if there is one only")
    it.add_argument("--as", dest="new", metavar="NEW", help="under this login")


def user_remove(arguments: argparse.Namespace, terminal: Terminal) -> int:
    question = f"Remove {listed(arguments.names, 'people')}?"
    refused = agree(arguments, terminal, _LOSS, question)
    if refused:
        return refused

    def remove(name: str) -> dict[str, Any]:
        answer = ask("DELETE", person_path(name), timeout=STOP_SECONDS)
        if not arguments.json:
            print(removal(name, answer), flush=True)
        return {"login": name, **answer}

    return for_each(arguments, arguments.names, remove, key="removed")


def user_restore(arguments: argparse.Namespace, _: Terminal) -> int:
    archive = arguments.name
    if "~" not in archive:
        found = _removed(archive)
        if len(found) != 1:
            _print_choice(arguments, found)
            return FAILED
        archive = found[0]["archive"]
    body = {"as": arguments.new} if arguments.new else {}
    person = ask("POST", person_path(archive, "restore"), body, timeout=STOP_SECONDS)
    if arguments.json:
        print_json(person)
    else:
        print_added(person, " is back")
    return OK


def _removed(login: str) -> list[Person]:
    people = ask("GET", PEOPLE)["people"]
    return [person for person in people if is_removed(person) and person["login"] == login]


def _print_choice(arguments: argparse.Namespace, found: list[Person]) -> None:
    archives = [person["archive"] for person in found]
    if not found:
        raise HubError(
            f"No removed person was called {arguments.name[:40]!a}; `user list --all` shows them."
        )
    print_error(
        f"Several removed people were called {arguments.name}: say which, such as {archives[0]}.",
        as_json=arguments.json,
        archives=archives,
    )
    if not arguments.json:
        print_error(people_table(found), as_json=False)
