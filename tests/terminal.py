"""A terminal with somebody at it: type, read, press Ctrl-C."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

# A session's first process takes the terminal as its own, so that Ctrl-C on it is a signal.
_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""

CTRL_C = b"\x03"
CTRL_D = b"\x04"


class Terminal:
    """A command that runs on a terminal of its own; ``stdout`` may go to a file, as with `>`."""

    def __init__(
        self,
        command: list[str],
        *,
        stdout: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._ours, theirs = pty.openpty()
        self.shown = ""
        out = stdout.open("wb") if stdout else None
        self.child = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *command],
            stdin=theirs, stdout=out or theirs, stderr=theirs, env=env, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        if out:
            out.close()

    def read_until(self, text: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < deadline, f"no {text!r} in:\n{self.shown}"
            assert self._read(1), f"it ended without {text!r}:\n{self.shown}"

    def type(self, typed: bytes) -> None:
        os.write(self._ours, typed)

    def end(self, seconds: float = 60) -> int:
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + seconds
        while self._read(1):
            assert time.monotonic() < deadline, f"it does not end:\n{self.shown}"
        os.close(self._ours)
        return self.child.wait(seconds)

    def _read(self, seconds: float) -> bool:
        """Read what is there; False at the end."""
        if not select.select([self._ours], [], [], seconds)[0]:
            return True
        try:
            part = os.read(self._ours, 65536)
        except OSError:  # Linux: nobody has the other side any more
            return False
        self.shown += part.decode("utf-8", "replace")
        return bool(part)
