"""A terminal that no startup file can take away (THREATS A10): real bash on a real terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from terminal import CTRL_C, CTRL_D, Terminal
from tinyberth_start.terminal import STARTUP_FILES, find_startup_file

# The image's program with the repository's files; the seconds are shorter than people's.
RUN = """
import sys
from tinyberth_start import terminal
terminal.READS_STARTUP_FILES = ("bash", "--rcfile", sys.argv[1], "-i")
terminal.HINT_AFTER, terminal.GIVE_UP_AFTER, terminal.TOO_SHORT = map(float, sys.argv[2:])
terminal.main()
"""
Open = Callable[..., Terminal]


@pytest.fixture
def open_terminal(root: Path, tmp_path: Path) -> Open:
    def opened(
        startup: str | bytes | None,
        name: str = ".bashrc",
        hint_after: float = 30,
        give_up_after: float = 60,
        too_short: float = 1.5,
    ) -> Terminal:
        if startup is not None:
            text = startup if isinstance(startup, bytes) else startup.encode()
            (tmp_path / name).write_bytes(text + b"\n")
        env = {
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(root / "singleuser/start"),
            "TERM": "xterm",
        }
        files = str(root / "singleuser/etc/terminal.bash")
        limits = (str(hint_after), str(give_up_after), str(too_short))
        return Terminal([sys.executable, "-c", RUN, files, *limits], env=env)

    return opened


def works(terminal: Terminal) -> None:
    """Show that a command runs, and that its output is seen."""
    terminal.type(b"echo A$((40 + 2))B\r")
    terminal.read_until("A42B")


def leave(terminal: Terminal) -> int:
    terminal.type(b"exit 5\r")
    return terminal.end()


# ---- files that are fine -----------------------------------------------------------------------


@pytest.mark.parametrize("name", STARTUP_FILES)
def test_the_users_file_is_read_and_the_shell_is_ready(open_terminal, name):
    terminal = open_terminal("MINE=of-my-own", name)
    terminal.type(b"echo [$MINE] [${TINYBERTH_READY-}${TINYBERTH_STARTUP-}]\r")
    terminal.read_until("[of-my-own] []")
    assert "repair" not in terminal.shown


def test_without_a_file_bash_takes_the_programs_place(open_terminal):
    terminal = open_terminal(None)
    works(terminal)
    command = Path(f"/proc/{terminal.child.pid}/cmdline").read_bytes()
    assert command.startswith(b"bash\0--rcfile\0")
    assert leave(terminal) == 5


def test_the_first_of_the_files_is_read_as_bash_does(tmp_path):
    for name in STARTUP_FILES:
        (tmp_path / name).touch()
    assert find_startup_file(tmp_path) == tmp_path / ".bash_profile"
    (tmp_path / ".bash_profile").chmod(0)
    (tmp_path / ".bash_login").unlink()
    os.mkfifo(tmp_path / ".bash_login")  # would wait for somebody who writes
    (tmp_path / ".profile").unlink()
    (tmp_path / ".profile").mkdir()
    if os.geteuid() != 0:  # root reads what is closed
        assert find_startup_file(tmp_path) == tmp_path / ".bashrc"
    (tmp_path / ".bash_profile").unlink()
    assert find_startup_file(tmp_path) == tmp_path / ".bashrc"


def test_leaving_a_shell_that_worked_closes_the_terminal_with_its_code(open_terminal):
    terminal = open_terminal("MINE=1", too_short=0)
    works(terminal)
    assert leave(terminal) == 5
    assert "repair" not in terminal.shown


def test_ctrl_c_interrupts_a_command_and_not_the_terminal(open_terminal):
    terminal = open_terminal("MINE=1")
    terminal.type(b"sh -c 'echo run$((1+1)); exec sleep 600'\r")  # in front before it speaks
    terminal.read_until("run2")
    terminal.type(CTRL_C)
    works(terminal)


def test_a_program_that_takes_the_shells_place_is_left_alone(open_terminal):
    """As people do who prefer another shell: `exec fish` at the end of ~/.bashrc."""
    terminal = open_terminal("exec cat", hint_after=0.3, give_up_after=0.6, too_short=0)
    terminal.type(b"first\r")
    terminal.read_until("first\r\nfirst")
    time.sleep(1)  # longer than both limits: what must not happen has had its time
    terminal.type(b"second\r")
    terminal.read_until("second\r\nsecond")
    terminal.type(CTRL_D)
    assert terminal.end() == 0
    assert "still being read" not in terminal.shown


# ---- files that are not ------------------------------------------------------------------------

RUINS = {
    "exit": "exit 7",
    "exec": "exec false",
    "killed": "kill -9 $$",
    "a prompt that ends it": "PROMPT_COMMAND='exit 3'",
    "no input": "exec < /dev/null",
    "a raw terminal": "stty raw -echo; exit 1",
    "errors end it, and a trap": "trap 'exit 9' ERR; false",
}


@pytest.mark.parametrize("startup", RUINS.values(), ids=RUINS)
@pytest.mark.parametrize("name", [".bashrc", ".profile"])
def test_a_file_that_ends_the_shell_leaves_one_to_repair_it(
    open_terminal, tmp_path, startup, name
):
    terminal = open_terminal(startup, name)
    terminal.read_until(f"mv ~/{name} ~/{name}.broken")
    terminal.read_until("repair ")
    terminal.type(f"mv ~/{name} ~/{name}.broken; echo don$((0))e\r".encode())
    terminal.read_until("don0e")
    assert (tmp_path / f"{name}.broken").exists()
    assert leave(terminal) == 5  # this one ends when it is told to


HARMLESS = {
    "errexit": "set -e; false",
    "a syntax error": "if then (",
    "a function that fails": "f() { return 3; }; f",
    "text": "echo; cat /etc/services 2> /dev/null; echo welcome >&2",
}


@pytest.mark.parametrize("startup", HARMLESS.values(), ids=HARMLESS)
def test_a_file_that_only_fails_leaves_a_shell_that_works(open_terminal, startup):
    terminal = open_terminal(startup)
    terminal.type(b"false\r")
    works(terminal)
    assert "repair" not in terminal.shown
    assert ("sets -e" in terminal.shown) == ("set -e" in startup)


def test_bytes_that_are_no_text_leave_a_shell(open_terminal):
    terminal = open_terminal(bytes(range(256)) * 8 + b"\n'")
    works(terminal)


def test_a_loop_without_an_end_is_told_of_and_ctrl_c_ends_it(open_terminal):
    terminal = open_terminal("while :; do :; done", hint_after=0.3)
    terminal.read_until("Ctrl-C interrupts it")
    terminal.type(CTRL_C)
    works(terminal)
    assert "repair" not in terminal.shown


def test_a_loop_that_hears_no_ctrl_c_is_given_up(open_terminal):
    startup = "trap '' INT HUP TERM QUIT TSTP; while :; do :; done"
    terminal = open_terminal(startup, hint_after=0.2, give_up_after=0.6)
    terminal.read_until("it was still being read")
    works(terminal)


def test_a_program_that_waits_forever_is_given_up_and_does_not_stay(open_terminal):
    startup = "trap '' INT HUP; sleep 654321 & sleep 654321"
    terminal = open_terminal(startup, hint_after=0.2, give_up_after=0.6)
    terminal.read_until("it was still being read")
    works(terminal)
    terminal.type(b"pgrep -f sleep.65432[1] || echo no$((0))ne\r")
    terminal.read_until("no0ne")


def test_a_prompt_after_ctrl_c_is_not_given_up(open_terminal):
    """The report never comes then, and the person at the prompt must not notice."""
    startup = "echo loop$((1 + 1)); while :; do :; done"
    terminal = open_terminal(startup, hint_after=0.6, give_up_after=1)
    terminal.read_until("loop2")
    terminal.type(CTRL_C)
    works(terminal)
    time.sleep(1.2)  # longer than both limits: what must not happen has had its time
    works(terminal)
    assert "repair" not in terminal.shown
