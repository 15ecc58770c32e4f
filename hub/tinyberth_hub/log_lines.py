"""The hub's log, bounded: what somebody sends in can be megabytes, and messages quote it."""

from __future__ import annotations

import logging

from jupyterhub.log import CoroutineLogFormatter

LONGEST_LINE = 1_000
LONGEST_ENTRY = 20_000
"""Characters; a stack trace of the hub's has about five thousand."""


class BoundedLogFormatter(CoroutineLogFormatter):
    """JupyterHub's own, whose lines and entries have an end."""

    def format(self, record: logging.LogRecord) -> str:
        return bound(super().format(record))


def bound(entry: str) -> str:
    """Return ``entry`` with each line, and then the whole, cut to its length."""
    lines = [_cut(line, LONGEST_LINE) for line in entry.split("\n")]
    return _cut("\n".join(lines), LONGEST_ENTRY)


def _cut(text: str, longest: int) -> str:
    more = len(text) - longest
    return text if more <= 0 else f"{text[:longest]}… ({more} characters more)"
