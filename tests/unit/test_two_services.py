"""Warden and ledger ask each other: no folder moves under a server, nobody waits in a circle."""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_engine import IMAGE
from fake_services import running_services

from tinyberth_server.errors import RefusedError
from tinyberth_warden.people import Person, Team, parse_person

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other uids"),
    pytest.mark.timeout(60),
]


@pytest.fixture
def warden(tmp_path):
    with running_services(tmp_path) as warden:
        yield warden


def make(warden, login):
    """Return the path of a container that is made and not started."""
    uid = warden.ledger.call("PUT", f"/v1/berths/{login}", {})[1]["uid"]
    name = f"tb-user-{login}"
    body = {"Image": IMAGE, "User": f"{uid}:{uid}", "Labels": {"tinyberth.login": login}}
    assert warden.call("POST", f"/containers/create?name={name}", body)[0] == 201
    return f"/containers/{name}"


class Held:
    """An engine that keeps requests with ``word`` in their path until it is let go."""

    def __init__(self, engine, word):
        self.engine, self.word = engine, word
        self.asked, self.go = threading.Event(), threading.Event()
        engine.instead = self.handle

    async def handle(self, request):
        if self.word in request.path:
            self.asked.set()
            while not self.go.is_set():
                await asyncio.sleep(0.01)
        return await self.engine.answer(request)


def test_a_start_in_progress_is_waited_for_and_then_keeps_the_folder_in_its_place(warden):
    path = make(warden, "alice")
    held = Held(warden.engine, "/start")
    with ThreadPoolExecutor() as pool:
        start = pool.submit(warden.call, "POST", f"{path}/start")
        assert held.asked.wait(10)
        archive = pool.submit(warden.ledger.call, "POST", "/v1/berths/alice/archive", {})
        rename = pool.submit(warden.ledger.call, "POST", "/v1/berths/alice/rename", {"to": "al"})
        time.sleep(0.3)  # nothing to wait for: what is shown is that nothing happens
        assert not archive.done()
        assert not rename.done()
        held.go.set()
        assert start.result()[0] == 204
        assert archive.result()[1]["error"] == rename.result()[1]["error"] == "running"
    assert (warden.data / "users/alice").is_dir()


def test_a_start_that_meets_a_change_is_refused_at_once(warden):
    path = make(warden, "alice")
    make(warden, "bob")
    held = Held(warden.engine, "tb-user-alice/json")
    with ThreadPoolExecutor() as pool:
        archive = pool.submit(warden.ledger.call, "POST", "/v1/berths/alice/archive", {})
        assert held.asked.wait(10)
        status, answer = warden.ledger.call("POST", "/v1/berths/alice/folders")
        assert (status, answer["error"]) == (409, "changing")
        assert warden.ledger.call("POST", "/v1/berths/bob/folders")[0] == 200
        assert warden.call("POST", "/containers/tb-user-bob/start")[0] == 204
        held.go.set()
        assert archive.result()[0] == 200
    assert warden.call("POST", f"{path}/start")[1]["error"] == "no_berth"


def test_of_a_start_and_a_change_at_the_same_time_one_wins_and_none_hangs(warden):
    """More at once than there are slots, on both sides: a circle would end in 504, and late."""
    logins = [f"p{number}" for number in range(100)]
    paths = {login: make(warden, login) for login in logins}

    async def slow(request):
        await asyncio.sleep(random.random() / 20)
        return await warden.engine.answer(request)

    warden.engine.instead = slow
    began = time.monotonic()
    with ThreadPoolExecutor(200) as pool:
        tries = {}
        for login in logins:
            calls = [
                ("start", warden.call, "POST", f"{paths[login]}/start"),
                ("archive", warden.ledger.call, "POST", f"/v1/berths/{login}/archive", {}),
            ]
            random.shuffle(calls)
            tries[login] = {name: pool.submit(*call) for name, *call in calls}
        ends = {login: {n: f.result() for n, f in of.items()} for login, of in tries.items()}
    assert time.monotonic() - began < 30
    for login, end in ends.items():
        started, archived = end["start"][0] == 204, end["archive"][0] == 200
        assert started != archived, (login, end)
        assert (warden.data / "users" / login).exists() == started
        loser = end["archive" if started else "start"]
        assert loser[0] == 409, loser
        assert loser[1]["error"] in ("running", "changing", "no_berth")


def test_without_the_warden_nothing_moves_and_the_rest_goes_on(warden):
    make(warden, "alice")
    socket = warden.folder / "warden.sock"
    socket.rename(warden.folder / "away")
    for what, body in (("archive", {}), ("rename", {"to": "alicia"})):
        status, answer = warden.ledger.call("POST", f"/v1/berths/alice/{what}", body)
        assert (status, answer["error"]) == (503, "warden_down")
        assert "docker compose logs warden" in answer["message"]
    assert (warden.data / "users/alice").is_dir()
    assert warden.ledger.call("PUT", "/v1/berths/bob", {})[0] == 200
    assert warden.ledger.call("GET", "/v1/health")[0] == 200
    (warden.folder / "away").rename(socket)
    assert warden.ledger.call("POST", "/v1/berths/alice/archive", {})[0] == 200


def test_without_the_ledger_nothing_starts_and_the_rest_goes_on(warden):
    path = make(warden, "alice")
    socket = warden.folder / "ledger.sock"
    socket.rename(warden.folder / "away")
    before = list(warden.engine.calls)
    for request in (
        ("POST", f"{path}/start"),
        (
            "POST",
            "/containers/create?name=tb-user-alice",
            {"Labels": {"tinyberth.login": "alice"}},
        ),
    ):
        status, answer = warden.call(*request)
        assert (status, answer["error"]) == (503, "ledger_down")
        assert "docker compose logs ledger" in answer["message"]
    assert warden.engine.calls == before
    assert warden.call("GET", f"{path}/json")[0] == 200
    assert warden.call("GET", "/v1/health")[0] == 200
    (warden.folder / "away").rename(socket)
    assert warden.call("POST", f"{path}/start")[0] == 204


GOOD = {"login": "alice", "uid": 20000, "gid": 20000, "teams": [{"name": "nlp", "gid": 30000}]}


def test_what_the_ledger_says_becomes_a_person():
    assert parse_person("alice", GOOD) == Person("alice", 20000, 20000, (Team("nlp", 30000),))


@pytest.mark.parametrize(
    "changes",
    [
        {"uid": 0}, {"gid": 0}, {"uid": 999}, {"uid": 10001}, {"uid": -1}, {"gid": 2**32},
        {"uid": "20000"}, {"uid": True}, {"uid": None}, {"gid": 20000.0}, {"login": "bob"},
        {"teams": [{"name": "nlp", "gid": 0}]}, {"teams": [{"name": "../x", "gid": 30000}]},
        {"teams": [{"name": "a/b", "gid": 30000}]}, {"teams": [{"name": "sudo", "gid": 30000}]},
        {"teams": [{"gid": 30000}]}, {"teams": [3]}, {"teams": None},
    ],
)  # fmt: skip
def test_a_ledger_that_errs_makes_nobody_root(changes):
    with pytest.raises((RefusedError, ValueError, KeyError, TypeError)):
        parse_person("alice", GOOD | changes)
