"""One line per step with its time: a spinner on a terminal, plain lines anywhere else."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, TextIO

from .command import Environment, stream
from .hints import hint_for
from .problem import Problem

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_TAIL_LINES = 20
_STILL_WORKING_SECONDS = 60.0
"""Without a terminal a long step says that often that it is alive."""


def format_seconds(seconds: float) -> str:
    """Return a duration for people: ``0.4 s``, ``12 s``, ``3 min 20 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


class Step:
    """A running step: ``note`` says what it is at, ``done`` what its line will say."""

    def __init__(self, name: str, log: TextIO) -> None:
        self.name = name
        self.result = ""
        self.doing = ""
        self.started = time.monotonic()
        self.paused = threading.Event()
        self._log = log

    def note(self, text: str) -> None:
        self.doing = text

    def done(self, text: str) -> None:
        self.result = text

    def run(
        self,
        args: Sequence[str],
        *,
        failed: str,
        remedy: str = "",
        env: Environment = None,
        cwd: Path | None = None,
        show: Callable[[str], str | None] = lambda line: line,
    ) -> None:
        """Run ``args``; each line goes to the log and, if ``show`` wants it, to the spinner.

        Raises
        ------
        Problem
            ``failed`` with the command's last lines, their meaning and a remedy.
        """
        tail: deque[str] = deque(maxlen=_TAIL_LINES)

        def on_line(line: str) -> None:
            print(line, file=self._log, flush=True)
            if line.strip():
                tail.append(line)
                self.note(show(line) or self.doing)

        print(f"$ {' '.join(args)}", file=self._log, flush=True)
        code = stream(args, on_line, env=env, cwd=cwd)
        if code != 0:
            meaning, advice = hint_for(list(tail))
            log_name = getattr(self._log, "name", "")
            raise Problem(
                f"{failed} (exit code {code} of `{' '.join(args[:4])}`).",
                why=meaning or f"The lines above are the command's last; all are in {log_name}.",
                remedy=advice or remedy or "Mend what the lines name; run the same command again.",
                lines=list(tail),
            )

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Keep the spinner off the terminal, to ask a question."""
        self.paused.set()
        try:
            yield
        finally:
            self.paused.clear()


class Steps:
    """Prints the steps of one command to ``out`` and everything else to ``log``."""

    def __init__(self, log: TextIO, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._log = log
        self._terminal = self._out.isatty()

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time the block as one step; its line is printed when it ends, well or badly."""
        step = Step(name, self._log)
        print(f"== {name}", file=self._log, flush=True)
        stop = threading.Event()
        painter = threading.Thread(target=self._paint, args=(step, stop), daemon=True)
        painter.start()
        mark = "✗"
        try:
            yield step
            mark = "✓"
        finally:
            stop.set()
            painter.join()
            took = format_seconds(time.monotonic() - step.started)
            result = step.result if mark == "✓" else "failed"
            self._line(f"{mark} {step.name:<9} {result} ({took})")

    def _line(self, text: str) -> None:
        print(("\r\x1b[2K" if self._terminal else "") + text, file=self._out, flush=True)

    def _paint(self, step: Step, stop: threading.Event) -> None:
        frame = 0
        while not stop.wait(0.1 if self._terminal else _STILL_WORKING_SECONDS):
            if step.paused.is_set():
                continue
            took = format_seconds(time.monotonic() - step.started)
            if self._terminal:
                frame = (frame + 1) % len(_FRAMES)
                text = f"{_FRAMES[frame]} {step.name:<9} {took}  {step.doing.strip()}"
                columns = shutil.get_terminal_size().columns
                self._out.write("\r\x1b[2K" + text[: columns - 1])
                self._out.flush()
            else:
                self._line(f"  {step.name:<9} {took}  {step.doing.strip()[:120]}")
