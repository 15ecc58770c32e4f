"""THREATS A6 as a fuzz: what hypothesis makes of a good request, against the real engine.

Two witnesses. The engine's own events: whatever was sent, it made the containers that were
answered 201 and nothing else happened. And each of those containers is, but for what the hub may
choose, the very one that the good request makes.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from docker.types import ContainerConfig, HostConfig
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from service_client import connect_as
from warden_fixtures import TestWarden, deployment, docker, no_user_containers, warden

__all__ = ["deployment", "no_user_containers", "warden"]
pytestmark = pytest.mark.timeout(300)

FUZZ = settings(
    max_examples=250,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
THE_HUBS_CHOICE = ("Memory", "MemorySwap", "NanoCpus")
WRONG_FOR_ALL = [None, True, 0, -1, 1, 2**63, 2**64, "", "host", "0:0", [], ["ALL"], {}, {"a": 1}]

TOP: dict[str, list[Any]] = {
    "User": [
        *("0:0", "0", "root", "", "20000", "BOB", "20000:0", "0:20000", " 20000:20000"),
        *("+20000:20000", "20000:20000\0", "20000:20000\n", "020000:20000", "20000:20000:0"),
        *("２００００:２００００", 20000, ["20000:20000"]),
    ],
    "Image": ["OTHER_IMAGE", "debian", "scratch", "IMAGE\0", "IMAGE@sha256:" + "0" * 64],
    "Labels": [
        {"tinyberth.login": "bob"}, {"tinyberth.login": "root"}, {"tinyberth.login": "../alice"},
        {"tinyberth.login": "alice", "tinyberth.deployment": "x"}, {"TINYBERTH.LOGIN": "alice"},
        {"tinyberth.login": "alice\n"}, {"tinyberth.login": ["alice"]}, [], None,
    ],
    "Env": [
        ["LD_PRELOAD=/home/alice/x.so"], ["PYTHONPATH=/home/alice"], ["PATH=/home/alice"], ["A"],
        ["HOME=/root"], ["USER=root"], ["A=\0"], ["=A"], "A=B", [["A=B"]], ["A=" + "x" * 200_000],
        [f"A{n}=x" for n in range(300)], {"A": "B"},
    ],
    "Cmd": [["sh"], "sh"], "Entrypoint": [["sh"], "sh", [""]], "WorkingDir": ["/"],
    "Volumes": [{"/x": {}}], "Hostname": ["host"], "Domainname": ["x"], "MacAddress": ["02::"],
    "OnBuild": [["RUN x"]], "Shell": [["sh"]], "StopSignal": ["SIGSTOP"], "StopTimeout": [10**9],
    "Healthcheck": [{"Test": ["CMD", "sh"]}], "ExposedPorts": [{"22/tcp": {}}], "Tty": [True],
    "OpenStdin": [True], "StdinOnce": [True], "NetworkDisabled": [True], "Platform": ["linux"],
    "NetworkingConfig": [{"EndpointsConfig": {"bridge": {}}}], "HostConfig": [[], "x", 1, True],
}  # fmt: skip
HOST: dict[str, list[Any]] = {
    "Binds": [["/:/host"], ["/var/run/docker.sock:/s"], [""]],
    "Mounts": [
        [{"Type": "bind", "Source": "/", "Target": "/host"}],
        [{"Type": "bind", "Source": "DATA/users/bob", "Target": "/home/alice"}],
        [{"Type": "volume", "Source": "x", "Target": "/x", "VolumeOptions": {"DriverConfig": {}}}],
        [{"Type": "tmpfs", "Target": "/x"}], [None], {"a": 1},
    ],
    "VolumesFrom": [["WARDEN"]], "Privileged": [True, 1, "true"], "CapAdd": [["ALL"], ["NET_RAW"]],
    "CapDrop": [[], ["CHOWN"]], "SecurityOpt": [["seccomp=unconfined"], ["apparmor=x"], []],
    "Devices": [[{"PathOnHost": "/dev/vda", "PathInContainer": "/d", "CgroupPermissions": "rwm"}]],
    "DeviceCgroupRules": [["a *:* rwm"]], "DeviceRequests": [[{"Count": -1}]],
    "NetworkMode": ["host", "none", "bridge", "container:WARDEN", "default", "x"],
    "PidMode": ["host", "container:WARDEN"], "IpcMode": ["host", "shareable"], "UTSMode": ["host"],
    "UsernsMode": ["host"], "CgroupnsMode": ["host"], "CgroupParent": ["/"], "Cgroup": ["x"],
    "Memory": [2**50, -1, 2**63, 2**64, 1, "1g", True], "MemorySwap": [-1, 2**50],
    "MemoryReservation": [1], "MemorySwappiness": [100], "KernelMemory": [1], "ShmSize": [2**50],
    "NanoCpus": [10**15, -1, 2**63, True, "1"], "CpuQuota": [10**15, -1], "CpuPeriod": [-1],
    "CpuShares": [10**6], "CpusetCpus": ["0-99"], "CpuRealtimeRuntime": [1],
    "PidsLimit": [-1, 10**9],
    "BlkioWeight": [1000], "OomScoreAdj": [-1000], "OomKillDisable": [True], "GroupAdd": [["0"]],
    "PortBindings": [{"8888/tcp": [{"HostPort": "8888"}]}], "PublishAllPorts": [True],
    "Links": [["WARDEN:x"]], "ExtraHosts": [["x:1.2.3.4"]], "Dns": [["1.2.3.4"]], "Init": [False],
    "RestartPolicy": [{"Name": "always"}, {"Name": "no", "MaximumRetryCount": 1}],
    "LogConfig": [{"Type": "syslog", "Config": {"syslog-address": "tcp://1.2.3.4"}}],
    "Sysctls": [{"net.ipv4.ip_forward": "1"}], "Runtime": ["x", "io.containerd.runc.v2"],
    "ReadonlyRootfs": [False], "Tmpfs": [{"/home": "rw,exec,suid"}], "Isolation": ["hyperv"],
    "MaskedPaths": [[]], "ReadonlyPaths": [[]], "Ulimits": [[{"Name": "nofile", "Hard": 10**9}]],
    "StorageOpt": [{"size": "1G"}], "VolumeDriver": ["x"], "ContainerIDFile": ["/etc/x"],
    "Annotations": [{"a": "b"}],
}  # fmt: skip
# Go's decoder folds the case of keys, also of these two that fold to ASCII: they are s and k.
SPELLINGS: list[Callable[[str], str]] = [
    str.lower, str.upper, str.swapcase, lambda key: key.replace("s", "ſ"),
    lambda key: key.replace("k", "\u212a"), lambda key: key + "\0", lambda key: " " + key,
    lambda key: key[:1] + "\u200b" + key[1:], lambda key: key.replace("i", "ı"),
]  # fmt: skip


def good_body(warden: TestWarden) -> dict[str, Any]:
    """Return what docker-py sends for the spawner, by docker-py's own code."""
    asked = warden.create_body("alice")
    host_config = HostConfig(
        version="1.44", auto_remove=True, binds={}, links={}, mounts=[], mem_limit=2**28,
        cpu_period=100_000, cpu_quota=50_000, network_mode=asked["HostConfig"]["NetworkMode"],
    )  # fmt: skip
    body = ContainerConfig(
        version="1.44", image=asked["Image"], command=None, user=asked["User"], volumes=[],
        environment={"JUPYTERHUB_USER": "alice"}, ports={"8888/tcp": None},
        labels=asked["Labels"], host_config=host_config,
    )  # fmt: skip
    sent: dict[str, Any] = json.loads(json.dumps({k: v for k, v in body.items() if v is not None}))
    return sent


def with_words(value: Any, words: dict[str, str]) -> Any:
    text = json.dumps(value, ensure_ascii=False)
    for word, meant in words.items():
        text = text.replace(word, meant)
    return json.loads(text)


@st.composite
def changes(draw: Any) -> dict[str, Any]:
    """Draw what is done to a good request."""
    where = draw(st.sampled_from(["top", "host"]))
    table = TOP if where == "top" else HOST
    key = draw(st.sampled_from(sorted(table)))
    value = draw(st.sampled_from(table[key] + WRONG_FOR_ALL))
    spelt = draw(st.sampled_from([str, *SPELLINGS]))
    how = draw(
        st.sampled_from(["set", "set", "set", "twice", "deep", "cut", "raw", "path", "mixed"])
    )
    number = draw(st.integers(0, 2**16))
    return {"where": where, "key": spelt(key), "value": value, "how": how, "number": number}


def mutated(good: dict[str, Any], change: dict[str, Any], name: str) -> tuple[str, bytes]:
    """Return path and body of the request that ``change`` makes of the good one."""
    document = json.loads(json.dumps(good))
    place = document if change["where"] == "top" else document["HostConfig"]
    chance = random.Random(change.get("number"))
    path = f"/v1.44/containers/create?name={quote(name)}"
    key, value, how = change["key"], change["value"], change["how"]
    if how == "deep":
        for _ in range(chance.choice([1, 2, 15, 200])):
            value = [value] if chance.random() < 0.5 else {key: value}
    if how == "mixed":  # a good value is there, too, under its own name, before and after
        place.update({key: value, **place})
    place[key] = value
    text = json.dumps(document, ensure_ascii=chance.random() < 0.5)
    if how == "twice":
        field = f"{json.dumps(key)}:{json.dumps(value)}"
        text = chance.choice([text[:1] + field + "," + text[1:], text[:-1] + "," + field + "}"])
    raw = text.encode("utf-8", "surrogatepass")
    if how == "cut":
        at = chance.randrange(len(raw))
        raw = chance.choice([raw[:at], raw[at:], raw[:at] + b"\xff" + raw[at:], raw + raw])
    if how == "raw":
        raw = chance.choice(
            [b"\xef\xbb\xbf" + raw, text.encode("utf-16", "surrogatepass"), raw + b"\0", b"",
             b"NaN", raw + b"{}", b"[" + raw + b"]", raw.replace(b":", b":1e3,", 1),
             raw + b" " * 2**20, raw.replace(b"{", b"{,", 1)]
        )  # fmt: skip
    if how == "path":
        path = chance.choice(
            [path.replace("alice", "bob"), path + "&name=x", path + "&platform=linux",
             path.replace("name=", "NAME="), path.partition("?")[0], path + "/../../x",
             path.replace("create", "Create"), path.replace("/containers", "//containers"),
             "/v9.99" + path[6:], path + "%00"]
        )  # fmt: skip
    return path, raw


def same_but_for_the_hubs_choice(found: dict[str, Any]) -> dict[str, Any]:
    """Return what must not differ between two containers of one person."""
    host = {k: v for k, v in found["HostConfig"].items() if k not in THE_HUBS_CHOICE}
    config = {k: v for k, v in found["Config"].items() if k != "Env"}
    ours = re.compile("PATH|LD_|PYTHON|HOME|USER|LOGNAME|SHELL|TINYBERTH")
    config["Env"] = sorted(item for item in found["Config"]["Env"] if ours.match(item))
    assert found["HostConfig"]["Memory"] == found["HostConfig"]["MemorySwap"]
    mounts = sorted(found["Mounts"], key=lambda mount: mount["Destination"])
    return {"host": host, "config": config, "mounts": mounts, "name": found["Name"]}


@dataclass
class Attack:
    """Sends requests and keeps both witnesses' books."""

    warden: TestWarden
    good: dict[str, Any]
    control: dict[str, Any]
    words: dict[str, str]
    sent: int = 0
    made: int = 0

    def send(self, change: dict[str, Any]) -> None:
        name = self.warden.name("alice")
        meant = {**change, "value": with_words(change["value"], self.words)}
        path, raw = mutated(self.good, meant, name)
        self.sent += 1
        try:
            status, answer = self.warden.client.call("POST", path, raw)
        except (BrokenPipeError, ConnectionResetError):
            assert len(raw) > 2**18
            return
        assert status in (201, 400, 403, 404, 409, 413), (meant, answer)
        if status == 201:
            self.made += 1
            found = same_but_for_the_hubs_choice(self.warden.inspect("alice"))
            assert found == self.control, meant
            docker("rm", "--force", name)
        else:
            assert len(answer["message"]) < 2000
            assert "Traceback" not in answer["message"]


@contextmanager
def attack(warden: TestWarden) -> Iterator[Attack]:
    """Show that the engine sees a good request, and after the block what else it saw."""
    good, name = good_body(warden), warden.name("alice")
    bob = warden.ledger.ok("PUT", "/v1/berths/bob", {})
    words = {
        "OTHER_IMAGE": warden.other_image,
        "WARDEN": warden.container,
        "IMAGE": warden.user_image,
        "DATA": str(warden.data),
        "BOB": f"{bob['uid']}:{bob['gid']}",
    }
    with warden.engine_events() as seen:
        warden.client.ok("POST", f"/v1.44/containers/create?name={quote(name)}", good)
        control = same_but_for_the_hubs_choice(warden.inspect("alice"))
        docker("rm", "--force", name)
    assert f"container create {name}" in seen
    began = Attack(warden, good, control, words)
    with warden.engine_events() as events:
        yield began
    assert events.count(f"container create {name}") == began.made < began.sent / 2
    assert set(events) <= {f"container {what} {name}" for what in ("create", "destroy")}
    assert warden.client.call("GET", "/v1/health")[0] == 200


def test_a6_each_dangerous_value_by_itself(warden: TestWarden) -> None:
    """In its own spelling and in one that Go's decoder takes for it."""
    with attack(warden) as attacker:
        for where, table in (("top", TOP), ("host", HOST)):
            for key, values in table.items():
                for value in values:
                    for spelt in (key, key.lower()):
                        attacker.send({"where": where, "key": spelt, "value": value, "how": "set"})
    assert attacker.sent > 300


def test_a6_whatever_hypothesis_makes_of_a_create_request(warden: TestWarden) -> None:
    with attack(warden) as attacker:
        FUZZ(given(changes())(attacker.send))()


PIECES = [
    *(
        "/v1.44",
        "/v1.24",
        "/containers",
        "/NAME",
        "/WARDEN",
        "/create",
        "/json",
        "/start",
        "/stop",
        "/pause",
        "/unpause",
    ),
    *(
        "/exec",
        "/archive",
        "/attach",
        "/export",
        "/kill",
        "/update",
        "/rename",
        "/images",
        "/build",
    ),
    *("/commit", "/volumes", "/events", "/_ping", "/..", "/.", "//", "%2f", "%2F..%2F", "%2e%2e"),
    *(
        "%00",
        "%0d%0a",
        "\\",
        ";",
        "#",
        "*",
        "?",
        "&",
        "=",
        "t=1",
        "force=1",
        "name=x",
        "http://docker",
    ),
]
KNOWN = [
    ["/v1.44", "/containers", "/NAME", "/stop", "?", "t=1"],
    ["/v1.44", "/containers", "/NAME", "/start"],
    ["/v1.44", "/containers", "/NAME", "/pause"],
    ["/v1.44", "/containers", "/NAME", "/unpause"],
    ["/v1.44", "/containers", "/NAME", "/json"],
    ["/containers", "/NAME", "/logs", "?", "stdout=1"],
    ["/v1.44", "/containers", "/NAME"],
    ["/containers", "/create", "?", "name=", "NAME"],
    ["/v1", "/running", "/alice"],
]
ALLOWED = {
    "mount",
    "unmount",
    "create",
    "start",
    "stop",
    "pause",
    "unpause",
    "kill",
    "die",
    "destroy",
    "connect",
    "disconnect",
}


def test_a6_whatever_hypothesis_makes_of_a_path(warden: TestWarden) -> None:
    """Only what the warden knows happens, and that to the person's own container."""
    warden.spawn("alice")
    name = warden.name("alice")
    words = {"NAME": name, "WARDEN": warden.container}

    @FUZZ
    @given(
        st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]),
        st.sampled_from(KNOWN),
        st.lists(st.tuples(st.integers(0, 20), st.sampled_from(PIECES)), max_size=3),
    )
    def send(method: str, known: list[str], added: list[tuple[int, str]]) -> None:
        pieces = list(known)
        for place, piece in added:
            at = place % (len(pieces) + 1)
            pieces[at : at + place % 2] = [piece]  # beside what is there, or in its place
        path = "".join(pieces) or "/"
        for word, meant in words.items():
            path = path.replace(word, meant)
        status, _ = warden.client.call(method, path if path[0] in "/*h" else f"/{path}")
        assert status in (200, 204, 304, 400, 403, 404, 409, 411, 415), (method, path)

    with warden.engine_events() as events:
        send()
        docker("rm", "--force", name)
    seen = [event.split() for event in events]
    assert {whose for kind, _, whose in seen if kind == "container"} == {name}
    assert {action for _, action, _ in seen} <= ALLOWED
    assert ["container", "destroy", name] in seen
    assert warden.client.call("GET", "/v1/health")[0] == 200


# Each is followed by a call that would be served if it stood alone.
SMUGGLERS = {
    "length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 0\r\n\r\n",
    "the same length twice": b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a list of lengths": b"Content-Length: 0, 0\r\n\r\n",
    "a signed length": b"Content-Length: +0\r\n\r\n",
    "a hexadecimal length": b"Content-Length: 0x0\r\n\r\n",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a length with a space": b"Content-Length : 0\r\n\r\n",
    "chunks by another name": b"Transfer-Encoding: xchunked\r\n\r\n",
    "chunks and more": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks, folded": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "chunks with a vertical tab": b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks that end early": b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n",
    "a chunk too long": b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    "a bare line feed": b"X: y\nContent-Length: 0\n\n",
    "a bare carriage return": b"X: y\rContent-Length: 0\r\n\r\n",
    "a zero byte": b"X: \0\r\n\r\n",
    "a length, not kept": b"Content-Length: 40\r\n\r\n",
    "a body that is refused": b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n[]",
    "too many headers": b"".join(b"X%d: y\r\n" % n for n in range(500)) + b"\r\n",
    "a header too long": b"X: " + b"y" * 100_000 + b"\r\n\r\n",
}  # fmt: skip


def test_a6_what_follows_a_request_that_is_read_two_ways(warden: TestWarden) -> None:
    """A refused request ends its connection: nothing behind it is a request of its own."""
    warden.spawn("alice")
    name = warden.name("alice")
    start = f"POST /v1.44/containers/create?name={name} HTTP/1.1\r\nHost: x\r\n".encode()
    smuggled = f"DELETE /v1.44/containers/{name}?force=1 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with warden.engine_events() as events:
        for how, head in SMUGGLERS.items():
            with connect_as(warden.client.path, 10001) as connection:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(start + head + smuggled)
                answer = received(connection)
            refused = answer.split(b" ")[1] if answer else b"400"
            assert refused in (b"400", b"411", b"413", b"415"), (how, answer)
            assert answer.count(b"HTTP/1.1 ") <= 1, (how, "one answer, and the end")
    assert events == []
    assert warden.inspect("alice")["State"]["Running"]


OTHER_PROTOCOLS = [
    b"GET /containers/NAME/json HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
    b"Upgrade: tcp\r\n\r\n",
    b"POST /containers/NAME/attach?stream=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
    b"Upgrade: tcp\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /version HTTP/0.9\r\n\r\n",
    b"GET /version\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"POST /containers/NAME/exec HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
    b"Content-Length: 2\r\n\r\n{}",
    b"CONNECT docker:2375 HTTP/1.1\r\nHost: docker:2375\r\n\r\n",
]


def test_a6_no_upgrade_no_tunnel_no_other_protocol(warden: TestWarden) -> None:
    """What is sent after these stays a request to the warden, or is nothing at all."""
    warden.spawn("alice")
    name = warden.name("alice").encode()
    evil = (
        b"POST /v1.44/containers/%s/exec HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    )
    with warden.engine_events() as events:
        for first in OTHER_PROTOCOLS:
            with connect_as(warden.client.path, 10001) as connection:
                connection.sendall(first.replace(b"NAME", name))
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(evil % name + b'Content-Length: 15\r\n\r\n{"Cmd": ["id"]}')
                # Behind an upgrade, bytes wait for a protocol that does not come.
                answer = b""
                with contextlib.suppress(TimeoutError):
                    answer = received(connection, seconds=2)
            assert b" 101 " not in answer, first
            assert b"HTTP/1.1 201" not in answer, first
    assert events == []


def test_a6_the_control_pipelined_calls_that_are_allowed_are_made(warden: TestWarden) -> None:
    """So that the tests above would have seen it: the engine did what stood behind a good one."""
    warden.spawn("alice")
    name = warden.name("alice")
    two = (
        f"GET /v1.44/containers/{name}/json HTTP/1.1\r\nHost: x\r\n\r\n"
        f"DELETE /v1.44/containers/{name}?force=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    with warden.engine_events() as events, connect_as(warden.client.path, 10001) as connection:
        connection.sendall(two.encode())
        assert received(connection).count(b"HTTP/1.1 20") == 2
    assert f"container destroy {name}" in events


def received(connection: Any, seconds: float = 20) -> bytes:
    """Return what comes until the other side closes; raise TimeoutError after ``seconds``."""
    connection.settimeout(seconds)
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            answer += piece
    return answer
