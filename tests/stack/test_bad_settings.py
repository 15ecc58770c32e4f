"""THREATS B5 on a real checkout: `./tinyberth up` and plain Compose refuse, and start nothing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from containers import docker
from deployment import REPO, free_port, variables_for_another
from tinyberth_common.settings import SCHEMA

NEEDED = ("tinyberth", "docker-compose.yml", "jupyterhub_config.py", "launcher", "common",
          "singleuser/presets", "jupyterhub_config.d")  # fmt: skip


@dataclass
class Checkout:
    """As much of a checkout as starts one, with a project name and a .env of its own."""

    root: Path
    variables: dict[str, str]

    @property
    def project(self) -> str:
        return self.variables["COMPOSE_PROJECT_NAME"]

    def run(
        self, *command: str, env_file: bytes, **shell: str
    ) -> subprocess.CompletedProcess[str]:
        (self.root / ".env").write_bytes(env_file)
        names = {setting.name for setting in SCHEMA}
        bare = {name: value for name, value in os.environ.items() if name not in names}
        return subprocess.run(
            command, cwd=self.root, env={**bare, **self.variables, **shell},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def up(self, env_file: bytes, **shell: str) -> list[str]:
        """Run `./tinyberth up`, which must refuse; returns its problems, one on each line."""
        refused = self.run("./tinyberth", "up", "--yes", env_file=env_file, **shell)
        assert refused.returncode == 3, refused.stdout + refused.stderr
        assert "Traceback" not in refused.stderr
        what, _, rest = refused.stderr.partition("\n  Why:  ")
        problems = rest.partition("\n  Do: ")[0].split("\n        ")
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        assert what.strip().startswith(count)
        assert "nothing was started" in what
        return problems

    def traces(self) -> str:
        """Return what the engine has of this project: containers, networks, volumes."""
        ours = f"name=^/?{self.project}"
        commands = (["ps", "--all"], ["network", "ls"], ["volume", "ls"])
        return "".join(docker(*it, "--quiet", "--filter", ours).stdout for it in commands)


@pytest.fixture(scope="module")
def checkout(project: str, work: Path) -> Iterator[Checkout]:
    root = work / "bad-settings"
    root.mkdir()
    for name in NEEDED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        source = REPO / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, root / name)
    (root / "data").mkdir()
    (root / "data/.tinyberth-data").touch()
    given = variables_for_another("wrong", work)
    del given["DATA_DIR"], given["PORT"]
    yield Checkout(root, given)
    (root / ".env").unlink()


ONE_KEY = [
    ("CRLF", b"LINK_DAYS=9\r\nADMIN=ada\r\n", "Windows line ends (CRLF)"),
    ("BOM", b"\xef\xbb\xbfLINK_DAYS=9\n", "byte order mark"),
    ("UTF-16", "LINK_DAYS=9\n".encode("utf-16"), "not UTF-8"),
    ("double quotes", b'ADMIN="ada"\n', "ADMIN has a quote"),
    ("single quotes", b"ADMIN='ada'\n", "ADMIN has a quote"),
    ("unknown key", b"MEMLIMIT=4G\n", "did you mean MEM_LIMIT?"),
    ("negative memory", b"MEM_LIMIT=-4G\n", "MEM_LIMIT='-4G' is not valid"),
    ("negative CPUs", b"CPU_LIMIT=-1\n", "CPU_LIMIT='-1' is not valid"),
    ("negative processes", b"PIDS_LIMIT=-1\n", "PIDS_LIMIT='-1' is not valid"),
    ("relative data path", b"DATA_DIR=data/people\n", "DATA_DIR='data/people' is not valid"),
    ("root as data path", b"DATA_DIR=/\n", "DATA_DIR='/' is not valid"),
    ("data path without marker", b"DATA_DIR=/var/empty\n", "DATA_DIR=/var/empty is not a data"),
    ("port of root", b"PORT=80\n", "PORT='80' is not valid"),
    ("set twice", b"LINK_DAYS=9\nLINK_DAYS=10\n", "LINK_DAYS is set a second time"),
]


@pytest.mark.parametrize(
    ("env_file", "expected"), [case[1:] for case in ONE_KEY], ids=[case[0] for case in ONE_KEY]
)
def test_b5_up_names_the_one_key_that_is_wrong(
    checkout: Checkout, env_file: bytes, expected: str
) -> None:
    [problem] = checkout.up(env_file)
    assert expected in problem
    assert checkout.traces() == ""


def test_b5_a_port_that_another_program_has_is_one_error(checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        [problem] = checkout.up(f"PORT={port}\n".encode())
    assert f"PORT={port} is in use" in problem
    assert checkout.traces() == ""


def test_b5_everything_wrong_at_once_is_one_error_for_each_key(checkout: Checkout) -> None:
    wrong = ("ADMIN='ada'", "MEM_LIMIT=-4G", "PIDS_LIMIT=-1", "DATA_DIR=/", "PORT=99999",
             "MEMLIMIT=4G", "ORIGINS=everywhere")  # fmt: skip
    problems = checkout.up(b"\xef\xbb\xbf" + "\r\n".join(wrong).encode())
    keys = ["byte order mark", "CRLF", "ADMIN has", "MEM_LIMIT=", "PIDS_LIMIT=", "DATA_DIR=",
            "PORT=", "'MEMLIMIT'", "ORIGINS="]  # fmt: skip
    assert len(problems) == len(keys)
    for key in keys:
        assert len([problem for problem in problems if key in problem]) == 1, key
    assert checkout.traces() == ""


def test_b5_the_shells_variables_are_judged_as_well(checkout: Checkout) -> None:
    [problem] = checkout.up(b"", MEM_LIMIT="-4G")
    assert "MEM_LIMIT='-4G'" in problem
    assert checkout.traces() == ""


def test_b5_plain_compose_says_the_same_and_nothing_that_faces_people_starts(
    checkout: Checkout,
) -> None:
    port = free_port()
    env_file = f"PORT={port}\nMEM_LIMIT=-4G\nPIDS_LIMIT=-1\nMEMLIMIT=4G\n".encode()
    try:
        started = checkout.run(
            "docker", "compose", "up", "--detach", "--no-build", "--wait", "--wait-timeout", "60",
            env_file=env_file,
        )  # fmt: skip
        assert started.returncode != 0
        said = docker("logs", f"{checkout.project}-warden-1")
        lines = set((said.stdout + said.stderr).strip().splitlines())  # said at each new start
        assert len(lines) == 3
        for key in ("MEM_LIMIT='-4G'", "PIDS_LIMIT='-1'", "'MEMLIMIT' is not a setting"):
            assert len([line for line in lines if key in line]) == 1
        for service in ("proxy", "hub"):
            state = docker(
                "inspect", "--format", "{{.State.Status}}", f"{checkout.project}-{service}-1"
            ).stdout.strip()
            assert state == "created"
        with socket.socket() as visitor:
            assert visitor.connect_ex(("127.0.0.1", port)) != 0
    finally:
        checkout.run("docker", "compose", "down", "--volumes", env_file=b"")
