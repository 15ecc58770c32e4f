"""The doctor sees each part that is broken: services, sockets, volumes, images, people, disk."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deployment import REPO, Deployment


def examined(deployment: Deployment, *words: str, **variables: str) -> dict[str, dict[str, Any]]:
    """Return the findings that are no good news, by their keys."""
    deployment.variables.update(variables)
    try:
        done = deployment.tinyberth("doctor", "--json", *words, check=False)
    finally:
        for name in variables:
            del deployment.variables[name]
    findings = json.loads(done.stdout)["findings"]
    return {one["key"]: one for one in findings if one["level"] != "fine"}


def in_hub(deployment: Deployment, script: str) -> None:
    """Run Python in the hub's container, as the hub."""
    deployment.docker("exec", deployment.service("hub"), "python3", "-c", script)


def test_a_well_deployment_has_no_fault(deployment: Deployment) -> None:
    topics = ("engine", "port", "clock", "firewall", "sockets", "volumes", "images")
    done = deployment.tinyberth("doctor", "settings", "services", *topics, check=False)
    assert "✗" not in done.stdout, done.stdout
    assert done.returncode == 0
    assert f"✓ Port: {deployment.port} is ours" in done.stdout


def test_settings_of_every_kind_are_found_by_their_names(deployment: Deployment) -> None:
    typo = examined(deployment, "settings", COMPOSE_PROJECT_NAME=deployment.project, PORT="80")
    assert "PORT='80' is not valid" in typo["setting"]["what"]
    other = examined(deployment, "settings", PIDS_LIMIT="999")
    assert "PIDS_LIMIT is '999', and ledger, warden" in other["setting_not_applied"]["what"]
    huge = examined(deployment, "memory", MEM_LIMIT="900T")
    assert "memory_limit" in huge


@contextmanager
def checkout_of_ones_own(work: Path) -> Iterator[Path]:
    """Copy what the launcher reads, so that a test may change it; times are kept."""
    copy = work / "doctor-checkout"
    ignored = shutil.ignore_patterns("__pycache__", "node_modules")
    for name in ("common", "firewall", "hub", "launcher", "ledger", "notebooks", "proxy",
                 "singleuser", "warden"):  # fmt: skip
        shutil.copytree(REPO / name, copy / name, ignore=ignored)
    for name in ("tinyberth", "docker-compose.yml"):
        shutil.copy2(REPO / name, copy / name)
    try:
        yield copy
    finally:
        shutil.rmtree(copy)


def test_images_and_env_of_a_changed_checkout_are_found(
    deployment: Deployment, work: Path
) -> None:
    # An empty variable of the shell, as the run has for all settings, wins over .env.
    shell = {key: os.environ[key] for key in os.environ if key != "AUTH_CLIENT_SECRET"}

    def look(copy: Path, topic: str) -> str:
        """Return what is no good news, as text."""
        command = [str(copy / "tinyberth"), "doctor", "--json", topic]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=shell)
        found = json.loads(done.stdout)["findings"]
        return "\n".join(f"{f['key']}: {f['what']}" for f in found if f["level"] != "fine")

    record = (
        "import pathlib, sys; sys.path[:0] = ['launcher', 'common', 'singleuser/presets'];"
        "from tinyberth_launcher import built_images, checkout;"
        "it = checkout.load_checkout(pathlib.Path.cwd());"
        "built_images.record(it, built_images.sources(it))"
    )
    with checkout_of_ones_own(work) as copy:
        (copy / ".env").write_text("PROT=8000\nAUTH_CLIENT_SECRET=s\n")
        (copy / ".env").chmod(0o644)
        bad = look(copy, "settings")
        assert "setting: 'PROT' is not a setting of Tinyberth: did you mean PORT?" in bad
        assert "env_readable: .env has the mode 644 and holds AUTH_CLIENT_SECRET" in bad
        (copy / ".env").unlink()

        assert "image_old" not in look(copy, "images")
        changed = copy / "hub/tinyberth_hub/__init__.py"
        os.utime(changed, (time.time() + 60,) * 2)  # not built by `up`, so told by its time
        old = "image_old: the image of hub is older than the checkout"
        assert old in look(copy, "images")
        subprocess.run(["python3", "-B", "-c", record], cwd=copy, check=True, env=shell)
        assert "image_old" not in look(
            copy, "images"
        )  # by now it was, and the content is what was built
        changed.write_text(changed.read_text() + "# changed\n")
        os.utime(changed, (0, 0))
        assert old in look(copy, "images")

        os.utime(copy / "docker-compose.yml", (time.time() + 9000,) * 2)
        late = look(copy, "clock")
        assert "clock_back" in late
        assert "docker-compose.yml was written 2 hours after" in late


def test_services_and_servers_of_another_image_and_an_image_that_is_gone(
    deployment: Deployment,
) -> None:
    deployment.with_server("alice")
    firewall, user = (f"{deployment.project}-{name}:0.1.0" for name in ("firewall", "singleuser"))
    try:
        for name in (firewall, user):
            deployment.docker("tag", name, f"{name}-kept")
            deployment.docker("tag", f"{deployment.project}-proxy:0.1.0", name)
        found = examined(deployment, "images")
        assert found["service_old"]["what"].startswith("firewall runs an older image")
        assert "alice" in found["servers_old"]["what"]
        deployment.docker("rmi", firewall)
        assert "no image of firewall" in examined(deployment, "images")["image_missing"]["what"]
    finally:
        for name in (firewall, user):
            deployment.docker("tag", f"{name}-kept", name)
            deployment.docker("rmi", f"{name}-kept")
    assert not examined(deployment, "images")


def test_a_taken_port_and_a_full_disk(deployment: Deployment) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        found = examined(deployment, "port", PORT=port)
        assert f"(on 127.0.0.1 by uid {os.getuid()})" in found["port_taken"]["what"]
    assert "port_silent" in examined(deployment, "port", PORT=port)
    shm = os.statvfs("/dev/shm")  # of this container: 1 GiB, less than any deployment needs
    assert shm.f_blocks * shm.f_frsize < 2 * 2**30
    assert "/dev/shm" in examined(deployment, "disk", DATA_DIR="/dev/shm")["disk_full"]["what"]


def mended(deployment: Deployment, *topics: str) -> list[str]:
    """Mend what is found in ``topics``, all of it; return what was found."""
    done = deployment.tinyberth("doctor", "--json", "--fix", "--yes", *topics, check=False)
    document = json.loads(done.stdout)
    assert document["exit_code"] == 0, document
    return [f"{one['key']}: {one['what']}" for one in document["mended"]]


def test_a_stopped_ledger_and_its_dead_or_open_socket_are_mended(deployment: Deployment) -> None:
    deployment.compose("stop", "ledger")
    stopped, dead = mended(deployment, "services", "sockets")
    assert stopped.startswith("service_stopped: ledger is exited")
    assert dead.startswith("socket_dead: ledger does not answer")
    deployment.docker("exec", deployment.service("ledger"), "chmod", "666",
                      "/run/tinyberth/ledger/ledger.sock")  # fmt: skip
    (opened,) = mended(deployment, "sockets")
    assert opened.startswith("socket_open: ")
    assert "with the mode 666" in opened


def test_a_secret_and_a_volume_that_are_open_are_closed_again(deployment: Deployment) -> None:
    state = "/var/lib/tinyberth"
    in_hub(
        deployment, f"import os; os.chmod('{state}/link-key', 0o644); os.chmod('{state}', 0o755)"
    )
    found = " ".join(mended(deployment, "volumes"))
    assert "link-key is not the hub's alone" in found
    assert "the volume hub-state belongs to 10001:10001 with the mode 755" in found
    modes = f"os.stat('{state}').st_mode | os.stat('{state}/link-key').st_mode"
    script = f"import os; assert not ({modes}) & 0o77"
    in_hub(deployment, script)


def test_f15_users_and_people_that_only_one_side_knows(deployment: Deployment) -> None:
    passwd = deployment.host_data_dir / "ledger" / "passwd"
    deployment.tinyberth("user", "add", "dr-known")
    kept = passwd.read_text()
    group = passwd.with_name("group").read_text()
    line = next(line for line in kept.splitlines(keepends=True) if line.startswith("dr-known:"))
    try:
        passwd.write_text(kept.replace(line, line.replace("dr-known", "dr-stranger")))
        found = examined(deployment, "people")
        assert "dr-known is a user of the hub" in found["user_not_in_ledger"]["what"]
        assert "dr-stranger is in the ledger" in found["berth_without_user"]["what"]
    finally:
        passwd.write_text(kept)
        passwd.with_name("group").write_text(group)
    forget = (
        "import sqlite3; c = sqlite3.connect('/var/lib/tinyberth/accounts.sqlite', timeout=30);"
        "c.execute(\"update accounts set name = 'dr-other' where name = 'dr-known'\"); c.commit()"
    )
    in_hub(deployment, forget)
    found = examined(deployment, "people")
    assert "dr-known is a user" in found["user_without_account"]["what"]
    assert "an account dr-other of nobody" in found["account_of_nobody"]["what"]
    in_hub(deployment, forget.replace("dr-other", "X").replace("dr-known", "dr-other")
           .replace("'X'", "'dr-known'"))  # fmt: skip
    assert "dr-" not in json.dumps(examined(deployment, "people"))


def test_a_server_and_a_container_that_nobody_knows(deployment: Deployment) -> None:
    login = "dr-nobody"
    name = deployment.container(login)
    image = f"{deployment.project}-firewall:0.1.0"
    labels = {"tinyberth.deployment": deployment.project, "tinyberth.login": login}
    options = [word for pair in labels.items() for word in ("--label", "=".join(pair))]
    deployment.docker("run", "--detach", "--init", "--name", name, *options,
                      "--network", "none", image, "sleep", "600")  # fmt: skip
    try:
        assert name in examined(deployment, "people")["server_of_nobody"]["what"]
    finally:
        deployment.docker("rm", "--force", name)


def test_what_services_refused_is_told(deployment: Deployment) -> None:
    from tinyberth_launcher.doctor import refusals

    in_hub(deployment,
           "import http.client, socket; c = http.client.HTTPConnection('x');"
           "c.sock = socket.socket(socket.AF_UNIX);"
           "c.sock.connect('/run/tinyberth/warden/warden.sock');"
           "c.request('GET', '/secrets/json'); c.getresponse()")  # fmt: skip
    told = examined(deployment, "refusals")["refused"]
    assert told["level"] == "note"
    assert refusals.SERVICES


def test_unfinished_copies_are_told(deployment: Deployment) -> None:
    hidden = deployment.host_data_dir / "presets" / ".unfinished"
    (hidden / "dr-half").mkdir(parents=True)
    os.utime(hidden / "dr-half", (0, 0))
    try:
        assert "presets/dr-half" in str(examined(deployment, "leftovers")["unfinished_copy"])
    finally:
        (hidden / "dr-half").rmdir()
        hidden.rmdir()


def test_with_everything_down_it_says_what_it_sees_and_what_it_does_not(
    deployment: Deployment,
) -> None:
    """Of a project that has nothing: it makes nothing, either."""
    other = f"{deployment.project}-none"
    document = examined(deployment, COMPOSE_PROJECT_NAME=other)
    assert document["down"]["remedy"] == "./tinyberth up"
    assert "skipped" in document
    listed = deployment.docker("volume", "ls", "--quiet", "--filter", f"name={other}").stdout
    assert listed == ""


@pytest.mark.parametrize("words", [["nonsense"], ["--nonsense"]])
def test_what_it_does_not_know_exits_2(deployment: Deployment, words: list[str]) -> None:
    assert deployment.tinyberth("doctor", *words, check=False).returncode == 2
