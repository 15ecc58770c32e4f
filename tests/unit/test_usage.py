"""Sizes of homes: measured in the background, one du at a time, and none outlives the ledger."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from made_berths import make_berths

from tinyberth_ledger import usage
from tinyberth_ledger.usage import Usage

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other uids"),
    pytest.mark.timeout(60),
]


@asynccontextmanager
async def measuring(berths):
    """Yield the sizes, whose measurement has begun; end it as the ledger's end does."""
    sizes = Usage(berths.root)
    sizes.ask()
    try:
        yield sizes
    finally:
        await sizes.close()


async def until(condition):
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true")


def test_true_sizes_by_login_and_no_link_followed(tmp_path):
    berths = make_berths(tmp_path)
    for login in ("alice", "bob"):
        berths.ensure(login, None)
    home = tmp_path / "data/users/alice"
    (home / "deep").mkdir()
    (home / "deep/file").write_bytes(os.urandom(3_000_000))
    (home / "deep/file\n5\tx").write_bytes(os.urandom(1_000_000))
    (tmp_path / "large").write_bytes(os.urandom(9_000_000))
    (home / "link").symlink_to(tmp_path / "large")
    (home / "root").symlink_to("/usr")

    async def measure():
        async with measuring(berths) as sizes:
            assert (sizes.homes, sizes.measured_at) == ({}, None), "nobody waits"
            await until(lambda: sizes.measured_at)
            return sizes.homes

    homes = asyncio.run(measure())
    assert set(homes) == {"alice", "bob"}
    assert 4_000_000 <= homes["alice"] < 4_200_000
    assert homes["bob"] < 100_000


def test_one_at_a_time_and_then_not_for_a_while(tmp_path, monkeypatch):
    ran = tmp_path / "ran"
    monkeypatch.setattr(
        usage, "_DU", ["sh", "-c", f"echo >> {ran}; sleep 0.1; printf '5\\t./a\\0'"]
    )

    async def measure():
        async with measuring(make_berths(tmp_path / "w")) as sizes:
            for _ in range(10):
                sizes.ask()
            await until(lambda: sizes.measured_at)
            sizes.ask()
            await asyncio.sleep(0)
            assert sizes.homes == {"a": 5}
            assert ran.read_text() == "\n"
            sizes._next = 0  # as if it were long ago
            sizes.ask()
            await until(lambda: ran.read_text() == "\n\n")

    asyncio.run(measure())


def test_it_ends_with_the_ledger(tmp_path, monkeypatch):
    pid = tmp_path / "pid"
    monkeypatch.setattr(usage, "_DU", ["sh", "-c", f"echo $$ > {pid}; exec sleep 1000"])

    async def measure():
        async with measuring(make_berths(tmp_path / "w")):
            await until(lambda: pid.exists() and pid.read_text())

    asyncio.run(measure())
    assert not Path(f"/proc/{int(pid.read_text())}").exists()


@pytest.mark.parametrize("command", [["false-is-no-program"], ["sh", "-c", "exit 2"]])
def test_a_measurement_that_fails_is_one_line_in_the_log(tmp_path, monkeypatch, caplog, command):
    monkeypatch.setattr(usage, "_DU", command)

    async def measure():
        async with measuring(make_berths(tmp_path)) as sizes:
            await until(lambda: caplog.records)
            assert (sizes.homes, sizes.measured_at) == ({}, None)

    asyncio.run(measure())
    assert "sizes of the homes cannot be measured" in caplog.text
