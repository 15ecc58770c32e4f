#!/usr/bin/env python3
"""Coming back: from the click to the page, where the server was parked and where it was stopped.

    python3 bench/resume.py [--rounds 15] [--out .state/bench]

Starts a deployment of its own and removes it, also after Ctrl-C. One person's server is, by turns,
parked and stopped; each time the person then clicks "Start My Server", or loads the page of the
own server again, in a browser that was there before: cookies and redirects as in a browser, no
scripts and no pictures. Where a page with steps comes first, what its script does is done: wait
for the end of the steps, then go on. The time ends with the last byte of JupyterLab's page.

Goal: half of the visits to a parked server take less than 0.3 s. Exit code 1 if it is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from browsers import Browser
from figures import Goal, Spread, spreads
from own_deployment import ROOT, OwnDeployment, own_deployment

NAME = "guest"
PASSWORD = "correct horse battery staple"  # noqa: S105 - of somebody who lives for a minute
VISIT = {"Accept": "text/html", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
WAYS = {"click": f"/hub/spawn/{NAME}", "reload": f"/user/{NAME}/lab"}
GOAL_SECONDS = 0.3


class Visitor:
    """A browser of one person: the hub and the own server have cookies of their own."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.hub = url
        self.own = f"{parts.scheme}://{NAME}.{parts.netloc}"
        self._at = {urlsplit(origin).netloc: Browser(origin) for origin in (self.hub, self.own)}

    @property
    def at_hub(self) -> Browser:
        return self._at[urlsplit(self.hub).netloc]

    def visit(self, url: str) -> str:
        """Load a page as a browser does, and return where it ended: at the own server."""
        for _ in range(20):
            parts = urlsplit(url)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            response, _ = self._at[parts.netloc]._send("GET", path, None, dict(VISIT))
            if location := response.headers.get("Location"):
                url = urljoin(url, location)
            elif "/spawn-pending/" in parts.path:
                # The answer ends when the server is there, or could not be started.
                self.at_hub.open(f"/hub/api/users/{NAME}/server/progress")
                url = f"{self.own}/user/{NAME}/lab"
            else:
                return url
        raise AssertionError(f"redirected for ever, to {url}")


def measure(deployment: OwnDeployment, rounds: int) -> dict[str, Spread]:
    admin = Browser(deployment.url)
    admin.open_link(deployment.admin_link, PASSWORD)
    person = admin.api("POST", "/tinyberth/people", {"name": NAME})
    visitor = Visitor(deployment.url)
    visitor.at_hub.open_link(person["link"], PASSWORD)
    visitor.visit(visitor.hub + WAYS["click"])
    samples: list[tuple[str, float]] = []
    for number in range(1, rounds + 1):
        for way, path in WAYS.items():
            for state, act in (("parked", "park"), ("stopped", "stop")):
                if (way, state) == ("reload", "stopped"):
                    continue  # shows a button, by JupyterHub's choice
                admin.api("POST", f"/tinyberth/people/{NAME}/{act}", {})
                origin = visitor.own if way == "reload" else visitor.hub
                began = time.perf_counter()
                ended = visitor.visit(origin + path)
                samples.append((f"{state}, {way}", time.perf_counter() - began))
                assert ended.startswith(f"{visitor.own}/user/{NAME}/lab"), ended
        print(f"round {number} of {rounds}", file=sys.stderr)
    return spreads(samples)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, default=ROOT / ".state" / "bench")
    arguments = parser.parse_args()
    with own_deployment("resume") as deployment:
        found = measure(deployment, arguments.rounds)
    width = max(map(len, found))
    print(f"{'':{width}}     p50     p95     max   seconds")
    for kind, times in found.items():
        print(f"{kind:{width}}  {times.p50:6.3f}  {times.p95:6.3f}  {times.most:6.3f}")
    ratio = found["parked, click"].p50 / found["stopped, click"].p50
    print(f"ratio of the medians, parked to stopped: {ratio:.2f}")
    goals = [
        Goal(f"median of {kind}", times.p50, GOAL_SECONDS)
        for kind, times in found.items()
        if kind.startswith("parked")
    ]
    print(*goals, sep="\n")
    arguments.out.mkdir(parents=True, exist_ok=True)
    figures = {kind: asdict(times) for kind, times in found.items()}
    (arguments.out / "resume.json").write_text(
        json.dumps({"rounds": arguments.rounds, "seconds": figures, "ratio": ratio}, indent=2)
    )
    return 0 if all(goal.reached for goal in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
