"""Arguments of `tinyberth-hub`: ids are digits and nothing else (THREATS B4)."""

from __future__ import annotations

import argparse

import pytest

from tinyberth_hub.cli import main
from tinyberth_hub.cli_user import parse_id


@pytest.mark.parametrize(("text", "number"), [("1000", 1000), ("20001", 20001)])
def test_plain_numbers_are_ids(text: str, number: int) -> None:
    assert parse_id(text) == number


@pytest.mark.parametrize(
    "text",
    ["0", "-1", "", "01000", "1e3", " 1000", "1000 ", "+1000", "0x10", "1_000", "١٠٠٠", "1000\n"],
)
def test_b4_every_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="not a Unix id"):
        parse_id(text)


@pytest.mark.parametrize(
    "arguments",
    [[], ["user"], ["user", "add"], ["user", "add", "alice", "--uid", "01000"], ["nonsense"]],
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(arguments)
    assert exit_info.value.code == 2


def test_one_uid_for_two_people_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "add", "alice", "bob", "--uid", "1005"]) == 2
    assert "one person's" in capsys.readouterr().err
