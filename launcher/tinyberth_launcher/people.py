"""`tinyberth user …` and `team …`: the hub's own command line, with this end's files and terminal.

The work is done by `tinyberth-hub` in the hub's container. `docker compose exec` passes a
terminal on only as a whole, which would put questions and progress into ``> links.csv``, and
without one it passes no signal. So it gets pipes, is told what stands at this end, and holds
stdin as a leash: when that ends, it finishes what it has begun and stops.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .compose import Compose
from .problem import INTERRUPTED, OK, USAGE, Problem

MAX_INPUT = 2**20
"""Bytes of a file to import; the hub takes no more, and says so for the byte that is more."""


def people(compose: Compose, topic: str, words: Sequence[str]) -> int:
    """Run ``topic`` (user or team) with ``words`` in the hub's container; return the exit code."""
    words = list(words)
    data = None
    if topic == "user" and words[:1] == ["import"] and not {"-h", "--help"} & set(words):
        words, data = _with_input(words)
    attended = _is_attended()
    code = compose.converse(
        *("exec", "-T", "hub", "tinyberth-hub"),
        *caller_options(data, attended=attended),
        *(topic, *words),
        data=data or b"",
        attended=attended,
    )
    if code not in {OK, USAGE, INTERRUPTED} and not compose.is_running("hub"):
        raise Problem(
            "The hub does not run, so it cannot be asked.",
            remedy="Start it with `./tinyberth up`, then run the same command again.",
        )
    return code


def caller_options(data: bytes | None, *, attended: bool) -> list[str]:
    """Return what the hub's end is told about this one."""
    options = ["--leashed"]
    if data is not None:
        options += ["--input-bytes", str(len(data))]
    if attended:
        options += ["--attended", "--columns", str(os.get_terminal_size(2).columns)]
        options += ["--seen-stdout"] if sys.stdout.isatty() else []
    return options


def _with_input(words: list[str]) -> tuple[list[str], bytes | None]:
    """Read the file of this host that ``words`` name; the hub's end finds it on its stdin."""
    place = file_place(words)
    if place is None:
        return words, None  # for the hub's end to refuse
    name = words[place]
    data = _read_stdin() if name == "-" else _read_file(name)
    return [*words[:place], "-", *words[place + 1 :]], data


def file_place(words: Sequence[str]) -> int | None:
    """Return where FILE stands in ``import … FILE …``: no option of import has a value."""
    ended = False
    for place, word in enumerate(words[1:], 1):
        if word == "--" and not ended:
            ended = True
        elif ended or word == "-" or not word.startswith("-"):
            return place
    return None


def _read_file(name: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            return file.read(MAX_INPUT + 1)
    except OSError as error:
        raise Problem(
            f"{name!a} cannot be read: {error.strerror}.",
            remedy="Name a CSV file on this host, or - for standard input.",
        ) from None


def _read_stdin() -> bytes:
    if sys.stdin.isatty():
        print("Write or paste the lines; Ctrl-D on an empty one ends them.", file=sys.stderr)
    return sys.stdin.buffer.read(MAX_INPUT + 1)


def _is_attended() -> bool:
    """Whether somebody sees stderr and can answer: not in the background, where reading stops."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:  # a terminal, but not this session's
        return False
