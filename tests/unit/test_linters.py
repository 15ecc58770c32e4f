"""A linter that cannot fail is none: each that tests/lint.py runs, on a fault of its kind."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lint import lint_commands

WORKFLOW = """\
name: CI
on: push
permissions: {}
jobs:
  test:
    name: Test
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
        with:
          persist-credentials: false
"""

FAULTS = {
    "hadolint": ("Dockerfile", "FROM debian:latest\nRUN apt-get install curl\n", "DL3007"),
    "shellcheck": ("script", "#!/bin/sh\nrm $1\n", "SC2086"),
    "zizmor": ("ci.yml", WORKFLOW, "unpinned-uses"),
    "check-jsonschema": ("ci.yml", WORKFLOW.replace("steps:", "stepps:"), "stepps"),
}


def command_of(linter: str) -> list[str]:
    """Return how tests/lint.py calls it, without the repository's own files."""
    [command] = [command for command in lint_commands() if command[0] == linter]
    return [word for word in command if not Path(word).is_absolute()]


@pytest.mark.parametrize("linter", FAULTS)
def test_a_linter_fails_on_a_fault_of_its_kind(tmp_path: Path, linter: str) -> None:
    if not shutil.which(linter):
        pytest.skip(f"{linter} is in the tests' image: run ./tinyberth test")
    name, text, finding = FAULTS[linter]
    # zizmor looks at workflows by where they lie
    faulty = tmp_path / ".github/workflows" / name
    faulty.parent.mkdir(parents=True)
    faulty.write_text(text, encoding="utf-8")
    found = subprocess.run(
        [*command_of(linter), str(faulty)], capture_output=True, text=True, check=False
    )
    assert found.returncode != 0
    assert finding in found.stdout + found.stderr


def test_lint_looks_at_every_kind_of_file(root: Path) -> None:
    looked_at = {word for command in lint_commands() for word in command}
    for path in ("proxy/start", ".ci/run", "hub/Dockerfile", ".github/workflows/ci.yml"):
        assert str(root / path) in looked_at, path


def test_one_linter_that_fails_fails_the_whole(root: Path, tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import lint\n"
        "lint.lint_commands = lambda: [['true'], ['sh', '-c', 'echo why; exit 1']]\n"
        "sys.exit(lint.main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(root / "tests")],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1
    assert "✗ sh" in done.stdout
    assert "why" in done.stdout
    assert "✓ true" in done.stdout
