"""The ledger's people and teams against their folders: missing, another's, open, left over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from .data_facts import Data, Entry, Folder, Team, collect, lost
from .finding import FAULT, Finding, Fix, fault, fine, note, skipped
from .in_container import MODE, OWNER, SETGID, command
from .ledger_lines import judge_lines
from .patient import Patient

_BETWEEN_LOOKS = 1.0
"""Seconds; a rename that goes on is over by then, and what is really wrong is seen twice."""


def look(patient: Patient) -> list[Finding]:
    host_data = patient.checkout.host_data_dir
    if lost(host_data):
        return [skipped("not looked at: the ledger is lost", why="See the topic data.")]
    try:
        return twice(lambda: judge(collect(host_data), host_data, patient.image("ledger")))
    except OSError as error:
        return [
            skipped(
                f"{error.filename} cannot be read ({error.strerror}).",
                why="It is not there, or closed to this account.",
                remedy="sudo ./tinyberth doctor homes",
            )
        ]


def twice(find: Callable[[], list[Finding]]) -> list[Finding]:
    """Return what is found, of faults only those that are still there at a second look."""
    found = find()
    if not any(one.level == FAULT for one in found):
        return found
    time.sleep(_BETWEEN_LOOKS)
    again = find()
    return [one for one in again if one.level != FAULT or one in found]


def judge(data: Data, host_data: Path, image: str) -> list[Finding]:
    """Judge every person and every team, and what lies there besides; pure."""
    found = list(judge_lines(data))
    claimed = set()
    for entry in data.entries:
        claimed |= {entry.place, entry.moving_from}
        found += _home(entry, data, host_data, image)
    for team in data.teams:
        claimed |= {team.place, f"teams/{team.name.partition('~')[0]}"}
        found += _team_folder(team, data, host_data, image)
    folders = data.folders or {}
    for place in sorted(folders.keys() - claimed):
        found += _orphan(place, folders[place], data, host_data)
    people = len(data.living)
    teams = sum("~" not in team.name for team in data.teams)
    return found or [fine(f"{people} people and {teams} teams have their folders")]


def _home(entry: Entry, data: Data, host_data: Path, image: str) -> Iterator[Finding]:
    folder, path = (data.folders or {}).get(entry.place), host_data / entry.place
    in_users = partial(command, image, path.parent)
    owner = f"{entry.uid}:{entry.gid}"
    if entry.moving_from:
        yield fault(
            "home_moving",
            f"the home of {entry.name} waits at data/{entry.moving_from}, on its way to "
            f"data/{entry.place}.",
            why="Something is in the way of the move, which keeps the person out.",
            remedy="`./tinyberth logs ledger` says what: move that away, then "
            "`docker compose restart ledger`.",
        )
    elif folder is None and entry.is_archived:
        yield note("archive_missing", f"{entry.name} is in the archive, without files.")
    elif folder is None:
        yield fault(
            "home_missing",
            f"{entry.name} has no home: there is no data/{entry.place}.",
            why="It was removed or moved by hand, or a disk is not mounted.",
            remedy="Put it back from a backup; otherwise the next start of the server makes an "
            "empty one.",
        )
    elif folder.kind != "folder":
        yield _not_a_folder(entry.place, folder)
    elif folder.uid != entry.uid:
        whose = data.owner(folder) if folder.uid else "root"
        fix = None
        if folder.empty and not folder.uid:
            words = (("chmod", "700", f"/it/{entry.name}"), ("chown", owner, f"/it/{entry.name}"))
            commands = tuple(in_users((OWNER, MODE), *word) for word in words)
            fix = Fix(f"gives data/{entry.place}, which is empty, to {entry.name}", commands)
        yield fault(
            "home_owner",
            f"data/{entry.place} belongs to uid {folder.uid} ({whose}), not to {entry.uid} "
            f"({entry.name}).",
            why="The owner decides, not the name: the person's server does not start.",
            remedy=f"If the files are {entry.name}'s: sudo chown -Rh {owner} {path} . "
            "If not, move the folder away.",
            fix=fix,
        )
    else:
        yield from _home_mode(entry, folder, path, in_users)


def _home_mode(
    entry: Entry, folder: Folder, path: Path, in_users: Callable[..., tuple[str, ...]]
) -> Iterator[Finding]:
    if folder.gid != entry.gid:
        words = ("chown", f":{entry.gid}", f"/it/{entry.name}")
        yield fault(
            "home_group",
            f"data/{entry.place} has the group {folder.gid}, not {entry.gid}.",
            why="Whoever is in that group may have rights there that the person did not give.",
            remedy=f"sudo chgrp {entry.gid} {path}",
            fix=Fix(f"gives it the group of {entry.name}", (in_users((OWNER,), *words),)),
        )
    if folder.mode & 0o077 and not entry.is_archived:
        words = ("chmod", "go-rwx", f"/it/{entry.name}")
        yield fault(
            "home_mode",
            f"data/{entry.place} has the mode {folder.mode:o}; a home is closed to others (700).",
            why="Other accounts of this host may look into it.",
            remedy=f"sudo chmod go-rwx {path}",
            fix=Fix("closes the folder to others", (in_users((MODE,), *words),)),
        )


def _team_folder(team: Team, data: Data, host_data: Path, image: str) -> Iterator[Finding]:
    folder, path = (data.folders or {}).get(team.place), host_data / team.place
    if "~" in team.name:
        return  # of a team that never had files there is nothing in the archive
    if folder is None:
        yield fault(
            "team_missing",
            f"the team {team.name} has no folder data/{team.place}.",
            why="It was removed or moved by hand, or a disk is not mounted.",
            remedy="Put it back from a backup; otherwise the next start of a member's server "
            "makes an empty one.",
        )
    elif folder.kind != "folder":
        yield _not_a_folder(team.place, folder)
    elif (folder.uid, folder.gid) != (0, team.gid):
        yield fault(
            "team_owner",
            f"data/{team.place} belongs to {folder.uid}:{folder.gid} ({data.owner(folder)}), not "
            f"to 0:{team.gid} (root and the team).",
            why="The servers of its members do not start.",
            remedy=f"If the files are the team's: sudo chown -h 0:{team.gid} {path} && sudo chgrp "
            f"-Rh {team.gid} {path} . If not, move the folder away.",
        )
    elif folder.mode != 0o2770:
        words = ("chmod", "2770", f"/it/{team.name}")
        commands = (command(image, path.parent, (MODE, SETGID), *words),)
        yield fault(
            "team_mode",
            f"data/{team.place} has the mode {folder.mode:o}, not 2770.",
            why="Members cannot change each other's files, or others can look into them.",
            remedy=f"sudo chmod 2770 {path}",
            fix=Fix("gives the team's folder its mode", commands),
        )


def _orphan(place: str, folder: Folder, data: Data, host_data: Path) -> Iterator[Finding]:
    parent, _, name = place.partition("/")
    away = f"sudo mv {host_data / place} SOMEWHERE"
    if name == "lost+found":
        return
    if folder.kind != "folder":
        yield note("stray", f"data/{place} is a {folder.kind}, and nobody's.", remedy=away)
        return
    whose = data.owner(folder) if folder.uid or folder.gid else "root"
    known = whose in data.living
    take = f"./tinyberth user add {name}  takes it over, with its uid. Else: {away}"
    yield fault(
        {"users": "home_orphan", "teams": "team_orphan", "archive": "archive_orphan"}[parent],
        f"data/{place} ({folder.uid}:{folder.gid}, {whose}) is in no line of the ledger.",
        why=f"{whose} has a second folder there; no server shows it."
        if known
        else "Its person or team was removed by hand from the ledger, or somebody put it there.",
        remedy=take if parent == "users" and whose == "nobody known" else away,
    )


def _not_a_folder(place: str, folder: Folder) -> Finding:
    return fault(
        "home_kind",
        f"data/{place} is a {folder.kind}, not a folder.",
        why="It is never followed nor opened, so the server does not start.",
        remedy="Move it away, and put the folder in its place.",
    )
