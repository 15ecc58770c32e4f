"""Fixtures that several files of this ring use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_people_api import TOKEN, FakeHub, served
from hub_cli import Cli

from tinyberth_hub import cli_hub


@pytest.fixture
def tb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Cli]:
    """Return the command line of a hub without people."""
    hub, socket = FakeHub(), tmp_path / "hub.sock"
    monkeypatch.setattr(cli_hub, "HUB_SOCKET", socket)
    monkeypatch.setattr(cli_hub, "read_cli_token", lambda: TOKEN)
    with served(hub, socket):
        yield Cli(hub, socket, capsys)
