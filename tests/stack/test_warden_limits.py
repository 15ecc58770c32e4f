"""What one caller can hold of the warden is bounded, in size, time and number (THREATS A6)."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from service_client import connect_as
from warden_fixtures import TestWarden, deployment, docker, no_user_containers, warden

__all__ = ["deployment", "no_user_containers", "warden"]
pytestmark = pytest.mark.timeout(300)

IDLE_SECONDS, BODY_SECONDS, SEND_SECONDS = 15, 10, 10
PEAK = "cd /sys/fs/cgroup; cat memory.peak memory/memory.max_usage_in_bytes 2>/dev/null"
SLACK = 20
"""Seconds on a busy machine; what is tested is that there is an end."""
HEAD = b"POST /v1.44/containers/create?name=NAME HTTP/1.1\r\nHost: x\r\n"
TYPE = b"Content-Type: application/json\r\n"


def state(container: str) -> tuple[object, ...]:
    """Return what changes when a container ends or is ended."""
    found = json.loads(docker("inspect", container))[0]
    return found["State"]["StartedAt"], found["State"]["OOMKilled"], found["RestartCount"]


@pytest.fixture
def unharmed(warden: TestWarden) -> Iterator[None]:
    """Check that neither service ended in the test, and that both are well after it."""
    containers = (warden.container, warden.ledger_container)
    before = [state(container) for container in containers]
    yield
    warden.wait_for_health()
    for container in containers:
        peak = docker("exec", container, "sh", "-c", PEAK, check=False)
        print(f"{container}: at most {int(peak or 0) / 2**20:.0f} MB of 256")
    assert [state(container) for container in containers] == before


def closed_at(connection: socket.socket, seconds: float) -> tuple[float, bytes]:
    """Return when the other side closed, and what it said before."""
    connection.settimeout(seconds)
    answer = b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while piece := connection.recv(65536):
            answer += piece
    return time.monotonic(), answer


@pytest.mark.usefixtures("unharmed")
def test_a6_silence_and_drips_end_and_others_are_served_meanwhile(warden: TestWarden) -> None:
    """More of each than requests may be in work at once: 100 silent, 40 heads, 100 bodies."""
    head = HEAD.replace(b"NAME", warden.name("alice").encode())
    body = TYPE + b"Content-Length: 1000\r\n\r\n{"
    with contextlib.ExitStack() as opened, warden.engine_events() as events:
        began = time.monotonic()
        silent = [opened.enter_context(connect_as(warden.client.path, 10001)) for _ in range(100)]
        heads = [opened.enter_context(connect_as(warden.client.path, 10001)) for _ in range(40)]
        bodies = [opened.enter_context(connect_as(warden.client.path, 10001)) for _ in range(100)]
        for connection in heads:
            connection.sendall(head + b"X: ")
        for connection in bodies:
            connection.sendall(head + body)
        ended = threading.Event()

        def drip() -> None:
            while not ended.wait(0.5):
                for connection in heads + bodies:
                    with contextlib.suppress(OSError):
                        connection.send(b" ")

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            slowest = 0.0
            while time.monotonic() - began < BODY_SECONDS - 1:
                asked = time.monotonic()
                assert warden.client.call("GET", "/version")[0] == 200
                slowest = max(slowest, time.monotonic() - asked)
            ends = {
                "body": [closed_at(c, 60) for c in bodies],
                "head": [closed_at(c, 60) for c in heads],
                "silence": [closed_at(c, 60) for c in silent],
            }
        finally:
            ended.set()
            dripping.join()
    assert slowest < SLACK
    assert max(at for at, _ in ends["body"]) - began < BODY_SECONDS + SLACK
    assert max(at for at, _ in ends["head"] + ends["silence"]) - began < IDLE_SECONDS + SLACK
    assert {answer.split(b" ")[1] for _, answer in ends["body"] if answer} == {b"400"}
    assert not any(answer for _, answer in ends["silence"])
    assert events == []


def heavy(warden: TestWarden) -> dict[str, bytes]:
    """Return bodies that are small to send and large to hold."""
    body = json.dumps(warden.create_body("alice"))
    room = 2**18 - len(body) - 100
    return {
        "wide characters": body[:-1].encode()
        + ',"Domainname":"\U0001f600'.encode()
        + b"x" * room
        + b'"}',
        "small lists": body[:-1].encode() + b',"Cmd":[' + b"[]," * (room // 3) + b"0]}",
        "small objects": body[:-1].encode() + b',"Cmd":[' + b"{}," * (room // 3) + b"0]}",
        "many keys": body[:-1].encode()
        + b"".join(b',"%d":0' % n for n in range(room // 11))
        + b"}",
        "deep": body[:-1].encode() + b',"Cmd":' + b"[" * (room // 2) + b"]" * (room // 2) + b"}",
        "long numbers": body[:-1].encode() + b',"StopTimeout":' + b"9" * room + b"}",
    }


@pytest.mark.usefixtures("unharmed")
def test_a6_many_heavy_requests_at_once_exhaust_nothing(warden: TestWarden) -> None:
    """All for one person, so that they wait for each other, each with what it holds."""
    path = f"/v1.44/containers/create?name={warden.name('alice')}"
    bodies = list(heavy(warden).values())
    assert all(2**17 < len(body) <= 2**18 for body in bodies)
    answers: list[int] = []

    def send(body: bytes) -> None:
        answers.append(warden.client.call("POST", path, body)[0])

    with warden.engine_events() as events:
        # Opened one by one, for the uid is the process's; sent and answered side by side.
        threads = [threading.Thread(target=send, args=(bodies[n % 6],)) for n in range(150)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(answers) <= {400, 403}
    assert events == []


@pytest.mark.usefixtures("unharmed")
def test_a6_answers_that_nobody_fetches_do_not_stay(warden: TestWarden) -> None:
    number = warden.spawn("alice")
    line = "head -c 16000 /dev/zero | tr '\\0' x > /proc/1/fd/1; echo > /proc/1/fd/1"
    docker("exec", warden.name("alice"), "sh", "-c", f"for n in $(seq 60); do {line}; done")
    ask = f"GET /containers/{number}/logs?stdout=1&tail=29 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert len(warden.client.ok("GET", f"/containers/{number}/logs?stdout=1&tail=29")) > 300_000
    with contextlib.ExitStack() as opened:
        greedy = [opened.enter_context(connect_as(warden.client.path, 10001)) for _ in range(150)]
        began = time.monotonic()
        for connection in greedy:
            connection.sendall(ask)
        asked = time.monotonic()
        assert warden.client.call("GET", "/version")[0] == 200
        waited = time.monotonic() - asked
        ends = time.monotonic() + SEND_SECONDS + SLACK
        while time.monotonic() < ends and not all(_is_closed(c) for c in greedy):
            time.sleep(0.5)
        assert all(_is_closed(connection) for connection in greedy)
    print(f"another waited {waited:.1f} s; all were closed after {time.monotonic() - began:.1f} s")
    assert waited < SLACK


def _is_closed(connection: socket.socket) -> bool:
    """Tell whether the other side is gone; what it had sent is not fetched."""
    try:
        connection.setblocking(False)
        connection.send(b" ")
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False
