"""Every row of the list of threats has a test, named so that the row is found: ``test_a7_…``."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

# Attacks and bad input; the list has rows for load and faults as well.
ROWS = [*(f"a{number}" for number in range(1, 17)), *(f"b{number}" for number in range(1, 8))]


def named_tests(root: Path) -> dict[str, set[str]]:
    """Return the names of all tests, by file."""
    return {
        str(path.relative_to(root)): {
            node.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and node.name.startswith("test_")
        }
        for path in sorted(root.glob("tests/*/test_*.py"))
    }


@pytest.mark.parametrize("row", ROWS)
def test_the_row_has_a_test(root: Path, row: str) -> None:
    names = {name for found in named_tests(root).values() for name in found}
    assert [name for name in names if name.startswith(f"test_{row}_")]


def test_what_the_page_on_security_names_is_there(root: Path) -> None:
    """Its third column is what people look up; a renamed test must not leave it behind."""
    text = (root / "docs/security.md").read_text(encoding="utf-8")
    files = {Path(file).name: found for file, found in named_tests(root).items()}
    named = re.findall(r"\b(test_\w+\.py)(?:::(test_\w+))?", text)
    assert len(named) > 20
    for file, test in named:
        assert file in files, file
        assert not test or test in files[file], f"{file}::{test}"
