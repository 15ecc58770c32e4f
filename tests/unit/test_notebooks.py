"""The shipped notebooks: valid, clean, parseable, and delivered under names that fit."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request) -> dict:
    return json.loads(request.param.read_text(encoding="utf-8"))


def code_cells(notebook: dict) -> list[dict]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_there_is_a_starter_notebook():
    assert "Disaster tweets with TinyBERT" in [path.stem for path in NOTEBOOKS]


def test_it_is_notebook_format_4_5_for_the_images_kernel(notebook):
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"


def test_every_cell_has_an_id_of_its_own(notebook):
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in ids)


def test_no_output_is_stored(notebook):
    for cell in code_cells(notebook):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


def test_every_code_cell_is_python_and_under_a_page(notebook):
    for cell in code_cells(notebook):
        ast.parse("".join(cell["source"]))
        assert len(cell["source"]) <= 30


def test_it_says_when_the_data_or_the_weights_are_not_the_real_ones(notebook):
    text = "".join("".join(cell["source"]) for cell in notebook["cells"])
    assert "SMALL SAMPLE" in text
    assert "untrained" in text.lower()
    assert "random_state=42" in text
