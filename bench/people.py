#!/usr/bin/env python3
"""Import many people through the API, and list them: our list and JupyterHub's own, by turns.

    python3 bench/people.py URL ADMIN_TOKEN [COUNT]
    python3 bench/people.py http://hub.localhost:8000 0123abc… 500

ADMIN_TOKEN is an admin's, from the Token page. The people are named bench-0001 and so on; they are
removed at the end, but their numbers stay used: take a deployment that may be thrown away.
The bound is 1 s (median) for the list of 500.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
import urllib.request
from typing import Any
from urllib.parse import urlsplit

BOUND_MS = 1000.0
ROUNDS = 20
PAGE = 200
"""The most that JupyterHub lists at once (its api_page_max_limit)."""


class Hub:
    """JupyterHub's and our REST API, as one caller with a token."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        # Browsers resolve *.localhost, Python asks the system, which may not.
        self._url = f"http://127.0.0.1:{parts.port}/hub/api"
        self._headers = {
            "Host": parts.netloc,
            "Authorization": f"token {token}",
            "Content-Type": "application/json",
        }

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - http, to this machine
            self._url + path, data=data, headers=self._headers, method=method
        )
        with urllib.request.urlopen(request, timeout=120) as reply:  # noqa: S310 - as above
            text = reply.read()
        return json.loads(text) if text else None


def timed_ms(hub: Hub, paths: list[str], at_least: int) -> float:
    """Return the milliseconds of a list of people that comes in one answer or in several."""
    began = time.perf_counter()
    answers = [hub.ask("GET", path) for path in paths]
    elapsed = (time.perf_counter() - began) * 1000
    found = [answer["people"] if isinstance(answer, dict) else answer for answer in answers]
    assert sum(map(len, found)) >= at_least
    return elapsed


def measure(hub: Hub, count: int) -> float:
    """Print the figures; return the median of our list, in milliseconds."""
    names = [f"bench-{number:04}" for number in range(1, count + 1)]
    csv = "name,teams\n" + "".join(f"{name},bench-team\n" for name in names)
    began = time.perf_counter()
    lines = hub.ask("POST", "/tinyberth/people/preview", {"csv": csv})["lines"]
    preview_ms = (time.perf_counter() - began) * 1000
    assert {line["outcome"] for line in lines} == {"new"}, "take a fresh deployment"
    began = time.perf_counter()
    for line in lines:
        hub.ask("POST", "/tinyberth/people", {"name": line["name"], "teams": line["teams"]})
    each_ms = (time.perf_counter() - began) * 1000 / count
    times: dict[str, list[float]] = {"ours": [], "jupyterhub": []}
    pages = [f"/users?limit={PAGE}&offset={start}" for start in range(0, count, PAGE)]
    paths = [("ours", ["/tinyberth/people"]), ("jupyterhub", pages)]
    for number in range(ROUNDS):
        for label, asked in paths if number % 2 else reversed(paths):
            times[label].append(timed_ms(hub, asked, count))
    began = time.perf_counter()
    for name in names:
        hub.ask("DELETE", f"/tinyberth/people/{name}")
    remove_ms = (time.perf_counter() - began) * 1000 / count
    hub.ask("DELETE", "/tinyberth/teams/bench-team")
    ours, stock = (statistics.median(times[label]) for label in ("ours", "jupyterhub"))
    print(f"{count} people:")
    print(f"  preview of all         {preview_ms:8.1f} ms")
    print(f"  add, each              {each_ms:8.1f} ms")
    print(f"  our list, median       {ours:8.1f} ms (bound {BOUND_MS:.0f} ms)")
    print(f"  JupyterHub's, median   {stock:8.1f} ms")
    print(f"  ratio                  {ours / stock:8.3f}")
    print(f"  remove, each           {remove_ms:8.1f} ms")
    print(f"  load of the machine    {os.getloadavg()[0]:8.1f} on {os.cpu_count()} CPUs")
    return ours


def main() -> int:
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 500
    return 0 if measure(Hub(sys.argv[1], sys.argv[2]), count) < BOUND_MS else 1


if __name__ == "__main__":
    sys.exit(main())
