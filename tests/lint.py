"""All linters, side by side, over the whole repository; `./tinyberth test lint` runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from audit import NOT_AUDITED

ROOT = Path(__file__).resolve().parent.parent
# Users' files, other people's code, and what tools leave behind; paths below the root.
_NOT_OURS = {
    *(".git", ".state", ".venv", "node_modules", "__pycache__"),
    *("data/users", "data/teams", "data/archive", "data/presets"),
}
_SHELLS = ("sh", "bash", "dash")


def files() -> Iterator[Path]:
    """Yield the repository's own files."""
    for folder, names, here in os.walk(ROOT):
        relative = Path(folder).relative_to(ROOT)
        names[:] = [
            name
            for name in names
            if name not in _NOT_OURS and str(relative / name) not in _NOT_OURS
        ]
        yield from (Path(folder) / name for name in here)


def is_shell_script(path: Path) -> bool:
    """Tell by the first line, as the kernel does; names say little (`.ci/run`)."""
    with path.open("rb") as file:
        first = file.readline(100)
    interpreter = first[2:].decode("ascii", "replace").split() if first[:2] == b"#!" else []
    return any(word.rpartition("/")[2] in _SHELLS for word in interpreter[:2])


def lint_commands() -> list[list[str]]:
    """Return every linter with what it has to look at."""
    ours = sorted(path for path in files() if path.is_file())
    dockerfiles = [str(path) for path in ours if path.name == "Dockerfile"]
    scripts = [str(path) for path in ours if is_shell_script(path)]
    workflows = [str(path) for path in ours if path.parent == ROOT / ".github" / "workflows"]
    return [
        ["ruff", "format", "--check", "."],
        ["ruff", "check", "."],
        ["mypy"],
        ["hadolint", *dockerfiles],
        ["shellcheck", *scripts],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows],
        ["zizmor", "--offline", "--no-progress", *workflows],
        [sys.executable, "tests/audit.py"],
    ]


def _is_left_out(line: str) -> bool:
    return line.startswith(NOT_AUDITED)


def _run_one(command: list[str]) -> bool:
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    name = " ".join(word for word in command[:2] if not word.startswith(("-", "/")))
    mark = "✓" if done.returncode == 0 else "✗"
    said = f"{done.stdout}{done.stderr}".rstrip()
    lines = said.splitlines()
    # What was left out is said also where nothing was found.
    output = "\n".join(["", *(lines if done.returncode else filter(_is_left_out, lines))])
    print(f"{mark} {name} ({time.monotonic() - started:.1f} s){output}", flush=True)
    return done.returncode == 0


def main() -> int:
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        clean = list(pool.map(_run_one, lint_commands()))
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
