"""`tinyberth-hub user import`: preview, questions, progress, interrupts and their repetition."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import threading
from pathlib import Path

import pytest
from hub_cli import Cli, process_environment

from terminal import CTRL_C, CTRL_D, Terminal

MIXED = "name,uid,gid,teams,admin\nalice,1005,1006,nlp vision,yes\nbob\n\na b,,,,\ncarl\n"


@pytest.fixture
def people_csv(tmp_path: Path) -> str:
    path = tmp_path / "people.csv"
    path.write_text(MIXED, encoding="utf-8")
    return str(path)


def test_each_line_has_its_outcome_and_the_new_ones_are_added(tb: Cli, people_csv: str) -> None:
    tb.hub.put("bob")
    tb.hub.teams["nlp"] = {"name": "nlp", "gid": 30001, "members": []}
    answer = tb("user", "import", people_csv)
    assert answer.code == 1  # one line is refused
    link = "http://hub.localhost/hub/welcome#"
    assert answer.out == f"name,link\nalice,{link}alice\ncarl,{link}carl\n"
    lines = answer.err.splitlines()
    assert lines[0].split() == ["LINE", "NAME", "LOGIN", "UID:GID", "TEAMS", "ADMIN", "OUTCOME"]
    assert re.split("  +", lines[1]) == [
        "2", "alice", "alice", "1005:1006", "nlp,vision (new)", "admin", "new",
    ]  # fmt: skip
    assert lines[2].split()[-1] == "exists"
    assert "refused: 'a b' cannot be a login name" in lines[3]
    assert "2 new, 1 there already, 1 refused" in lines
    assert "2/2 added: carl" in lines
    assert "secret" in lines[-1]
    assert tb.hub.asked[-2][2] == {
        "name": "alice", "uid": 1005, "gid": 1006, "teams": ["nlp", "vision"], "admin": True,
    }  # fmt: skip


def test_a_dry_run_changes_nothing(tb: Cli, people_csv: str) -> None:
    answer = tb("user", "import", "--dry-run", people_csv)
    assert answer.code == 1
    assert "3 new, 0 there already, 1 refused" in answer.out
    assert not tb.hub.people
    document = tb("user", "import", "--dry-run", "--json", people_csv).json
    assert [line["outcome"] for line in document["lines"]] == ["new", "new", "refused", "new"]


def test_json_tells_what_became_of_each_line(tb: Cli, people_csv: str) -> None:
    tb.hub.put("bob")
    answer = tb("user", "import", "--json", people_csv)
    assert answer.code == 1
    assert answer.err == ""
    results = {line["name"]: (line["result"], line["link"]) for line in answer.json["lines"]}
    assert results == {
        "alice": ("added", "http://hub.localhost/hub/welcome#alice"),
        "bob": ("exists", None),
        "a b": ("refused", None),
        "carl": ("added", "http://hub.localhost/hub/welcome#carl"),
    }


def test_a_line_that_fails_later_does_not_stop_the_others(tb: Cli, people_csv: str) -> None:
    def takes_the_name(name: str) -> None:
        if name == "alice" and "alice" not in tb.hub.people:
            tb.hub.put("alice")

    tb.hub.before_add = takes_the_name
    answer = tb("user", "import", people_csv)
    assert answer.code == 1
    assert "alice is there already." in answer.err
    assert sorted(tb.hub.people) == ["alice", "bob", "carl"]


def test_nothing_new_is_no_failure(tb: Cli, tmp_path: Path) -> None:
    tb.hub.put("bob")
    (tmp_path / "bob.csv").write_text("bob\n")
    answer = tb("user", "import", str(tmp_path / "bob.csv"))
    assert (answer.code, answer.out) == (0, "")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"alice\nbob\nJos\xe9\n", "Line 3 of the file is not UTF-8"),
        ("alice\n".encode("utf-16"), "Line 1 of the file is not UTF-8"),
        (b"a\n" * 600_000, "more than 1 MiB"),
    ],
)
def test_files_that_cannot_be_read_are_refused_with_the_line(
    tb: Cli, tmp_path: Path, data: bytes, sentence: str
) -> None:
    (tmp_path / "people.csv").write_bytes(data)
    refused = tb("user", "import", str(tmp_path / "people.csv"))
    assert refused.code == 1
    assert sentence in refused.err
    assert not tb.hub.asked


@pytest.mark.parametrize("name", ["/nonexistent", "/", "a\x00b"])
def test_a_file_that_is_not_there_is_one_sentence(tb: Cli, name: str) -> None:
    refused = tb("user", "import", name)
    assert refused.code == 1
    assert refused.err.count("\n") == 1


def held_at(tb: Cli, name: str) -> tuple[threading.Event, threading.Event]:
    """Hold the hub's answer for ``name``; returns the events "asked" and "may answer"."""
    reached, release = threading.Event(), threading.Event()

    def hold(asked: str) -> None:
        if asked == name:
            reached.set()
            assert release.wait(30)

    tb.hub.before_add = hold
    return reached, release


NINE = "".join(f"user{number}\n" for number in range(9))


@pytest.mark.parametrize("leashed", [True, False])
def test_an_interrupt_ends_the_line_at_hand_and_a_repetition_adds_the_others(
    tb: Cli, leashed: bool
) -> None:
    """By a signal; and by the end of stdin, which is all that reaches a container."""
    reached, release = held_at(tb, "user4")
    words = ["user", "import", "-"]
    child = tb.start(*(["--leashed", "--input-bytes", str(len(NINE))] if leashed else []), *words)
    assert child.stdin
    child.stdin.write(NINE)
    child.stdin.flush()
    if not leashed:
        child.stdin.close()
    assert reached.wait(30)
    if leashed:
        child.stdin.close()
    else:
        child.send_signal(signal.SIGINT)
    threading.Timer(0.5, release.set).start()
    assert child.stdout
    assert child.stderr
    out, err = child.stdout.read(), child.stderr.read()
    assert child.wait(30) == 130
    added = [row["name"] for row in csv.DictReader(io.StringIO(out))]
    assert added == [f"user{number}" for number in range(5)] == list(tb.hub.people)
    assert "5 of 9 added, nobody half" in err
    assert "Traceback" not in err

    again = tb.start("user", "import", "-")
    out, err = again.communicate(NINE, timeout=30)
    assert again.returncode == 0
    assert "4 new, 5 there already, 0 refused" in err
    assert [row["name"] for row in csv.DictReader(io.StringIO(out))] == [
        f"user{number}" for number in range(5, 9)
    ]
    assert len(tb.hub.people) == 9


def test_an_interrupted_import_tells_in_json_what_was_added(tb: Cli) -> None:
    reached, release = held_at(tb, "user4")
    child = tb.start("user", "import", "-", "--json")
    assert child.stdin
    child.stdin.write(NINE)
    child.stdin.close()
    assert reached.wait(30)
    child.send_signal(signal.SIGINT)
    threading.Timer(0.5, release.set).start()
    assert child.stdout
    lines = json.loads(child.stdout.read())["lines"]
    assert child.wait(30) == 130
    assert [line["result"] for line in lines] == ["added"] * 5 + [None] * 4


def test_a_second_interrupt_does_not_wait(tb: Cli, tmp_path: Path) -> None:
    (tmp_path / "nine.csv").write_text(NINE)
    reached, release = held_at(tb, "user4")
    terminal = Terminal(
        tb.command("user", "import", str(tmp_path / "nine.csv"), "--yes"),
        env=process_environment(),
    )
    assert reached.wait(30)
    terminal.type(CTRL_C)
    terminal.read_until("again stops at once")
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    release.set()
    assert "What the hub had begun, it ends" in terminal.shown
    assert "Traceback" not in terminal.shown


@pytest.mark.parametrize(
    ("typed", "code"), [(b"y\n", 1), (b"\n", 1), (b"n\n", 1), (CTRL_D, 1), (CTRL_C, 130)]
)
def test_at_a_terminal_it_asks_before_it_adds(
    tb: Cli, people_csv: str, tmp_path: Path, typed: bytes, code: int
) -> None:
    links = tmp_path / "links.csv"
    terminal = Terminal(
        tb.command("user", "import", people_csv), stdout=links, env=process_environment()
    )
    terminal.read_until("Add 3 people? [y/N]")
    terminal.type(typed)
    assert terminal.end() == code  # with yes, because one line is refused
    assert "Traceback" not in terminal.shown
    if typed == b"y\n":
        assert "[##############################] 3/3" in terminal.shown
        rows = list(csv.DictReader(io.StringIO(links.read_text())))
        assert [row["name"] for row in rows] == ["alice", "bob", "carl"]
    else:
        assert links.read_text() == ""
        assert not tb.hub.people


@pytest.mark.parametrize(("typed", "left"), [(b"y\n", 0), (b"no\n", 1), (b"\n", 1)])
def test_remove_says_what_happens_to_the_files_and_asks_once(
    tb: Cli, typed: bytes, left: int
) -> None:
    tb.hub.put("alice")
    terminal = Terminal(tb.command("user", "remove", "alice"), env=process_environment())
    terminal.read_until("Remove alice? [y/N]")
    assert "moves to data/archive/NAME~N" in terminal.shown
    terminal.type(typed)
    assert terminal.end() == left
    assert ("alice" in tb.hub.people) == bool(left)
