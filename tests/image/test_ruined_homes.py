"""Homes that people broke: there is a server, a terminal and a kernel all the same (THREATS A10).

The same through the hub, for three of them: tests/stack/test_ruins_repaired.py.
"""

from __future__ import annotations

import json

import pytest

from containers import UID

RUINS = [
    "full",
    "files",
    "links to nowhere",
    "links to themselves",
    "links to /etc",
    "pipes",
    "closed folders",
    "a closed home",
    "a home without writing",
]
TOLD = "takes no file: the home is full, or this is closed or no folder"


@pytest.fixture(scope="module")
def ruined(start, root):
    container = start(
        *("--volume", f"{root}/tests/image:/tests:ro"),
        *("--tmpfs", f"/full:uid={UID},gid={UID},mode=0700,size=2m"),
    )
    return json.loads(container.run("python", "/tests/servers_in_ruined_homes.py"))


def test_a10_every_ruin_was_tried(ruined):
    assert list(ruined) == RUINS


@pytest.mark.parametrize("ruin", RUINS)
def test_a10_a_ruined_home_has_a_server_a_terminal_and_a_kernel(ruined, ruin):
    report = ruined[ruin]
    assert report["answers"] == [200, 200, 200], report["log"]
    assert report["settings"] == 204  # how the page looks can be changed, if only for now
    assert "A42B" in report["terminal"]
    assert report["kernel"] == "42\n", report["log"]
    assert "Traceback" not in report["log"].split("Serving notebooks")[0]


def test_a10_what_a_home_does_not_take_is_said_once_in_a_sentence(ruined):
    full = ruined["full"]["log"]
    assert full.count(f"tinyberth: ~/.jupyter/lab/user-settings {TOLD}") == 1
    assert "tinyberth: notebooks: skipped, the home cannot take it" in full
    assert (
        "tinyberth: home: was closed to its owner, opened again"
        in (ruined["a closed home"]["log"])
    )


def test_a10_in_a_full_home_the_file_browser_can_delete(ruined):
    assert ruined["full"]["deleted"] == 204
