#!/usr/bin/env python3
"""What the warden adds to a spawn: create, start, remove, with and without it, by turns.

    TINYBERTH_TEST_WARDEN_IMAGE=tinyberth-warden:0.1.0 python3 bench/warden_overhead.py [ROUNDS]

Starts a warden of its own with the fixtures of tests/stack and removes it again. The very body
that the warden builds is what the engine gets without it, so that the warden alone differs.
The bound is 20 ms (median) for a spawn.
"""

from __future__ import annotations

import http.client
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "tests/stack")]

from service_client import ServiceConnection  # noqa: E402 - after the path
from warden_fixtures import TestWarden, made_deployment  # noqa: E402

from engine import Engine, call  # noqa: E402 - after the path

BOUND_MS = 20.0


def spawn_ms(connection: http.client.HTTPConnection, name: str, body: Any) -> float:
    """Return the milliseconds of create, start and inspect; what is made is removed."""
    began = time.perf_counter()
    number = call(connection, "POST", f"/containers/create?name={name}", body)["Id"]
    call(connection, "POST", f"/containers/{number}/start")
    call(connection, "GET", f"/containers/{number}/json")
    elapsed = (time.perf_counter() - began) * 1000
    call(connection, "DELETE", f"/containers/{number}?force=1")
    return elapsed


def built_body(warden: TestWarden) -> dict[str, Any]:
    """Return the body that the warden makes, read back from a container of its making."""
    warden.spawn("alice")
    found = warden.inspect("alice")
    config = {
        key: found["Config"][key]
        for key in ("Image", "User", "Env", "Labels", "Hostname", "WorkingDir", "ExposedPorts")
    }
    warden.client.ok("DELETE", f"/containers/{warden.name('alice')}?force=1")
    return {**config, "HostConfig": found["HostConfig"]}


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with made_deployment() as warden:
        warden.start()
        warden.wait_for_health()
        asked, built = warden.create_body("alice"), built_body(warden)
        through = ServiceConnection(warden.client.path, warden.client.uid)
        direct = Engine("docker")
        times: dict[str, list[float]] = {"with": [], "without": []}
        for number in range(rounds + 2):
            pair = [("with", through, asked), ("without", direct, built)]
            for label, connection, body in pair if number % 2 else reversed(pair):
                elapsed = spawn_ms(connection, warden.name("alice"), body)
                if number >= 2:  # two rounds to warm up
                    times[label].append(elapsed)
    medians = {label: statistics.median(values) for label, values in times.items()}
    differences = [a - b for a, b in zip(times["with"], times["without"], strict=True)]
    added = medians["with"] - medians["without"]
    print(f"create + start + inspect, {rounds} times by turns, medians:")
    print(f"  without the warden  {medians['without']:7.1f} ms")
    print(f"  with the warden     {medians['with']:7.1f} ms")
    print(f"  ratio               {medians['with'] / medians['without']:7.3f}")
    print(f"  added               {added:7.1f} ms (bound {BOUND_MS:.0f} ms)")
    print(f"  median of the pairs {statistics.median(differences):7.1f} ms")
    tenths = {label: statistics.quantiles(values, n=10)[0] for label, values in times.items()}
    print(f"  added, fastest tenth{tenths['with'] - tenths['without']:7.1f} ms")
    # On a machine that others use, the figure says more about them: two more processes wait.
    print(f"  load of the machine {os.getloadavg()[0]:7.1f} on {os.cpu_count()} CPUs")
    return 0 if added < BOUND_MS else 1


if __name__ == "__main__":
    sys.exit(main())
