"""`tinyberth-hub`: starts the hub, and manages people from a terminal in its container."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tinyberth_common.settings import SettingsError

from .settings import (
    HUB_SOCKET,
    PROXY_TOKEN_FILE,
    WARDEN_SOCKET,
    load_settings,
    read_cli_token,
)
from .unix_http import UnreachableError, request_json

START_WAIT_SECONDS = 60.0
"""For the proxy's token and the warden's socket: after a reboot the engine starts all at once."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 refused, 2 usage, 3 settings."""
    parsed = _parser().parse_args(arguments)
    command: Any = parsed.command
    return int(command(parsed))


def serve(_: argparse.Namespace) -> int:
    """Check the settings, wait for the neighbours, become JupyterHub; returns only on failure."""
    try:
        load_settings()
    except SettingsError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return 3
    os.umask(0o077)
    if not _wait_for([PROXY_TOKEN_FILE, WARDEN_SOCKET], START_WAIT_SECONDS):
        return 1
    command = ["jupyterhub", "--config", "/etc/jupyterhub/jupyterhub_config.py"]
    return os.execvp(command[0], command)  # noqa: S606 - replaces this process, by design


def user_add(arguments: argparse.Namespace) -> int:
    if len(arguments.names) > 1 and (arguments.uid or arguments.gid):
        print(
            "--uid and --gid are one person's: add people one by one with them.", file=sys.stderr
        )
        return 2
    worst = 0
    for name in arguments.names:
        body = {"name": name, "uid": arguments.uid, "gid": arguments.gid}
        person = _ask("POST", "/hub/api/tinyberth/people", body)
        if person is None:
            worst = 1
        else:
            print(f"{person['name']} (uid {person['uid']}, gid {person['gid']}), one-time link:")
            print(f"  {person['link']}", flush=True)
    return worst


def user_link(arguments: argparse.Namespace) -> int:
    worst = 0
    for name in arguments.names:
        path = f"/hub/api/tinyberth/people/{quote(name, safe='')}/link"
        answer = _ask("POST", path, {"if_invited": arguments.if_invited})
        if answer is None:
            worst = 1
        elif answer["link"]:
            print(answer["link"])
    return worst


def user_list(_: argparse.Namespace) -> int:
    answer = _ask("GET", "/hub/api/tinyberth/people")
    if answer is None:
        return 1
    rows = [("NAME", "UID:GID", "STATE", "ADMIN", "SERVER")]
    for person in answer["people"]:
        if person["archive"]:
            continue
        ids = f"{person['uid']}:{person['gid']}" if person["uid"] is not None else "-"
        rows.append(
            (
                person["name"],
                ids,
                person["state"],
                "admin" if person["admin"] else "-",
                "running" if person["server"] else "-",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    return 0


def parse_id(text: str) -> int:
    """Parse a uid or gid: decimal digits alone, no sign, no leading zero (THREATS B4).

    The number's range is the warden's to judge; it knows who has which.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text):
        raise argparse.ArgumentTypeError(
            f"{text[:40]!a} is not a Unix id; write a whole number from 1000, such as 1005"
        )
    return int(text)


def _ask(method: str, path: str, body: object = None) -> Any:
    """Return the hub's answer, or None after printing why there is none."""
    try:
        status, answer = asyncio.run(
            request_json(HUB_SOCKET, method, path, body=body, token=read_cli_token())
        )
    except (UnreachableError, FileNotFoundError) as error:
        print(
            f"The hub does not answer ({error}). Is it up? ./tinyberth status says; "
            "./tinyberth up starts it.",
            file=sys.stderr,
        )
        return None
    if status >= 400:
        message = answer.get("message") if isinstance(answer, dict) else None
        print(message or f"The hub answered {status}.", file=sys.stderr)
        return None
    return answer


def _wait_for(paths: list[Path], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while missing := [path for path in paths if not path.exists()]:
        if time.monotonic() > deadline:
            print(
                f"The hub waits for {', '.join(map(str, missing))} since {seconds:.0f} s. "
                "docker compose ps shows which service is down; docker compose logs says why.",
                file=sys.stderr,
            )
            return False
        time.sleep(0.1)
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tinyberth-hub", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("serve", help="run the hub").set_defaults(command=serve)
    user = commands.add_parser("user", help="add people, make links, list").add_subparsers(
        required=True, metavar="ACTION"
    )
    add = user.add_parser(
        "add", help="add people; prints each one's link", epilog="example: user add alice bob"
    )
    add.add_argument("names", nargs="+", metavar="NAME")
    add.add_argument("--uid", type=parse_id, help="instead of the next free one; example: 1005")
    add.add_argument("--gid", type=parse_id, help="the private group; default: the uid")
    add.set_defaults(command=user_add)
    link = user.add_parser(
        "link", help="make fresh one-time links; older ones die", epilog="example: user link alice"
    )
    link.add_argument("names", nargs="+", metavar="NAME")
    link.add_argument(
        "--if-invited", action="store_true", help="print nothing for who has a password already"
    )
    link.set_defaults(command=user_link)
    user.add_parser("list", help="everybody, with uid and state").set_defaults(command=user_list)
    return parser
