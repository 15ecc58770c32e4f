"""Run `tinyberth-hub` against the fake hub: in this process, or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fake_people_api import TOKEN, FakeHub

from tinyberth_hub import cli

_DRIVER = """
import sys
from pathlib import Path
from tinyberth_hub import cli, cli_hub
cli_hub.HUB_SOCKET, token = Path(sys.argv[1]), sys.argv[2]
cli_hub.read_cli_token = lambda: token
sys.exit(cli.main(sys.argv[3:]))
"""


@dataclass(frozen=True)
class Answer:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cli:
    """The command line of a hub whose API is ``hub``."""

    def __init__(self, hub: FakeHub, socket: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.hub = hub
        self._socket = socket
        self._capsys = capsys

    def __call__(self, *words: str) -> Answer:
        self._capsys.readouterr()
        try:
            code = cli.main(list(words))
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = self._capsys.readouterr()
        return Answer(code, out, err)

    def command(self, *words: str) -> list[str]:
        """Return a command line for another process."""
        return [sys.executable, "-c", _DRIVER, str(self._socket), TOKEN, *words]

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*words), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=process_environment(), **options,
        )  # fmt: skip


def process_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": ":".join(sys.path), "PYTHONUNBUFFERED": "1"}
