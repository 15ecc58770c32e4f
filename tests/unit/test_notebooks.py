"""The shipped notebooks: valid, clean, parseable, and delivered under names that fit."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request) -> dict:
    return json.loads(request.param.read_text(encoding="utf-8"))


def code_cells(notebook: dict) -> list[dict]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


LESSON = "Disaster tweets with TinyBERT"


def test_the_starter_notebooks_are_there():
    names = {LESSON, "Your data, your permissions", "Your environment"}
    assert {path.stem for path in NOTEBOOKS} == names


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


def test_every_code_cell_is_python_or_shell_and_under_a_page(notebook):
    for cell in code_cells(notebook):
        first, *rest = cell["source"]
        if first == "%%bash\n":
            done = subprocess.run(["bash", "-n"], input="".join(rest).encode(), check=False)
            assert done.returncode == 0, cell["id"]
        else:
            ast.parse("".join(cell["source"]))
        assert len(cell["source"]) <= 25, cell["id"]
        assert max(map(len, cell["source"])) <= 100, cell["id"]


def test_every_code_cell_is_led_up_to_by_a_text(notebook):
    """At most three code cells in a row: a notebook is read, not only run."""
    kinds = "".join(cell["cell_type"][0] for cell in notebook["cells"])
    assert kinds.startswith("m")
    assert "cccc" not in kinds


def test_the_lesson_says_when_the_data_or_the_weights_are_not_the_real_ones():
    (path,) = [path for path in NOTEBOOKS if path.stem == LESSON]
    notebook = json.loads(path.read_text(encoding="utf-8"))
    text = "".join("".join(cell["source"]) for cell in notebook["cells"])
    assert "SMALL SAMPLE" in text
    assert "untrained" in text.lower()
    assert "random_state=42" in text
