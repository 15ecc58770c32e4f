"""Who the user is for git, so that the first `git commit` works."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

DEFAULT_MAIL_DOMAIN = "hub.localhost"


def git_config(login: str, mail_domain: str) -> str:
    """Return the text of a first ``~/.gitconfig``."""
    return (
        "# Written once, when this account's server first started; it is yours to change.\n"
        "[user]\n"
        f"\tname = {_quoted(login)}\n"
        f"\temail = {_quoted(f'{login}@{mail_domain}')}\n"
        "[init]\n"
        "\tdefaultBranch = main\n"
        "[pull]\n"
        "\tff = only\n"
    )


def ensure_git_identity(container_home: Path, environment: Mapping[str, str]) -> bool:
    """Write ``~/.gitconfig`` where git finds no configuration of the user's; say if it did.

    Raises
    ------
    OSError
        If the home cannot take the file.
    """
    login = environment.get("TINYBERTH_LOGIN") or environment.get("LOGNAME")
    own_files = (container_home / ".gitconfig", container_home / ".config/git/config")
    # lexists: a dangling symlink is a choice too, and must not be written through
    if not login or any(os.path.lexists(path) for path in own_files):
        return False
    domain = environment.get("TINYBERTH_MAIL_DOMAIN") or DEFAULT_MAIL_DOMAIN
    with own_files[0].open("x", encoding="utf-8") as file:
        file.write(git_config(login, domain))
    return True


def _quoted(value: str) -> str:
    """Quote for git-config(1): names come from an identity provider and may hold anything."""
    one_line = " ".join(value.split())
    return '"' + one_line.replace("\\", "\\\\").replace('"', '\\"') + '"'
