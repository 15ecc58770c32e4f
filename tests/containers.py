"""Ask the engine, and ask running containers, with failures that show what was said."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

import pytest

UID = 23456
"""Of the containers' user; any number would do, since nothing in the image may know it."""


def docker(
    *args: str, stdin: str = "", check: bool = True, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["docker", *args],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    if check and done.returncode != 0:
        output = f"{done.stdout}{done.stderr}"
        pytest.fail(f"docker {args[0]}: exit code {done.returncode}\n{output[-8000:]}")
    return done


@dataclass(frozen=True)
class Container:
    """A running container, and how to ask it."""

    name: str

    def run(self, *command: str, stdin: str = "", check: bool = True) -> str:
        """Return what ``command`` prints; a failure of it fails the test."""
        done = docker("exec", "-i", self.name, *command, stdin=stdin, check=check)
        return done.stdout + ("" if check else done.stderr)

    def python(self, script: str) -> str:
        """Run ``script`` as a notebook's kernel would: not isolated, with warnings as errors."""
        return self.run("python", "-W", "error::DeprecationWarning:__main__", "-", stdin=script)

    def shell(self, script: str, *, check: bool = True) -> str:
        """Run ``script`` in a login shell, as a terminal of Jupyter's does."""
        return self.run("bash", "-leo", "pipefail", "-c", script, check=check)
