"""No server starts before the firewall has said that its table is in force."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tinyberth_hub import firewall
from tinyberth_hub.firewall import FirewallError, require_firewall


async def ask(socket: Path, *answers: bytes) -> None:
    """Ask a stand-in for the firewall, which gives one answer for each connection."""
    left = list(answers)

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0))
        writer.close()

    async with await asyncio.start_unix_server(answer, str(socket)):
        await require_firewall(socket)


IN_FORCE = b'{"ok": true, "message": "in force"}\n'


def test_in_force_lets_a_server_start(tmp_path: Path) -> None:
    asyncio.run(ask(tmp_path / "s", IN_FORCE))


def test_one_that_is_killed_while_it_answers_is_asked_again(tmp_path: Path) -> None:
    asyncio.run(ask(tmp_path / "s", b"", b'{"ok": tr', IN_FORCE))


def test_not_in_force_refuses_with_the_firewalls_reason(tmp_path: Path) -> None:
    with pytest.raises(FirewallError, match="There is no bridge"):
        asyncio.run(ask(tmp_path / "s", b'{"ok": false, "message": "There is no bridge."}\n'))


def test_silence_refuses_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firewall, "WAIT_SECONDS", 0.1)
    with pytest.raises(FirewallError, match="docker compose logs firewall"):
        asyncio.run(require_firewall(tmp_path / "nobody"))
