"""Whoever runs the command: is somebody there, where to say things, how to ask and to stop.

`docker compose exec` gives its process either a terminal, which mixes stdout with stderr, or
pipes, and then passes no signal on: after Ctrl-C the process goes on unseen. The launcher
therefore uses pipes, says what stands at its own end (``--attended`` and so on, in
``add_launcher_options``), and holds stdin open as a leash: its end is an interrupt.
"""

from __future__ import annotations

import argparse
import os
import queue
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_PAINT_SECONDS = 0.1
_BAR_WIDTH = 30


def add_launcher_options(parser: argparse.ArgumentParser) -> None:
    """Add what `./tinyberth` says of its own end; not in the help: no person needs to."""
    for flag in ("--leashed", "--attended", "--seen-stdout"):
        parser.add_argument(flag, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--columns", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--input-bytes", type=int, help=argparse.SUPPRESS)


class Terminal:
    """The caller's end of stdin, stdout and stderr.

    ``attended`` means that somebody sees what is said and can answer.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.leashed: bool = arguments.leashed
        self.columns: int = arguments.columns or shutil.get_terminal_size().columns
        self._input_bytes: int | None = arguments.input_bytes
        if self.leashed:
            self.attended: bool = arguments.attended
            seen_stdout: bool = arguments.seen_stdout
        else:
            self.attended = sys.stdin.isatty() and sys.stderr.isatty()
            seen_stdout = sys.stdout.isatty()
        # One stream where both are seen: two pipes do not keep their order to each other.
        self.stream: TextIO = sys.stdout if self.attended and seen_stdout else sys.stderr
        self._answers: queue.Queue[str] | None = None
        self._input: bytes | None = None

    def hold_leash(self) -> None:
        """From now on the end of stdin interrupts; what the launcher sends first is kept."""
        if self._input_bytes is not None:
            self._input = _read(self._input_bytes)
        if self.leashed:
            self._answers = queue.Queue()
            threading.Thread(target=_hold, args=(self._answers,), daemon=True).start()

    def read_input(self) -> bytes:
        """Return what the launcher sent, or all of stdin."""
        return _read(None) if self._input is None else self._input

    def say(self, text: str) -> None:
        """Tell people something that is not the command's result."""
        print(text, file=self.stream, flush=True)

    def agrees(self, question: str, *, default: bool = False) -> bool:
        """Ask; no answer (Enter, Ctrl-D) is ``default``, or no."""
        print(
            f"{question} {'[Y/n]' if default else '[y/N]'} ", end="", file=self.stream, flush=True
        )
        if self._answers is not None:
            answer = self._answers.get()
        else:
            answer = sys.stdin.readline() or "no\n"
        word = answer.strip().lower()
        return word in {"y", "yes"} or (default and not word)

    @contextmanager
    def progress(self, total: int, *, quiet: bool) -> Iterator[Progress]:
        """Show a bar to who is there; otherwise a plain line for each step, unless ``quiet``."""
        bar = Progress(self, total, quiet=quiet)
        try:
            yield bar
        finally:
            bar.clear()


class Progress:
    """A bar that is painted again below each line of results."""

    def __init__(self, terminal: Terminal, total: int, *, quiet: bool) -> None:
        self._terminal = terminal
        self._total = total
        self._quiet = quiet
        self._done = 0
        self._painted = 0.0
        self._shown = False

    def step(self, text: str) -> None:
        """Count one more as done; ``text`` is what a plain line says of it."""
        self._done += 1
        if self._terminal.attended:
            if not self._shown or time.monotonic() - self._painted > _PAINT_SECONDS:
                self._paint()
        elif not self._quiet:
            self._terminal.say(f"{self._done}/{self._total} {text}")

    def clear(self) -> None:
        """Take the bar off, before something else is printed."""
        if self._shown:
            print("\r\x1b[2K", end="", file=self._terminal.stream, flush=True)
            self._shown = False

    def _paint(self) -> None:
        bar = progress_bar(self._done, self._total, self._terminal.columns)
        print(f"\r\x1b[2K{bar}", end="", file=self._terminal.stream, flush=True)
        self._painted, self._shown = time.monotonic(), True


def progress_bar(done: int, total: int, columns: int) -> str:
    """Return ``[#####.....] 120/500``, as wide as there is room; pure ASCII."""
    numbers = f" {done}/{total}"
    width = max(min(_BAR_WIDTH, columns - len(numbers) - 3), 0)
    filled = width * done // total
    return f"[{'#' * filled}{'.' * (width - filled)}]{numbers}"


class Interrupts:
    """Inside, the first interrupt only sets ``asked``: what has begun can be finished and told.

    The second one, of which the first one tells, is Python's own.
    """

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Interrupts:
        self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _ask(self, _signum: int, _frame: object) -> None:
        self.asked = True
        # First: whoever reads the line may be quick.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # Not print: a handler may come in the middle of one, whose buffer is then locked.
        os.write(2, b"\nStopping after the one at hand; Ctrl-C again stops at once.\n")


def _read(number: int | None) -> bytes:
    """Return ``number`` bytes of stdin, or all; past Python's buffer, which `_hold` shares not."""
    parts: list[bytes] = []
    while number is None or number > 0:
        part = os.read(0, min(number or 65536, 65536))
        if not part:
            break
        parts.append(part)
        number = None if number is None else number - len(part)
    return b"".join(parts)


def _hold(answers: queue.Queue[str]) -> None:
    rest = b""
    while part := os.read(0, 4096):
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            answers.put(line.decode("utf-8", "replace"))
    os.kill(os.getpid(), signal.SIGINT)
