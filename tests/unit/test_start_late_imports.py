"""Stand-ins for slow modules: nothing is imported until it is asked, then the real one is."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tinyberth_start.late_imports import LATE, Late, put_off

NAME = "slow_package_of_a_test"
LINES = (
    Late(NAME, functions=("is_valid",)),
    Late(f"{NAME}.errors", unmet=(("SlowError", Exception), ("Page", object))),
)
PACKAGE = """
GRAMMAR = "the real one"
def is_valid(term, value):
    return (term, value) == ("iri", "a:b")
"""
ERRORS = """
from slow_package_of_a_test import GRAMMAR
class SlowError(Exception): pass
class Page: pass
"""


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / NAME).mkdir()
    for file, code in (("__init__", PACKAGE), ("errors", ERRORS), ("part", "HERE = 1")):
        (tmp_path / NAME / f"{file}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in (NAME, f"{NAME}.errors", f"{NAME}.part"):
        sys.modules.pop(name, None)


def imported(statement: str) -> dict[str, Any]:
    """Return the names that ``statement`` brings while the package is put off."""
    scope: dict[str, Any] = {}
    with put_off(LINES):
        exec(statement, scope)
    return scope


def is_loaded() -> bool:
    return hasattr(sys.modules.get(NAME), "GRAMMAR")


def test_a_function_is_there_at_once_and_its_module_when_it_is_called() -> None:
    check = imported(f"from {NAME} import is_valid")["is_valid"]
    assert not is_loaded()
    assert check("iri", "a:b") is True
    assert check("iri", "no") is False
    assert is_loaded()


def test_a_module_is_there_at_once_and_itself_when_it_is_asked() -> None:
    module = imported(f"import {NAME} as slow")["slow"]
    assert not is_loaded()
    assert module.GRAMMAR == "the real one"
    assert is_loaded()
    with pytest.raises(AttributeError):
        _ = module.missing


def test_classes_that_are_not_met_are_classes_of_nothing() -> None:
    scope = imported(f"from {NAME}.errors import Page, SlowError")
    assert not is_loaded()
    assert not isinstance(object(), str | scope["Page"])
    assert issubclass(scope["SlowError"], Exception)


@pytest.mark.parametrize(
    "statement",
    [
        f"from {NAME} import GRAMMAR",
        f"from {NAME} import part; part.HERE",
        f"from {NAME} import errors; errors.Page",
        f"import {NAME}.part; {NAME}.part.HERE; {NAME}.GRAMMAR",
        f"from {NAME} import *; GRAMMAR",
    ],
)
def test_what_no_line_foresees_brings_the_real_one_at_once(statement: str) -> None:
    imported(statement)
    assert is_loaded()


def test_who_comes_later_finds_no_stand_in() -> None:
    early = imported(f"from {NAME}.errors import SlowError")["SlowError"]
    errors = importlib.import_module(f"{NAME}.errors")
    assert errors.__file__
    assert errors.SlowError is not early
    assert vars(errors)["GRAMMAR"] == "the real one"


def test_an_error_meanwhile_leaves_no_stand_in() -> None:
    with pytest.raises(ZeroDivisionError):
        imported(f"import {NAME}; 1 / 0")
    assert NAME not in sys.modules


def test_one_that_is_imported_already_stays() -> None:
    module = importlib.import_module(NAME)
    with put_off(LINES):
        assert sys.modules[NAME] is module
    assert sys.modules[NAME] is module


@pytest.mark.parametrize("name", ["no_such_module_here", "no_such.module", f"{NAME}.no_such"])
def test_one_that_is_not_installed_stays_away(name: str) -> None:
    with put_off((Late(name),)):
        assert name not in sys.modules


def test_parents_stand_before_what_lies_in_them() -> None:
    """Or the search for the second would meet the first one's real self."""
    names = [late.module for late in LATE]
    assert len(set(names)) == len(names)
    for place, name in enumerate(names):
        assert not any(other.startswith(f"{name}.") for other in names[:place])
