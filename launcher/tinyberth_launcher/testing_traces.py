"""Removes every trace of one test run, and of nothing else."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

from .command import capture


def remove_traces(project: str, host_work: Path, image: str) -> None:
    """Remove what carries ``project``'s name, then its folder and images, whatever is there.

    ``image`` can remove files that are not ours to remove: users' files are theirs.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second Ctrl-C would leave half
    for kind, list_args, remove_args in (
        ("ps", ["docker", "ps", "--all", "--quiet"], ["docker", "rm", "--force", "--volumes"]),
        ("network", ["docker", "network", "ls", "--quiet"], ["docker", "network", "rm"]),
        ("volume", ["docker", "volume", "ls", "--quiet"], ["docker", "volume", "rm"]),
    ):
        found = {
            line
            for filtered in _filters(kind, project)
            for line in capture([*list_args, "--filter", filtered]).out.split()
        }
        if found:
            capture([*remove_args, *sorted(found)], timeout=120)
    _remove_tables(project)
    _remove_folder(host_work, image)
    ours = f"reference={project}*"
    names = ("--format", "{{.Repository}}:{{.Tag}}")
    tags = capture(["docker", "image", "ls", "--filter", ours, *names]).out.split()
    if tags:
        capture(["docker", "image", "rm", "--force", *tags], timeout=120)


def _remove_tables(project: str) -> None:
    """Remove the firewalls' tables, which outlive containers that are killed."""
    nft = (
        *("docker", "run", "--rm", "--network", "host", "--cap-drop", "ALL"),
        *("--cap-add", "NET_ADMIN", f"{project}-firewall:0.1.0", "nft"),
    )
    listed = capture([*nft, "list", "tables", "inet"]).out.split()
    ours = [name for name in listed if f"{name}-".startswith(f"tinyberth-{project}-")]
    if ours:
        capture([*nft, "; ".join(f"delete table inet {name}" for name in ours)])


def _filters(kind: str, project: str) -> Iterator[str]:
    yield f"label=com.docker.compose.project={project}"
    if kind == "ps":
        yield f"label=tinyberth.deployment={project}"
    yield f"name=^/?{project}"


def _remove_folder(host_work: Path, image: str) -> None:
    """Remove the work folder; users' files in it are theirs, so it may take root."""
    shutil.rmtree(host_work, ignore_errors=True)
    if host_work.exists() and os.geteuid() != 0:
        parent = f"{host_work.parent}:/parent"
        remove = ("rm", "-rf", f"/parent/{host_work.name}")
        capture(["docker", "run", "--rm", "--volume", parent, image, *remove])
