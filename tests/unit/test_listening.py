"""Where the proxy listens: the line for laptops, and what LISTEN=unix needs on the host."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
import yaml

from tinyberth_common.settings import load
from tinyberth_launcher.checkout import Checkout
from tinyberth_launcher.listening import (
    PROXY_UID,
    ensure_listen_dir,
    listen_problems,
    local_address,
    ssh_line,
)
from tinyberth_launcher.steps import Steps

UNIX = {"LISTEN": "unix", "LISTEN_DIR": "/srv/my door"}


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({}, "ssh -L 8000:localhost:8000 ada@box"),
        ({"PORT": "8001"}, "ssh -L 8001:localhost:8001 ada@box"),
        (UNIX, "ssh -L 8000:'/srv/my door/hub.sock' ada@box"),
        ({"LISTEN": "unix"}, "ssh -L 8000:/checkout/listen/hub.sock ada@box"),
    ],
)
def test_the_ssh_line_is_what_a_laptop_needs(variables: dict[str, str], line: str) -> None:
    assert ssh_line(Checkout(Path("/checkout"), {}), load(variables), "ada", "box") == line


@pytest.mark.parametrize(
    ("variables", "address"),
    [({"PORT": "8001"}, "http://127.0.0.1:8001"), (UNIX, "http://unix:/srv/my door/hub.sock")],
)
def test_a_tls_proxy_is_told_where_to_ask(variables: dict[str, str], address: str) -> None:
    assert local_address(Checkout(Path("/checkout"), {}), load(variables)) == address


def checkout_with_door(tmp_path: Path, *, uid: int | None) -> Checkout:
    if uid is not None:
        (tmp_path / "listen").mkdir()
        os.chown(tmp_path / "listen", uid, -1)
    return Checkout(tmp_path, {})


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")


@needs_root
@pytest.mark.parametrize(("uid", "fine"), [(PROXY_UID, True), (0, False), (1000, False)])
def test_the_folder_must_be_the_proxys(tmp_path: Path, uid: int, fine: bool) -> None:
    problems = listen_problems(checkout_with_door(tmp_path, uid=uid), load({"LISTEN": "unix"}))
    assert bool(problems) != fine
    for problem in problems:
        assert f"belongs to uid {uid}" in problem
        assert "sudo install -d -o 10002 -g $(id -gn) -m 0750" in problem


@needs_root
def test_root_makes_the_folder_for_the_checkouts_group_and_nobody_else(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 4321)
    settings = load({"LISTEN": "unix"})
    checkout = checkout_with_door(tmp_path, uid=None)
    assert listen_problems(checkout, settings) == []
    for _ in range(2):
        with Steps(io.StringIO(), io.StringIO()).step("Services") as step:
            ensure_listen_dir(step, checkout, settings)
    made = (tmp_path / "listen").stat()
    assert (made.st_uid, made.st_gid, made.st_mode & 0o7777) == (PROXY_UID, 4321, 0o750)


def test_others_are_told_how_to_make_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    [problem] = listen_problems(checkout_with_door(tmp_path, uid=None), load({"LISTEN": "unix"}))
    assert f"there is no folder {tmp_path}/listen. Make it: sudo install" in problem


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "listen").touch()
    [problem] = listen_problems(Checkout(tmp_path, {}), load({"LISTEN": "unix"}))
    assert "is not a folder" in problem


def test_with_tcp_no_folder_is_needed_or_made(tmp_path: Path) -> None:
    with Steps(io.StringIO(), io.StringIO()).step("Services") as step:
        ensure_listen_dir(step, Checkout(tmp_path, {}), load({}))
    assert list(tmp_path.iterdir()) == []


def test_the_proxys_uid_is_the_compose_files(root: Path) -> None:
    compose = yaml.safe_load((root / "docker-compose.yml").read_text(encoding="utf-8"))
    assert compose["services"]["proxy"]["user"].split(":")[0] == str(PROXY_UID)
