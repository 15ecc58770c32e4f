#!/usr/bin/env python3
"""From the click to the server: stock JupyterHub with DockerSpawner, and ours, by turns.

    python3 bench/spawn.py                          # 10 turns; 16 and 30 at once; about 15 minutes
    python3 bench/spawn.py --repeats 3 --storms 16  # a look
    python3 bench/spawn.py --table .state/bench/spawn.json

Wants an engine, 10 GB of free memory and a quiet machine; Python's standard library is enough.
Both hubs run at the same time on the host's network, on the same engine, with versions and
packages from the same images, and one client treats them alike:

- *stock*: JupyterHub, DockerSpawner and configurable-http-proxy with the settings they come with
  (`bench/stock`), docker.sock in the hub. Its user image is ours without what we add; byte code
  and page cache are as warm as ours, and DockerSpawner keeps stopped containers, so a person who
  comes again needs no new one. All that is kind to stock.
- *ours*: what `./tinyberth up` starts: warden, firewall, read-only root, a new container each
  time, the home on the host.

A time is from the POST that a click on "Start" makes until /user/NAME/api answers 200 through
the proxy; while it starts the client listens to the progress, as JupyterHub's page does. CPU and
memory are of the server's cgroup, read when it has been idle for some seconds. Writes spawn.json
and spawn.png; the exit code is 1 where a goal is missed. Removes what it made, also after Ctrl-C,
and can be run again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from own_deployment import ROOT, own_deployment
from spawn_figures import OURS, STOCK, goals_missed, people, table
from spawn_results import draw, read, write
from spawn_stacks import Client, end, meet_ours, start_stock
from spawn_visits import Bench
from tinyberth_launcher.checkout import load_checkout
from tinyberth_launcher.engine import require_engine
from tinyberth_launcher.problem import FAILED, INTERRUPTED, OK, REFUSED, Problem
from tinyberth_launcher.steps import Steps

SERVER_MB = 250
"""More than a server and its kernel take; so much must be free for each of a storm."""

TURNS_OF_A_STORM = 2


def measure(steps: Steps, args: argparse.Namespace) -> int:
    """Start both hubs, let the people come, write what was measured; remove everything else."""
    load = os.getloadavg()[0]
    visitors = [f"guest{number:02}" for number in range(1, max([1, *args.storms]) + 1)]
    with steps.step("Machine") as step:
        require_engine()
        _require_memory(len(visitors))
        args.out.mkdir(parents=True, exist_ok=True)
        step.done("has an engine and enough memory")
    with contextlib.ExitStack() as stack:
        with steps.step("Ours") as step:
            deployment = stack.enter_context(own_deployment("spawn"))
            # First of all, so that neither starts anything while the rest is removed.
            stack.callback(end, deployment.project)
            ours = meet_ours(deployment, visitors)
            step.done("is up, as ./tinyberth up starts it")
        with steps.step("Stock") as step:
            stock = start_stock(step, deployment.project, visitors)
            step.done("is up, as it comes")
        bench = Bench(Client(deployment.project), {STOCK: stock, OURS: ours}, visitors)
        let_them_come(steps, args, bench)
        with steps.step("Results") as step:
            write(args.out / "spawn.json", ROOT, bench.arrivals, load)
            draw(args.out, ROOT, f"{deployment.project}-singleuser:0.1.0")
            step.done(f"are in {args.out}: spawn.json, spawn.png")
        print(f"\n{table(bench.arrivals)}\n")
    return FAILED if goals_missed(bench.arrivals) else OK


def let_them_come(steps: Steps, args: argparse.Namespace, bench: Bench) -> None:
    with steps.step("Warm-up"):
        bench.warm_up()
    for turn in range(args.repeats):
        with steps.step(f"1 person, turn {turn + 1} of {args.repeats}") as step:
            step.done(bench.alone(turn))
    for users in args.storms:
        for turn in range(TURNS_OF_A_STORM):
            with steps.step(f"{people(users)}, turn {turn + 1} of {TURNS_OF_A_STORM}") as step:
                step.done(f"last up: {bench.storm(users, turn)}")


def _require_memory(users: int) -> None:
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    free_mb = next(int(line.split()[1]) for line in lines if line.startswith("MemAvail")) // 1024
    wanted = 2048 + users * SERVER_MB
    if free_mb < wanted:
        raise Problem(
            f"{users} servers at once want {wanted} MB of free memory; there are {free_mb}.",
            why="Where memory ends, the kernel ends processes, and figures say nothing.",
            remedy="Take smaller storms: --storms 16, or --storms '' for none.",
            code=REFUSED,
        )


def parse_arguments(words: list[str]) -> argparse.Namespace:
    assert __doc__
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--repeats", type=int, default=10, help="turns of one person (default: 10)"
    )
    parser.add_argument(
        "--storms",
        type=lambda text: [int(word) for word in text.split(",") if word],
        default=[16, 30],
        help="how many come at once (default: 16,30)",
    )
    parser.add_argument(
        "--out", type=Path, default=ROOT / ".state/bench", help="folder for results"
    )
    parser.add_argument("--table", type=Path, metavar="JSON", help="only print the table of a run")
    return parser.parse_args(words)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    args = parse_arguments(sys.argv[1:])
    if args.table:
        print(table(read(args.table)))
        return OK
    signal.signal(signal.SIGINT, _interrupt)  # a shell's background jobs would ignore it
    try:
        with load_checkout(ROOT).open_log("bench-spawn") as log:
            return measure(Steps(log), args)
    except Problem as problem:
        print(problem.text(), file=sys.stderr)
        return problem.code
    except subprocess.CalledProcessError as error:
        print(f"{error.stdout or ''}\nOur deployment does not start: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
