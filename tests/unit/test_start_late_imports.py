"""The stand-in for a slow module: nothing is imported until it is asked, then the real one is."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tinyberth_start.late_imports import put_off_iri_parser

NAME = "slow_parser_of_a_test"
CODE = """
GRAMMAR = "the real one"
def is_valid_syntax(term, value):
    return (term, value) == ("iri", "a:b")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / f"{NAME}.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop(NAME, None)


def is_real() -> bool:
    return hasattr(sys.modules[NAME], "__file__") and bool(sys.modules[NAME].__file__)


@pytest.mark.usefixtures("package")
def test_the_function_is_imported_at_once_and_the_module_when_it_is_called() -> None:
    put_off_iri_parser(NAME)
    scope: dict[str, Any] = {}
    exec(f"from {NAME} import is_valid_syntax", scope)  # as jsonschema writes it
    check = scope["is_valid_syntax"]
    assert "GRAMMAR" not in vars(sys.modules[NAME])
    assert check("iri", "a:b") is True
    assert check("iri", "no") is False
    assert is_real()


@pytest.mark.usefixtures("package")
def test_anything_else_that_is_asked_of_it_is_the_real_ones() -> None:
    put_off_iri_parser(NAME)
    assert importlib.import_module(NAME).GRAMMAR == "the real one"
    with pytest.raises(AttributeError):
        _ = importlib.import_module(NAME).missing


@pytest.mark.usefixtures("package")
def test_one_that_is_imported_already_stays() -> None:
    module = importlib.import_module(NAME)
    put_off_iri_parser(NAME)
    assert sys.modules[NAME] is module


def test_one_that_is_not_installed_stays_away() -> None:
    put_off_iri_parser("no_such_module_here")
    assert "no_such_module_here" not in sys.modules
