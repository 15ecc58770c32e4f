"""The way in that people use: ssh's tunnel, by a key that is for the tunnel alone."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployment import PASSWORD, Deployment, free_port
from ssh_attacks import ATTACKS, remote_port_one, remote_socket
from ssh_server import (
    Key,
    Laptop,
    SshServer,
    bridge_address,
    documented_block,
    documented_key_options,
)


@pytest.fixture(scope="module")
def server(deployment: Deployment, work: Path) -> Iterator[SshServer]:
    folder = work / "sshd"
    folder.mkdir()
    with SshServer(folder, bridge_address(), documented_block(0, deployment.port)) as server:
        yield server


@pytest.fixture(scope="module")
def plain(server: SshServer) -> Key:
    """Return a key that nothing restricts: every attack below must work with it."""
    return server.allow("tunnel-plain")


@pytest.fixture(scope="module")
def keyed(server: SshServer, deployment: Deployment) -> Key:
    return server.allow("tunnel-keyed", documented_key_options(deployment.port))


@pytest.fixture(scope="module")
def grouped(server: SshServer) -> Key:
    return server.allow("tunnel-grouped", "", "hub-tunnel")


@pytest.fixture(scope="module")
def laptop(server: SshServer, project: str) -> Iterator[Laptop]:
    with Laptop(f"{project}-laptop", project, server.folder) as laptop:
        yield laptop


def test_a_laptop_opens_the_hub_and_a_server_by_tinyberth_tunnel(
    deployment: Deployment, keyed: Key, laptop: Laptop, root: Path
) -> None:
    deployment.with_server("alice")
    assert "ERR_CONNECTION_REFUSED" in laptop.browse(deployment.url)["error"]
    tunnel = laptop.start(
        str(root / "tinyberth"), "tunnel", keyed.destination, "--port", str(deployment.port),
        "--", *keyed.options,
    )  # fmt: skip
    assert tunnel.stdout is not None
    said = [tunnel.stdout.readline(), tunnel.stdout.readline()]
    assert said == [f"The tunnel is open:  {deployment.url}\n", "Ctrl-C closes it.\n"]
    seen = laptop.browse(deployment.url, "alice", PASSWORD)
    assert seen["login"].startswith(f"{deployment.url}/hub/login")
    assert seen["server"].startswith(f"http://alice.hub.localhost:{deployment.port}/user/alice/")
    laptop.signal("INT", "tinyberth tunnel")
    assert tunnel.wait(30) == 0
    assert "The tunnel is closed." in tunnel.stdout.read()
    assert "ERR_CONNECTION_REFUSED" in laptop.browse(deployment.url)["error"]


@pytest.mark.parametrize("way", ["keyed", "grouped"])
def test_the_line_that_up_prints_is_all_that_is_needed(
    deployment: Deployment, laptop: Laptop, way: str, request: pytest.FixtureRequest
) -> None:
    key: Key = request.getfixturevalue(way)
    [line] = [line for line in deployment.up_output.splitlines() if "ssh -L" in line]
    words = line.partition("ssh ")[2].split()[:-1]  # all but you@this-host
    tunnel = laptop.start("ssh", *key.options, *words, key.destination)
    assert tunnel.stdout is not None
    for said in tunnel.stdout:
        if "opens the tunnel to Tinyberth and nothing else" in said:
            break
    assert "login" in laptop.browse(deployment.url)
    tunnel.communicate(timeout=30)  # closes its stdin, as a closed window does
    assert tunnel.returncode == 0


def test_tunnel_says_when_the_server_lets_it_not_through(
    deployment: Deployment, keyed: Key, laptop: Laptop, root: Path
) -> None:
    port = str(free_port())
    tunnel = laptop.start(
        str(root / "tinyberth"), "tunnel", keyed.destination, "--port", port,
        "--", *keyed.options,
    )  # fmt: skip
    said, _ = tunnel.communicate(timeout=60)
    assert tunnel.returncode == 1
    assert "its sshd does not let this tunnel through" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("attack", [*ATTACKS, remote_socket])
def test_a_key_that_nothing_restricts_can_do_everything(
    plain: Key, attack: Callable[[Key], bool]
) -> None:
    """The control: what is refused below is refused by the line, not by this sshd."""
    assert attack(plain)


@pytest.mark.parametrize("attack", [*ATTACKS, remote_port_one])
def test_the_documented_key_opens_the_tunnel_and_nothing_else(
    keyed: Key, attack: Callable[[Key], bool]
) -> None:
    assert not attack(keyed)


@pytest.mark.parametrize("attack", [*ATTACKS, remote_port_one, remote_socket])
def test_the_documented_group_opens_the_tunnel_and_nothing_else(
    grouped: Key, attack: Callable[[Key], bool]
) -> None:
    assert not attack(grouped)


def test_what_the_key_alone_leaves_open_is_what_the_docs_say(keyed: Key, root: Path) -> None:
    assert remote_socket(keyed)
    assert "ssh -R /path/of/a.sock" in (root / "docs/tunnel.md").read_text(encoding="utf-8")


def test_the_documented_settings_pass_sshds_own_check(server: SshServer) -> None:
    config = server.folder / "sshd_config"
    subprocess.run(["/usr/sbin/sshd", "-t", "-f", config], check=True)
