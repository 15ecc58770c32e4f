"""`./tinyberth user …`: files and terminal of this end, the hub's command line at the other.

``docker`` is a script here that runs `tinyberth-hub` in its place, on pipes, as `docker compose
exec -T` does; that a container behaves the same is shown in the stack ring.
"""

from __future__ import annotations

import csv
import io
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hub_cli import Cli, process_environment

from terminal import CTRL_C, CTRL_D, Terminal
from tinyberth_launcher.cli import main
from tinyberth_launcher.people import MAX_INPUT, file_place

_DRIVER = """
import sys
from pathlib import Path
from tinyberth_launcher import cli
from tinyberth_launcher.checkout import load_checkout
cli._usable = load_checkout
sys.exit(cli.main(Path(sys.argv[1]), sys.argv[2:]))
"""


class Launcher:
    """Runs the launcher in processes of its own."""

    def __init__(self, tb: Cli, root: Path, folder: Path) -> None:
        self.hub = tb.hub
        self.folder = folder
        self._root = root
        docker = folder / "bin" / "docker"
        docker.parent.mkdir()
        docker.write_text(
            "#!/bin/sh\n"
            'if [ $2 = ps ]; then echo \'{"Service": "hub", "State": "running"}\'; exit; fi\n'
            f'shift 5; exec {shlex.join(tb.command())} "$@"\n'
        )
        docker.chmod(0o755)
        self.env = {**process_environment(), "PATH": f"{docker.parent}:{os.environ['PATH']}"}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-c", _DRIVER, str(self._root), *words]

    def run(self, *words: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
        with (self.folder / "stdin").open("w+b") as file:
            file.write(stdin or b"")
            file.seek(0)
            return subprocess.run(
                self.command(*words), stdin=file, capture_output=True, text=True, env=self.env,
                timeout=60, check=False,
            )  # fmt: skip

    def at_terminal(self, *words: str, stdout: Path | None = None) -> Terminal:
        return Terminal(self.command(*words), stdout=stdout, env=self.env)


@pytest.fixture
def launcher(tb: Cli, root: Path, tmp_path: Path) -> Launcher:
    return Launcher(tb, root, tmp_path)


@pytest.fixture
def people_csv(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("".join(f"user{number}\n" for number in range(9)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("import people.csv", 1),
        ("import --dry-run people.csv --yes", 2),
        ("import -", 1),
        ("import --json -- -odd-", 3),
        ("import -- --", 2),
        ("import --yes", None),
        ("import --", None),
        ("import", None),
    ],
)
def test_the_file_is_found_among_the_options(words: str, place: int | None) -> None:
    assert file_place(words.split()) == place


@pytest.mark.parametrize("topic", ["user", "team"])
def test_help_needs_no_hub(root: Path, topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(root, [topic]) == main(root, [topic, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"./tinyberth {topic} add" in text
    assert "exit codes:" in text


def test_words_and_exit_codes_pass_through(launcher: Launcher) -> None:
    added = launcher.run("user", "add", "--team", "nlp", "--", "alice", "-rf", "a\nb", "José")
    assert added.returncode == 1
    assert added.stderr.count("cannot be a login name") == 3
    assert list(launcher.hub.people) == ["alice"]
    assert launcher.run("user", "nonsense").returncode == 2
    assert launcher.run("team", "add", "nlp").stdout.startswith("nlp (gid 30001)")
    assert "./tinyberth user add alice bob" in launcher.run("user", "add", "--help").stdout


def test_an_import_reads_the_hosts_file_or_stdin(launcher: Launcher, people_csv: Path) -> None:
    from_file = launcher.run("user", "import", "--dry-run", str(people_csv))
    from_stdin = launcher.run("user", "import", "--dry-run", "-", stdin=people_csv.read_bytes())
    assert from_file.returncode == 0
    assert from_file.stdout == from_stdin.stdout
    assert "9 new, 0 there already, 0 refused" in from_file.stdout


@pytest.mark.parametrize("name", ["nonexistent.csv", "/", "no\x1b[2J"])
def test_a_file_that_cannot_be_read_is_said_here(launcher: Launcher, name: str) -> None:
    refused = launcher.run("user", "import", name)
    assert refused.returncode == 1
    assert "cannot be read: " in refused.stderr
    assert "\x1b" not in refused.stderr
    assert not launcher.hub.asked


def test_a_file_that_is_too_long_is_not_read_to_its_end(launcher: Launcher) -> None:
    (launcher.folder / "long.csv").write_bytes(b"x" * (MAX_INPUT * 3))
    refused = launcher.run("user", "import", str(launcher.folder / "long.csv"))
    assert refused.returncode == 1
    assert "more than 1 MiB" in refused.stderr


def test_somebody_elses_stdin_is_left_alone(launcher: Launcher) -> None:
    """In ``while read name; do ./tinyberth user link $name; done``."""
    launcher.hub.put("alice")
    reader, writer = os.pipe()
    os.write(writer, b"alice\nbob\n")
    os.close(writer)
    subprocess.run(
        launcher.command("user", "link", "alice"), stdin=reader, env=launcher.env, check=True
    )
    assert os.read(reader, 100) == b"alice\nbob\n"
    os.close(reader)


def test_at_a_terminal_it_asks_and_shows_progress_and_stdout_has_the_links_alone(
    launcher: Launcher, people_csv: Path, tmp_path: Path
) -> None:
    links = tmp_path / "links.csv"
    terminal = launcher.at_terminal("user", "import", str(people_csv), stdout=links)
    terminal.read_until("Add 9 people? [y/N]")
    terminal.type(b"y\n")
    assert terminal.end() == 0
    assert "[##############################] 9/9" in terminal.shown
    assert len(list(csv.DictReader(io.StringIO(links.read_text())))) == 9


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (b"n\n", 1, "Nothing was changed"),
        (CTRL_D, 1, "Nothing was changed"),
        (CTRL_C, 130, "Interrupted."),
    ],
)
def test_a_question_can_be_denied_in_every_way(
    launcher: Launcher, typed: bytes, code: int, said: str
) -> None:
    launcher.hub.put("alice")
    terminal = launcher.at_terminal("user", "remove", "alice")
    terminal.read_until("Remove alice? [y/N]")
    terminal.type(typed)
    assert terminal.end() == code
    assert said in terminal.shown
    assert "Traceback" not in terminal.shown
    assert "alice" in launcher.hub.people


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_an_interrupt_lets_the_line_at_hand_be_told(
    launcher: Launcher, people_csv: Path, tmp_path: Path, how: str
) -> None:
    reached, release = threading.Event(), threading.Event()

    def hold(name: str) -> None:
        if name == "user4":
            reached.set()
            assert release.wait(30)

    launcher.hub.before_add = hold
    links = tmp_path / "links.csv"
    terminal = launcher.at_terminal("user", "import", "--yes", str(people_csv), stdout=links)
    assert reached.wait(30)
    if how == "Ctrl-C":
        terminal.type(CTRL_C)
    else:
        terminal.child.send_signal(signal.SIGTERM)
    threading.Timer(0.5, release.set).start()
    assert terminal.end() == 130
    assert "5 of 9 added, nobody half" in terminal.shown
    assert "Traceback" not in terminal.shown
    assert [row["name"] for row in csv.DictReader(io.StringIO(links.read_text()))] == list(
        launcher.hub.people
    )
    assert len(launcher.hub.people) == 5
