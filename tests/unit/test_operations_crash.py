"""A hub killed before any step of any change: its next start finishes it, or undoes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other uids")

HERE = Path(__file__).parent
State = dict[str, Any]
Case = tuple[State, State, bool]
"""Before, after death and recovery, and whether the change was begun, and so must be done."""


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Case]]:
    """Return what became of each operation, one case for each step that it was killed at."""
    ran = subprocess.run(
        [sys.executable, str(HERE / "people_crash.py"), str(tmp_path_factory.mktemp("world"))],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(HERE)])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-5000:]
    found: dict[str, list[Case]] = {}
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    for first, second in zip(lines[::2], lines[1::2], strict=True):
        of_operation = found.setdefault(first["operation"], [])
        before, after = first["before"], second["after"]
        # A death after the last step leaves nothing in the journal, and all of the change.
        of_operation.append((before, after, bool(second["left"]) or after != before))
    for of_operation in found.values():  # the last came to its end
        before, after, _ = of_operation.pop()
        of_operation.append((before, after, True))
    return found


def each(cases: dict[str, list[Case]], name: str) -> Iterator[Case]:
    """Yield the cases of an operation after what holds for all."""
    assert sum(begun for _, _, begun in cases[name]) > 2, "there was something to kill"
    for before, after, begun in cases[name]:
        check(after)
        if not begun:
            assert after == before
        yield before, after, begun


def check(state: State) -> None:
    """Whatever happened: the stores agree, nobody is half here, and files are their owners'."""
    assert state["journal"] == []
    assert state["users"] == sorted(state["accounts"]) == sorted(state["berths"])
    assert state["groups"] == state["teams"]
    uids = [*state["berths"].values(), *state["tombstones"].values()]
    assert len(uids) == len(set(uids))
    for login, uid in state["berths"].items():
        if login != "bob":  # whose home a test puts something else in place of
            assert state["files"][f"users/{login}"][0] == uid
    for name, uid in state["tombstones"].items():
        assert state["files"][f"archive/{name}"][0] == uid
    for team in state["teams"]:
        assert state["files"][f"teams/{team}"][0] == 0


def unchanged(before: State, after: State, *but: str) -> None:
    for login in before["users"]:
        if login not in but:
            assert after["accounts"][login] == before["accounts"][login]
            assert after["berths"][login] == before["berths"][login]
            assert after["files"].get(f"users/{login}") == before["files"].get(f"users/{login}")


def test_add(cases: Any) -> None:
    for before, after, begun in each(cases, "add"):
        unchanged(before, after)
        if begun:
            assert after["berths"]["dave"] not in before["berths"].values()
            assert after["names"]["dave"] == after["gecos"]["dave"] == "Dave D."
            assert after["teams"]["nlp"] == ["alice", "bob", "dave"]
            assert after["teams"]["fresh"] == ["dave"]
            assert after["admins"] == ["admin", "dave"]


def test_add_with_ids(cases: Any) -> None:
    for _, after, begun in each(cases, "add_with_uid"):
        if begun:
            assert after["berths"]["dave"] == 4321


def test_add_that_the_ledger_refuses_leaves_nobody(cases: Any) -> None:
    for before, after, _ in each(cases, "add_refused_by_a_taken_uid"):
        assert after == before


def test_add_that_is_refused_late_is_undone(cases: Any) -> None:
    for before, after, begun in each(cases, "add_refused_by_a_file_in_the_way_of_a_team"):
        unchanged(before, after)
        assert after["users"] == before["users"]
        assert after["teams"] == before["teams"]
        # The number was given once and is nobody's again; the folder, empty, is in the archive.
        assert ("dave~1" in after["tombstones"]) is begun
        assert after["files"].get("archive/dave~1", [0, 0, []])[2] == []


def test_change_of_admin_and_teams(cases: Any) -> None:
    for before, after, begun in each(cases, "change"):
        unchanged(before, after)
        if begun:
            assert after["admins"] == ["admin", "bob"]
            assert after["teams"] == {"nlp": ["alice"], "vision": ["bob"], "fresh": ["bob"]}


@pytest.mark.parametrize(
    ("name", "old", "new", "gecos"),
    [
        ("rename", "alice", "alicia", "alicia"),
        ("rename_of_who_has_another_name", "carol", "caro", "Carol of the ß"),
    ],
)
def test_rename(cases: Any, name: str, old: str, new: str, gecos: str) -> None:
    for before, after, begun in each(cases, name):
        unchanged(before, after, old)
        if begun:
            assert old not in after["users"]
            assert after["berths"][new] == before["berths"][old]
            assert after["accounts"][new] == before["accounts"][old]  # password and all
            assert after["files"][f"users/{new}"] == before["files"][f"users/{old}"]
            assert after["gecos"][new] == gecos
            was = before["teams"]["nlp"]
            assert after["teams"]["nlp"] == sorted({new if n == old else n for n in was})


def test_remove(cases: Any) -> None:
    for before, after, begun in each(cases, "remove"):
        unchanged(before, after, "alice")
        if begun:
            assert "alice" not in after["users"]
            assert after["tombstones"]["alice~1"] == before["berths"]["alice"]
            assert after["files"]["archive/alice~1"] == before["files"]["users/alice"]
            assert "users/alice" not in after["files"]
            assert after["teams"]["nlp"] == ["bob"]


def test_remove_that_the_ledger_refuses_leaves_the_person(cases: Any) -> None:
    for before, after, _ in each(cases, "remove_refused_by_a_file_in_the_way"):
        assert after == before


@pytest.mark.parametrize(("name", "login"), [("restore", "zoe"), ("restore_as_another", "zoey")])
def test_restore(cases: Any, name: str, login: str) -> None:
    for before, after, begun in each(cases, name):
        unchanged(before, after)
        if begun:
            assert after["berths"][login] == before["tombstones"]["zoe~1"]
            assert after["files"][f"users/{login}"] == before["files"]["archive/zoe~1"]
            assert after["tombstones"] == {}
            assert after["gecos"][login] == login


def test_add_team(cases: Any) -> None:
    for _, after, begun in each(cases, "add_team"):
        if begun:
            assert after["teams"]["fresh"] == ["alice"]


def test_set_members(cases: Any) -> None:
    for _, after, begun in each(cases, "set_members"):
        if begun:
            assert after["teams"]["nlp"] == ["bob"]


def test_archive_team(cases: Any) -> None:
    for before, after, begun in each(cases, "archive_team"):
        unchanged(before, after)
        if begun:
            assert sorted(after["teams"]) == ["vision"]
            assert after["files"]["archive/nlp~1"] == before["files"]["teams/nlp"]
