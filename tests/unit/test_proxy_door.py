"""The proxy's door: its rules by tables, and that it and the hub mean the same address."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tinyberth_common.settings import load

HERE = Path(__file__).parent
DOOR = HERE.parents[1] / "proxy" / "door"

ADDRESSES: list[dict[str, str]] = [
    {},
    {"PORT": "8123"},
    {"ORIGINS": "shared"},
    {"ORIGINS": "users", "PORT": "65535"},
    {"PUBLIC_URL": "https://hub.example.org"},
    {"PUBLIC_URL": "https://hub.example.org/", "ORIGINS": "shared"},
    {"PUBLIC_URL": "https://hub.example.org:443"},
    {"PUBLIC_URL": "https://hub.example.org:8443", "PORT": "9000"},
]


def node(*arguments: str) -> str:
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not here: run the tests with ./tinyberth test")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a11_its_rules() -> None:
    """Host, port, Origin and Sec-Fetch-* of every kind: proxy_door.test.mjs."""
    node("--test", str(HERE / "proxy_door.test.mjs"))


def test_the_door_and_the_hub_mean_the_same_address() -> None:
    script = (
        f"import {{ namesOf }} from {json.dumps((DOOR / 'names.mjs').as_uri())};"
        f"console.log(JSON.stringify({json.dumps(ADDRESSES)}.map((each) => namesOf(each).origin)))"
    )
    origins = json.loads(node("--input-type=module", "--eval", script))
    assert origins == [load(variables).public_url for variables in ADDRESSES]


@pytest.mark.parametrize("script", sorted(DOOR.glob("*.mjs")), ids=lambda script: script.name)
def test_a_module_is_short(script: Path) -> None:
    assert script.read_text().count("\n") < 200
