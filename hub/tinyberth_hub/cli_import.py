"""`tinyberth-hub user import`: many people from CSV, line by line; can be stopped and repeated."""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

from .cli_command import add_command, add_yes
from .cli_hub import PEOPLE, HubError, HubSilentError, ask
from .cli_output import (
    FAILED,
    INTERRUPTED,
    NOTHING,
    OK,
    count,
    print_error,
    print_json,
    table,
)
from .cli_terminal import Interrupts, Terminal

MAX_BYTES = 2**20
"""What the hub's API takes: some 5,000 lines."""

_PREVIEW_SECONDS = 120.0

Line = dict[str, Any]
"""A line of the API's preview. After the import it also has ``link`` and ``result``: added, exists
or refused; null where an interrupt came first."""


def add_import_action(actions: Any) -> None:
    it = add_command(
        actions, "import", user_import, "add many people from CSV: name,uid,gid,teams,admin",
        "people.csv --dry-run", "people.csv > links.csv", "people.csv --yes --json",
        notes="All but name may be empty or missing; several teams are separated by ; or spaces. "
        "Shows what becomes of each line, asks at a terminal, then adds the new ones one by one "
        "and prints CSV of name and link on stdout. The links are secrets. Who is there already "
        "is skipped, so after an interrupt the same file can be imported again.",
    )  # fmt: skip
    it.add_argument("file", metavar="FILE", help="UTF-8, at most 1 MiB; - is stdin")
    it.add_argument("--dry-run", action="store_true", help="show each line's outcome, add nobody")
    add_yes(it)


def user_import(arguments: argparse.Namespace, terminal: Terminal) -> int:
    text = _read_csv(arguments.file, terminal)
    preview = ask("POST", f"{PEOPLE}/preview", {"csv": text}, timeout=_PREVIEW_SECONDS)
    lines: list[Line] = preview["lines"]
    new = [line for line in lines if line["outcome"] == "new"]
    if arguments.dry_run:
        if arguments.json:
            print_json(preview)
        else:
            print(f"{preview_table(lines)}\n{summary(lines)}")
        return _exit_code(lines)
    if terminal.attended or not arguments.json:
        terminal.say(f"{preview_table(lines)}\n{summary(lines)}")
    asks = bool(new) and terminal.attended and not arguments.yes
    if asks and not terminal.agrees(f"Add {count(len(new), 'person', 'people')}?"):
        print_error("Nothing was changed, as you said.", as_json=arguments.json)
        return FAILED
    for line in lines:
        line["link"], line["result"] = None, None if line in new else line["outcome"]
    try:
        with Interrupts() as interrupts:
            _add_all(new, arguments, terminal, interrupts)
    finally:
        if arguments.json:
            print_json(preview)
    if interrupts.asked:
        terminal.say(
            f"Interrupted: {_added(new)} of {len(new)} added, nobody half. Import the same file "
            "again for the others."
        )
        return INTERRUPTED
    if new and not arguments.json:
        terminal.say(
            f"{_added(new)} of {len(new)} added. Each link sets a password, once: a secret of "
            "its person's."
        )
    return _exit_code(lines)


def _add_all(
    new: list[Line], arguments: argparse.Namespace, terminal: Terminal, interrupts: Interrupts
) -> None:
    rows = csv.writer(sys.stdout, lineterminator="\n")
    if new and not arguments.json:
        rows.writerow(["name", "link"])
        sys.stdout.flush()
    with terminal.progress(len(new), quiet=arguments.json) as progress:
        for line in new:
            if interrupts.asked:
                break
            try:
                person = ask("POST", PEOPLE, _body(line))
            except HubSilentError:
                raise
            except HubError as error:
                progress.clear()
                line["result"], line["why"] = "refused", str(error)
                print_error(str(error), as_json=arguments.json, name=line["name"])
            else:
                line["result"], line["link"] = "added", person["link"]
                if not arguments.json:
                    progress.clear()
                    rows.writerow([person["name"], person["link"] or ""])
                    sys.stdout.flush()
            progress.step(f"{line['result']}: {line['name']}")


def preview_table(lines: list[Line]) -> str:
    rows = [("LINE", "NAME", "LOGIN", "UID:GID", "TEAMS", "ADMIN", "OUTCOME")]
    for line in lines:
        why = f": {line['why']}" if line["why"] else ""
        rows.append(
            (
                str(line["line"]),
                str(line["name"]),
                line["login"] or NOTHING,
                f"{line['uid'] or NOTHING}:{line['gid'] or NOTHING}",
                ",".join(_teams(line)) or NOTHING,
                "admin" if line["admin"] else NOTHING,
                f"{line['outcome']}{why}",
            )
        )
    return table(rows)


def _teams(line: Line) -> list[str]:
    return [f"{team} (new)" if team in line["new_teams"] else team for team in line["teams"]]


def summary(lines: list[Line]) -> str:
    """Return ``12 new, 3 exist, 1 refused``."""
    outcomes = [line["outcome"] for line in lines]
    numbers = {name: outcomes.count(name) for name in ("new", "exists", "refused")}
    return f"{numbers['new']} new, {numbers['exists']} there already, {numbers['refused']} refused"


def decode_csv(data: bytes) -> str:
    """Return the file's text.

    Raises
    ------
    HubError
        If it is too long, or not UTF-8; naming the line.
    """
    if len(data) > MAX_BYTES:
        raise HubError("The file has more than 1 MiB, which is too much for one import; split it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise HubError(
            f"Line {number} of the file is not UTF-8; save it as 'CSV UTF-8' and import it again."
        ) from None


def _read_csv(name: str, terminal: Terminal) -> str:
    if name == "-":
        return decode_csv(terminal.read_input())
    try:
        with Path(name).open("rb") as file:
            return decode_csv(file.read(MAX_BYTES + 1))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise HubError(f"{name[:80]!a} in the hub's container cannot be read: {reason}") from None


def _body(line: Line) -> dict[str, Any]:
    return {key: line[key] for key in ("name", "uid", "gid", "teams", "admin") if line[key]}


def _added(lines: list[Line]) -> int:
    return sum(line["result"] == "added" for line in lines)


def _exit_code(lines: list[Line]) -> int:
    refused = any("refused" in {line["outcome"], line.get("result")} for line in lines)
    return FAILED if refused else OK
