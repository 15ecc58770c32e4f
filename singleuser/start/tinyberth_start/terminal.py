"""The program of JupyterLab's terminals: bash, and a plain bash where the user's files end it.

A login shell reads ``~/.bashrc`` and its like before it shows a prompt. An ``exit`` in there, or
a loop without an end, would lock people out of the one place where they can repair it. So bash
runs as a child that reports when it has read them; when it ends first, or never gets there, a
bash that reads none of them takes its place and says what to do.

Run by its path and with ``-IS``: the standard library alone, because people wait for it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import time
from pathlib import Path

BASH = "/bin/bash"
READS_STARTUP_FILES = ("bash", "--rcfile", "/etc/tinyberth/terminal.bash", "-i")
READS_NOTHING = ("bash", "--noprofile", "--norc", "-i")

STARTUP_FILES = (".bash_profile", ".bash_login", ".profile", ".bashrc")
"""The first that is there is read: bash's own order, and ~/.bashrc where there is no profile."""

HINT_AFTER = 10.0
"""Seconds. Longer than an environment's activation takes; then how to interrupt is told."""
GIVE_UP_AFTER = 60.0
"""Seconds. Longer than a passphrase takes, which some files ask for."""
TOO_SHORT = 1.5
"""Seconds from the report on. Nobody leaves a terminal faster; a prompt that fails does."""
POLL = 0.1

_TERMINAL = 0


def main() -> None:
    container_file = find_startup_file(Path.home())
    if container_file is None:  # nothing that could end it, so nothing to watch for
        os.execv(BASH, READS_STARTUP_FILES)  # noqa: S606 -- a shell is what is wanted
    # Ctrl-C and its like are for the shell in front; handlers, unlike SIG_IGN, end at its exec.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, _leave_to_the_shell)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # or taking the terminal back would stop us
    attributes = termios.tcgetattr(_TERMINAL)
    shell, ready = _run_shell(container_file)
    reported = time.monotonic()
    exit_code = os.waitstatus_to_exitcode(os.waitpid(shell, 0)[1])
    if ready and time.monotonic() - reported > TOO_SHORT:
        sys.exit(exit_code if exit_code >= 0 else 128 - exit_code)
    os.tcsetpgrp(_TERMINAL, os.getpgrp())
    termios.tcsetattr(_TERMINAL, termios.TCSANOW, attributes)
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    print(advice(container_file.name, exit_code), flush=True)
    # readline reads ~/.inputrc; the PATH is the server's, without ~/.local/bin
    own = {"PS1": r"repair \w\$ ", "INPUTRC": "/dev/null"}
    os.execve(BASH, READS_NOTHING, {**os.environ, **own})  # noqa: S606 -- as above


def find_startup_file(container_home: Path) -> Path | None:
    """Return the file that bash reads; never a pipe or a folder, at which it would wait."""
    paths = (container_home / name for name in STARTUP_FILES)
    return next((path for path in paths if path.is_file() and os.access(path, os.R_OK)), None)


def advice(name: str, exit_code: int) -> str:
    """Return what stands above the prompt of the shell that is left."""
    how = "it was still being read" if exit_code < 0 else f"bash ended with code {exit_code}"
    # First: back to letters and the usual look, whatever was printed before.
    return (
        "\x0f\x1b[!p\r\n"
        f"~/{name}, or a file that it reads, kept your shell from starting: {how}.\n"
        "This is a bash without it, and without the programs in ~/.local/bin. To repair:\n"
        f"    nano ~/{name}                  change it, or\n"
        f"    mv ~/{name} ~/{name}.broken    set it aside,\n"
        "then close this terminal and open a new one.\n"
    )


def hint(name: str) -> str:
    return (
        f"\r\n~/{name} is still being read after {HINT_AFTER:.0f} seconds. Ctrl-C interrupts it; "
        f"after {GIVE_UP_AFTER:.0f}, a bash without it starts.\r\n"
    )


def _run_shell(container_file: Path) -> tuple[int, bool]:
    """Start bash; return its pid, and whether it was ready before it ended or was given up."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_inheritable(writer, True)
    told = {"TINYBERTH_STARTUP": str(container_file), "TINYBERTH_READY": str(writer)}
    environment = {**os.environ, **told}
    shell = os.posix_spawn(BASH, READS_STARTUP_FILES, environment, setsigdef=[signal.SIGTTOU])
    os.close(writer)
    return shell, _wait_until_ready(shell, reader, container_file.name)


def _wait_until_ready(shell: int, reader: int, name: str) -> bool:
    started, hinted = time.monotonic(), False
    while not _has_ended(shell):
        time.sleep(POLL)
        waited = time.monotonic() - started
        if _has_reported(reader) or (waited > HINT_AFTER and not _is_reading(shell)):
            return True
        if waited > GIVE_UP_AFTER:
            _end(shell)
            return False
        if waited > HINT_AFTER and not hinted:
            print(hint(name), end="", flush=True)
            hinted = True
    return _has_reported(reader)


def _has_ended(shell: int) -> bool:
    return os.waitid(os.P_PID, shell, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _has_reported(reader: int) -> bool:
    try:
        return bool(os.read(reader, 1))
    except BlockingIOError:
        return False


def _is_reading(shell: int) -> bool:
    """Tell a bash that reads its files from one at a prompt, and from what it became by exec.

    At a prompt, after Ctrl-C, readline has switched the terminal's line mode off.
    """
    command = Path(f"/proc/{shell}/cmdline").read_bytes().split(b"\0")[:-1]
    in_lines = bool(termios.tcgetattr(_TERMINAL)[3] & termios.ICANON)
    return in_lines and command == [word.encode() for word in READS_STARTUP_FILES]


def _end(shell: int) -> None:
    """Kill bash, and what it started on this terminal: the file may ignore any milder signal."""
    os.kill(shell, signal.SIGKILL)
    for pid in (int(path.name) for path in Path("/proc").glob("[0-9]*")):
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(pid) == os.getsid(0) and pid != os.getpid():
                os.kill(pid, signal.SIGKILL)


def _leave_to_the_shell(_number: int, _frame: object) -> None:
    """Do nothing."""


if __name__ == "__main__":
    main()
