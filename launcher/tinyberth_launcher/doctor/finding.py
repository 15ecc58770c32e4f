"""What a look finds: facts judged, with what to do about them."""

from __future__ import annotations

from dataclasses import dataclass

FINE = "fine"
NOTE = "note"
FAULT = "fault"
SKIPPED = "skipped"

MARKS = {FINE: "✓", NOTE: "·", FAULT: "✗", SKIPPED: "?"}


@dataclass(frozen=True)
class Fix:
    """What mends a finding: ``does`` says it, and ``commands`` are shown as they are run."""

    does: str
    commands: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    ``level`` is one of: ``fine``; ``note``, worth knowing and nothing to mend; ``fault``; and
    ``skipped``, which could not be looked at. ``key`` is the word for programs.
    """

    level: str
    key: str
    what: str
    why: str = ""
    remedy: str = ""
    fix: Fix | None = None


def fine(what: str) -> Finding:
    return Finding(FINE, "fine", what)


def note(key: str, what: str, *, why: str = "", remedy: str = "") -> Finding:
    return Finding(NOTE, key, what, why, remedy)


def fault(key: str, what: str, *, why: str, remedy: str, fix: Fix | None = None) -> Finding:
    """Return a finding that counts: every one says what it means and what to do now."""
    return Finding(FAULT, key, what, why, remedy, fix)


def skipped(what: str, *, why: str, remedy: str = "") -> Finding:
    return Finding(SKIPPED, "skipped", what, why, remedy)
