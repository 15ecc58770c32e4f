"""What a parked server's spawner does with each answer of the warden."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError
from dockerspawner import DockerSpawner
from requests import Response

from tinyberth_hub import parking_spawner, sessions
from tinyberth_hub.parking_spawner import PARKED
from tinyberth_hub.spawner import BerthSpawner

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
ADDRESS = {"Networks": {"tb_users": {"IPAddress": "172.18.0.2"}}}


def refusal(status: int) -> APIError:
    response = Response()
    response.status_code = status
    return APIError("refused", response, "why")


def container(*, running: bool = True, paused: bool = False) -> dict[str, Any]:
    state = {"Running": running, "Paused": paused, "ExitCode": 137, "Error": "", "FinishedAt": ""}
    env = ["JUPYTERHUB_API_TOKEN=old"]
    return {"Id": "c0", "State": state, "Config": {"Env": env}, "NetworkSettings": ADDRESS}


class Engine:
    """Answers by method, an error among them; ``calls`` is what was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers, self.calls = answers, list[str]()

    async def docker(self, method: str, *_: Any, **__: Any) -> Any:
        self.calls.append(method)
        answer = self.answers.get(method)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[BerthSpawner, Engine]]:
    """Make a spawner whose engine gives these answers, and whose server answers at once."""

    async def at_once(*_: Any) -> None:
        pass

    monkeypatch.setattr(parking_spawner, "wait_until_it_answers", at_once)
    monkeypatch.setattr(parking_spawner, "revoke_server_tokens", lambda *_, **__: None)
    owner = object()
    row = SimpleNamespace(user=owner)
    monkeypatch.setattr(sessions.orm.APIToken, "find", lambda *_: row)

    def make(parked_at: datetime | None = SINCE, **answers: Any) -> tuple[BerthSpawner, Engine]:
        engine = Engine(**answers)
        monkeypatch.setattr(DockerSpawner, "docker", lambda _, *a, **k: engine.docker(*a, **k))
        user = SimpleNamespace(name="ada", db=None, orm_user=owner, url="/user/ada/")
        spawner = BerthSpawner(network_name="tb_users", deployment="tb", remove=True)
        spawner.user, spawner.object_name, spawner.api_token = user, "tb-user-ada", "new"
        spawner.parked_at = parked_at
        monkeypatch.setattr(
            type(spawner), "server", SimpleNamespace(base_url="/user/ada/"), raising=False
        )
        return spawner, engine

    return make


def test_it_goes_on_with_its_own_token(make: Any) -> None:
    spawner, engine = make(inspect_container=container(paused=True))
    assert asyncio.run(spawner.resume()) == ("172.18.0.2", 8888)
    assert engine.calls == ["inspect_container", "unpause"]
    assert (spawner.api_token, spawner.parked_at) == ("old", None)


@pytest.mark.parametrize(
    "answers",
    [
        {"inspect_container": refusal(404)},
        {"inspect_container": container(running=False)},
        {"inspect_container": container()},
        {"inspect_container": container(paused=True), "unpause": refusal(409)},
    ],
    ids=["gone", "ended", "not paused", "stale"],
)
def test_it_is_started_anew_with_a_new_token(make: Any, answers: Any) -> None:
    spawner, _ = make(**answers)
    assert asyncio.run(spawner.resume()) is None
    assert (spawner.api_token, spawner.parked_at) == ("new", None)


def test_a_token_that_was_revoked_does_not_come_back(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawner, engine = make(inspect_container=container(paused=True))
    monkeypatch.setattr(sessions.orm.APIToken, "find", lambda *_: None)
    assert asyncio.run(spawner.resume()) is None
    assert engine.calls == ["inspect_container"]


def test_one_that_does_not_answer_is_replaced(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    spawner, _ = make(inspect_container=container(paused=True))

    async def never(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(parking_spawner, "wait_until_it_answers", never)
    monkeypatch.setattr(parking_spawner, "RESUME_SECONDS", 0.01)
    assert asyncio.run(spawner.resume()) is None


def test_a_ledger_that_is_away_costs_nobody_their_variables(make: Any) -> None:
    spawner, _ = make(inspect_container=container(paused=True), unpause=refusal(503))
    with pytest.raises(APIError):
        asyncio.run(spawner.resume())
    assert spawner.parked_at == SINCE


@pytest.mark.parametrize(
    ("known", "found", "expected"),
    [
        ((None, False), container(), (None, None, [])),
        ((None, False), container(paused=True), (PARKED, "now", [])),
        ((SINCE, True), container(paused=True), (PARKED, SINCE, [])),
        ((SINCE, True), container(), (PARKED, SINCE, ["pause"])),  # a resume was cut short
        ((SINCE, False), container(), (None, SINCE, [])),
        ((SINCE, True), container(running=False), ("ExitCode=137", None, [])),
        ((SINCE, True), refusal(404), (0, None, [])),
    ],
)
def test_what_poll_makes_of_what_it_finds(
    make: Any, known: Any, found: Any, expected: Any
) -> None:
    """``known``: since when it is parked, and whether this is the look of a hub that starts."""
    spawner, engine = make(known[0], inspect_container=found)
    spawner._check_pending = known[1]
    answer = asyncio.run(spawner.poll())
    status, parked_at, calls = expected
    assert answer == status or str(answer).startswith(f"{status},")
    assert engine.calls == ["inspect_container", *calls]
    assert spawner.parked_at == parked_at or (parked_at == "now" and spawner.parked_at > SINCE)
    assert spawner.will_resume is (spawner.parked_at is not None)


def test_a_paused_server_is_not_ended_by_the_stop_that_follows(make: Any) -> None:
    spawner, engine = make(None)
    assert asyncio.run(spawner.pause())
    asyncio.run(spawner.stop())
    assert engine.calls == ["pause"]
    assert spawner.will_resume


def test_one_that_cannot_be_paused_runs_on_and_a_stop_is_a_stop(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parking_spawner, "PAUSE_AGAIN_SECONDS", 0)
    spawner, engine = make(None, pause=refusal(500))
    assert not asyncio.run(spawner.pause())
    assert (set(engine.calls), spawner.will_resume) == ({"pause"}, False)
    engine.calls.clear()
    asyncio.run(spawner.stop())
    assert engine.calls == ["stop", "remove_container"]


def test_the_state_survives_the_hub(make: Any) -> None:
    one, other = make(SINCE)[0], make(None)[0]
    other.load_state(one.get_state())
    assert other.parked_at == SINCE
    other.clear_state()
    assert other.parked_at == SINCE, "JupyterHub clears before a start, too"
    other.load_state({})
    assert other.parked_at is None
