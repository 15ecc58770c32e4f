"""Show the team folders in the home: JupyterLab's file browser begins there and goes no higher."""

from __future__ import annotations

from pathlib import Path

FOLDER = "teams"


def ensure_teams_link(container_teams: Path, container_home: Path) -> bool:
    """Link ``teams`` in the home of who is in a team, where nothing has that name; return if made.

    Raises
    ------
    OSError
        If the home cannot take the link.
    """
    if not any(container_teams.iterdir()):
        return False
    try:
        (container_home / FOLDER).symlink_to(container_teams)
    except FileExistsError:  # ours of an earlier start, or something of the user's own
        return False
    return True
