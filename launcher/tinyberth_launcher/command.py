"""Running other programs: their output captured, streamed line by line, or passed through."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

Environment = Optional[Mapping[str, str]]

_GRACE_SECONDS = 15
"""How long an interrupted child may clean up (dpkg finishes a package) before it is killed."""


@dataclass(frozen=True)
class Result:
    """What a program said; ``code`` is 127 where it does not exist and 124 after a timeout."""

    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.code == 0


def capture(
    args: Sequence[str],
    *,
    env: Environment = None,
    cwd: Path | None = None,
    timeout: float = 60,
) -> Result:
    """Run ``args`` to its end, at most ``timeout`` seconds, and return what it said."""
    try:
        done = subprocess.run(  # noqa: PLW1510 - the exit code is the caller's to judge
            args,
            env=env,
            cwd=cwd,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
    except FileNotFoundError:
        return Result(127, "", f"{args[0]}: not found")
    except subprocess.TimeoutExpired:
        return Result(124, "", f"{args[0]} did not answer within {timeout:.0f} s")
    return Result(done.returncode, done.stdout, done.stderr)


def stream(
    args: Sequence[str],
    on_line: Callable[[str], None],
    *,
    env: Environment = None,
    cwd: Path | None = None,
) -> int:
    """Run ``args``, give each line of its output to ``on_line``, return its exit code.

    An interrupt of this process ends the child, too, before it is raised again.
    """
    try:
        child = subprocess.Popen(
            args,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except FileNotFoundError:
        on_line(f"{args[0]}: not found")
        return 127
    assert child.stdout is not None
    try:
        for line in child.stdout:
            on_line(line.rstrip())
        return child.wait()
    except BaseException:
        end(child)
        raise
    finally:
        child.stdout.close()


def passthrough(args: Sequence[str], *, env: Environment = None, cwd: Path | None = None) -> int:
    """Run ``args`` on our own stdin, stdout and stderr and return its exit code."""
    try:
        child = subprocess.Popen(args, env=env, cwd=cwd)
    except FileNotFoundError:
        return 127
    try:
        return child.wait()
    except BaseException:
        end(child)
        raise


def converse(
    args: Sequence[str],
    data: bytes,
    *,
    attended: bool,
    env: Environment = None,
    cwd: Path | None = None,
) -> int:
    """Run ``args`` with ``data`` on its stdin, then, if ``attended``, what is typed on ours.

    Its stdin stays open until it ends. An interrupt of this process only closes it, which the
    child understands; what it still says is shown. The second interrupt ends the child.
    """
    try:
        child = subprocess.Popen(
            args,
            env=env,
            cwd=cwd,
            stdin=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for us alone
        )
    except FileNotFoundError:
        return 127
    assert child.stdin is not None
    pipe = child.stdin
    threading.Thread(target=_feed, args=(pipe.fileno(), data, attended), daemon=True).start()
    try:
        return child.wait()
    except BaseException:
        pipe.close()
        try:
            child.wait(_GRACE_SECONDS)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            end(child)
        raise


def _feed(pipe: int, data: bytes, attended: bool) -> None:
    """Write ``data``, then each line typed; Ctrl-D is an empty one, and the last."""
    with suppress(OSError):  # the child has ended, or was told to
        while data:
            data = data[os.write(pipe, data) :]
        while attended:
            data = os.read(0, 4096)
            os.write(pipe, data or b"\n")
            attended = bool(data)


def end(child: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """End ``child``: politely, then after a grace time by force."""
    child.terminate()
    try:
        child.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
