#!/usr/bin/env python3
"""The hub under load: a class of 50 signs in within 10 s where 500 people are known.

    python3 bench/hub.py [--people 500] [--classes 3] [--out .state/bench]

Starts a deployment of its own and removes it, also after Ctrl-C. Its 500 people are added as an
admin adds them: a CSV is previewed, each line added, each link makes a password. Then, by turns,
ten seconds at rest and ten in which 50 of them sign in, by the form, from fresh browsers. In both,
another person asks for other pages ten times a second, and an admin once a second for the People
page and for JupyterHub's admin page, each with the data that its scripts fetch. All is asked for
at its moment, whether or not what was asked before is answered, and timed from that moment.

The browsers are threads on the same machine and take a part of it. What follows a login, the start
of a server, is no part of this: bench/spawn.py measures that.
Goals: every login succeeds and none is throttled; p95 of other pages under 2 s, of the People page
and the admin page under 1 s, under load as at rest. Exit code 1 where one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from browsers import Browser, Refused
from figures import Goal, Spread, spread, spreads, table
from own_deployment import ROOT, OwnDeployment, own_deployment

CLASS = 50
SECONDS = 10.0
OTHERS_EVERY, ADMIN_EVERY = 0.1, 0.5
SERVICES = ("hub", "proxy", "ledger", "warden")
LOGIN = "login"
ADMINS_PAGES = ("People page", "admin page")
PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who live for a minute
_HASHES = """
import time
from tinyberth_hub.passwords import hash_password
def seconds():
    began = time.process_time()
    hash_password("correct horse battery staple")
    return time.process_time() - began
print(sorted(seconds() for _ in range(15))[7])
"""

Act = Callable[[], object]
Due = tuple[float, str, Act]
"""After how many seconds, of which kind, and what is done."""
Sample = tuple[str, float, int]
"""Kind, seconds, and the status where the hub refused, else 0."""


class School:
    """Everybody of the benchmark."""

    def __init__(self, deployment: OwnDeployment, people: int) -> None:
        self.url = deployment.url
        self.names = [f"bench-{number:04}" for number in range(1, people + 1)]
        self.admin = Browser(self.url)
        self.admin.open_link(deployment.admin_link, PASSWORD)
        began = time.perf_counter()
        links = self._import()
        self.seconds_to_add = (time.perf_counter() - began) / people
        with ThreadPoolExecutor(4) as pool:
            entered = list(pool.map(self._enter, links[: CLASS + 1]))
        self.reader, self.reader_name = entered[CLASS], self.names[CLASS]
        page = self.reader.open("/hub/home").decode()
        self.style = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
        assert self.style.startswith("/hub/static/"), "the page has no style sheet"

    def _import(self) -> list[str]:
        """Add everybody as the People page does; return their links."""
        self.admin.open("/hub/people")
        csv = "name,teams\n" + "".join(f"{name},bench-team\n" for name in self.names)
        lines = self.admin.api("POST", "/tinyberth/people/preview", {"csv": csv})["lines"]
        assert {line["outcome"] for line in lines} == {"new"}
        return [self._add(line) for line in lines]

    def _add(self, line: dict[str, object]) -> str:
        person = {"name": line["name"], "teams": line["teams"]}
        return str(self.admin.api("POST", "/tinyberth/people", person)["link"])

    def _enter(self, link: str) -> Browser:
        browser = Browser(self.url)
        browser.open_link(link, PASSWORD)
        return browser

    def logins(self) -> list[Due]:
        """Return what the class does: each opens the form, and posts it a moment later."""
        found: list[Due] = []
        for number, name in enumerate(self.names[:CLASS]):
            browser, began = Browser(self.url), number * SECONDS / CLASS
            # The form is fetched half a second earlier, as by somebody who types very fast.
            xsrf: list[str] = []
            found += [
                (began, "login page", lambda b=browser, x=xsrf: x.append(b.xsrf("/hub/login"))),
                (began + 0.5, LOGIN, lambda b=browser, x=xsrf, n=name: sign_in(b, x, n)),
            ]
        return found

    def others(self) -> list[Due]:
        """Return what the reader and the admin ask for, evenly over the time."""
        pages: list[tuple[str, Act]] = [
            ("login page", lambda: Browser(self.url).open("/hub/login")),
            ("hub home", lambda: self.reader.open("/hub/home")),
            ("password page", lambda: self.reader.open("/hub/password")),
            ("style sheet", lambda: self.reader.open(self.style)),
            ("API of own user", lambda: self.reader.api("GET", f"/users/{self.reader_name}")),
        ]
        admins: list[tuple[str, Act]] = [
            (ADMINS_PAGES[0], self.open_people_page),
            (ADMINS_PAGES[1], self.open_admin_page),
        ]
        return [
            *((due, *pages[n % len(pages)]) for n, due in evenly(OTHERS_EVERY)),
            *((due, *admins[n % len(admins)]) for n, due in evenly(ADMIN_EVERY)),
        ]

    def open_people_page(self) -> None:
        self.admin.open("/hub/people")
        listed = self.admin.api("GET", "/tinyberth/people")["people"]
        assert len(listed) > len(self.names)
        self.admin.api("GET", "/tinyberth/teams")

    def open_admin_page(self) -> None:
        self.admin.open("/hub/admin")
        asked = "include_stopped_servers=1&offset=0&limit=50&name_filter=&sort=id&state="
        assert len(self.admin.api("GET", f"/users?{asked}")) == CLASS


def sign_in(browser: Browser, xsrf: list[str], name: str) -> None:
    deadline = time.monotonic() + 60
    while not xsrf and time.monotonic() < deadline:
        time.sleep(0.005)  # its form is not there yet
    browser.post_form("/hub/login", _xsrf=xsrf[0], username=name, password=PASSWORD)


def evenly(every: float) -> list[tuple[int, float]]:
    return [(number, number * every) for number in range(round(SECONDS / every))]


def act_out(plan: Iterable[Due]) -> list[Sample]:
    """Do everything at its moment, each in a thread of its own; return how long each took."""
    began = time.perf_counter()

    def act(due: float, kind: str, what: Act) -> Sample:
        status = 0
        try:
            what()
        except Refused as refusal:
            status = refusal.status
        return kind, time.perf_counter() - began - due, status

    with ThreadPoolExecutor(200) as pool:
        jobs = []
        for due, kind, what in sorted(plan, key=lambda each: each[0]):
            time.sleep(max(0.0, began + due - time.perf_counter()))
            jobs.append(pool.submit(act, due, kind, what))
        return [job.result() for job in jobs]


def read_goals(rest: list[Sample], busy: list[Sample], logins: int) -> list[Goal]:
    """Return the figures that must be, beside what they must be under. Pure."""
    refused = Counter(status for kind, _, status in busy if kind == LOGIN)
    failed = sum(1 for kind, _, status in (*rest, *busy) if status and kind != LOGIN)
    found = [
        Goal("logins that failed", logins - refused[0], 1, ""),
        Goal("logins throttled, or without room", refused[429] + refused[503], 1, ""),
        Goal("other requests that failed", failed, 1, ""),
    ]
    for when, samples in (("at rest", rest), ("under load", busy)):
        others = [s for kind, s, _ in samples if kind not in (LOGIN, *ADMINS_PAGES)]
        found.append(Goal(f"other pages {when}, p95", spread(others).p95, 2.0))
        for page in ADMINS_PAGES:
            own = [s for kind, s, _ in samples if kind == page]
            found.append(Goal(f"{page} {when}, p95", spread(own).p95, 1.0))
    return found


def measure(deployment: OwnDeployment, people: int, classes: int) -> dict[str, object]:
    """Run the classes; print the figures and return them."""
    school = School(deployment, people)
    hash_ms = float(deployment.in_service("hub", "python3", "-c", _HASHES)) * 1000
    samples: dict[str, list[Sample]] = {"rest": [], "busy": []}
    cpu = {"rest": 0.0, "busy": 0.0}
    for _ in range(classes):
        for phase in ("rest", "busy"):
            before = deployment.cpu_seconds(*SERVICES)
            plan = [*school.others(), *(school.logins() if phase == "busy" else ())]
            samples[phase] += act_out(plan)
            cpu[phase] += deployment.cpu_seconds(*SERVICES) - before
    logins = CLASS * classes
    per_login_ms = (cpu["busy"] - cpu["rest"]) / logins * 1000
    times = {phase: spreads((k, s) for k, s, _ in found) for phase, found in samples.items()}
    reached = read_goals(samples["rest"], samples["busy"], logins)
    print(f"{people} people known, {classes} times {CLASS} logins in {SECONDS:g} s; seconds:")
    print("\n".join(table(times["rest"], times["busy"])))
    print(f"add a person, from the page  {school.seconds_to_add * 1000:7.1f} ms")
    print(f"one password's hash          {hash_ms:7.1f} ms of CPU")
    print(f"a login, in all services     {per_login_ms:7.1f} ms of CPU, its form's page included")
    for phase, used in cpu.items():
        print(f"CPU of all services, {phase}    {used / classes / SECONDS * 100:7.1f} % of one")
    print(f"load of the machine          {os.getloadavg()[0]:7.1f} on {os.cpu_count()} CPUs")
    print("\n".join(map(str, reached)))
    return {
        "people": people,
        "classes": classes,
        "seconds": {phase: _plain(found) for phase, found in times.items()},
        "add_person_ms": school.seconds_to_add * 1000,
        "hash_cpu_ms": hash_ms,
        "login_cpu_ms": per_login_ms,
        "services_cpu_percent": {k: used / classes / SECONDS * 100 for k, used in cpu.items()},
        "goals": [{**asdict(goal), "reached": goal.reached} for goal in reached],
        "load": os.getloadavg()[0],
        "cpus": os.cpu_count(),
    }


def _plain(found: dict[str, Spread]) -> dict[str, object]:
    return {kind: asdict(each) for kind, each in found.items()}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / ".state" / "bench")
    asked = parser.parse_args()
    with own_deployment("hub") as deployment:
        report = measure(deployment, asked.people, asked.classes)
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "hub.json").write_text(json.dumps(report, indent=1) + "\n")
    return 0 if all(goal["reached"] for goal in report["goals"]) else 1  # type: ignore[attr-defined]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
