"""The data folder itself: its marker, the ledger's files, and the folders that are root's."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ..command import capture
from ..preflight import data_problems
from .data_facts import FILES, PARENTS, lost
from .finding import Finding, Fix, fault, fine, note, skipped
from .in_container import MODE, OWNER, command
from .patient import Patient

REBUILD = ("/opt/venv/bin/python", "-m", "tinyberth_ledger.rebuild")
"""What the ledger's container has for a lost ledger; it shows, and with --write it writes."""

_SHELVES = ("datasets", "presets")


def look(patient: Patient) -> list[Finding]:
    host_data = patient.checkout.host_data_dir
    problems = data_problems(host_data)
    if problems:
        return [
            fault(
                "marker",
                problem,
                why="Nothing is written below a folder that may be an empty mount point, so "
                "nobody's server starts.",
                remedy="Do what the line says, then ./tinyberth up",
            )
            for problem in problems
        ]
    try:
        stats = {name: os.lstat(host_data / name) for name in _present(host_data)}
    except OSError as error:
        why = "It is closed to this account."
        return [skipped(f"{error.filename} cannot be read.", why=why, remedy="Run it with sudo.")]
    service = patient.containers["ledger"]["Name"].lstrip("/") if _runs(patient) else ""
    found = [*judge(stats, host_data, patient.image("ledger")), *_shelves(host_data)]
    gone = lost(host_data)
    if gone:
        found.append(judge_lost(gone, _rebuilt(service), service))
    return found or [fine(f"{host_data} has its marker, and its folders are root's")]


def _runs(patient: Patient) -> bool:
    return bool(patient.engine_version) and patient.is_running("ledger")


def _present(host_data: Path) -> Iterator[str]:
    for name in (".", "ledger", *PARENTS, *_SHELVES, *(f"ledger/{file}" for file in FILES)):
        if os.path.lexists(host_data / name):
            yield name


def judge(stats: dict[str, os.stat_result], host_data: Path, image: str) -> list[Finding]:
    """Judge owners and modes; pure."""
    found = []
    if not {"ledger", *PARENTS} & stats.keys():
        return [
            note("data_new", "its folders are made when the ledger starts for the first time.")
        ]
    if stats["."].st_mode & 0o005 != 0o005:
        found.append(
            fault(
                "data_closed",
                f"{host_data} has the mode {stats['.'].st_mode & 0o7777:o}.",
                why="The services have no right to enter what others may not, so none starts.",
                remedy=f"chmod o+rx {host_data}",
                fix=Fix("opens the folder", (("chmod", "o+rx", str(host_data)),)),
            )
        )
    found += [
        fault(
            "data_missing",
            f"there is no data/{name}.",
            why="It was removed, or it is a disk that is not mounted.",
            remedy="Mount it, or put it back from a backup. An empty one is made by: "
            "docker compose restart ledger",
        )
        for name in ("ledger", *PARENTS, *_SHELVES)
        if name not in stats
    ]
    owned = partial(_owned, stats, host_data, image)
    for name in ("ledger", *PARENTS):
        found += owned(name, 0o755)
    for name in FILES:
        found += owned(f"ledger/{name}", 0o644)
    return found


def _owned(
    stats: dict[str, os.stat_result], host_data: Path, image: str, name: str, mode: int
) -> Iterator[Finding]:
    if name not in stats:
        return
    is_kind = stat.S_ISREG if "/" in name else stat.S_ISDIR
    have = stats[name]
    has = f"{have.st_uid}:{have.st_gid} and {stat.S_IMODE(have.st_mode):o}"
    if not is_kind(have.st_mode):
        yield fault(
            "data_kind",
            f"data/{name} is not what it must be, a plain {'file' if '/' in name else 'folder'}.",
            why="The ledger follows no link, so nobody's server starts.",
            remedy="Put the folder or file itself there; a disk is mounted, not linked.",
        )
    elif have.st_uid or stat.S_IMODE(have.st_mode) != mode:
        path = (host_data / name).parent
        it = f"/it/{Path(name).name}"
        # The owner last: who has only CHOWN does not change the mode of another's.
        words = (("chmod", f"{mode:o}", it), ("chown", "--no-dereference", "0:0", it))
        yield fault(
            "data_owner",
            f"data/{name} belongs to {has}; it must be root's and {mode:o}.",
            why="Who can write there can take anybody's files, so the ledger refuses it.",
            remedy=f"cd {host_data} && sudo chown -h 0:0 {name} && sudo chmod {mode:o} {name}",
            fix=Fix(
                f"gives data/{name} to root alone",
                tuple(command(image, path, (OWNER, MODE), *word) for word in words),
            ),
        )


def _shelves(host_data: Path) -> Iterator[Finding]:
    for shelf in _SHELVES:
        if not os.access(host_data / shelf, os.R_OK):
            continue
        for path in sorted((host_data / shelf).iterdir()):
            if not path.name.startswith(".") and not _is_open(path):
                yield fault(
                    "shelf_closed",
                    f"data/{shelf}/{path.name} is closed to others, or leads nowhere.",
                    why=f"People see its name in /{shelf} and cannot open it.",
                    remedy=f"sudo chmod -R a+rX {path}",
                )


def _is_open(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:  # a link to nowhere
        return False
    need = 0o005 if stat.S_ISDIR(mode) else 0o004
    return mode & need == need


def _rebuilt(service: str) -> str:
    if not service:
        return ""
    answer = capture(["docker", "exec", service, *REBUILD], timeout=60)
    return answer.out if answer.ok else answer.err


def judge_lost(gone: list[str], rebuilt: str, service: str) -> Finding:
    """Say what is lost and, with what it would be made from, how it can be had back (F15)."""
    lines = "".join(f"\n         + {line}" for line in rebuilt.splitlines())
    can = bool(service) and ":" in rebuilt
    fix = Fix(
        "writes these lines into data/ledger",
        (("docker", "exec", service, *REBUILD, "--write"),),
    )
    return fault(
        "ledger_lost",
        f"data/ledger/{' and '.join(gone)} {'is' if len(gone) == 1 else 'are'} gone.",
        why="Without it numbers would be given a second time, so nobody is added and no server "
        "starts." + (f" The folders say who had which:{lines}" if lines else ""),
        remedy="Put it back from a backup. Without one, the ledger can be made again from whose "
        "the folders are: ./tinyberth doctor data --fix (once the service ledger runs).",
        fix=fix if can else None,
    )
