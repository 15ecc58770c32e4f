"""`tinyberth-hub user`: add, link, admin, team, rename, stop."""

from __future__ import annotations

import argparse
import csv
import re
import sys
from typing import Any

from .cli_command import add_command, for_each
from .cli_hub import PEOPLE, STOP_SECONDS, Person, ask, person_path
from .cli_output import OK, USAGE, print_error, print_json, visible
from .cli_terminal import Terminal


def add_user_actions(actions: Any) -> None:
    it = add_command(
        actions, "add", user_add, "add people; prints each one's one-time link",
        "alice bob", "carol --uid 1005 --gid 1005 --team nlp --admin",
    )  # fmt: skip
    it.add_argument("names", nargs="+", metavar="NAME")
    it.add_argument("--uid", type=parse_id, help="instead of the next free one; one person's")
    it.add_argument("--gid", type=parse_id, help="the private group; default: the uid")
    it.add_argument(
        "--team", nargs="+", action="extend", default=[], metavar="TEAM", help="teams to be in"
    )
    it.add_argument("--admin", action="store_true", help="may do what you do")
    it = add_command(
        actions, "link", user_link, "make fresh one-time links; older ones die",
        "alice", "alice bob > links.csv", "alice --if-invited",
        notes="One name: prints the link alone. Several: CSV of name and link.",
    )  # fmt: skip
    it.add_argument("names", nargs="+", metavar="NAME")
    it.add_argument(
        "--if-invited", action="store_true", help="nothing for who has a password already"
    )
    it = add_command(
        actions, "admin", user_admin, "make people admins, or no admins any more",
        "alice", "alice bob --off",
    )  # fmt: skip
    it.add_argument("names", nargs="+", metavar="NAME")
    it.add_argument("--off", action="store_true", help="unmake; the last admin stays one")
    it = add_command(
        actions, "team", user_team, "let somebody join and leave teams",
        "alice --join nlp vision", "alice --join nlp --leave vision",
        notes="A running server sees the change after its next start.",
    )  # fmt: skip
    it.add_argument("name", metavar="NAME")
    for flag in ("--join", "--leave"):
        it.add_argument(flag, nargs="+", action="extend", default=[], metavar="TEAM")
    it = add_command(
        actions, "rename", user_rename, "change a login; uid, files, password and teams stay",
        "alice alicia",
        notes="The server must be stopped for it.",
    )  # fmt: skip
    it.add_argument("old", metavar="OLD")
    it.add_argument("new", metavar="NEW")
    it = add_command(actions, "stop", user_stop, "stop people's servers", "alice bob")
    it.add_argument("names", nargs="+", metavar="NAME")
    it = add_command(
        actions, "park", user_park, "park people's servers: paused, with all their variables",
        "alice bob",
        notes="The next visit lets it go on. Idle servers are parked by themselves (PARK_AFTER).",
    )  # fmt: skip
    it.add_argument("names", nargs="+", metavar="NAME")


def user_add(arguments: argparse.Namespace, _: Terminal) -> int:
    if len(arguments.names) > 1 and (arguments.uid or arguments.gid):
        print_error(
            "--uid and --gid are one person's: add people one by one with them.",
            as_json=arguments.json,
        )
        return USAGE
    wanted = {
        "uid": arguments.uid,
        "gid": arguments.gid,
        "teams": arguments.team,
        "admin": arguments.admin,
    }

    def add(name: str) -> Person:
        person = ask("POST", PEOPLE, {"name": name, **_given(wanted)})
        if not arguments.json:
            print_added(person)
        return dict(person)

    return for_each(arguments, arguments.names, add, key="people")


def print_added(person: Person, what: str = "") -> None:
    """Print who is there now, and the link, which this is the only time to see."""
    login = "" if person["login"] == person["name"] else f"login {person['login']}, "
    words = f"{visible(person['name'])}{what} ({login}uid {person['uid']}, gid {person['gid']})"
    if person["link"]:
        print(f"{words}, one-time link:\n  {person['link']}", flush=True)
    else:
        print(f"{words}; there is no link, for people sign in elsewhere", flush=True)


def user_link(arguments: argparse.Namespace, _: Terminal) -> int:
    several = len(arguments.names) > 1
    rows = csv.writer(sys.stdout, lineterminator="\n")
    if several and not arguments.json:
        rows.writerow(["name", "link"])

    def link(name: str) -> Person:
        answer = ask("POST", person_path(name, "link"), {"if_invited": arguments.if_invited})
        if answer["link"] and not arguments.json:
            rows.writerow([answer["name"], answer["link"]] if several else [answer["link"]])
            sys.stdout.flush()
        return dict(answer)

    return for_each(arguments, arguments.names, link, key="links")


def user_admin(arguments: argparse.Namespace, _: Terminal) -> int:
    def change(name: str) -> Person:
        person = ask("PATCH", person_path(name), {"admin": not arguments.off})
        if not arguments.json:
            print(f"{person['login']} is {'an admin' if person['admin'] else 'no admin'} now.")
        return dict(person)

    return for_each(arguments, arguments.names, change, key="people")


def user_team(arguments: argparse.Namespace, _: Terminal) -> int:
    join, leave = set(arguments.join), set(arguments.leave)
    if join & leave or not join | leave:
        print_error(
            "Say which teams to --join, which to --leave, and none in both.",
            as_json=arguments.json,
        )
        return USAGE
    path = person_path(arguments.name)
    teams = sorted(set(ask("GET", path)["teams"]) - leave | join)
    person = ask("PATCH", path, {"teams": teams})
    if arguments.json:
        print_json(person)
        return OK
    print(f"{person['login']} is in {', '.join(person['teams']) or 'no team'}.")
    if (person["server"] or {}).get("teams_changed"):
        print("The running server sees the change after its next start.")
    return OK


def user_rename(arguments: argparse.Namespace, _: Terminal) -> int:
    path = person_path(arguments.old, "rename")
    person = ask("POST", path, {"to": arguments.new}, timeout=STOP_SECONDS)
    if arguments.json:
        print_json(person)
    else:
        print(
            f"{arguments.old} is {person['login']} now, with uid {person['uid']} "
            f"and all files, in data/users/{person['login']}."
        )
    return OK


def user_stop(arguments: argparse.Namespace, _: Terminal) -> int:
    def stop(name: str) -> Person:
        person = ask("POST", person_path(name, "stop"), {}, timeout=STOP_SECONDS)
        if not arguments.json:
            print(f"{person['login']}'s server is stopped.", flush=True)
        return dict(person)

    return for_each(arguments, arguments.names, stop, key="people")


def user_park(arguments: argparse.Namespace, _: Terminal) -> int:
    def park(name: str) -> Person:
        person = ask("POST", person_path(name, "park"), {}, timeout=STOP_SECONDS)
        if not arguments.json:
            print(f"{person['login']}'s server is parked.", flush=True)
        return dict(person)

    return for_each(arguments, arguments.names, park, key="people")


def parse_id(text: str) -> int:
    """Parse a uid or gid: decimal digits alone, no sign, no leading zero (THREATS B4).

    The number's range is the ledger's to judge; it knows who has which.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text):
        raise argparse.ArgumentTypeError(
            f"{text[:40]!a} is not a Unix id; write a whole number from 1000, such as 1005"
        )
    return int(text)


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out what nobody said."""
    return {key: value for key, value in fields.items() if value}
