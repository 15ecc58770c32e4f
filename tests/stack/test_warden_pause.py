"""A paused server on the real engine: nothing of it is lost, and nothing outdated is resumed."""

from __future__ import annotations

import json

import pytest
from warden_fixtures import TestWarden, deployment, docker, no_user_containers, warden

__all__ = ["deployment", "no_user_containers", "warden"]
pytestmark = pytest.mark.timeout(180)

REMEMBER = "x=kept-$$; mkfifo /tmp/ask; while read a < /tmp/ask; do echo $x > ~/told; done"
"""A variable of a running process, told whenever somebody writes into the pipe."""


def inside(warden: TestWarden, login: str, command: str) -> str:
    return docker("exec", warden.name(login), "sh", "-c", command)


def told(warden: TestWarden, login: str) -> str:
    file = warden.data / "users" / login / "told"
    file.unlink(missing_ok=True)
    inside(warden, login, "until [ -p /tmp/ask ]; do :; done; timeout 20 sh -c 'echo > /tmp/ask'")
    inside(warden, login, "timeout 20 sh -c 'until [ -s ~/told ]; do :; done'")
    return file.read_text()


def park(warden: TestWarden, login: str) -> str:
    """Return the path of a container that ran and is paused."""
    path = f"/v1.44/containers/{warden.spawn(login)}"
    warden.client.ok("POST", f"{path}/pause")
    return path


def is_stale(warden: TestWarden, path: str) -> bool:
    """Tell whether it is refused, in which case the engine did nothing and it is still paused."""
    with warden.engine_events() as events:
        status, answer = warden.client.call("POST", f"{path}/unpause")
    if status == 204:
        return False
    assert (status, answer["error"]) == (409, "stale_container")
    assert answer["message"].endswith("image, uid, teams or limits: remove it first.")
    assert events == []
    return True


def test_a_variable_survives_and_the_rest_of_it_too(warden):
    number = warden.spawn("alice")
    path = f"/v1.44/containers/{number}"
    docker("exec", "--detach", warden.name("alice"), "sh", "-c", REMEMBER)
    before = told(warden, "alice")
    warden.client.ok("POST", f"{path}/pause")
    warden.client.ok("POST", f"{path}/pause")
    state = warden.client.ok("GET", f"{path}/json")["State"]
    assert (state["Running"], state["Paused"]) == (True, True)
    stats = warden.client.ok("GET", f"{path}/stats?stream=false&one-shot=true")["memory_stats"]
    assert stats["usage"] > 0, "what a paused server costs can be read"
    status, answer = warden.ledger.call("POST", "/v1/berths/alice/archive", {})
    assert (status, answer["error"]) == (409, "running")
    docker("restart", warden.container, warden.ledger_container)
    warden.wait_for_health()
    for _ in range(2):
        warden.client.ok("POST", f"{path}/unpause")
    after = warden.inspect("alice")
    assert (after["Id"], after["State"]["Pid"]) == (number, state["Pid"])
    assert not after["State"]["Paused"]
    assert told(warden, "alice") == before
    assert before.startswith("kept-")


def test_stopped_while_paused_it_may_save_and_go(warden):
    path = park(warden, "bob")
    warden.client.ok("POST", f"{path}/stop?t=30")
    state = warden.inspect("bob")["State"]
    assert (state["ExitCode"], state["Paused"], state["Running"]) == (0, False, False)
    assert docker("logs", warden.name("bob")).endswith("saved")
    assert is_stale(warden, path), "it has ended"


def test_removed_while_paused_it_is_gone(warden):
    path = park(warden, "bob")
    warden.client.ok("DELETE", f"{path}?force=True&v=True&link=False")
    assert warden.client.call("GET", f"{path}/json")[0] == 404
    assert docker("ps", "-aq", "--filter", f"name=^/{warden.name('bob')}$") == ""


def test_of_an_image_that_was_built_again_it_is_not_resumed(warden):
    path = park(warden, "alice")
    first = docker("inspect", "--format={{.Id}}", warden.user_image)
    docker("tag", warden.other_image, warden.user_image)
    try:
        assert is_stale(warden, path)
    finally:
        docker("tag", first, warden.user_image)
    assert not is_stale(warden, path), "the control"


def test_of_other_teams_than_now_it_is_not_resumed(warden):
    path = park(warden, "alice")
    warden.ledger.ok("PUT", "/v1/teams/tides", {"members": ["alice"]})
    assert is_stale(warden, path)
    warden.ledger.ok("PUT", "/v1/teams/tides", {"members": []})
    assert not is_stale(warden, path), "the control"


def test_f14_of_an_earlier_person_of_that_name_it_is_not_resumed(warden):
    """Started and paused again behind everybody's back, on the home of who has the name now."""
    path = f"/v1.44/containers/{warden.spawn('carol')}"
    warden.client.ok("POST", f"{path}/stop?t=10")
    warden.ledger.ok("POST", "/v1/berths/carol/archive", {})
    warden.ledger.ok("PUT", "/v1/berths/carol", {})
    docker("start", warden.name("carol"))
    docker("pause", warden.name("carol"))
    assert is_stale(warden, path)


@pytest.mark.parametrize(
    "settings", [{"MEM_LIMIT": "1G"}, {"CPU_LIMIT": "0.5"}, {"PIDS_LIMIT": "200"}], ids=str
)
def test_of_other_limits_than_now_it_is_not_resumed(warden, settings):
    path = park(warden, "alice")

    def restart_with(settings):
        docker("rm", "--force", warden.container)
        warden.settings = settings
        warden.start_warden()
        warden.wait_for_health()

    restart_with(settings)
    try:
        assert is_stale(warden, path)
    finally:
        restart_with({})
    assert not is_stale(warden, path), "the control"


def test_a6_who_is_not_a_person_of_ours_is_neither_paused_nor_resumed(warden):
    """A container that somebody else made, by its name and its ids, paused or not."""
    name = f"{warden.deployment}-other"
    label = f"--label=tinyberth.deployment={warden.deployment}"
    number = docker("run", "--detach", f"--name={name}", label, warden.user_image)

    def refused(call: str) -> None:
        with warden.engine_events() as events:
            for reference in (name, number, number[:12]):
                answer = warden.client.call("POST", f"/containers/{reference}/{call}")
                assert (answer[0], answer[1]["error"]) == (404, "not_found")
        assert events == []

    refused("pause")
    docker("pause", name)
    refused("unpause")
    assert json.loads(docker("inspect", name))[0]["State"]["Paused"]
    docker("rm", "--force", name)
