#!/usr/bin/env python3
"""Build all images from nothing, and again after one change, beside builds with nothing changed.

    python3 bench/build.py [--rounds 5] [--colds 1] [--json FILE]

Needs an engine and the base (`./tinyberth up` has both made), git, and nobody else on the machine.
Works on a copy of the checkout: nothing in it changes, and what is built is removed at the end,
from the builder's cache, too. What is measured is what people wait for: `docker compose build`,
all six images, with the steps' own parallelism.

- *cold*: the base image is there and nothing else. No step was ever made before, and the folder
  in which uv keeps packages (a cache mount) is a new one. What lies between this machine and the
  package indexes is as it is: a mirror near by keeps what it gave before.
- *notebook*, *package*, *hub file*: one of them changed since the build before. A package is
  another version of nbstripout in the user image's lock, fetched from the index.
- *nothing*: the same command with nothing changed, by turns with the three. What a change costs is
  more than that.

The copy's Dockerfiles say ``BENCH=…`` in each command. So no step is taken for one of anybody's
images, in neither direction, and what is left in the cache can be told from theirs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from figures import Goal

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "common"), str(ROOT / "launcher")]

from tinyberth_launcher.base import BOOTSTRAPPED, has_image  # noqa: E402 - after the path
from tinyberth_launcher.checkout import load_checkout  # noqa: E402

GOALS_S = {"cold": 90.0, "notebook": 5.0, "package": 30.0, "hub file": 10.0}
CHANGES = ("nothing", "notebook", "package", "hub file")
SLOWEST = 8
"""Steps of a build that are printed, of those that took a twentieth of it or more."""

# One for each round, so that each is really fetched; sdist and wheel.
OTHER_VERSIONS = {
    "0.9.0": (
        "4354284d11309f254a6ba4bd9e2f8c5953b16474b7431c278ce67b470e2123a2",
        "98acb9d8152beeece931564bf1a7b8e7763d9f0919b09103bbb181913bbe0b3d",
    ),
    "0.8.1": (
        "79a8c8da488d98c54c112fa87185045f0271a97d84f1d46918d6a3ee561b30e7",
        "eaac8b6b4e729e8dfe1e5df2c0f8ba44abc5a17a65448f0480141f80be230bb1",
    ),
    "0.8.0": (
        "4b9b563c3704f9b59067627bec7d0d5c7437527ab6c3a72dd3cf895d46bf5a44",
        "b37f7b297fc6c02647d387d1049e4be8d0ecbf74640e502dce36ae93120ad420",
    ),
    "0.7.1": (
        "2aad3454dc13e356f2fc94917856bc44f2bed3add77e8ba9f3a78003074bcd84",
        "dfb0688b42b02ff13925e583313fc009c87342ad13b79ae0329357749aa6ed0c",
    ),
}
_LOCKED = re.compile(r"^nbstripout==.*\n(?:    --hash=.*\n)+", re.MULTILINE)
_STEP = re.compile(r"^#(\d+) \[(.+?)\] (.+)$")
_DONE = re.compile(r"^#(\d+) DONE (\d+\.\d)s$")


def run(*command: str, **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    return str(done.stdout)


class Copy:
    """A copy of the checkout whose builds are its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self._changed = 0
        listed = run(
            "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT
        )
        for file in filter(None, listed.split("\0")):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, folder / file, follow_symlinks=False)
        for dockerfile in folder.glob("*/Dockerfile"):
            dockerfile.write_text(marked(dockerfile.read_text(), name))
        checkout = load_checkout(ROOT)
        wished = checkout.variables.get("BASE_IMAGE") or checkout.pinned_base
        base = wished if has_image(wished) else BOOTSTRAPPED
        ours = {"COMPOSE_PROJECT_NAME": name, "BASE_IMAGE": base}
        self._environment = {**os.environ, **checkout.variables, **ours}

    def build(self) -> tuple[float, list[tuple[float, str]]]:
        """Return the seconds of a build of all images, and its steps by how long they took."""
        command = ("docker", "compose", "--progress", "plain", "build")
        began = time.perf_counter()
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd=self.folder,
            env=self._environment,
        )
        elapsed = time.perf_counter() - began
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}")
        return elapsed, steps(done.stdout)

    def change(self, what: str) -> None:
        """Change one file as nobody changed it before."""
        self._changed += 1
        note = f"changed {self._changed} times by {self.name}"
        if what == "notebook":
            path = min((self.folder / "notebooks").glob("*.ipynb"))
            notebook = json.loads(path.read_text())
            notebook["cells"][0]["source"] = [note]
            path.write_text(json.dumps(notebook))
        elif what == "hub file":
            path = self.folder / "hub/tinyberth_hub/people.py"
            path.write_text(f"{path.read_text()}# {note}\n")
        elif what == "package":
            path = self.folder / "singleuser/requirements.txt"
            path.write_text(with_another_version(path.read_text()))

    def remove(self) -> None:
        """Remove the images and what the builder keeps of them."""
        tags = ("image", "ls", "--quiet", "--filter", f"reference={self.name}-*")
        images = set(run("docker", *tags).split())
        if images:
            run("docker", "image", "rm", "--force", *images)
        while kept := self._kept():
            for record in kept:  # the newest first: one that another stands on cannot go
                prune = ("docker", "builder", "prune", "--all", "--force")
                run(*prune, "--filter", f"id={record}")
            if self._kept() == kept:
                print(f"The builder still keeps {len(kept)} steps; docker builder prune removes.")
                break

    def _kept(self) -> list[str]:
        """Return the ids of the builder's records of this copy, the newest first."""
        return marked_records(run("docker", "buildx", "du", "--verbose"), self.name)


def marked(dockerfile: str, name: str) -> str:
    """Return the text with the mark in each command, and cache mounts of its own."""
    env = f'"/usr/bin/env", "BENCH={name}"'
    text = re.sub(r"^SHELL \[", f"SHELL [{env}, ", dockerfile, flags=re.MULTILINE)
    shell = f'SHELL [{env}, "/bin/sh", "-c"]'
    text = re.sub(r"^(FROM \$\{BASE_IMAGE\}.*)$", rf"\1\n{shell}", text, flags=re.MULTILINE)
    return text.replace("--mount=type=cache,", f"--mount=type=cache,id={name},")


def marked_records(listing: str, name: str) -> list[str]:
    """Return the ids of records with the mark and of all that stand on them, the newest first."""
    records = {}
    for text in listing.split("\n\n"):
        fields = dict(re.findall(r"^([A-Z][A-Za-z ]+):\s*(.*)$", text, re.MULTILINE))
        if "ID" in fields:
            records[fields["ID"]] = fields
    found = {number for number, fields in records.items() if name in fields["Description"]}
    while more := {
        number
        for number, fields in records.items()
        if number not in found and found & set(re.findall(r"\w+", fields.get("Parent", "")))
    }:
        found |= more
    return sorted(found, key=lambda number: records[number]["Created at"], reverse=True)


def with_another_version(lock: str) -> str:
    """Return the lock with the next version of nbstripout."""
    versions = list(OTHER_VERSIONS)
    now = next((n for n, v in enumerate(versions) if f"nbstripout=={v} " in lock), -1)
    if now + 1 == len(versions):
        sys.exit(f"--rounds: no more than {len(versions)}; each takes a version of OTHER_VERSIONS")
    version = versions[now + 1]
    hashes = " \\\n".join(f"    --hash=sha256:{digest}" for digest in OTHER_VERSIONS[version])
    locked = f"nbstripout=={version} \\\n{hashes}\n"
    text, count = _LOCKED.subn(lambda _: locked, lock)
    assert count == 1, "singleuser/requirements.txt names nbstripout once"
    return text


def steps(log: str) -> list[tuple[float, str]]:
    """Return seconds and name of the steps in the builder's plain log, the longest first."""
    names, seconds = {}, {}
    for line in log.splitlines():
        if found := _STEP.match(line):
            names[found[1]] = f"{found[2]}: {re.sub(r'--mount=[^ ]+ ', '', found[3])[:70]}"
        elif found := _DONE.match(line):
            seconds[found[1]] = float(found[2])
    return sorted(((seconds[n], names[n]) for n in names if n in seconds), reverse=True)


@contextmanager
def copy_of_checkout() -> Iterator[Copy]:
    name = f"tbbuild-{secrets.token_hex(3)}"
    with tempfile.TemporaryDirectory(prefix=name, dir="/var/tmp") as folder:
        copy = Copy(Path(folder), name)
        try:
            yield copy
        finally:
            copy.remove()


def measure(rounds: int, colds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"cold": [], **{change: [] for change in CHANGES}}
    for number in range(colds):
        with copy_of_checkout() as copy:
            report("cold", *copy.build(), times)
            for turn in range(rounds if number + 1 == colds else 0):
                for at in range(len(CHANGES)):
                    change = CHANGES[(turn + at) % len(CHANGES)]
                    copy.change(change)
                    report(change, *copy.build(), times)
    return times


def report(
    what: str,
    elapsed: float,
    longest: list[tuple[float, str]],
    times: Mapping[str, list[float]],
) -> None:
    times[what].append(elapsed)
    print(f"{what:>9}: {elapsed:7.1f} s  (load {os.getloadavg()[0]:.1f})", flush=True)
    for seconds, name in longest[:SLOWEST]:
        if seconds > elapsed / 20:
            print(f"    {seconds:7.1f} s  {name}")


def lines(times: Mapping[str, list[float]]) -> Iterator[str]:
    """Yield each figure with its range, and what it is more than a build with nothing changed."""
    medians = {what: statistics.median(values) for what, values in times.items() if values}
    yield f"{'':>9}  {'median':>8}  {'range':>15}  more than nothing changed"
    for what, median in medians.items():
        spread = f"{min(times[what]):.1f} to {max(times[what]):.1f} s"
        more = f"{median - medians['nothing']:+.1f} s" if "nothing" in medians else ""
        yield f"{what:>9}  {median:6.1f} s  {spread:>15}  {more}".rstrip()


def goals(times: Mapping[str, list[float]]) -> list[Goal]:
    return [
        Goal(f"a build, {what}", statistics.median(times[what]), under)
        for what, under in GOALS_S.items()
        if times[what]
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=len(OTHER_VERSIONS))
    parser.add_argument("--colds", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    times = measure(options.rounds, options.colds)
    reached = goals(times)
    print("", *lines(times), *reached, sep="\n")
    load = os.getloadavg()[0]
    print(f"load of the machine {load:.1f} on {os.cpu_count()} CPUs")
    if options.json:
        made = {"seconds": times, "goals": [asdict(goal) for goal in reached], "load": load}
        options.json.write_text(json.dumps(made, indent=1) + "\n")
    return 0 if all(goal.reached for goal in reached) else 1


if __name__ == "__main__":
    sys.exit(main())
