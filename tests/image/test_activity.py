"""A server at work counts as active although nobody looks at it (THREATS L4)."""

from __future__ import annotations

import json

import pytest

STATES = [
    "an idle kernel and an open terminal: idle",
    "a cell that sleeps: active",
    "the cell interrupted: idle",
    "a job in the terminal: active",
    "the job interrupted: idle",
    "a detached job at work: active",
    "a detached job asleep: idle",
    "a cell that never ends: active",
]


@pytest.fixture(scope="module")
def found(start, root):
    container = start("--volume", f"{root}/tests/image:/tests:ro")
    return json.loads(container.run("python", "/tests/server_at_work.py"))


@pytest.mark.parametrize("state", STATES)
def test_l4_the_hub_is_told_of_a_server_at_work_and_of_no_other(found, state):
    assert found[state] is True
