"""bench/build.py builds what the checkout has, and nothing of it is taken from or for another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import build

DOCKERFILES = sorted(build.ROOT.glob("*/Dockerfile"))


@pytest.mark.parametrize("path", DOCKERFILES, ids=[path.parent.name for path in DOCKERFILES])
def test_each_command_and_each_cache_is_the_copys_own(path: Path) -> None:
    """A stage has its shell from the stage it begins with; ours begin with the base."""
    text = path.read_text(encoding="utf-8")
    marked = build.marked(text, "tbbuild-x")
    shells = re.findall(r"^SHELL .*", marked, re.MULTILINE)
    assert len(shells) >= len(re.findall(r"^FROM \$\{BASE_IMAGE\}", text, re.MULTILINE)) > 0
    assert all('["/usr/bin/env", "BENCH=tbbuild-x", ' in shell for shell in shells)
    assert marked.count("type=cache,id=tbbuild-x,") == text.count("--mount=type=cache")
    unmarked = re.sub(r'^SHELL .*"/bin/sh", "-c"\]\n', "", marked, flags=re.MULTILINE)
    for added in ('"/usr/bin/env", "BENCH=tbbuild-x", ', "id=tbbuild-x,"):
        unmarked = unmarked.replace(added, "")
    assert unmarked == text, "and nothing else is changed"


def test_every_round_has_a_package_that_no_other_had() -> None:
    lock = (build.ROOT / "singleuser/requirements.txt").read_text(encoding="utf-8")
    seen = [lock]
    for _ in build.OTHER_VERSIONS:
        seen.append(build.with_another_version(seen[-1]))
    assert len(set(seen)) == len(seen), "the lock has a version of OTHER_VERSIONS: take another"
    for text in seen:
        assert text.count("\nnbstripout==") == 1
        assert text.count("\n") == lock.count("\n")
    with pytest.raises(SystemExit, match="no more than"):
        build.with_another_version(seen[-1])


def test_what_stands_on_a_step_of_the_copys_goes_first_and_nobody_elses_goes() -> None:
    def record(number: str, at: int, what: str, parent: str = "") -> str:
        line = f"Parent:\t\t{parent}\n" if parent else ""
        made = f"Created at:\t2026-11-22 20:{at} +0000 UTC"
        return f"ID:\t\t{number}\n{line}{made}\nSize:\t1kB\nDescription:\t{what}\n"

    listing = [
        record("leaf", 14, "[stage-1 2/3] COPY x y", "copy"),
        record("copy", 13, "[stage-1 1/3] COPY x y", "ours"),
        record("base", 10, "from local"),
        record("ours", 12, "mount / from exec BENCH=tbbuild-x sh", "base"),
        record("cache", 11, "cached mount /c from exec BENCH=tbbuild-x sh"),
        record("theirs", 15, "mount / from exec sh", "base"),
        "Reclaimable:\t2GB\nTotal:\t\t2GB\n",
    ]
    ids = build.marked_records("\n\n".join(listing), "tbbuild-x")
    assert ids == ["leaf", "copy", "ours", "cache"]


def test_the_longest_steps_come_first() -> None:
    log = """\
#7 [hub builder 2/9] RUN --mount=type=secret,id=ca,target=/x apt-get update
#8 [singleuser base 1/3] FROM docker.io/library/x
#7 0.5 Get:1 …
#7 DONE 3.1s
#8 CACHED
#9 exporting to image
#9 [singleuser packages 2/2] COPY x ./
#9 DONE 11.0s
"""
    assert build.steps(log) == [
        (11.0, "singleuser packages 2/2: COPY x ./"),
        (3.1, "hub builder 2/9: RUN apt-get update"),
    ]


def test_each_figure_stands_beside_its_goal() -> None:
    times = {"cold": [100.0], "nothing": [1.0, 3.0, 2.0], "notebook": [4.0], "package": []}
    assert [str(goal) for goal in build.goals({**times, "hub file": [9.0, 10.0, 11.0]})] == [
        "MISSED   a build, cold: 100 s, goal: under 90",
        "reached  a build, notebook: 4 s, goal: under 5",
        "MISSED   a build, hub file: 10 s, goal: under 10",
    ]
    assert list(build.lines(times))[1:] == [
        "     cold   100.0 s  100.0 to 100.0 s  +98.0 s",
        "  nothing     2.0 s     1.0 to 3.0 s  +0.0 s",
        " notebook     4.0 s     4.0 to 4.0 s  +2.0 s",
    ]
