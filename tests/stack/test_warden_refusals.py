"""What the warden refuses never reaches the real engine (THREATS A6, F8, F9)."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess

import pytest
from service_client import connect_as
from warden_fixtures import TestWarden, deployment, docker, no_user_containers, warden

__all__ = ["deployment", "no_user_containers", "warden"]
pytestmark = pytest.mark.timeout(180)

HOST_CONFIGS = [
    {"Binds": ["/:/host"]},
    {"Mounts": [{"Type": "bind", "Source": "/", "Target": "/host"}]},
    {"VolumesFrom": ["WARDEN"]},
    {"Privileged": True},
    {"privileged": True},
    {"PRIVILEGED": True},
    {"CapAdd": ["ALL"]},
    {"SecurityOpt": ["seccomp=unconfined"]},
    {"Devices": [{"PathOnHost": "/dev/vda", "PathInContainer": "/d", "CgroupPermissions": "rwm"}]},
    {"NetworkMode": "host"},
    {"NetworkMode": "container:WARDEN"},
    {"PidMode": "host"},
    {"IpcMode": "host"},
    {"UTSMode": "host"},
    {"UsernsMode": "host"},
    {"CgroupnsMode": "host"},
    {"CgroupParent": "/"},
    {"Memory": 2**50},
    {"CpuQuota": 10**9},
    {"PidsLimit": -1},
    {"PortBindings": {"8888/tcp": [{"HostPort": "8888"}]}},
    {"RestartPolicy": {"Name": "always"}},
    {"LogConfig": {"Type": "syslog", "Config": {"syslog-address": "tcp://1.2.3.4"}}},
    {"Sysctls": {"net.ipv4.ip_forward": "1"}},
    {"Runtime": "io.containerd.runc.v2"},
]
BODIES = [
    {"User": "0:0"},
    {"User": "root"},
    {"User": ""},
    {"User": "BOB"},
    {"user": "0:0"},
    {"Image": "OTHER_IMAGE"},
    {"Cmd": ["sh"]},
    {"Entrypoint": ["sh"]},
    {"Volumes": {"/x": {}}},
    {"Labels": {"tinyberth.login": "bob"}},
    {"Labels": {"tinyberth.login": "alice", "com.docker.compose.project": "x"}},
    {"Env": ["LD_PRELOAD=/home/alice/x.so"]},
    {"NetworkingConfig": {"EndpointsConfig": {"bridge": {}}}},
    {"Healthcheck": {"Test": ["CMD", "sh"]}},
]


def test_a6_create_with_anything_more(warden: TestWarden):
    """The table of the unit tests in short; here the engine's own events are the witness."""
    base = warden.create_body("alice")
    bob = warden.ledger.ok("PUT", "/v1/berths/bob", {})
    words = {
        "WARDEN": warden.container,
        "OTHER_IMAGE": warden.other_image,
        "BOB": f"{bob['uid']}:{bob['gid']}",
        "container:WARDEN": f"container:{warden.container}",
    }
    path = f"/v1.44/containers/create?name={warden.name('alice')}"
    with warden.engine_events() as events:
        for changes in [{"HostConfig": config} for config in HOST_CONFIGS] + BODIES:
            body = copy.deepcopy(base)
            for key, value in changes.items():
                if key == "HostConfig":
                    body[key] |= value
                else:
                    body[key] = words.get(value, value) if isinstance(value, str) else value
            status, answer = warden.client.call("POST", path, body)
            assert status in (400, 403), (changes, answer)
            assert "is refused" in answer["message"] or "there twice" in answer["message"]
        raw = b'{"HostConfig":{},"hostconfig":{"Privileged":true}}'
        assert warden.client.call("POST", path, raw)[0] == 400
        assert warden.client.call("POST", path, b'{"Image":"a","Image":"b"}')[0] == 400
        other = path.replace("alice", "bob")
        assert warden.client.call("POST", other, base)[0] == 403
    assert events == []
    assert docker("ps", "-aq", "--filter", f"name={warden.name('')}") == ""


CALLS = [
    "POST /containers/OURS/exec",
    "GET /containers/OURS/archive?path=/etc",
    "PUT /containers/OURS/archive?path=/etc",
    "POST /build",
    "POST /commit?container=OURS",
    "POST /images/create?fromImage=debian",
    "POST /containers/prune",
    "POST /volumes/create",
    "GET /containers/json",
    "GET /events",
    "POST /v1.44/../containers/OURS/start",
    "POST /containers/OURS/start?detachKeys=x",
    "POST /containers/WARDEN/stop",
    "DELETE /containers/WARDEN?force=1",
    "GET /containers/WARDEN/json",
    "GET /containers/WARDEN/logs?stdout=1",
    "DELETE /containers/WARDEN_ID?force=1",
    "DELETE /containers/WARDEN_SHORT?force=1",
    "DELETE /containers/LEDGER?force=1",
    "POST /containers/OURS/kill",
    "POST /containers/OURS/restart",
    "POST /containers/OURS/pause?x=1",
    "POST /containers/OURS/unpause?force=1",
    "POST /containers/WARDEN/pause",
    "POST /containers/WARDEN/unpause",
    "POST /containers/LEDGER/pause",
    "POST /containers/OURS/rename?name=x",
    "POST /containers/OURS/update",
    "POST /containers/OURS/attach?stream=1",
    "POST /containers/OURS/resize?h=1&w=1",
    "GET /containers/OURS/export",
    "GET /containers/OURS/top",
    "GET /containers/OURS/attach/ws",
    "POST /networks/create",
    "POST /networks/x/connect",
    "POST /plugins/pull?remote=x",
    "POST /session",
    "POST /grpc",
    "POST /swarm/init",
    "POST /images/load",
    "POST /images/x/push",
    "DELETE /images/USER_IMAGE",
    "GET /images/debian/json",
    "GET /secrets",
    "GET /info",
    "POST /v1.44/containers/OURS/../WARDEN/stop",
    "POST /v1.44/containers/%2e%2e/WARDEN/stop",
    "POST /v1.44/containers/OURS%2f..%2fWARDEN/stop",
    "POST /v1.44//containers/OURS/stop",
    "POST //containers/OURS/stop",
    "POST /containers/OURS/stop/",
    "POST /containers/OURS/stop;x",
    "POST /containers/OURS/Stop",
    "POST /CONTAINERS/OURS/stop",
    "POST /containers/OURS/stop%00",
    "POST /containers/OURS/stop%3Ft=1",
    "POST /v1.44x/containers/OURS/stop",
    "POST /v2.0/containers/OURS/stop",
    "POST http://docker/containers/OURS/stop",
    "POST /containers/OURS/stop?t=-1",
    "POST /containers/OURS/stop?t=99999999999999999999",
    "POST /containers/OURS/stop?t=1&t=2",
    "POST /containers/OURS/stop?T=1",
    "POST /containers/OURS/stop?signal=SIGKILL",
    "POST /containers/OURS/stop?t=1%26signal=SIGKILL",
    "DELETE /containers/OURS?link=1",
    "DELETE /containers/OURS?force=1&force=0",
    "GET /containers/OURS/logs?follow=1&stdout=1",
    "GET /containers/OURS/logs?tail=100000&stdout=1",
    "GET /containers/OURS/stats",
    "GET /containers/OURS/json?size=1",
]


def test_a6_other_calls_and_other_containers(warden: TestWarden):
    warden.create("alice")
    number = docker("inspect", "--format={{.Id}}", warden.container)
    words = {
        "USER_IMAGE": warden.user_image,
        "LEDGER": warden.ledger_container,
        "WARDEN_ID": number,
        "WARDEN_SHORT": number[:12],
        "WARDEN": warden.container,
        "OURS": warden.name("alice"),
    }
    with warden.engine_events() as events:
        for call in CALLS:
            path = call
            for word, value in words.items():
                path = path.replace(word, value)
            method, _, target = path.partition(" ")
            body = b"{}" if method == "PUT" else None
            status, answer = warden.client.call(method, target, body)
            assert status in (403, 404), (path, answer)
    assert events == []


BODIES_AS_SENT = [
    b"Content-Length: 2000000\r\n\r\n" + b" " * 100_000,
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b'Content-Length: 900\r\n\r\n{"Image":',
    b"Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b",
    b"Content-Length: 200000\r\n\r\n" + b"[" * 200_000,
]


def test_a6_bodies_too_long_chunked_truncated_packed_nested(warden: TestWarden):
    target = f"/v1.44/containers/create?name={warden.name('alice')}"
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with warden.engine_events() as events:
        for raw in BODIES_AS_SENT:
            with connect_as(warden.client.path, 10001) as connection:
                connection.sendall(head.encode() + raw)
                answer = connection.recv(65536)
                assert answer.split(b" ")[1] in (b"400", b"411", b"413", b"415"), raw[:80]
    assert events == []
    assert warden.client.call("GET", "/v1/health")[0] == 200


@pytest.mark.parametrize("kind", ["link", "dangling", "file", "fifo", "foreign", "full"])
def test_f8_what_lies_in_the_place_of_a_home(warden, kind):
    """THREATS F8: refused with a sentence, nothing changed, no hang; fine when it is gone."""
    warden.ledger.ok("PUT", "/v1/berths/dora", {})
    home = warden.data / "users/dora"
    shutil.rmtree(home)
    if kind in ("link", "dangling"):
        home.symlink_to("/etc" if kind == "link" else "/nowhere")
    elif kind == "file":
        home.touch()
    elif kind == "fifo":
        os.mkfifo(home)
    else:
        home.mkdir()
        (home / "file").touch()
        if kind == "foreign":
            os.chown(home, 1000, 1000)
    before = home.lstat()
    uid = next(b for b in warden.ledger.ok("GET", "/v1/berths")["berths"] if b["login"] == "dora")
    body = {
        "Image": warden.user_image,
        "User": f"{uid['uid']}:{uid['gid']}",
        "Labels": {"tinyberth.login": "dora"},
    }
    create = f"/containers/create?name={warden.name('dora')}"
    with warden.engine_events() as events:
        for service, *call in [
            (warden.ledger, "PUT", "/v1/berths/dora", {}),
            (warden.client, "POST", create, body),
        ]:
            status, answer = service.call(*call)
            assert (status, answer["error"]) == (409, "home_refused")
            assert "data/users/dora is a " in answer["message"]
    assert events == []
    after = home.lstat()
    assert (after.st_mode, after.st_uid, after.st_ctime_ns) == (
        *(before.st_mode, before.st_uid),
        before.st_ctime_ns,
    )
    subprocess.run(["rm", "-rf", str(home)], check=True)
    warden.spawn("dora")
    assert home.lstat().st_uid == uid["uid"]


def test_f8_a_home_replaced_between_create_and_start(warden):
    number = warden.create("erin")
    (warden.data / "users/erin").rmdir()
    (warden.data / "users/erin").symlink_to("/etc")
    try:
        status, answer = warden.client.call("POST", f"/containers/{number}/start")
        assert (status, answer["error"]) == (409, "home_refused")
        assert not warden.inspect("erin")["State"]["Running"]
    finally:
        (warden.data / "users/erin").unlink()


def test_f9_without_the_data_root_nothing_is_spawned_or_written(warden):
    """THREATS F9."""
    number = warden.create("alice")
    marker = warden.data / ".tinyberth-data"
    marker.rename(warden.folder / "marker")
    before = sorted(path.name for path in (warden.data / "users").iterdir())
    try:
        for service, *call in [
            (warden.ledger, "GET", "/v1/health"),
            (warden.ledger, "PUT", "/v1/berths/zoe", {}),
            (warden.client, "POST", f"/containers/{number}/start"),
        ]:
            status, answer = service.call(*call)
            assert (status, answer["error"]) == (503, "data_root")
        assert sorted(path.name for path in (warden.data / "users").iterdir()) == before
    finally:
        (warden.folder / "marker").rename(marker)
    assert warden.client.call("POST", f"/containers/{number}/start")[0] == 204


def test_f9_started_on_an_empty_mount_point_it_writes_nothing(warden):
    other = TestWarden(f"{warden.deployment}x", warden.folder / "empty", warden.user_image)
    for part in ("data", "ledger", "warden"):
        (other.folder / part).mkdir(parents=True)
    shutil.copytree(warden.folder / "etc", other.folder / "etc")
    other.start()
    try:
        assert "not the data folder" in other.wait_for(other.ledger, 503)["message"]
        other.wait_for(other.client, 200)
        body = {"Labels": {"tinyberth.login": "zoe"}}
        create = f"/containers/create?name={other.name('zoe')}"
        assert other.client.call("POST", create, body)[1]["error"] == "data_root"
        assert list(other.data.iterdir()) == []
    finally:
        other.remove()


@pytest.mark.parametrize(
    ("settings", "says", "services"),
    [
        ({"MEM_LIMIT": "lots", "PIDS_LIMIT": "-1"}, ["MEM_LIMIT=", "PIDS_LIMIT="], "both"),
        ({"USER_UUIDS": "1-2"}, ["did you mean USER_UIDS?"], "both"),
        ({"USER_UIDS": "20000-29999", "LAB": ""}, ["'LAB' is not a setting"], "both"),
        ({"TINYBERTH_USER_NETWORK": ""}, ["TINYBERTH_USER_NETWORK is missing"], "warden"),
        ({}, ["USER_UIDS=20000-29999", "lab"], "ledger"),
    ],
)
def test_wrong_settings_are_told_in_one_line_each(warden, settings, says, services):
    other = TestWarden(f"{warden.deployment}y", warden.folder / "y", warden.user_image, settings)
    for part in ("data", "ledger", "warden", "etc"):
        (other.folder / part).mkdir(parents=True)
    (other.folder / "etc/passwd").write_text("lab:x:20500:20500::/:/bin/sh\n")
    (other.folder / "etc/group").write_text("")
    starts = {
        other.ledger_container: (other.start_ledger, services in ("both", "ledger")),
        other.container: (other.start_warden, services in ("both", "warden")),
    }
    try:
        for container, (start, refuses) in starts.items():
            if not refuses:
                continue
            start()
            assert docker("wait", container) == "3"
            done = subprocess.run(
                ["docker", "logs", container], capture_output=True, text=True, check=True
            )
            assert "Traceback" not in done.stderr
            assert len(done.stderr.splitlines()) == len(says) - ("lab" in says)
            for words in says:
                assert words in done.stderr
        assert list(other.data.iterdir()) == []
    finally:
        other.remove()
        shutil.rmtree(other.folder)
