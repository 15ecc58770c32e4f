"""One request's fault, or one caller's greed, takes nothing with it: the next is answered."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from http.client import HTTPException

import pytest
from aiohttp import web
from fake_engine import IMAGE
from fake_services import running_services

from tinyberth_server import http

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other uids"),
    pytest.mark.timeout(60),
]


@pytest.fixture
def warden(tmp_path):
    with running_services(tmp_path) as warden:
        yield warden


async def hang_up(request):
    request.transport.abort()
    return web.Response()


def says(text, status=200):
    async def answer(_request):
        return web.Response(body=text, status=status)

    return answer


NONSENSE = {
    "no JSON": says(b"this is no JSON"),
    "nothing": says(b""),
    "no UTF-8": says(b'{"Id": "\xff"}'),
    "a list": says(b"[]"),
    "a number": says(b"1e999"),
    "other fields": says(b'{"Idd": 1, "Config": null}'),
    "an object of nulls": says(b'{"Config": {"Labels": 1}, "Name": null, "State": null}'),
    "deep": says(b'{"a":' * 100_000),
    "a page of HTML": says(b"<html>", 500),
    "an error without a message": says(b'{"a": 1}', 500),
    "half an answer": hang_up,
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_an_engine_that_talks_nonsense_fails_only_what_asked_it(warden, caplog, nonsense):
    warden.ledger.call("PUT", "/v1/berths/alice", {})
    body = {"Image": IMAGE, "User": "20000:20000", "Labels": {"tinyberth.login": "alice"}}
    create = "/containers/create?name=tb-user-alice"
    assert warden.call("POST", create, body)[0] == 201
    warden.engine.instead = nonsense
    with caplog.at_level(logging.INFO, logger="server"):
        for method, path, document in [
            ("GET", "/v1/health", None),
            ("GET", "/version", None),
            ("GET", f"/images/{IMAGE}/json", None),
            ("POST", create, body),
            ("GET", "/containers/tb-user-alice/json", None),
            ("GET", "/containers/tb-user-alice/stats?stream=0&one-shot=1", None),
            ("GET", "/containers/tb-user-alice/logs?stdout=1", None),
            ("POST", "/containers/tb-user-alice/start", None),
            ("POST", "/containers/tb-user-alice/stop", None),
            ("POST", "/containers/tb-user-alice/pause", None),
            ("POST", "/containers/tb-user-alice/unpause", None),
            ("DELETE", "/containers/tb-user-alice", None),
        ]:
            status, answer = warden.call(method, path, document)
            assert status >= 500 or (method, status) in {("GET", 200), ("POST", 201)}, answer
        status, answer = warden.ledger.call("POST", "/v1/berths/alice/archive", {})
        assert status >= 500, "nobody knows whether the server runs, so nothing moves"
    assert (warden.data / "users/alice").is_dir()
    assert "Traceback" not in caplog.text
    assert max(map(len, caplog.messages)) < 600
    warden.engine.instead = None
    assert warden.call("GET", "/v1/health")[0] == 200
    assert warden.call("POST", "/containers/tb-user-alice/start")[0] == 204
    assert warden.ledger.call("POST", "/v1/berths/alice/archive", {})[1]["error"] == "running"


HALF_HEAD = b"POST /containers/create HTTP/1.1\r\nHost: x\r\nX: "
HALF_BODY = b"PUT /v1/berths/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def ends_within(connection, seconds):
    """Return what is answered until the other side closes."""
    began, answer = time.monotonic(), b""
    connection.settimeout(seconds)
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            answer += piece
    assert time.monotonic() - began < seconds
    return answer


def drip(connection, seconds):
    """Send a byte now and then until the other side has had enough."""
    end = time.monotonic() + seconds
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while time.monotonic() < end:
            connection.sendall(b"x")
            time.sleep(0.05)
        raise AssertionError("still open")


def test_silence_and_drips_end_while_others_are_served(tmp_path, monkeypatch):
    monkeypatch.setattr(http, "IDLE_SECONDS", 1)
    monkeypatch.setattr(http, "BODY_SECONDS", 1)
    with running_services(tmp_path) as warden, contextlib.ExitStack() as opened:
        for service in (warden, warden.ledger):
            silent = [opened.enter_context(service.connect()) for _ in range(100)]
            head, body, rest = [opened.enter_context(service.connect()) for _ in range(3)]
            head.sendall(HALF_HEAD)
            body.sendall(HALF_BODY + b"Content-Length: 1000\r\n\r\n{")
            rest.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert service.call("GET", "/v1/health")[0] == 200
            drip(head, 15)
            answered = ends_within(body, 15)
            assert answered == b"" or answered.split(b" ")[1] in (b"400", b"403")
            for connection in silent:
                assert ends_within(connection, 15) == b""
            assert b" 200 " in ends_within(rest, 15), "a kept connection ends, too"
            assert service.call("GET", "/v1/health")[0] == 200


def test_who_does_not_fetch_an_answer_loses_the_connection(tmp_path, monkeypatch):
    monkeypatch.setattr(http, "SEND_SECONDS", 0.5)
    monkeypatch.setattr(http, "MAX_AT_ONCE", 2)
    with running_services(tmp_path) as warden, contextlib.ExitStack() as opened:
        warden.ledger.call("PUT", "/v1/berths/alice", {})
        labels = {"tinyberth.login": "alice", "tinyberth.deployment": "tb"}
        warden.engine.add("tb-user-alice", labels)
        warden.engine.log = b"x" * 3_000_000
        ask = b"GET /containers/tb-user-alice/logs?stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n"
        greedy = [opened.enter_context(warden.connect()) for _ in range(10)]
        for connection in greedy:
            connection.sendall(ask)
        assert warden.call("GET", "/version")[0] == 200
        time.sleep(1.5)  # SEND_SECONDS and more: what is shown is what the server did meanwhile
        for connection in greedy:
            assert len(ends_within(connection, 15)) < 3_000_000


def test_more_connections_than_one_uid_may_have_are_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(http, "MAX_CONNECTIONS", 10)
    with running_services(tmp_path) as warden, contextlib.ExitStack() as opened:
        held = [opened.enter_context(warden.connect()) for _ in range(10)]
        one_more = opened.enter_context(warden.connect())
        assert ends_within(one_more, 15) == b""
        with pytest.raises((OSError, HTTPException)):
            warden.call("GET", "/v1/health")
        held[0].close()
        end = time.monotonic() + 5
        while True:
            with contextlib.suppress(OSError, HTTPException):
                if warden.call("GET", "/v1/health")[0] == 200:
                    break
            assert time.monotonic() < end
        held[1].sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b" 200 " in ends_within(held[1], 15), "those that were there are served"
