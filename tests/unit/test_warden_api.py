"""The warden's socket, in front of an engine that writes down what reaches it."""

from __future__ import annotations

import itertools
import json
import logging
import os

import pytest
from fake_engine import IMAGE
from fake_services import running_services

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other uids"),
    pytest.mark.timeout(60),
]


RUNNING, PAUSED = ({"Running": True, "Paused": paused} for paused in (False, True))


@pytest.fixture
def warden(tmp_path):
    with running_services(tmp_path) as warden:
        yield warden


def body(login="alice", uid=20000, **changes):
    return {
        "Image": IMAGE,
        "User": f"{uid}:{uid}",
        "Labels": {"tinyberth.login": login},
        "HostConfig": {"NetworkMode": "tb_users"},
    } | changes


def test_a_whole_life_of_a_container(warden):
    warden.ledger.call("PUT", "/v1/berths/alice", {})
    create = "/v1.44/containers/create?name=tb-user-alice"
    status, made = warden.call("POST", create, body())
    assert status == 201
    number = made["Id"]
    assert warden.call("POST", f"/v1.44/containers/{number}/start") == (204, b"")
    for reference in (number, number[:12], "tb-user-alice"):
        status, found = warden.call("GET", f"/v1.45/containers/{reference}/json")
        assert (status, found["Id"], found["State"]) == (200, number, RUNNING)
    assert found["NetworkSettings"]["Networks"]["tb_users"]["IPAddress"] == "172.18.0.2"
    logs = f"/containers/{number}/logs?stdout=1&stderr=1&timestamps=0&follow=0&tail=all"
    assert warden.call("GET", logs) == (200, b"\1\0\0\0\0\0\0\2hi")
    assert warden.ledger.call("POST", "/v1/berths/alice/archive", {})[1]["error"] == "running"
    assert warden.call("POST", f"/containers/{number}/stop?t=5")[0] == 204
    assert warden.call("DELETE", f"/containers/{number}?v=True&link=False&force=False")[0] == 204
    assert [(method, path) for method, path, _ in warden.engine.calls] == [
        ("POST", "/v1.44/containers/create?name=tb-user-alice"),
        ("POST", f"/v1.44/containers/{number}/start"),
        ("POST", f"/v1.44/containers/{number}/stop?t=5"),
        ("DELETE", f"/v1.44/containers/{number}?v=True&link=False&force=False"),
    ]
    assert json.loads(warden.engine.calls[0][2])["Labels"]["tinyberth.deployment"] == "tb"


def parked(warden, login="alice"):
    """Return the path of a container that ran and is paused."""
    warden.ledger.call("PUT", f"/v1/berths/{login}", {})
    path = f"/v1.44/containers/tb-user-{login}"
    assert warden.call("POST", f"/v1.44/containers/create?name=tb-user-{login}", body())[0] == 201
    for call in ("start", "pause"):
        assert warden.call("POST", f"{path}/{call}") == (204, b"")
    return path


def test_paused_and_resumed_as_it_was(warden):
    path = parked(warden)
    assert warden.call("POST", f"{path}/pause")[0] == 204, "as asked again after a lost answer"
    found = warden.call("GET", f"{path}/json")[1]
    assert found["State"] == PAUSED
    for _ in range(2):
        assert warden.call("POST", f"{path}/unpause") == (204, b"")
    assert warden.call("GET", f"{path}/json")[1] == found | {"State": RUNNING}
    number = found["Id"]
    assert [(method, sent) for method, sent, _ in warden.engine.calls[2:]] == [
        ("POST", f"/v1.44/containers/{number}/pause"),
        ("POST", f"/v1.44/containers/{number}/unpause"),
    ]


def test_no_folder_moves_under_a_paused_server(warden):
    parked(warden)
    for what, document in (("archive", {}), ("rename", {"to": "alicia"})):
        status, answer = warden.ledger.call("POST", f"/v1/berths/alice/{what}", document)
        assert (status, answer["error"]) == (409, "running")


def remake(warden, **changes):
    (number,) = warden.engine.containers
    warden.engine.containers[number] |= changes


def relabel(warden, digest):
    (container,) = warden.engine.containers.values()
    labels = {"tinyberth.login": "alice", "tinyberth.deployment": "tb"}
    container["Config"]["Labels"] = labels | ({"tinyberth.digest": digest} if digest else {})


def in_a_team(warden):
    warden.ledger.call("PUT", "/v1/teams/nlp", {"members": ["alice"]})


def somebody_new(warden):
    """As an earlier ledger would leave it: the folders are another person's of that name."""
    (container,) = warden.engine.containers.values()
    container["State"] = {"Running": False, "Paused": False}
    warden.ledger.call("POST", "/v1/berths/alice/archive", {})
    container["State"] = PAUSED
    warden.ledger.call("PUT", "/v1/berths/alice", {})


def nobody(warden):
    somebody_new(warden)
    remake(warden, State={"Running": False, "Paused": False})
    warden.ledger.call("POST", "/v1/berths/alice/archive", {})


STALE = {
    "of an image that was built again": lambda warden: setattr(warden.engine, "image_id", "x"),
    "of another image": lambda warden: remake(warden, Image="sha256:1"),
    "of one who joined a team": in_a_team,
    "of an earlier person of that name": somebody_new,
    "of an earlier warden": lambda warden: relabel(warden, ""),
    "of other limits": lambda warden: relabel(warden, "0" * 64),
    "ended": lambda warden: remake(warden, State={"Running": False, "Paused": False}),
}


@pytest.mark.parametrize("change", STALE.values(), ids=STALE)
def test_what_create_would_make_otherwise_now_is_not_resumed(warden, change):
    path = parked(warden)
    change(warden)
    before = list(warden.engine.calls)
    status, answer = warden.call("POST", f"{path}/unpause")
    assert (status, answer["error"]) == (409, "stale_container")
    assert answer["message"] == (
        "The container of alice has ended, or is of another image, uid, teams or limits: "
        "remove it first."
    )
    assert warden.engine.calls == before
    assert warden.call("POST", f"{path}/stop")[0] == 204
    assert warden.call("DELETE", f"{path}?force=True")[0] == 204


def test_nobodys_container_is_not_resumed_nor_one_without_its_image_or_its_folder(warden):
    path = parked(warden)
    home = warden.data / "users/alice"
    home.rename(warden.folder / "away")
    home.symlink_to("/etc")
    assert warden.call("POST", f"{path}/unpause")[1]["error"] == "home_refused"
    home.unlink()
    (warden.folder / "away").rename(home)
    warden.engine.images.clear()
    status, answer = warden.call("POST", f"{path}/unpause")
    assert status == 404
    assert "docker compose build singleuser" in answer["message"]
    nobody(warden)
    assert warden.call("POST", f"{path}/unpause")[1]["error"] == "no_berth"
    assert not [path for _, path, _ in warden.engine.calls if "unpause" in path]


def test_the_hub_learns_no_path_of_the_host(warden):
    warden.ledger.call("PUT", "/v1/berths/alice", {})
    warden.call("POST", "/containers/create?name=tb-user-alice", body())
    for path in ("/containers/tb-user-alice/json", f"/images/{IMAGE}/json", "/version"):
        status, answer = warden.call("GET", path)
        assert status == 200
        assert "/s" not in json.dumps(answer).replace("linux/s", "")


def test_version_is_ours_whatever_the_engines(warden):
    answer = warden.call("GET", "/version")[1]
    assert (answer["ApiVersion"], answer["MinAPIVersion"]) == ("1.44", "1.44")
    assert warden.call("GET", "/v1.44/_ping") == (200, b"OK")


CALLS = [
    ("GET", "/containers/json"),
    ("GET", "/info"),
    ("GET", "/events"),
    ("GET", "/v1.44/volumes"),
    ("POST", "/v1.44/containers/OURS/exec"),
    ("POST", "/v1.44/containers/OURS/kill"),
    ("POST", "/v1.44/containers/OURS/restart"),
    ("POST", "/v1.44/containers/OURS/update"),
    ("POST", "/v1.44/containers/OURS/rename?name=x"),
    ("POST", "/v1.44/containers/OURS/attach"),
    ("GET", "/v1.44/containers/OURS/archive?path=/etc"),
    ("PUT", "/v1.44/containers/OURS/archive?path=/etc"),
    ("GET", "/v1.44/containers/OURS/export"),
    ("HEAD", "/v1.44/containers/OURS/archive"),
    ("POST", "/v1.44/build"),
    ("POST", "/v1.44/commit?container=OURS"),
    ("POST", "/v1.44/images/create?fromImage=debian"),
    ("POST", "/v1.44/volumes/create"),
    ("POST", "/v1.44/networks/create"),
    ("POST", "/v1.44/containers/prune"),
    ("POST", "/v1.44/swarm/init"),
    ("POST", "/v2.0/containers/OURS/start"),
    ("POST", "/v1.44/../containers/OURS/start"),
    ("POST", "/v1.44//containers/OURS/start"),
    ("POST", "//containers/OURS/start"),
    ("POST", "/containers/OURS/start/"),
    ("POST", "/containers/OURS/Start"),
    ("POST", "/containers/../containers/OURS/start"),
    ("POST", "/containers/%2e%2e/start"),
    ("POST", "/containers/OURS%2fstart"),
    ("POST", "/containers/OURS/start%00"),
    ("POST", "/containers/OURS/start?detachKeys=ctrl-c"),
    ("POST", "/containers/OURS/pause?x=1"),
    ("POST", "/containers/OURS/unpause?force=1"),
    ("POST", "/containers/OURS/Pause"),
    ("POST", "/containers/OURS/unpause/"),
    ("POST", "/containers/OURS/pause%00"),
    ("PUT", "/containers/OURS/pause"),
    ("GET", "/containers/OURS/unpause"),
    ("POST", "/containers/OURS/stop?t=-1"),
    ("POST", "/containers/OURS/stop?t=61"),
    ("POST", "/containers/OURS/stop?t=5&t=6"),
    ("POST", "/containers/OURS/stop?T=5"),
    ("POST", "/containers/OURS/stop?t=5%0a"),
    ("POST", "/containers/OURS/stop?t=%D9%A5"),
    ("POST", "/containers/OURS/stop?signal=SIGKILL"),
    ("DELETE", "/containers/OURS?link=1"),
    ("DELETE", "/containers/OURS?v=yes"),
    ("DELETE", "/containers/OURS?volumes=1"),
    ("GET", "/containers/OURS/logs?follow=1&stdout=1"),
    ("GET", "/containers/OURS/logs?tail=1000&stdout=1"),
    ("GET", "/containers/OURS/logs?since=0"),
    ("GET", "/containers/OURS/json?size=1"),
    ("DELETE", "/images/" + IMAGE),
    ("POST", "http://docker/containers/OURS/start"),
    ("CONNECT", "docker:2375"),
    ("TRACE", "/version"),
    ("OPTIONS", "*"),
]


@pytest.mark.parametrize(("method", "path"), CALLS, ids=[f"{m} {p}" for m, p in CALLS])
def test_calls_that_are_not_made_are_refused_by_name(warden, method, path):
    warden.ledger.call("PUT", "/v1/berths/alice", {})
    labels = {"tinyberth.login": "alice", "tinyberth.deployment": "tb"}
    warden.engine.add("tb-user-alice", labels, "20000:20000")
    status, answer = warden.call(method, path.replace("OURS", "tb-user-alice"))
    assert status in (400, 403)
    assert warden.engine.calls == []
    if status == 403:
        assert (
            answer == b""
            or "allowed" in answer["message"]
            or "not a call that" in answer["message"]
        )


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("other", None),
        ("other", {}),
        ("tb-warden-1", {"com.docker.compose.project": "tb"}),
        ("tb-user-alice", {"tinyberth.login": "alice"}),
        ("tb-user-alice", {"tinyberth.login": "alice", "tinyberth.deployment": "tb2"}),
        ("tb-user-alice", {"tinyberth.login": "bob", "tinyberth.deployment": "tb"}),
        ("tb-user-alice", {"tinyberth.deployment": "tb"}),
        ("tb-user-", {"tinyberth.deployment": "tb"}),
    ],
)
def test_somebody_elses_container_does_not_exist(warden, name, labels):
    number = warden.engine.add(name, labels)
    for reference in (number, number[:12], name):
        for method, rest in [
            ("GET", "/json"),
            ("GET", "/logs?stdout=1"),
            ("GET", "/stats?stream=0&one-shot=1"),
            ("POST", "/start"),
            ("POST", "/stop"),
            ("POST", "/pause"),
            ("POST", "/unpause"),
            ("DELETE", "?force=1"),
        ]:
            status, answer = warden.call(method, f"/v1.44/containers/{reference}{rest}")
            assert (status, answer["error"]) == (404, "not_found")
            assert "No such container" in answer["message"]
    assert warden.engine.calls == []


def test_a_container_of_an_earlier_alice_is_not_started(warden):
    warden.ledger.call("PUT", "/v1/berths/alice", {})
    warden.call("POST", "/containers/create?name=tb-user-alice", body())
    warden.ledger.call("POST", "/v1/berths/alice/archive", {})
    status, answer = warden.call("POST", "/containers/tb-user-alice/start")
    assert (status, answer["error"]) == (409, "no_berth")
    warden.ledger.call("PUT", "/v1/berths/alice", {})
    status, answer = warden.call("POST", "/containers/tb-user-alice/start")
    assert (status, answer["error"]) == (409, "stale_container")
    assert len(warden.engine.calls) == 1


def test_the_ledger_alone_says_which_teams_a_container_gets(warden):
    for login in ("alice", "bob"):
        warden.ledger.call("PUT", f"/v1/berths/{login}", {})
    warden.ledger.call("PUT", "/v1/teams/nlp", {"members": ["alice"]})
    warden.ledger.call("PUT", "/v1/teams/vision", {"members": ["bob"]})
    create = "/containers/create?name=tb-user-alice"
    for host_config in ({"GroupAdd": ["30001"]}, {"GroupAdd": ["0"]}, {"Mounts": [{"a": 1}]}):
        assert warden.call("POST", create, body(HostConfig=host_config))[0] == 403
    assert warden.call("POST", create, body())[0] == 201
    sent = json.loads(warden.engine.calls[0][2])["HostConfig"]
    assert sent["GroupAdd"] == ["30000"]
    writable = {m["Target"]: m["Source"] for m in sent["Mounts"] if not m["ReadOnly"]}
    assert writable == {"/home/alice": "/srv/tb/users/alice", "/teams/nlp": "/srv/tb/teams/nlp"}
    found = warden.call("GET", "/containers/tb-user-alice/json")[1]
    assert found["HostConfig"] == {"GroupAdd": ["30000"]}


@pytest.mark.parametrize("members", [[], ["alice", "bob"]])
def test_a_container_of_other_teams_than_now_is_not_started(warden, members):
    for login in ("alice", "bob"):
        warden.ledger.call("PUT", f"/v1/berths/{login}", {})
    warden.ledger.call("PUT", "/v1/teams/vision", {"members": ["bob"]})
    warden.ledger.call("PUT", "/v1/teams/nlp", {"members": ["alice"]})
    warden.call("POST", "/containers/create?name=tb-user-alice", body())
    warden.ledger.call("PUT", "/v1/teams/vision", {"members": members})
    status, answer = warden.call("POST", "/containers/tb-user-alice/start")
    assert (status, answer and answer["error"]) == (
        (409, "stale_container") if members else (204, b"")
    )


def test_renamed_while_a_server_runs_is_refused(warden):
    warden.ledger.call("PUT", "/v1/berths/alice", {})
    warden.call("POST", "/containers/create?name=tb-user-alice", body())
    warden.call("POST", "/containers/tb-user-alice/start")
    status, answer = warden.ledger.call("POST", "/v1/berths/alice/rename", {"to": "alicia"})
    assert (status, answer["error"]) == (409, "running")
    warden.call("POST", "/containers/tb-user-alice/stop")
    assert warden.ledger.call("POST", "/v1/berths/alice/rename", {"to": "alicia"})[0] == 200
    assert warden.call("POST", "/containers/tb-user-alice/start")[1]["error"] == "no_berth"
    warden.ledger.call("PUT", "/v1/berths/alice", {})
    assert warden.call("POST", "/containers/tb-user-alice/start")[1]["error"] == "stale_container"


def test_one_reading_of_the_memory_and_nothing_else(warden):
    warden.ledger.call("PUT", "/v1/berths/alice", {})
    warden.call("POST", "/containers/create?name=tb-user-alice", body())
    path = "/v1.44/containers/tb-user-alice/stats"
    for query in ("?stream=0&one-shot=1", "?one-shot=True&stream=False"):
        status, answer = warden.call("GET", path + query)
        assert status == 200
        assert answer["memory_stats"] == {
            "usage": 5000,
            "limit": 9000,
            "stats": {"inactive_file": 1000},
        }
        assert set(answer) == {"read", "memory_stats"}
    for query in ("", "?stream=0", "?one-shot=1", "?stream=1&one-shot=1", "?stream=0&one-shot=0"):
        assert warden.call("GET", path + query)[0] == 403


@pytest.mark.parametrize(
    ("changes", "name", "status"),
    [
        ({}, "tb-user-bob", 403),
        ({}, "tb-user-alice/../x", 403),
        ({}, "", 403),
        ({"Labels": {"tinyberth.login": "bob"}}, "tb-user-alice", 403),
        ({"Labels": {"tinyberth.login": "bob"}, "User": "0:0"}, "tb-user-bob", 409),
        ({"Labels": {"tinyberth.login": "../x"}}, "tb-user-../x", 400),
        ({"User": "0:0"}, "tb-user-alice", 403),
        ({"HostConfig": {"Privileged": True}}, "tb-user-alice", 403),
        ({"hostconfig": {"Privileged": True}}, "tb-user-alice", 400),
        ({"HOSTCONFIG": {"Privileged": True}, "HostConfig": None}, "tb-user-alice", 400),
    ],
)
def test_create_for_somebody_else_or_with_more(warden, changes, name, status):
    warden.ledger.call("PUT", "/v1/berths/alice", {})
    got, _ = warden.call("POST", f"/containers/create?name={name}", body(**changes))
    assert got == status
    assert warden.engine.calls == []


JSON_TYPE = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("raw", "headers", "status"),
    [
        (b'{"Image": "a", "Image": "b"}', JSON_TYPE, 400),
        (b'{"HostConfig": {}, "hostconfig": {"Privileged": true}}', JSON_TYPE, 400),
        (b"\xff", JSON_TYPE, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {}, 415),
        (b"{}", JSON_TYPE | {"Content-Encoding": "gzip"}, 415),
        (b"{" + b" " * 2**20 + b"}", JSON_TYPE, 413),
        (b"{" + b" " * (10 * 2**20) + b"}", JSON_TYPE, 413),
        (None, JSON_TYPE, 400),
    ],
)
def test_bodies_that_are_no_bodies(warden, raw, headers, status):
    """Over 1 MiB the answer may come before all is sent, and the connection ends."""
    try:
        got, answer = warden.call("POST", "/containers/create?name=tb-user-alice", raw, headers)
    except (BrokenPipeError, ConnectionResetError):
        assert status == 413
    else:
        assert (got, "message" in answer) == (status if raw else got, True)
        assert got >= 400
    assert warden.engine.calls == []


HEAD = b"POST /containers/create?name=tb-user-alice HTTP/1.1\r\nHost: x\r\n"
TYPE = b"Content-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (HEAD + TYPE + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"411"),
        (HEAD + TYPE + b"\r\n", b"411"),
        (HEAD + TYPE + b"\r\n{}", b"400"),
        (HEAD + TYPE + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", b"400"),
        (HEAD + TYPE + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b"400"),
        (HEAD + TYPE + b"Content-Length: -1\r\n\r\n{}", b"400"),
        (HEAD + TYPE + b"Content-Length: 1e3\r\n\r\n{}", b"400"),
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x00", b"400"),
    ],
)
def test_requests_cut_short_or_framed_twice(warden, raw, status):
    assert warden.send(raw).split(b" ")[1] == status
    assert warden.engine.calls == []
    assert warden.call("GET", "/v1/health")[0] == 200


def test_a_body_cut_short_is_not_acted_on(warden):
    document = json.dumps(body()).encode()
    head = HEAD + TYPE + b"Content-Length: %d\r\n\r\n" % (len(document) + 1)
    warden.ledger.call("PUT", "/v1/berths/alice", {})
    assert b"HTTP/1.1 2" not in warden.send(head + document, hang_up=True)
    assert warden.engine.calls == []
    assert warden.call("GET", "/v1/health")[0] == 200


def test_calls_without_a_body_take_none(warden):
    """Engines before API 1.24 took a HostConfig at start."""
    labels = {"tinyberth.login": "alice", "tinyberth.deployment": "tb"}
    warden.engine.add("tb-user-alice", labels, "20000:20000")
    for raw, call in itertools.product(
        (b'{"Privileged":true}', b"x"), ("pause", "unpause", "stop", "start")
    ):
        path = f"/containers/tb-user-alice/{call}"
        assert warden.call("POST", path, raw, JSON_TYPE)[0] == 400
    chunked = (
        b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
    )
    assert b" 400 " in warden.send(chunked % path.encode())
    assert warden.engine.calls == []


def test_root_gets_what_the_two_services_ask_each_other_and_nothing_else(tmp_path):
    with running_services(tmp_path, hub_uid=10001) as warden:  # we are root
        assert warden.call("GET", "/v1/health")[0] == 200
        assert warden.ledger.call("GET", "/v1/health")[0] == 200
        assert warden.call("GET", "/v1/running/alice") == (200, {"running": False})
        assert warden.ledger.call("POST", "/v1/berths/alice/folders")[1]["error"] == "no_berth"
        for service, method, path in [
            (warden, "GET", "/version"),
            (warden, "GET", "/v1/openapi.json"),
            (warden, "POST", "/containers/create?name=x"),
            (warden.ledger, "GET", "/v1/berths"),
            (warden.ledger, "PUT", "/v1/berths/alice"),
            (warden.ledger, "POST", "/v1/berths/alice/archive"),
        ]:
            status, answer = service.call(method, path, None if method == "GET" else {})
            assert (status, answer["error"]) == (403, "wrong_caller")


def test_a_missing_user_image_is_named_with_its_remedy(warden):
    warden.ledger.call("PUT", "/v1/berths/alice", {})
    warden.engine.images.clear()
    for method, path, document in [
        ("POST", "/containers/create?name=tb-user-alice", body()),
        ("GET", f"/images/{IMAGE}/json", None),
    ]:
        status, answer = warden.call(method, path, document)
        assert status == 404
        assert f"No such image: {IMAGE}" in answer["message"]
        assert "docker compose build singleuser" in answer["message"]
    assert warden.call("GET", "/images/debian/json")[0] == 404


def test_without_the_marker_nothing_is_done(warden):
    """THREATS F9: not the health check, not a berth, not a container."""
    warden.ledger.call("PUT", "/v1/berths/alice", {})
    (warden.data / ".tinyberth-data").unlink()
    for method, path, document in [
        ("GET", "/v1/health", None),
        ("GET", "/v1/berths", None),
        ("POST", "/v1/berths/alice/folders", None),
        ("PUT", "/v1/berths/bob", {}),
        ("POST", "/v1/berths/alice/archive", {}),
        ("POST", "/v1/berths/alice/rename", {"to": "bob"}),
        ("POST", "/v1/berths/alice~1/restore", {"as": "bob"}),
        ("GET", "/v1/teams", None),
        ("PUT", "/v1/teams/nlp", {"members": []}),
        ("POST", "/v1/teams/nlp/archive", {}),
    ]:
        status, answer = warden.ledger.call(method, path, document)
        assert (status, answer["error"]) == (503, "data_root")
    status, answer = warden.call("POST", "/containers/create?name=tb-user-alice", body())
    assert (status, answer["error"]) == (503, "data_root")
    assert warden.engine.calls == []
    assert sorted(path.name for path in (warden.data / "users").iterdir()) == ["alice"]


def test_an_engine_that_is_down_is_told(warden):
    (warden.folder / "engine.sock").rename(warden.folder / "away")
    assert warden.call("GET", "/v1/health")[1]["error"] == "engine_down"
    (warden.folder / "away").rename(warden.folder / "engine.sock")
    assert warden.call("GET", "/v1/health")[0] == 200


def test_b7_a_log_line_is_bounded_and_escaped(warden, caplog):
    """THREATS B7."""
    with caplog.at_level(logging.INFO, logger="server"):
        warden.ledger.call("PUT", "/v1/berths/" + "%0a%1b[31m" * 500, {})
        warden.call(
            "POST", "/containers/create?name=tb-user-alice", {"Labels": {"\n\x1b": "x" * 9999}}
        )
    for line in caplog.messages:
        assert len(line) < 600
        assert line.isprintable()
    assert len(caplog.messages) == 2
