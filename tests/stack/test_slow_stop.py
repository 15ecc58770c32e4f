"""A server that is slow to stop is nobody's business but its own."""

from __future__ import annotations

from threading import Thread

from deployment import Deployment, wait_until


def test_a_server_that_does_not_hear_sigterm_keeps_nobody_from_starting(
    deployment: Deployment,
) -> None:
    """The engine waits ten seconds for it; meanwhile another person's container is made and runs.

    An order, and no time: with DockerSpawner's one thread bob's first call waits for the end of
    alice's stop.
    """
    alice, bob = deployment.with_server("alice"), deployment.with_server("bob")
    bob.stop_server()
    slow = deployment.container("alice")
    # All of her processes, but not this shell and not PID 1.
    deployment.docker("exec", slow, "bash", "-c", "kill -STOP -1")
    stop = Thread(target=alice.api, args=("DELETE", "/users/alice/server"))
    stop.start()
    try:
        wait_until(
            lambda: (alice.server() or {}).get("pending") == "stop", "her stop is asked for"
        )
        bob.api("POST", "/users/bob/server")
        starts = ["ps", "--quiet", "--filter", f"name=^/{deployment.container('bob')}$"]
        wait_until(lambda: deployment.docker(*starts).stdout, "his container runs", 30)
        assert deployment.docker("ps", "--quiet", "--filter", f"name=^/{slow}$").stdout
    finally:
        deployment.docker("exec", slow, "bash", "-c", "kill -KILL -1", check=False)
        stop.join()
    wait_until(lambda: not alice.server(), "her server is stopped")
    wait_until(bob.server_ready, "his server answers")
