"""A server that is slow to stop is nobody's business but its own."""

from __future__ import annotations

from threading import Thread

from deployment import Deployment, wait_until


def test_a_server_that_does_not_hear_sigterm_keeps_nobody_from_starting(
    deployment: Deployment,
) -> None:
    """The engine waits ten seconds for it; meanwhile another person's first call gets through.

    An order, and no time: with DockerSpawner's one thread bob's first call waits for the end of
    alice's stop.
    """
    alice, bob = deployment.with_server("alice"), deployment.with_server("bob")
    bob.stop_server()
    slow = deployment.inspect(deployment.container("alice"))["Id"]

    def wardens_log() -> list[str]:
        return deployment.compose("logs", "--no-log-prefix", "warden").stdout.splitlines()

    before = len(wardens_log())
    # All of her processes, but not this shell and not PID 1.
    deployment.docker("exec", slow, "bash", "-c", "kill -STOP -1")
    stop = Thread(target=alice.api, args=("DELETE", "/users/alice/server"))
    stop.start()
    wait_until(lambda: (alice.server() or {}).get("pending") == "stop", "her stop is asked for")
    bob.api("POST", "/users/bob/server")
    wait_until(lambda: not alice.server(), "her server is stopped")
    stop.join()
    wait_until(bob.server_ready, "his server answers")
    answered = wardens_log()[before:]
    (her_stop,) = (n for n, line in enumerate(answered) if f"{slow}/stop" in line)
    his_calls = [n for n, line in enumerate(answered) if deployment.container("bob") in line]
    assert his_calls[0] < her_stop, "\n".join(answered)
