#!/usr/bin/env python3
"""From "Run" to the first trained step, with the warm kernel and without it, by turns.

    python3 bench/kernel.py [--image tinyberth-singleuser:0.1.0] [--rounds 5] [--json FILE]

Starts a container of the user image as the hub does (read-only root, 2 CPUs, 4 GB). In each
round a kernel of the lesson starts both ways (``--ext`` in kernel.json or not), the reader reads
for 0, 5 or 10 seconds, and the lesson's cells run up to one step of its training. What a kernel
costs that is warm and that nobody has used yet is its private memory after the longest reading.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

READING_S = (0, 5, 10)
LESSON = "/opt/tinyberth/notebooks/Disaster tweets with TinyBERT.ipynb"
OTHER = "/opt/tinyberth/notebooks/Your data, your permissions.ipynb"
UID = 23456
WAYS = ("without", "warm")
LAST_CELL = "compile"
STEP = "trainer.fit(batches.take(1), shuffle=False, verbose=0)"
ROWS = (
    ("kernel ready", "ready_s"),
    ("first cell (its imports)", "imports_s"),
    ("model and its step's graph", "rest_s"),
    ("Run to first trained step", "run_s"),
    ("CPU seconds of the kernel", "cpu_s"),
    ("private MB before Run", "private_mb"),
    ("private MB at the end", "private_end_mb"),
)


# ---- in the container ------------------------------------------------------------------------


def measure_inside(way: str, reading: float, notebook: str) -> dict[str, float]:
    """Start a kernel, read, run the cells; return seconds and MB of 10⁶ bytes."""
    from jupyter_client.manager import KernelManager  # noqa: PLC0415 -- in the image alone

    cells = json.loads(Path(notebook).read_text())["cells"]
    codes = [
        (cell["id"], "".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"
    ]
    manager = KernelManager(kernel_name="python3")
    if way == "without":
        spec = manager.kernel_spec
        spec.argv = [word for word in spec.argv if not word.startswith("--ext=")]
    began = time.perf_counter()
    manager.start_kernel(
        env={**os.environ, "JPY_SESSION_NAME": notebook}, stderr=subprocess.DEVNULL
    )
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    measured = {"ready_s": time.perf_counter() - began}
    try:
        if notebook == OTHER:
            return {**measured, "first_s": _run(client, "1 + 1")}
        pid = manager.provisioner.pid
        time.sleep(reading)  # what the reader does
        measured["private_mb"] = _private_mb(pid)
        measured["imports_s"] = _run(client, codes[0][1])
        last = [name for name, _ in codes].index(LAST_CELL)
        measured["rest_s"] = sum(_run(client, code) for _, code in codes[1 : last + 1])
        measured["rest_s"] += _run(client, STEP)
        measured["run_s"] = measured["imports_s"] + measured["rest_s"]
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        measured["cpu_s"] = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        measured["private_end_mb"] = _private_mb(pid)
        return measured
    finally:
        manager.shutdown_kernel(now=True)


def _run(client: Any, code: str) -> float:
    began = time.perf_counter()
    reply = client.execute_interactive(code, timeout=600, output_hook=lambda _message: None)
    if reply["content"]["status"] != "ok":
        sys.exit(f"a cell failed: {reply['content']}")
    return time.perf_counter() - began


def _private_mb(pid: int) -> float:
    """Return what the kernel alone keeps in memory: not the files that all kernels map."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return (
        sum(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) * 1024 / 1e6
    )


# ---- on the host -----------------------------------------------------------------------------


def start_container(image: str) -> str:
    name = f"tinyberth-bench-kernel-{os.getpid()}"
    datasets = Path(__file__).resolve().parent.parent / "data/datasets"
    subprocess.run(
        [
            *("docker", "run", "--detach", "--init", "--name", name, "--network", "none"),
            *("--user", f"{UID}:{UID}", "--read-only", "--cap-drop", "ALL"),
            *("--security-opt", "no-new-privileges", "--memory", "4g", "--cpus", "2"),
            *("--tmpfs", "/tmp:mode=1777,size=1g"),  # noqa: S108 -- the container's
            *("--tmpfs", f"/home/zora:uid={UID},gid={UID},mode=0700,exec,size=1g"),
            *("--volume", f"{datasets}:/datasets:ro", "--env", "HOME=/home/zora"),
            *("--workdir", "/home/zora", image, "sleep", "infinity"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return name


def ask(container: str, way: str, reading: float, notebook: str) -> dict[str, float]:
    command = ["docker", "exec", "-i", container, "python", "-", "--inside", way, str(reading)]
    done = subprocess.run(
        [*command, notebook],
        input=Path(__file__).read_text(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{way}, {reading} s: {done.stdout}{done.stderr[-2000:]}")
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def measure(container: str, rounds: int) -> dict[str, dict[str, list[dict[str, float]]]]:
    """Return every run by scenario and way; one before them warms the page cache."""
    scenarios = {f"{reading} s": (reading, LESSON) for reading in READING_S}
    scenarios["other notebook"] = (0, OTHER)
    runs: dict[str, dict[str, list[dict[str, float]]]] = {
        label: {way: [] for way in WAYS} for label in scenarios
    }
    ask(container, "without", 0, LESSON)
    for number in range(rounds):
        for label, (reading, notebook) in scenarios.items():
            for way in WAYS if number % 2 else reversed(WAYS):
                runs[label][way].append(ask(container, way, reading, notebook))
        print(f"round {number + 1} of {rounds}, load {os.getloadavg()[0]:.1f}", flush=True)
    return runs


def print_table(runs: dict[str, dict[str, list[dict[str, float]]]]) -> None:
    for label, ways in runs.items():
        print(f"\nread for {label}:" if label != "other notebook" else f"\n{label}:")
        rows = ROWS if "run_s" in ways["warm"][0] else (ROWS[0], ("first cell", "first_s"))
        for title, key in rows:
            without, warm = (statistics.median(run[key] for run in ways[way]) for way in WAYS)
            ratio = f"{warm / without:.2f}" if without else ""
            print(f"  {title:28} without {without:8.2f}   warm {warm:8.2f}   ratio {ratio}")


def main() -> int:
    if sys.argv[1:2] == ["--inside"]:
        way, reading, notebook = sys.argv[2:]
        print(json.dumps(measure_inside(way, float(reading), notebook)))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--image", default="tinyberth-singleuser:0.1.0")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write every run here, too")
    args = parser.parse_args()
    container = start_container(args.image)
    try:
        runs = measure(container, args.rounds)
    finally:
        subprocess.run(["docker", "rm", "--force", container], check=False, capture_output=True)
    print_table(runs)
    load = os.getloadavg()[0]
    print(f"\nmedians of {args.rounds}; load {load:.1f} on {os.cpu_count()} CPUs")
    if args.json:
        figures = {"rounds": args.rounds, "load": load, "cpus": os.cpu_count(), "runs": runs}
        args.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
