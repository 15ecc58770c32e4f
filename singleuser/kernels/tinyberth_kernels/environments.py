"""Environments in the home: made by uv, on top of the image's packages or bare.

On top: a path file in the environment adds the image's packages behind its own, and pip, which
sees both, installs only what is missing or must be another version. (uv would install all of
them once more, because it looks at the environment's own folder alone.)
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .problem import ProblemError
from .specs import Kernel, environment_path, spec_path, write_spec

CONTAINER_PYTHON = "/opt/venv/bin/python"
CONTAINER_UV = "/opt/venv/bin/uv"

_IMAGE_PACKAGES = "tinyberth-image.pth"
"""Sorted before nothing that matters: Python appends what path files name, whatever its name."""

# Lines of pip and uv that say how far they are; the others are for when something fails.
_PROGRESS = (
    *("Collecting", "Downloading", "Building", "Preparing", "Installing", "Successfully"),
    *("Resolved", "Prepared", "Installed", "Uninstalled", "Attempting", "+ ", "- "),
)

# What pip and uv say where no index can be reached, and nothing else says.
_OFFLINE_SIGNS = (
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "dns error",
    "error trying to connect",
    "tcp connect error",
    "Connection refused",
    "Network is unreachable",
    "network was disabled",
)


def create(container_home: Path, kernel: Kernel) -> Kernel:
    """Make environment and kernel; when that fails, nothing of either stays.

    Raises
    ------
    ProblemError
        With one sentence: offline, no such package, or what pip said last.
    """
    environment = environment_path(container_home, kernel.name)
    _remove_tree(environment)  # what a killed run left: without a kernel spec it is nobody's
    try:
        environment.parent.mkdir(parents=True, exist_ok=True)
        _make(environment, bare=kernel.bare)
        packages = [*(("ipykernel", "pip") if kernel.bare else ()), *kernel.packages]
        if packages:
            _install(environment, packages, bare=kernel.bare)
        write_spec(container_home, kernel)
    except BaseException:
        _remove_tree(environment)
        raise
    return kernel


def extend(container_home: Path, kernel: Kernel, packages: Sequence[str]) -> Kernel:
    """Install more packages; pip fetches all before it installs the first."""
    _install(environment_path(container_home, kernel.name), packages, bare=kernel.bare)
    more = (package for package in packages if package not in kernel.packages)
    kernel = replace(kernel, packages=(*kernel.packages, *more))
    write_spec(container_home, kernel)
    return kernel


def remove(container_home: Path, name: str, kernel: Kernel | None) -> None:
    """Remove the kernel first, so that nobody starts one whose environment is going."""
    environment = environment_path(container_home, name)
    if kernel is None and not os.path.lexists(environment):
        raise ProblemError(f"you have no kernel {name}; `new-kernel --list` shows yours.")
    if kernel:
        _remove_tree(spec_path(container_home, name).parent)
    _remove_tree(environment)


def installed(container_home: Path, name: str) -> int:
    """Return how many packages the environment holds itself."""
    environment = environment_path(container_home, name)
    return len(list(environment.glob("lib/python3.*/site-packages/*.dist-info")))


def _make(environment: Path, *, bare: bool) -> None:
    # --no-project: a pyproject.toml in the working directory is somebody else's wish
    command = [CONTAINER_UV, "venv", "--quiet", "--no-project", "--no-config", "--offline"]
    command += ["--no-python-downloads", "--python", CONTAINER_PYTHON, str(environment)]
    _run(command, "the environment could not be made")
    if not bare:
        [own] = environment.glob("lib/python3.*/site-packages")
        # addsitedir, not the path alone: the image's packages have path files themselves
        line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        (own / _IMAGE_PACKAGES).write_text(line, encoding="utf-8")


def _install(environment: Path, packages: Sequence[str], *, bare: bool) -> None:
    if any(package.startswith("-") for package in packages):
        raise ProblemError("packages alone, no options: set PIP_INDEX_URL and its like instead.")
    python = str(environment / "bin/python")
    if bare:
        command = [CONTAINER_UV, "pip", "install", "--no-config", "--python", python]
    else:
        command = [python, "-I", "-m", "pip", "install", "--disable-pip-version-check"]
        command += ["--no-input", "--retries", "1", "--progress-bar", "off"]
    _run([*command, "--", *packages], f"{' '.join(packages)} could not be installed")


def _run(command: list[str], failed: str) -> None:
    """Run ``command``, showing how far it is; its failure becomes one sentence."""
    # Python's variables would lead pip to other packages than the environment's own.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    child = subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    lines = []
    try:
        assert child.stdout
        for line in child.stdout:
            lines.append(line.rstrip())
            if line.strip().startswith(_PROGRESS):
                print(f"  {line.rstrip()}", flush=True)
        code = child.wait()
    except BaseException:
        child.terminate()
        child.wait()
        raise
    if code != 0:
        sentence = explain(failed, lines)
        if not is_offline(lines):
            print("\n".join(f"  {line}" for line in lines[-20:]))
        raise ProblemError(sentence)


def is_offline(lines: Sequence[str]) -> bool:
    return any(sign in line for sign in _OFFLINE_SIGNS for line in lines)


def explain(failed: str, lines: Sequence[str]) -> str:
    """Return one sentence for a failed command that printed ``lines``. Pure."""
    text = "\n".join(lines)
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return f"{failed}: your home is full. Nothing was changed."
    if is_offline(lines):
        return f"{failed}: no package index can be reached from here. Nothing was changed."
    errors = [line for line in lines if "error" in line.lower()]
    last = (errors or list(lines) or ["it said nothing"])[-1].strip()
    return f"{failed}. Nothing was changed. The last that was said: {last[:300]}"


def _remove_tree(path: Path) -> None:
    """Remove a folder, or a link or file in its place; a link is never followed."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
