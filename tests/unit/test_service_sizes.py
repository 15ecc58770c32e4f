"""The services behind the sockets are small enough to be read in one sitting."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

LIMITS = {"warden": 900, "ledger": 1250}
"""Lines. The warden's is the promise: it holds the engine's socket; the ledger cannot reach it."""
_NO_CODE = (
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE),
    *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
)


def imported(module: Path) -> Iterator[str]:
    """Yield the names of packages and modules that ``module`` imports from elsewhere."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def lines_of_code(module: Path) -> int:
    """Count lines that hold code: no comments, no docstrings, no blank lines."""
    text = module.read_text(encoding="utf-8")
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            code -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(code)


@pytest.mark.parametrize("service", LIMITS)
def test_a_service_can_be_audited_in_one_sitting(root: Path, service: str) -> None:
    """All of its own package, and all of tinyberth_server, which is counted for each of the two.

    Not counted: tinyberth_common, the names and settings that every part shares and that decide
    nothing here but what a login and a setting may be.
    """
    own = sorted((root / service / f"tinyberth_{service}").glob("**/*.py"))
    shared = sorted((root / "common/tinyberth_server").glob("**/*.py"))
    ours = {name for path in own + shared for name in imported(path) if "tinyberth" in name}
    assert {name.split(".")[0] for name in ours} == {"tinyberth_common", "tinyberth_server"}
    sizes = {str(path.relative_to(root)): lines_of_code(path) for path in own + shared}
    assert all(sizes[name] for name in sizes if not name.endswith("__init__.py"))
    total = sum(sizes.values())
    assert total < LIMITS[service], f"{total} lines: {sizes}"


def test_the_count_sees_code_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text('"""Doc.\n\nMore."""\n\n# why\nx = [\n    1,\n]\n"""Of x."""\n')
    assert lines_of_code(tmp_path / "m.py") == 3


def test_both_images_begin_with_the_same_steps(root: Path) -> None:
    """So that the builder makes them once: the same lines, and the same lock."""
    begun = {
        (root / service / "Dockerfile")
        .read_text()
        .partition(f"COPY tinyberth_{service}")[0]
        .replace(other, "other")
        for service, other in (("ledger", "warden"), ("warden", "ledger"))
    }
    steps = {text.partition("\n\n")[2] for text in begun}
    assert len(steps) == 1, "but for the comment at the top"
    locks = {(root / s / "requirements.txt").read_bytes() for s in ("ledger", "warden")}
    assert len(locks) == 1
