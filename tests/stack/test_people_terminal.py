"""People and teams from the terminal, all their life: launcher, compose, hub, ledger, files."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deployment import REPO, Deployment, Person, first_link, wait_until
from terminal import CTRL_C, CTRL_D, Terminal

FIELDS = {"name", "login", "uid", "gid", "state", "throttled_until", "admin", "teams", "disk",
          "server", "last_seen", "archive", "created"}  # fmt: skip


def ask(deployment: Deployment, *words: str) -> Any:
    """Return the document that a command prints with `--json`."""
    return json.loads(deployment.tinyberth(*words, "--json").stdout)


def launcher(*words: str) -> list[str]:
    return [str(REPO / "tinyberth"), *words]


def ledger(deployment: Deployment) -> dict[str, int]:
    """Return the uid of each login and tombstone."""
    lines = (deployment.host_data_dir / "ledger" / "passwd").read_text().splitlines()
    return {line.split(":")[0]: int(line.split(":")[2]) for line in lines}


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_whole_life(deployment: Deployment) -> None:
    added = ask(deployment, "user", "add", "tlena", "--uid", "4401", "--gid", "4402")
    (tlena,) = added["people"]
    assert set(tlena) == FIELDS | {"link"}
    assert (tlena["uid"], tlena["gid"], tlena["state"], tlena["admin"]) == (
        4401,
        4402,
        "invited",
        False,
    )
    assert Person(deployment.url, "tlena").open_link(tlena["link"]).status_code == 302
    inode = deployment.home("tlena").stat().st_ino

    assert "tlena is an admin now" in deployment.tinyberth("user", "admin", "tlena").stdout
    assert (
        "tlena is no admin now" in deployment.tinyberth("user", "admin", "tlena", "--off").stdout
    )
    deployment.tinyberth("user", "rename", "tlena", "tlenka")
    found = deployment.home("tlenka").stat()
    assert (found.st_ino, found.st_uid, found.st_gid) == (inode, 4401, 4402)
    shown = ask(deployment, "user", "show", "tlenka")
    assert set(shown) == FIELDS
    assert (shown["login"], shown["uid"], shown["state"]) == ("tlenka", 4401, "active")

    (removed,) = ask(deployment, "user", "remove", "tlenka", "--yes")["removed"]
    assert removed == {"login": "tlenka", "archive": "tlenka~1", "home": "data/archive/tlenka~1"}
    assert (deployment.host_data_dir / "archive" / "tlenka~1").stat().st_ino == inode
    assert "tlenka " not in deployment.tinyberth("user", "list").stdout
    assert "tlenka~1 " in deployment.tinyberth("user", "list", "--all").stdout
    assert ask(deployment, "user", "show", "tlenka~1")["state"] == "removed"

    back = deployment.tinyberth("user", "restore", "tlenka", "--as", "tlena").stdout
    assert "tlena is back (uid 4401, gid 4402)" in back
    assert deployment.home("tlena").stat().st_ino == inode
    assert Person(deployment.url, "tlena").open_link(first_link(back)).status_code == 302


def test_restore_asks_which_of_two_of_one_name(deployment: Deployment) -> None:
    for _ in range(2):
        deployment.tinyberth("user", "add", "twin")
        deployment.tinyberth("user", "remove", "twin", "--yes")
    refused = deployment.tinyberth("user", "restore", "twin", check=False)
    assert refused.returncode == 1
    assert "twin~1" in refused.stderr
    assert "twin~2" in refused.stderr
    uid = ledger(deployment)["twin~2"]
    assert ask(deployment, "user", "restore", "twin~2")["uid"] == uid


def test_teams_are_made_joined_left_and_removed(deployment: Deployment) -> None:
    deployment.tinyberth("user", "add", "tmona")
    added = deployment.tinyberth("team", "add", "topera").stdout
    folder = deployment.host_data_dir / "teams" / "topera"
    found = folder.stat()
    assert f"gid {found.st_gid})" in added
    assert (found.st_uid, found.st_mode & 0o7777) == (0, 0o2770)
    joined = deployment.tinyberth("user", "team", "tmona", "--join", "topera").stdout
    assert joined.startswith("tmona is in topera.")
    (team,) = [t for t in ask(deployment, "team", "list")["teams"] if t["name"] == "topera"]
    assert team == {"name": "topera", "gid": found.st_gid, "members": ["tmona"]}
    assert "topera" in deployment.tinyberth("team", "list").stdout
    left = deployment.tinyberth("user", "team", "tmona", "--leave", "topera").stdout
    assert left.startswith("tmona is in no team.")
    assert deployment.tinyberth("team", "remove", "topera", check=False).returncode == 2
    assert folder.exists()
    deployment.tinyberth("team", "remove", "topera", "--yes")
    assert not folder.exists()
    assert (deployment.host_data_dir / "archive" / "topera~1").is_dir()


def test_a_running_server_is_shown_and_stopped(deployment: Deployment) -> None:
    deployment.with_server("alice")
    (alice,) = [p for p in ask(deployment, "user", "list")["people"] if p["login"] == "alice"]
    fields = {"since", "parked_since", "memory", "memory_limit", "teams_changed"}
    assert set(alice["server"]) == fields
    assert "alice's server is stopped." in deployment.tinyberth("user", "stop", "alice").stdout
    assert not deployment.people["alice"].server()
    assert ask(deployment, "user", "stop", "alice")["people"][0]["server"] is None


def test_links_come_alone_and_in_csv(deployment: Deployment) -> None:
    deployment.tinyberth("user", "add", "tnora", "tnils")
    alone = deployment.tinyberth("user", "link", "tnora").stdout
    assert alone.strip() == first_link(alone)
    both = rows_of(deployment.tinyberth("user", "link", "tnora", "tnils").stdout)
    assert [row["name"] for row in both] == ["tnora", "tnils"]
    assert Person(deployment.url, "tnora").open_link(alone.strip()).status_code == 403  # replaced
    assert Person(deployment.url, "tnora").open_link(both[0]["link"]).status_code == 302


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("user show nobody-here", 1, "nobody-here"),
        ("user remove nobody-here --yes", 1, "nobody-here"),
        ("user admin admin --off", 1, "admin"),
        ("user remove admin --yes", 1, "admin"),
        ("user remove alice", 2, "--yes"),
        ("user add one two --uid 4500", 2, "one person's"),
        ("user team alice", 2, "--join"),
        ("user nonsense", 2, "usage"),
        ("team", 0, ""),
    ],
)
def test_exit_codes(deployment: Deployment, words: str, code: int, said: str) -> None:
    if words.startswith("user admin"):  # the last admin
        others = [p["login"] for p in ask(deployment, "user", "list")["people"] if p["admin"]]
        assert others == ["admin"]
    ended = deployment.tinyberth(*words.split(), check=False)
    assert ended.returncode == code, ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_where_no_hub_runs_the_launcher_says_what_to_do() -> None:
    ended = subprocess.run(
        launcher("user", "list"), capture_output=True, text=True, stdin=subprocess.DEVNULL,
        check=False, env={**os.environ, "COMPOSE_PROJECT_NAME": "tbtest-none"},
    )  # fmt: skip
    assert ended.returncode == 1
    assert "./tinyberth up" in ended.stderr
    assert "Traceback" not in ended.stderr


MIXED = """\
name,uid,gid,teams,admin
tolga,4601,4602,tquartet;opus,yes
alice,,,,
tolaf
..,,,,
otto,0
toskar,4601
"""


def test_an_import_adds_the_new_skips_the_present_and_refuses_the_bad(
    deployment: Deployment, tmp_path: Path
) -> None:
    deployment.add("alice")
    (tmp_path / "people.csv").write_text(MIXED, encoding="utf-8-sig")
    name = str(tmp_path / "people.csv")
    before = ledger(deployment)

    dry = deployment.tinyberth("user", "import", "--dry-run", name, check=False)
    assert dry.returncode == 1
    assert "2 new, 1 there already, 3 refused" in dry.stdout
    assert ledger(deployment) == before

    done = deployment.tinyberth("user", "import", name, check=False)
    assert done.returncode == 1
    links = rows_of(done.stdout)
    assert [row["name"] for row in links] == ["tolga", "tolaf"], done.stderr
    assert "2 new, 1 there already, 3 refused" in done.stderr
    assert set(ledger(deployment)) == set(before) | {"tolga", "tolaf"}
    found = deployment.home("tolga").stat()
    assert (found.st_uid, found.st_gid) == (4601, 4602)
    tolga = ask(deployment, "user", "show", "tolga")
    assert (tolga["admin"], sorted(tolga["teams"])) == (True, ["opus", "tquartet"])
    assert Person(deployment.url, "tolaf").open_link(links[1]["link"]).status_code == 302

    again = deployment.tinyberth("user", "import", name, "--json", check=False)
    results = {line["name"]: line["result"] for line in json.loads(again.stdout)["lines"]}
    assert results["tolga"] == results["alice"] == "exists"
    assert results["toskar"] == "refused"
    deployment.tinyberth("user", "admin", "tolga", "--off")  # the other tests' one admin


def test_an_interrupted_import_is_whole_up_to_there_and_can_be_repeated(
    deployment: Deployment, tmp_path: Path
) -> None:
    """By SIGINT to the launcher: what runs in the container must hear of it, too."""
    names = [f"series{number:02}" for number in range(40)]
    (tmp_path / "series.csv").write_text("\n".join(names))
    words = launcher("user", "import", str(tmp_path / "series.csv"))
    with (tmp_path / "links.csv").open("w") as out, (tmp_path / "said").open("w") as said:
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=said)
        wait_until(lambda: (tmp_path / "links.csv").read_text().count("\n") > 5, "five are added")
        child.send_signal(signal.SIGINT)
        assert child.wait(60) == 130
    err = (tmp_path / "said").read_text()
    assert "nobody half" in err
    assert "Traceback" not in err
    first = rows_of((tmp_path / "links.csv").read_text())
    added = [row["name"] for row in first]
    assert added == names[: len(added)]
    assert len(added) < 40
    assert [login for login in ledger(deployment) if login.startswith("series")] == added

    second = deployment.tinyberth("user", "import", str(tmp_path / "series.csv"))
    assert [row["name"] for row in rows_of(second.stdout)] == names[len(added) :]
    for row in (first[0], first[-1]):
        answer = Person(deployment.url, row["name"]).open_link(row["link"])
        assert answer.status_code == 302
    uids = [uid for login, uid in ledger(deployment).items() if login.startswith("series")]
    assert len(set(uids)) == 40


def test_at_a_terminal_the_launcher_asks_shows_a_bar_and_keeps_the_links_apart(
    deployment: Deployment, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_text("tpaula\ntpia\n")
    links = tmp_path / "links.csv"
    terminal = Terminal(launcher("user", "import", str(tmp_path / "people.csv")), stdout=links)
    terminal.read_until("Add 2 people? [y/N]")
    terminal.type(b"y\n")
    assert terminal.end() == 0, terminal.shown
    assert "] 2/2" in terminal.shown
    assert "http://" not in terminal.shown
    assert [row["name"] for row in rows_of(links.read_text())] == ["tpaula", "tpia"]


@pytest.mark.parametrize(("typed", "code"), [(b"n\n", 1), (CTRL_D, 1), (CTRL_C, 130)])
@pytest.mark.parametrize("through", ["launcher", "compose"])
def test_a_question_is_asked_and_can_be_denied(
    deployment: Deployment, typed: bytes, code: int, through: str
) -> None:
    deployment.add("alice")
    compose = ["docker", "compose", "--project-directory", str(REPO), "exec", "hub",
               "tinyberth-hub", "user", "remove", "alice"]  # fmt: skip
    words = launcher("user", "remove", "alice") if through == "launcher" else compose
    terminal = Terminal(words)
    terminal.read_until("Remove alice? [y/N]")
    terminal.type(typed)
    assert terminal.end() == code, terminal.shown
    assert "Traceback" not in terminal.shown
    assert "alice" in ledger(deployment)


def test_the_same_works_with_plain_compose(deployment: Deployment) -> None:
    deployment.add("alice")
    hub = ("exec", "-T", "hub", "tinyberth-hub")
    assert "\nalice " in deployment.compose(*hub, "user", "list").stdout
    assert "TEAM" in deployment.compose(*hub, "team", "list").stdout
    done = subprocess.run(
        ["docker", "compose", "--project-directory", str(REPO), *hub, "user", "import", "-"],
        input="tquentin\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [row["name"] for row in rows_of(done.stdout)] == ["tquentin"]
