"""`tinyberth doctor [TOPIC…]`: looks, prints, and mends what it was told to mend."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Callable

from ..checkout import Checkout
from ..command import capture
from . import report
from .finding import FAULT, SKIPPED, Finding, Fix
from .patient import Patient
from .topics import TOPICS, Topic, examine

_SLOW_SECONDS = 2.0
"""What takes longer says that it is going on."""

_FIX_SECONDS = 300
_SETTLE_SECONDS = 30.0
"""How long what was mended may take to be well: a service that starts is asked every second."""

Confirm = Callable[[str], bool]


def doctor(
    checkout: Checkout,
    topics: Sequence[str] = (),
    *,
    fix: bool = False,
    confirm: Confirm | None = None,
    as_json: bool = False,
) -> int:
    """Look at ``topics`` (none: all), print what was found, and return the exit code.

    With ``fix``, each repair is shown and made if ``confirm`` says so; None says no to all. Then
    those topics are looked at once more.
    """
    found: dict[str, Sequence[Finding]] = {}
    patient = Patient(checkout)
    chosen = [topic for topic in TOPICS if not topics or topic.name in topics]
    for topic in chosen:
        with _progress(f"Looking at {topic.name}"):
            found[topic.name] = examine(patient, topic)
        _say(topic.name, found[topic.name], as_json)
    mended = _mend(checkout, found, confirm, as_json) if fix else []
    for topic in chosen:
        if topic.name in {one["topic"] for one in mended}:
            with _progress(f"Looking at {topic.name} again"):
                found[topic.name] = _look_again(checkout, topic, found[topic.name])
            _say(topic.name, found[topic.name], as_json)
    print(report.document(found, mended) if as_json else f"\n{report.ending(found)}", flush=True)
    return report.exit_code(found)


def _look_again(checkout: Checkout, topic: Topic, before: Sequence[Finding]) -> Sequence[Finding]:
    """Look until nothing is left but what no repair was for: services take seconds to start."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    hopeless = {one.what for one in before if one.fix is None}
    while True:
        found = examine(Patient(checkout), topic)
        left = {one.what for one in found if one.level in {FAULT, SKIPPED}}
        if left <= hopeless or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def _mend(
    checkout: Checkout, found: report.Found, confirm: Confirm | None, as_json: bool
) -> list[dict[str, Any]]:
    """Show each repair, make those that are agreed to, and return what became of them."""
    mended = []
    for topic, finding, fix in _fixes(found):
        out = sys.stderr if as_json else sys.stdout
        print(
            f"\nMends {topic}: {fix.does}\n    $ {report.command_line(fix)}", file=out, flush=True
        )
        if confirm is None:
            continue
        if not confirm("Do this?"):
            continue
        with _progress(f"It {fix.does}"):
            failure = _carry_out(checkout, fix)
        print(f"    {failure or 'done'}", file=out, flush=True)
        mended.append(
            {"topic": topic, "key": finding.key, "what": finding.what, "failure": failure}
        )
    if confirm is None and any(_fixes(found)):
        out = sys.stderr if as_json else sys.stdout
        print("\nNothing was changed: nobody can be asked here; say --fix --yes.", file=out)
    return mended


def _fixes(found: report.Found) -> Iterator[tuple[str, Finding, Fix]]:
    seen = set()
    for topic, findings in found.items():
        for finding in findings:
            if finding.fix and finding.fix.commands not in seen:
                seen.add(finding.fix.commands)
                yield topic, finding, finding.fix


def _carry_out(checkout: Checkout, fix: Fix) -> str:
    """Run the commands; return why one of them failed, or nothing."""
    for command in fix.commands:
        answer = capture(
            command, env=checkout.child_env(), cwd=checkout.root, timeout=_FIX_SECONDS
        )
        if not answer.ok:
            return f"failed (exit code {answer.code}): {(answer.err or answer.out).strip()[-500:]}"
    return ""


def _say(topic: str, findings: Sequence[Finding], as_json: bool) -> None:
    if not as_json:
        for finding in findings:
            print("\n".join(report.lines(topic.capitalize(), finding)), flush=True)


@contextmanager
def _progress(doing: str) -> Iterator[None]:
    """Say on stderr what takes long, and take it away again on a terminal."""
    at_terminal = sys.stderr.isatty()

    def tell() -> None:
        print(f"… {doing}", end="" if at_terminal else "\n", file=sys.stderr, flush=True)

    timer = threading.Timer(0 if at_terminal else _SLOW_SECONDS, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if at_terminal:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
