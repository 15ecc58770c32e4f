"""Two people, two uids, and files that stay theirs: through the warden, on the real engine."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from service_client import ServiceClient
from warden_fixtures import TestWarden, deployment, docker, no_user_containers, warden

__all__ = ["deployment", "no_user_containers", "warden"]
pytestmark = pytest.mark.timeout(180)


def inside(warden: TestWarden, login: str, command: str) -> str:
    return docker("exec", warden.name(login), "sh", "-c", command, check=False)


def test_two_people_two_uids(warden):
    for login in ("alice", "bob"):
        warden.spawn(login)
        inside(warden, login, "umask 0002; echo hello > ~/file; mkdir ~/folder")
    owners = {}
    for login in ("alice", "bob"):
        home = warden.data / "users" / login
        owners[login] = {path.lstat().st_uid for path in (home, home / "file", home / "folder")}
        assert stat.S_IMODE(home.lstat().st_mode) == 0o700
        assert {path.lstat().st_gid for path in (home, home / "file")} == owners[login]
    assert len(owners["alice"]) == len(owners["bob"]) == 1
    assert owners["alice"] != owners["bob"]
    assert not owners["alice"] & {0, 1000}
    uid = owners["alice"].pop()
    assert f"uid={uid}" in inside(warden, "alice", "id")
    assert f"gid={uid}" in inside(warden, "alice", "id")
    assert inside(warden, "alice", "pwd; echo $HOME $USER $LOGNAME $SHELL $TINYBERTH_LOGIN") == (
        "/home/alice\n/home/alice alice alice /bin/bash alice"
    )


def test_one_cannot_read_the_others_files_on_the_host_either(warden):
    warden.spawn("alice")
    inside(warden, "alice", "echo mine > ~/file")
    warden.ledger.ok("PUT", "/v1/berths/bob", {})
    bob = (warden.data / "users/bob").lstat().st_uid
    file = warden.data / "users/alice/file"
    done = subprocess.run(["cat", str(file)], user=bob, group=bob, extra_groups=[], check=False)
    assert done.returncode != 0


def test_only_the_home_and_tmp_can_be_written(warden):
    warden.spawn("alice")
    for path in ("/datasets", "/opt/tinyberth/presets-site", "/var/lib/extrausers", "/etc", "/"):
        assert inside(warden, "alice", f"touch {path}/x && echo written") == "", path
    assert inside(warden, "alice", "touch ~/x /tmp/x /dev/shm/x && echo written") == "written"
    assert "alice:*:" in inside(warden, "alice", "cat /var/lib/extrausers/passwd")
    assert "alice:*:" in inside(warden, "alice", "cat /var/lib/extrausers/group")


def test_users_cannot_lock_the_ledger(warden):
    warden.spawn("alice")
    assert inside(warden, "alice", "flock -n /var/lib/extrausers/.lock true && echo locked") == ""


def test_a7_what_the_engine_was_told(warden):
    """THREATS A7: the CIS Docker Benchmark's section 5, for what one container can show."""
    warden.spawn("alice")
    found = warden.inspect("alice")
    host = found["HostConfig"]
    uid = (warden.data / "users/alice").lstat().st_uid
    assert found["Config"]["User"] == f"{uid}:{uid}"
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges"], "and the default seccomp profile"
    assert not host["Privileged"]
    assert host["ReadonlyRootfs"]
    assert host["NetworkMode"] == f"{warden.deployment}_users"
    assert (host["IpcMode"], host["CgroupnsMode"]) == ("private", "private")
    assert (host["PidMode"], host["UTSMode"], host["UsernsMode"]) == ("", "", "")
    assert host["Memory"] == host["MemorySwap"] == 2**28
    assert host["NanoCpus"] > 0
    assert host["PidsLimit"] == 1024
    assert not host["PortBindings"]
    assert host["RestartPolicy"]["Name"] == "no"
    assert not host["AutoRemove"]
    assert not host["Devices"]
    assert not host["Binds"]
    assert host["MaskedPaths"]
    assert host["ReadonlyPaths"]
    sources = {mount["Destination"]: mount["RW"] for mount in found["Mounts"]}
    assert [path for path, writable in sources.items() if writable] == ["/home/alice"]
    assert "/var/run/docker.sock" not in str(found["Mounts"])
    status = inside(
        warden, "alice", "grep -E 'Cap(Prm|Eff|Bnd)|NoNewPrivs|Seccomp:' /proc/1/status"
    )
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status


def test_the_last_log_lines_can_be_read(warden):
    number = warden.spawn("alice")
    end = time.monotonic() + 10
    while True:
        path = f"/containers/{number}/logs?stdout=1&stderr=1&tail=1"
        log = warden.client.ok("GET", path)
        if log or time.monotonic() > end:
            break
        time.sleep(0.05)
    assert log[8:] == b"started\n"


def test_a_spawn_that_stopped_between_create_and_start(warden):
    """THREATS F5, as DockerSpawner does it: found, removed, made anew."""
    leftover = warden.create("alice")
    status, _ = warden.client.call(
        "POST", f"/containers/create?name={warden.name('alice')}", warden.create_body("alice")
    )
    assert status == 409
    assert warden.client.ok("GET", f"/containers/{warden.name('alice')}/json")["Id"] == leftover
    warden.client.ok("DELETE", f"/containers/{leftover}?v=True&link=False&force=False")
    assert warden.spawn("alice") != leftover


def test_docker_py_as_it_is(warden, monkeypatch):
    """Every call that DockerSpawner makes of docker-py, in its order."""
    docker_py = pytest.importorskip("docker")
    from docker.transport import unixconn
    from service_client import connect_as

    def connect(self):
        self.sock = connect_as(warden.client.path, warden.client.uid)

    monkeypatch.setattr(unixconn.UnixHTTPConnection, "connect", connect)
    client = docker_py.APIClient(base_url=f"unix://{warden.client.path}", version="auto")
    name = warden.name("alice")
    berth = warden.ledger.ok("PUT", "/v1/berths/alice", {})
    with pytest.raises(docker_py.errors.ImageNotFound):
        client.inspect_image("debian")
    client.inspect_image(warden.user_image)
    with pytest.raises(docker_py.errors.NotFound):
        client.inspect_container(name)
    made = client.create_container(
        image=warden.user_image,
        environment={"JUPYTERHUB_USER": "alice", "JPY_API_TOKEN": "x"},
        volumes=[],
        name=name,
        command=None,
        ports={"8888/tcp": None},
        user=f"{berth['uid']}:{berth['gid']}",
        labels={"tinyberth.login": "alice"},
        host_config=client.create_host_config(
            auto_remove=True,
            binds={},
            links={},
            mounts=[],
            mem_limit="256M",
            cpu_period=100_000,
            cpu_quota=50_000,
            network_mode=f"{warden.deployment}_users",
        ),
    )
    client.start(made["Id"])
    found = client.inspect_container(made["Id"])
    assert found["State"]["Running"]
    assert found["NetworkSettings"]["Networks"][f"{warden.deployment}_users"]["IPAddress"]
    assert isinstance(client.logs(made["Id"], stdout=True, stderr=True, tail=20), bytes)
    client.stop(made["Id"], timeout=1)
    client.remove_container(made["Id"], v=True)
    with pytest.raises(docker_py.errors.APIError, match="not a call that is served"):
        client.exec_create(name, "id")


def test_a_missing_image_names_itself_and_the_remedy(deployment, warden):
    """THREATS F7."""
    body = warden.create_body("alice")
    docker("tag", warden.user_image, f"{warden.user_image}-kept")
    docker("rmi", "--no-prune", warden.user_image)
    try:
        began = time.monotonic()
        path = f"/containers/create?name={warden.name('alice')}"
        status, answer = warden.client.call("POST", path, body)
        assert time.monotonic() - began < 5
    finally:
        docker("tag", f"{warden.user_image}-kept", warden.user_image)
        docker("rmi", f"{warden.user_image}-kept")
    assert status == 404
    assert warden.user_image in answer["message"]
    assert "docker compose build singleuser" in answer["message"]


def test_killed_it_leaves_servers_running_and_works_again(warden):
    """THREATS F4."""
    number = warden.spawn("alice")
    docker("kill", "--signal=KILL", warden.container)
    with pytest.raises(ConnectionRefusedError):
        warden.client.call("GET", "/v1/health")
    assert warden.inspect("alice")["State"]["Running"]
    docker("start", warden.container)
    warden.wait_for_health()
    assert warden.client.ok("GET", f"/containers/{number}/json")["State"]["Running"]
    warden.spawn("bob")


def test_the_image_says_it_is_healthy_by_its_own_check(warden):
    check = ["python3", "-IS", "/opt/tinyberth/tinyberth_server/healthcheck.py"]
    for service in ("ledger", "warden"):
        container, path = f"{warden.deployment}-{service}-1", f"/run/tinyberth/{service}"
        assert '"ok"' in docker("exec", container, *check, f"{path}/{service}.sock")


@pytest.mark.parametrize("uid", [0, 10002, 20000])
def test_nobody_but_the_hub_is_served(warden, uid):
    for service, path in [(warden.client, "/version"), (warden.ledger, "/v1/berths")]:
        status, answer = ServiceClient(service.path, uid).call("GET", path)
        assert (status, answer["error"]) == (403, "wrong_caller")
        assert service.call("GET", path)[0] == 200
    for service, *call in [
        (warden.client, "GET", "/v1/running/alice"),
        (warden.ledger, "POST", "/v1/berths/alice/folders"),
    ]:
        assert service.call(*call)[1]["error"] == "wrong_caller", "not even the hub"


def test_the_owner_of_the_checkout_keeps_it(warden):
    assert warden.data.stat().st_uid == 1000
    assert (warden.data / "datasets").stat().st_uid == 1000
    assert (warden.data / "users").stat().st_uid == 0


def test_archived_and_added_again(warden):
    """The same name later is somebody new, and the container of the first is not started."""
    old = warden.spawn("carol")
    inside(warden, "carol", "echo mine > ~/thesis")
    status, answer = warden.ledger.call("POST", "/v1/berths/carol/archive", {})
    assert (status, answer["error"]) == (409, "running")
    warden.client.ok("POST", f"/containers/{old}/stop?t=1")
    first = warden.ledger.ok("POST", "/v1/berths/carol/archive", {})
    assert first["archive"] == "carol~1"
    assert (warden.data / "archive/carol~1/thesis").read_text() == "mine\n"
    assert (warden.data / "archive/carol~1").lstat().st_uid == first["uid"]
    second = warden.ledger.ok("PUT", "/v1/berths/carol", {})
    assert second["uid"] != first["uid"]
    assert second["home"]["created"]
    assert warden.client.call("POST", f"/containers/{old}/start")[1]["error"] == "stale_container"
    warden.client.ok("DELETE", f"/containers/{old}")
    warden.spawn("carol")
    assert inside(warden, "carol", "ls -A ~") == ""


def test_a9_files_left_by_a_symlink_in_the_home_are_not_followed(warden):
    """THREATS A9: what a user puts into the home is never looked at."""
    warden.spawn("alice")
    inside(warden, "alice", "rm -rf ~/work; ln -s /etc ~/work; ln -s /data ~/data; mkfifo ~/pipe")
    before = os.lstat("/etc")
    docker("rm", "--force", warden.name("alice"))
    warden.spawn("alice")
    assert inside(warden, "alice", "readlink ~/work") == "/etc"
    assert (os.lstat("/etc").st_uid, os.lstat("/etc").st_mode) == (before.st_uid, before.st_mode)


def test_either_killed_while_the_other_waits_for_it(warden):
    """The caller is told at once, nothing moved or started, and the other one goes on."""
    number = warden.create("fred")
    cases = [
        # who is killed, who waits for it, what the hub asked, and what goes on meanwhile
        (warden.ledger_container, warden.client, ("POST", f"/containers/{number}/start"),
         ("GET", "/version"), "ledger_down"),
        (warden.container, warden.ledger, ("POST", "/v1/berths/fred/archive", {}),
         ("GET", "/v1/berths"), "warden_down"),
    ]  # fmt: skip
    for victim, service, asked, meanwhile, error in cases:
        docker("pause", victim)
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(service.call, *asked)
            assert service.call(*meanwhile)[0] == 200
            assert not waiting.done()
            docker("kill", "--signal=KILL", victim)
            status, answer = waiting.result(timeout=20)
        assert (status, answer["error"]) == (503, error)
        assert "docker compose logs" in answer["message"]
        assert service.call(*asked)[1]["error"] == error, "while it is away, too"
        assert service.call(*meanwhile)[0] == 200
        docker("start", victim)
        warden.wait_for_health()
    assert (warden.data / "users/fred").is_dir()
    assert warden.client.call("POST", f"/containers/{number}/start")[0] == 204
    assert warden.ledger.call("POST", "/v1/berths/fred/archive", {})[1]["error"] == "running"
