"""A checkout as a deployment: its folder, project name, settings and log file."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tinyberth_common.settings import SCHEMA

from .dotenv import parse_env_file

_COMPOSE_NAME = re.compile(r"^name: *(\S+)", re.MULTILINE)
_PINNED_BASE = re.compile(r"\$\{BASE_IMAGE:-([^}]+)\}")


@dataclass(frozen=True)
class Checkout:
    """A checkout of Tinyberth and the variables it is run with.

    ``variables`` are those of ``.env`` with the shell's on top, which is Compose's order.
    """

    root: Path
    shell: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def project(self) -> str:
        """Compose's project name: prefix of every container, network and volume."""
        return self.variables.get("COMPOSE_PROJECT_NAME") or self._in_compose(_COMPOSE_NAME)

    @property
    def pinned_base(self) -> str:
        """The base image that the compose file pins by digest, its one place."""
        return self._in_compose(_PINNED_BASE)

    @property
    def host_data_dir(self) -> Path:
        """The data folder on the host; relative ones are relative to the checkout."""
        return self.root / (self.variables.get("DATA_DIR") or "./data")

    def child_env(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment for child processes: the shell's, our project, ``extra``."""
        return {**self.shell, "COMPOSE_PROJECT_NAME": self.project, **(extra or {})}

    def open_log(self, name: str) -> TextIO:
        """Open ``.state/NAME.log`` for writing, or a temporary file where that cannot be."""
        folder = self.root / ".state"
        try:
            folder.mkdir(exist_ok=True)
            return (folder / f"{name}.log").open("w", encoding="utf-8")
        except OSError:
            return tempfile.NamedTemporaryFile(
                "w", prefix=f"tinyberth-{name}-", suffix=".log", delete=False, encoding="utf-8"
            )  # type: ignore[return-value] # a TextIO in all but its declared type

    def _in_compose(self, pattern: re.Pattern[str]) -> str:
        found = pattern.search((self.root / "docker-compose.yml").read_text(encoding="utf-8"))
        assert found, f"docker-compose.yml has no {pattern.pattern}"
        return found[1]


def load_checkout(root: Path, shell: Mapping[str, str] | None = None) -> Checkout:
    """Read ``.env`` of the checkout at ``root`` and put the shell's variables on top."""
    shell = dict(os.environ if shell is None else shell)
    env_file = root / ".env"
    in_file: dict[str, str] = {}
    problems: list[str] = []
    if env_file.exists():
        in_file, problems = parse_env_file(env_file.read_bytes())
    ours = {setting.name for setting in SCHEMA}
    from_shell = {
        name: value for name, value in shell.items() if name in ours or name.startswith("COMPOSE_")
    }
    return Checkout(root, shell, {**in_file, **from_shell}, tuple(problems))
