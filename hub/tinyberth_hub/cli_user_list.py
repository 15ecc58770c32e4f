"""`tinyberth-hub user list` and `show`: who is there."""

from __future__ import annotations

import argparse
from typing import Any

from .cli_command import add_command
from .cli_hub import PEOPLE, SURVEY, Person, ask, person_path
from .cli_output import NOTHING, OK, ago, print_json, since, size, table, visible
from .cli_terminal import Terminal


def add_list_actions(actions: Any) -> None:
    it = add_command(
        actions, "list", user_list, "everybody: ids, state, teams, disk, server, last seen",
        "", "--all", "--json",
        notes="Sizes have MEM_LIMIT's units: K, M and G are 1024, 1024² and 1024³ bytes.",
    )  # fmt: skip
    it.add_argument("--all", action="store_true", help="removed people, too")
    it = add_command(
        actions, "show", user_show, "one person, all that is known", "alice", "alice~1 --json"
    )
    it.add_argument("name", metavar="NAME")


def user_list(arguments: argparse.Namespace, _: Terminal) -> int:
    answer = ask("GET", PEOPLE)
    people = [person for person in answer["people"] if arguments.all or not is_removed(person)]
    if arguments.json:
        print_json({**answer, "people": people})
    else:
        print(people_table(people))
    return OK


def user_show(arguments: argparse.Namespace, _: Terminal) -> int:
    person = ask("GET", person_path(arguments.name))
    if arguments.json:
        print_json(person)
    else:
        print(describe(person))
    return OK


def print_survey(_: argparse.Namespace, __: Terminal) -> int:
    """Print what each store of the hub says by itself, also where the ledger is lost."""
    print_json(ask("GET", SURVEY))
    return OK


def is_removed(person: Person) -> bool:
    return bool(person["state"] == "removed")


def shown_login(person: Person) -> str:
    """Return what names the person in every command: ``alice``, removed ``alice~1``."""
    return str(person["archive"] or person["login"])


def people_table(people: list[Person]) -> str:
    """Return a line for each, the living first; names only where they are not the logins."""
    people = sorted(people, key=lambda person: (is_removed(person), shown_login(person)))
    named = any(person["name"] != person["login"] for person in people)
    heads = ("LOGIN", *(["NAME"] if named else []))
    heads += ("UID:GID", "STATE", "ADMIN", "TEAMS", "DISK", "SERVER", "LAST SEEN")
    rows = [
        (
            shown_login(person),
            *([str(person["name"])] if named else []),
            _ids(person),
            str(person["state"]),
            "admin" if person["admin"] else NOTHING,
            ",".join(person["teams"]) or NOTHING,
            size(person["disk"]),
            _server(person),
            ago(person["last_seen"]),
        )
        for person in people
    ]
    return table([heads, *rows])


def describe(person: Person) -> str:
    """Return what is known of one person, a line for each thing."""
    state = person["state"]
    if person["throttled_until"]:
        state += f" until {person['throttled_until']} (too many wrong passwords; a link helps)"
    home = f"archive/{person['archive']}" if person["archive"] else f"users/{person['login']}"
    lines = [
        ("Name", visible(str(person["name"]))),
        ("State", state),
        ("Uid:gid", _ids(person)),
        ("Admin", "yes" if person["admin"] else "no"),
        ("Teams", ", ".join(person["teams"]) or "none"),
        ("Home", f"data/{home}, {size(person['disk'])}"),
        ("Server", _server(person)),
        ("Last seen", ago(person["last_seen"])),
        ("Added", ago(person["created"])),
    ]
    return "\n".join([shown_login(person), *(f"  {label:<10} {value}" for label, value in lines)])


def _ids(person: Person) -> str:
    return f"{person['uid']}:{person['gid']}" if person["uid"] is not None else NOTHING


def _server(person: Person) -> str:
    server = person["server"]
    if not server:
        return NOTHING
    parked = server["parked_since"]
    words = f"parked {since(parked)}" if parked else since(server["since"])
    if server["memory"] is not None:
        words += f", {size(server['memory'])}"
    return words + (", restart for teams" if server["teams_changed"] else "")
