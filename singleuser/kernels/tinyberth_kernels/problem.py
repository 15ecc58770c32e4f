"""What `new-kernel` says when it cannot go on."""

from __future__ import annotations


class ProblemError(Exception):
    """A sentence for the person at the terminal: what happened, and what to do now."""
