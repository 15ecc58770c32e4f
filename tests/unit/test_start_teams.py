"""The link to the team folders: made for who is in a team, never over anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyberth_start.teams import ensure_teams_link


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "teams").mkdir()
    (tmp_path / "home").mkdir()
    return tmp_path / "teams", tmp_path / "home"


def test_who_is_in_no_team_gets_no_link(folders: tuple[Path, Path]) -> None:
    teams, home = folders
    assert not ensure_teams_link(teams, home)
    assert list(home.iterdir()) == []


def test_who_is_in_a_team_gets_one_link_once(folders: tuple[Path, Path]) -> None:
    teams, home = folders
    (teams / "nlp").mkdir()
    assert ensure_teams_link(teams, home)
    assert (home / "teams").readlink() == teams
    assert not ensure_teams_link(teams, home)


def test_what_the_user_has_under_that_name_stays(folders: tuple[Path, Path]) -> None:
    teams, home = folders
    (teams / "nlp").mkdir()
    (home / "teams").write_text("mine")
    assert not ensure_teams_link(teams, home)
    assert (home / "teams").read_text() == "mine"
    (home / "teams").unlink()
    (home / "teams").symlink_to("nowhere")
    assert not ensure_teams_link(teams, home)
