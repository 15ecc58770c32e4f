"""What `tinyberth test ARGS…` asks for: a pure function, tested by a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

RINGS = ("unit", "image", "stack", "browser")
"""The folders of tests/, cheapest first."""

_RINGS_WITH_IMAGES = {"image", "stack", "browser"}


@dataclass(frozen=True)
class Selection:
    """``lint`` or not, and the arguments for pytest (empty: pytest is not run)."""

    lint: bool
    pytest_args: tuple[str, ...]
    needs_images: bool
    parallel: bool
    """Rings that do not wait for each other; not where one is being debugged."""


def select_tests(args: Sequence[str]) -> Selection:
    """Decide from the words after `test`: `lint`, rings, files, and options for pytest."""
    lint = "lint" in args
    words = [word for word in args if word != "lint"]
    paths = [f"tests/{word}" if word in RINGS else word for word in words if _is_target(word)]
    options = [word for word in words if not _is_target(word)]
    rings = {_ring_of(path) for path in paths}
    everything = not args
    if not paths and (everything or options):
        paths = [f"tests/{ring}" for ring in RINGS]
        rings = set(RINGS)
    return Selection(
        lint=lint or everything,
        pytest_args=tuple(paths + options),
        needs_images=bool(rings & _RINGS_WITH_IMAGES),
        parallel=everything,
    )


def _is_target(word: str) -> bool:
    """Tell a ring, file or folder from an option or an option's value (`-k owner`)."""
    return word in RINGS or word.lstrip("./").startswith("tests/")


def _ring_of(path: str) -> str:
    parts = path.lstrip("./").split("::")[0].split("/")
    return parts[1] if len(parts) > 1 else ""
