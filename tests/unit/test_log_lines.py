"""The hub's log lines have an end, whatever is quoted in them (THREATS B7)."""

from __future__ import annotations

import logging

import pytest

from tinyberth_hub.configure import update_log
from tinyberth_hub.log_lines import LONGEST_ENTRY, LONGEST_LINE, BoundedLogFormatter, bound


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        ("short", "short"),
        ("a" * LONGEST_LINE, "a" * LONGEST_LINE),
        ("a" * (LONGEST_LINE + 7), "a" * LONGEST_LINE + "… (7 characters more)"),
        ("one\ntwo\n", "one\ntwo\n"),
        ("one\n" + "b" * 2000, "one\n" + "b" * LONGEST_LINE + "… (1000 characters more)"),
    ],
)
def test_b7_a_line_is_cut_and_says_how_much_is_missing(entry: str, kept: str) -> None:
    assert bound(entry) == kept


@pytest.mark.parametrize("entry", ["a" * 10**7, "\n" * 10**7, ("a" * 999 + "\n") * 10**4])
def test_b7_an_entry_of_ten_megabytes_is_bounded(entry: str) -> None:
    assert len(bound(entry)) < LONGEST_ENTRY + 100


def test_b7_exceptions_are_bounded_as_well() -> None:
    formatter = BoundedLogFormatter(color=False)
    try:
        int("x" * 10**6)
    except ValueError as error:
        record = logging.LogRecord(
            "JupyterHub", logging.ERROR, __file__, 1, "failed", None,
            (type(error), error, error.__traceback__),
        )  # fmt: skip
    assert "failed" in formatter.format(record)
    assert "ValueError: invalid literal" in formatter.format(record)
    assert len(formatter.format(record)) < LONGEST_ENTRY


def test_the_hub_is_told_to_use_it() -> None:
    from traitlets.config import Config

    c = Config()
    update_log(c)
    named = c.JupyterHub.logging_config["formatters"]["console"]["class"]
    assert named == "tinyberth_hub.log_lines.BoundedLogFormatter"
