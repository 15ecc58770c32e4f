"""Secrets are made once, whole, and for nobody else."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tinyberth_hub.secret_files import ensure_secret


def test_a_secret_is_made_once_with_mode_0600(tmp_path: Path) -> None:
    first = ensure_secret(tmp_path / "key")
    assert len(first) == 64
    assert ensure_secret(tmp_path / "key") == first
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_two_that_start_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: ensure_secret(tmp_path / "key"), range(8)))
    assert len(secrets) == 1


@pytest.mark.parametrize("content", ["", "short", "\n"])
def test_a_broken_secret_is_an_error_that_says_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    with pytest.raises(ValueError, match=r"Remove the file .* or restore"):
        ensure_secret(tmp_path / "key")
