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


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[State, list[State]]]:
    """Return, by operation, the state before it and those after each death and recovery."""
    ran = subprocess.run(
        [sys.executable, str(HERE / "people_crash.py"), str(tmp_path_factory.mktemp("world"))],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(HERE)])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-5000:]
    found: dict[str, tuple[State, list[State]]] = {}
    for line in ran.stdout.splitlines():
        state = json.loads(line)
        operation = state.pop("operation")
        if operation not in found:
            found[operation] = state, []
        else:
            found[operation][1].append(state)
    return found


def each(
    outcomes: dict[str, tuple[State, list[State]]], name: str
) -> Iterator[tuple[State, bool]]:
    """Yield the states after recovery, checked, and whether the change had begun."""
    before, states = outcomes[name]
    assert len(states) > 5, "there was something to kill"
    assert any(state["left"] for state in states), "some deaths left something to finish"
    for number, state in enumerate(states):
        check(state)
        # The first death is before the journal says anything; the last is none.
        begun = number > 0
        if not begun:
            assert without_left(state) == without_left(before)
        yield state, begun


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


def without_left(state: State) -> State:
    return {key: value for key, value in state.items() if key != "left"}


def unchanged(before: State, after: State, *but: str) -> None:
    for login in before["users"]:
        if login not in but:
            assert after["accounts"][login] == before["accounts"][login]
            assert after["berths"][login] == before["berths"][login]
            assert after["files"].get(f"users/{login}") == before["files"].get(f"users/{login}")


def test_add(outcomes: Any) -> None:
    before, _ = outcomes["add"]
    for state, begun in each(outcomes, "add"):
        unchanged(before, state)
        if begun:
            assert state["berths"]["dave"] not in before["berths"].values()
            assert state["names"]["dave"] == state["gecos"]["dave"] == "Dave D."
            assert state["teams"]["nlp"] == ["alice", "bob", "dave"]
            assert state["teams"]["fresh"] == ["dave"]
            assert state["admins"] == ["admin", "dave"]


def test_add_with_ids(outcomes: Any) -> None:
    for state, begun in each(outcomes, "add_with_uid"):
        if begun:
            assert state["berths"]["dave"] == 4321


def test_add_that_the_warden_refuses_leaves_nobody(outcomes: Any) -> None:
    for state, _ in each(outcomes, "add_refused_by_a_taken_uid"):
        assert without_left(state) == outcomes["add_refused_by_a_taken_uid"][0]


def test_add_that_is_refused_late_is_undone(outcomes: Any) -> None:
    name = "add_refused_by_a_file_in_the_way_of_a_team"
    before, _ = outcomes[name]
    for state, begun in each(outcomes, name):
        unchanged(before, state)
        assert state["users"] == before["users"]
        assert state["teams"] == before["teams"]
        # The number was given once and is nobody's again; the folder, empty, is in the archive.
        assert ("dave~1" in state["tombstones"]) is begun
        assert state["files"].get("archive/dave~1", [0, 0, []])[2] == []


def test_change_of_admin_and_teams(outcomes: Any) -> None:
    for state, begun in each(outcomes, "change"):
        unchanged(outcomes["change"][0], state)
        if begun:
            assert state["admins"] == ["admin", "bob"]
            assert state["teams"] == {"nlp": ["alice"], "vision": ["bob"], "fresh": ["bob"]}


@pytest.mark.parametrize(
    ("name", "old", "new", "gecos"),
    [
        ("rename", "alice", "alicia", "alicia"),
        ("rename_of_who_has_another_name", "carol", "caro", "Carol of the ß"),
    ],
)
def test_rename(outcomes: Any, name: str, old: str, new: str, gecos: str) -> None:
    before, _ = outcomes[name]
    for state, begun in each(outcomes, name):
        unchanged(before, state, old)
        if begun:
            assert old not in state["users"]
            assert state["berths"][new] == before["berths"][old]
            assert state["accounts"][new] == before["accounts"][old]  # password and all
            assert state["files"][f"users/{new}"] == before["files"][f"users/{old}"]
            assert state["gecos"][new] == gecos
            was = before["teams"]["nlp"]
            assert state["teams"]["nlp"] == sorted({new if n == old else n for n in was})


def test_remove(outcomes: Any) -> None:
    before, _ = outcomes["remove"]
    for state, begun in each(outcomes, "remove"):
        unchanged(before, state, "alice")
        if begun:
            assert "alice" not in state["users"]
            assert state["tombstones"]["alice~1"] == before["berths"]["alice"]
            assert state["files"]["archive/alice~1"] == before["files"]["users/alice"]
            assert "users/alice" not in state["files"]
            assert state["teams"]["nlp"] == ["bob"]


def test_remove_that_the_warden_refuses_leaves_the_person(outcomes: Any) -> None:
    before, _ = outcomes["remove_refused_by_a_file_in_the_way"]
    for state, _ in each(outcomes, "remove_refused_by_a_file_in_the_way"):
        assert state["accounts"] == before["accounts"]
        assert state["berths"] == before["berths"]
        assert state["teams"] == before["teams"]


@pytest.mark.parametrize(("name", "login"), [("restore", "zoe"), ("restore_as_another", "zoey")])
def test_restore(outcomes: Any, name: str, login: str) -> None:
    before, _ = outcomes[name]
    for state, begun in each(outcomes, name):
        unchanged(before, state)
        if begun:
            assert state["berths"][login] == before["tombstones"]["zoe~1"]
            assert state["files"][f"users/{login}"] == before["files"]["archive/zoe~1"]
            assert state["tombstones"] == {}
            assert state["gecos"][login] == login


def test_add_team(outcomes: Any) -> None:
    for state, begun in each(outcomes, "add_team"):
        if begun:
            assert state["teams"]["fresh"] == ["alice"]


def test_set_members(outcomes: Any) -> None:
    for state, begun in each(outcomes, "set_members"):
        if begun:
            assert state["teams"]["nlp"] == ["bob"]


def test_archive_team(outcomes: Any) -> None:
    before, _ = outcomes["archive_team"]
    for state, begun in each(outcomes, "archive_team"):
        unchanged(before, state)
        if begun:
            assert sorted(state["teams"]) == ["vision"]
            assert state["files"]["archive/nlp~1"] == before["files"]["teams/nlp"]
