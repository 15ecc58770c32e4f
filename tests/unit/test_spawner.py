"""What the spawner asks for, and how it waits for a warden that restarts."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest
from docker.errors import APIError
from dockerspawner import DockerSpawner
from requests.exceptions import ConnectionError as NoConnectionError

from tinyberth_hub import patience, spawner
from tinyberth_hub.ledger_client import Berth
from tinyberth_hub.spawner import BerthSpawner, container_identity


def test_a_container_is_told_uid_and_gid_both_and_whose_it_is() -> None:
    assert container_identity(Berth("alice", "alice", 20001, 20001)) == {
        "user": "20001:20001",
        "labels": {"tinyberth.login": "alice"},
    }


def engine_that_answers(*answers: Any) -> Any:
    """Return a stand-in for DockerSpawner.docker: raises or returns one answer per call."""
    left = list(answers)

    def docker(self: object, method: str, *args: Any, **kwargs: Any) -> Future[Any]:
        answer = left.pop(0)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        return future  # type: ignore[return-value]

    return docker


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(spawner, "WARDEN_WAIT_SECONDS", 0.2)


def test_a_warden_that_restarts_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    gone = NoConnectionError("no such file")
    monkeypatch.setattr(DockerSpawner, "docker", engine_that_answers(gone, gone, {"Id": "x"}))
    assert asyncio.run(BerthSpawner().docker("inspect_container", "x")) == {"Id": "x"}


def test_a_warden_that_stays_away_is_an_error_in_the_end(
    monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    gone = [NoConnectionError("no such file")] * 1000
    monkeypatch.setattr(DockerSpawner, "docker", engine_that_answers(*gone))
    with pytest.raises(NoConnectionError):
        asyncio.run(BerthSpawner().docker("inspect_container", "x"))


def test_a_refusal_is_not_asked_again(monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    monkeypatch.setattr(DockerSpawner, "docker", engine_that_answers(APIError("refused")))
    with pytest.raises(APIError, match="refused"):
        asyncio.run(BerthSpawner().docker("create_container"))
