"""git knows who the user is from the first commit on, and a choice of theirs is kept."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tinyberth_start.identity import ensure_git_identity, git_config

ALICE = {"TINYBERTH_LOGIN": "alice"}


def ask_git(home: Path, key: str) -> str:
    command = ["git", "config", "--file", str(home / ".gitconfig"), key]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_first_start_writes_name_address_and_safe_defaults(tmp_path):
    assert ensure_git_identity(tmp_path, ALICE)
    assert ask_git(tmp_path, "user.name") == "alice"
    assert ask_git(tmp_path, "user.email") == "alice@hub.localhost"
    assert ask_git(tmp_path, "init.defaultBranch") == "main"


def test_the_mail_domain_comes_from_the_deployment(tmp_path):
    ensure_git_identity(tmp_path, {**ALICE, "TINYBERTH_MAIL_DOMAIN": "example.org"})
    assert ask_git(tmp_path, "user.email") == "alice@example.org"


@pytest.mark.parametrize("own", [".gitconfig", ".config/git/config"])
def test_a_configuration_of_the_users_own_is_left_alone(tmp_path, own):
    (tmp_path / own).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / own).write_text("# mine\n")
    assert not ensure_git_identity(tmp_path, ALICE)
    assert (tmp_path / own).read_text() == "# mine\n"


def test_a_dangling_symlink_is_not_written_through(tmp_path):
    (tmp_path / ".gitconfig").symlink_to(tmp_path / "elsewhere")
    assert not ensure_git_identity(tmp_path, ALICE)
    assert not (tmp_path / "elsewhere").exists()


def test_nobody_in_particular_gets_no_identity(tmp_path):
    assert not ensure_git_identity(tmp_path, {})


@pytest.mark.parametrize("name", ['Zoë "Z" O\\Neil', "a # b ; c", "[core]\n\tpager = touch /x"])
def test_a_name_from_outside_stays_a_name(tmp_path, name):
    (tmp_path / ".gitconfig").write_text(git_config(name, "example.org"), encoding="utf-8")
    assert ask_git(tmp_path, "user.name") == " ".join(name.split())
