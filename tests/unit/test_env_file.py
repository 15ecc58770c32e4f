"""THREATS B5: lines of .env that programs read differently are refused, one error for each."""

from __future__ import annotations

import pytest

from tinyberth_launcher.dotenv import parse_env_file

REFUSED = [
    (b"\xef\xbb\xbfPORT=8001\n", "byte order mark"),
    (b"PORT=8001\r\n", "CRLF"),
    (b"\xff\xfePORT", "UTF-8"),
    (b'ADMIN="ada"\n', "ADMIN has a quote"),
    (b"ADMIN='ada'\n", "ADMIN has a quote"),
    (b"DATA_DIR=$HOME/data\n", "DATA_DIR has a quote, '$'"),
    (b"DATA_DIR=C:\\data\n", "'\\'"),
    (b"PORT = 8001\n", "'PORT' has a space"),
    (b"PORT=8001 \n", "'PORT' has a space"),
    (b" PORT=8001\n", "'PORT' has a space"),
    (b"PORT\n", "'PORT' has no '='"),
    (b"export PORT=8001\n", "without 'export'"),
    (b"=8001\n", "'' is not a variable's name"),
    (b"PORT=8001\nPORT=8002\n", "line 2: PORT is set a second time"),
    (b"ADMIN=ada # the boss\n", "remark behind its value"),
    (b"ADMIN=a\x00b\n", "control character"),
]


@pytest.mark.parametrize(("content", "expected"), REFUSED)
def test_b5_an_ambiguous_line_is_refused_with_one_sentence(content: bytes, expected: str) -> None:
    _, problems = parse_env_file(content)
    assert len(problems) == 1
    assert expected in problems[0]


def test_b5_all_lines_are_judged_at_once() -> None:
    _, problems = parse_env_file(b"\xef\xbb\xbfPORT='1'\r\nADMIN\r\n")
    assert len(problems) == 4


def test_plain_lines_remarks_and_empty_values_are_read() -> None:
    content = b"# a remark\n\n  # another\nPORT=8001\nBASE_IMAGE=\nADMIN=ada=b\n"
    assert parse_env_file(content) == ({"PORT": "8001", "BASE_IMAGE": "", "ADMIN": "ada=b"}, [])


def test_a_remark_on_the_first_line_after_a_bom_still_names_the_bom() -> None:
    variables, problems = parse_env_file(b"\xef\xbb\xbf# hello\nPORT=8001\n")
    assert variables == {"PORT": "8001"}
    assert len(problems) == 1
