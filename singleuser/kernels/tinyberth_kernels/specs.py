"""Kernel specs in the home: what Jupyter reads, and what `new-kernel` knows them by.

https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .problem import ProblemError

_SPEC_BYTES_MAX = 2**20


@dataclass(frozen=True)
class Kernel:
    """A kernel of ours: ``bare`` sees nothing of the image; ``packages`` were asked for."""

    name: str
    bare: bool
    packages: tuple[str, ...] = ()


def environment_path(container_home: Path, name: str) -> Path:
    return container_home / ".local/share/tinyberth/environments" / name


def spec_path(container_home: Path, name: str) -> Path:
    return container_home / ".local/share/jupyter/kernels" / name / "kernel.json"


def spec_of(kernel: Kernel, environment: Path) -> dict[str, Any]:
    """Return the content of ``kernel.json``. Pure."""
    return {
        "argv": [
            f"{environment}/bin/python",
            *("-m", "ipykernel_launcher", "-f", "{connection_file}"),
        ],
        "display_name": kernel.name,
        "language": "python",
        # For `!pip` and `!program` in cells; the kernel itself needs neither.
        "env": {
            "PATH": f"{environment}/bin:${{HOME}}/.local/bin:${{PATH}}",
            "VIRTUAL_ENV": str(environment),
        },
        "interrupt_mode": "signal",
        "metadata": {
            "debugger": True,
            "tinyberth": {"bare": kernel.bare, "packages": list(kernel.packages)},
        },
    }


def parse_spec(name: str, text: str) -> Kernel | None:
    """Return the kernel that ``text`` describes, or None where it is not one of ours."""
    try:
        ours = json.loads(text)["metadata"]["tinyberth"]
        packages = tuple(str(package) for package in ours["packages"])
        return Kernel(name, bool(ours["bare"]), packages)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def find_kernel(container_home: Path, name: str) -> Kernel | None:
    """Return the kernel ``name``, or None where nothing is there.

    Raises
    ------
    ProblemError
        If a kernel of that name is there that `new-kernel` did not make.
    """
    path = spec_path(container_home, name)
    if not os.path.lexists(path.parent):
        return None
    kernel = _read(path)
    if kernel is None:
        raise ProblemError(
            f"there is a kernel {name} that new-kernel did not make, so it stays as it is: "
            f"{path.parent}. Choose another name."
        )
    return kernel


def list_kernels(container_home: Path) -> list[Kernel]:
    folder = spec_path(container_home, "x").parent.parent
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    found = (_read(spec_path(container_home, name)) for name in names)
    return [kernel for kernel in found if kernel]


def write_spec(container_home: Path, kernel: Kernel) -> None:
    """Write the spec, whole or not at all: only then does Jupyter offer the kernel."""
    path = spec_path(container_home, kernel.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".kernel-{secrets.token_hex(4)}.json")
    text = json.dumps(spec_of(kernel, environment_path(container_home, kernel.name)), indent=1)
    try:
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _read(path: Path) -> Kernel | None:
    try:
        with path.open(encoding="utf-8") as file:
            return parse_spec(path.parent.name, file.read(_SPEC_BYTES_MAX))
    except (OSError, UnicodeDecodeError):
        return None
