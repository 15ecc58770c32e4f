"""THREATS A10 through the hub: who ruins the own environment has a server, and repairs it there.

More ruins, without the hub: tests/image/test_ruined_homes.py, tests/unit/test_start_terminal.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deployment import Deployment, Person
from jupyter_terminal import JupyterTerminal
from kernels import Kernel

SITE = ".local/lib/python3.13/site-packages"
# A package that breaks whatever imports it, and a .pth file that ends every Python at its start.
BROKEN = f"""
mkdir -p ~/.local/bin ~/{SITE} && cd ~/{SITE}
echo 'import os; os._exit(3)' > broken.pth
for package in tornado jupyter_server jupyterhub; do
    mkdir $package && echo 'raise RuntimeError("broken")' > $package/__init__.py
done
cd ~/.local/bin
for program in bash jupyter jupyterhub-singleuser; do
    printf '#!/bin/sh\\nexit 3\\n' > $program && chmod +x $program
done
"""


def lab(person: Person) -> int:
    """Return the status of JupyterLab's page, with a token as the page's own requests have."""
    headers = {"Authorization": f"token {person.make_token()}"}
    url = f"{person.server_url}/lab"
    return person.session.get(url, headers=headers, timeout=60).status_code


@contextmanager
def started(person: Person) -> Iterator[JupyterTerminal]:
    """Start the server in the home as it is; yield a terminal in which a command works."""
    person.start_server()
    try:
        assert lab(person) == 200
        terminal = JupyterTerminal(person)
        terminal.run("echo A$((40 + 2))B", until="A42B")
        yield terminal
    finally:
        person.stop_server()


def ids(deployment: Deployment, login: str) -> tuple[int, int]:
    found = deployment.home(login).stat()
    return found.st_uid, found.st_gid


def test_a10_broken_packages_are_removed_in_a_terminal(deployment: Deployment) -> None:
    person = deployment.add("torvald")
    uid, gid = ids(deployment, "torvald")
    ruin = (  # where nothing of ours protects: the ruin is real, no Python starts any more
        "run", "--rm", "--network=none", "--user", f"{uid}:{gid}", "--env", "HOME=/home/torvald",
        "--volume", f"{deployment.home('torvald')}:/home/torvald",
        f"{deployment.project}-singleuser:0.1.0", "bash", "-c",
    )  # fmt: skip
    ruined = deployment.docker(*ruin, f"{BROKEN}\npython -c pass", check=False)
    assert (ruined.returncode, ruined.stderr) == (3, "")
    with started(person) as terminal:
        terminal.run("type bash", until="/home/torvald/.local/bin/bash")
        terminal.run("rm -r ~/.local/lib ~/.local/bin; echo go$((0))ne", until="go0ne")
        assert Kernel(person).run("print(40 + 2)") == "42\n"


BASHRC = {
    "exit": "echo hello; exit 1",
    "exec": "exec false",
    "errexit": "set -e; false",
    "garbage": "head -c 4000 /dev/urandom; stty raw -echo; kill -9 $$",
}


def test_a10_a_wrong_bashrc_is_repaired_in_a_terminal(deployment: Deployment) -> None:
    person = deployment.add("basil")
    bashrc = deployment.home("basil") / ".bashrc"
    bashrc.write_text(BASHRC["exit"])
    os.chown(bashrc, *ids(deployment, "basil"))
    with started(person):
        for name, text in BASHRC.items():
            bashrc.write_text(f"{text}\n")
            terminal = JupyterTerminal(person)
            if name != "errexit":
                terminal.run("", until="repair ")
            terminal.run("echo > ~/.bashrc; echo mo$((0))ved", until="mo0ved")
        bashrc.write_text("echo lo$((0))p; while :; do sleep 1; done\n")
        terminal = JupyterTerminal(person)
        terminal.run("", until="lo0p")
        terminal.run("\x03echo > ~/.bashrc; echo mo$((0))ved", until="mo0ved")
        assert bashrc.read_text() == "\n"


@pytest.fixture
def full_home(deployment: Deployment) -> Iterator[str]:
    """Return the login of somebody whose home is a disk of 8 MB without a free byte."""
    login = "fulvia"
    deployment.add(login)
    uid, gid = ids(deployment, login)
    home = deployment.home(login)
    options = f"size=8m,uid={uid},gid={gid},mode=0700,nosuid,nodev"
    on_the_host(deployment, "mount", "-t", "tmpfs", "-o", options, "tinyberth-tests", str(home))
    try:
        yield login
    finally:
        on_the_host(deployment, "umount", "--lazy", str(home))


def on_the_host(deployment: Deployment, *command: str) -> str:
    """Run a command among the engine's own mounts, which a container's are not."""
    enter = 'exec nsenter --mount --target "$(pgrep -xo dockerd || echo 1)" -- "$@"'
    return deployment.docker(
        "run", "--rm", "--privileged", "--pid", "host", "--network", "none",
        f"{deployment.project}-tests:0.1.0", "sh", "-c", enter, "sh", *command,
    ).stdout  # fmt: skip


def test_a10_a_full_home_is_emptied_in_a_terminal(deployment: Deployment, full_home: str) -> None:
    person = deployment.people[full_home]
    home = str(deployment.home(full_home))
    fill = 'mkdir -p "$0/.ipython/profile_default"; cat /dev/zero > "$0/big"; chown -R "$1" "$0"'
    uid, gid = ids(deployment, full_home)
    on_the_host(deployment, "sh", "-c", f"{fill}; true", home, f"{uid}:{gid}")
    with started(person) as terminal:
        refused = deployment.as_user(full_home, "echo more > more", check=False)
        assert "No space left on device" in refused.stderr
        assert Kernel(person).run("print(40 + 2)") == "42\n"
        log = deployment.docker("logs", deployment.container(full_home)).stderr
        assert "tinyberth: notebooks: skipped, the home cannot take it" in log
        # what the host's file system refuses, it refuses in the container (docs/security.md)
        mounts = deployment.as_user(full_home, "grep /home/ /proc/mounts").stdout
        assert {"nosuid", "nodev"} <= set(mounts.split()[3].split(","))
        terminal.run("rm ~/big && echo mo$((0))re > ~/more && cat ~/more", until="mo0re")
