"""Which slow modules a notebook begins with, and that nothing is imported in another state."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tinyberth_kernels import warm
from tinyberth_kernels.warm_plan import modules_to_import

ROOT = Path(__file__).parents[2]


def notebook_of(*codes: str) -> str:
    cells = [{"cell_type": "code", "source": code} for code in codes]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": "import keras"}, *cells]})


@pytest.mark.parametrize(
    ("codes", "modules"),
    [
        (["import keras"], ["keras"]),
        (["import pandas as pd\nx = 1", "import keras_hub as kh"], ["keras_hub"]),
        (["from keras.layers import Dense\nfrom keras import ops"], ["keras"]),
        (["import keras_nlp, numpy"], ["keras_nlp"]),
        (["import tensorflow as tf"], ["tensorflow"]),
        (["from tensorflow.keras import layers"], ["tensorflow", "keras"]),
        (["import tensorflow_text as text"], ["tensorflow", "tensorflow_text"]),
        (["def train():\n    import keras"], ["keras"]),
        (["import tinybert\nimport keras"], ["keras_hub", "tinybert.training", "keras"]),
        # nothing slow
        ([], []),
        (["import pandas as pd\nimport matplotlib.pyplot as plt"], []),
        (["import keras_of_mine", "important = 'keras'", "# import keras"], []),
        # after a line that can change what an import means: left to the person
        (['import os\nos.environ["KERAS_BACKEND"] = "jax"', "import keras"], []),
        (["%env KERAS_BACKEND=jax", "import keras"], []),
        (["%set_env TF_CPP_MIN_LOG_LEVEL=0", "import tensorflow"], []),
        (["from os import environ\nimport keras"], []),
        (["from dotenv import load_dotenv\nload_dotenv()\nimport keras"], []),
        (["%load_ext dotenv\n%dotenv\nimport keras"], []),
        (["!pip install keras==3.0", "import keras"], []),
        (["%pip install keras==3.0", "import keras"], []),
        (["!uv pip install x\nimport keras"], []),
        (["import sys\nsys.path.insert(0, 'mine')\nimport keras"], []),
        (["%cd mine\nimport keras"], []),
        (["%run mine.py", "import keras"], []),
        (["%%bash\necho x", "import keras"], []),
        # before such a line: what the person's own cells would have imported
        (["import tensorflow as tf\nos.environ['X'] = '1'\nimport keras"], ["tensorflow"]),
        (["%matplotlib inline", "!ls", "import keras"], ["keras"]),
    ],
)
def test_what_a_notebook_begins_with(codes, modules):
    assert modules_to_import(notebook_of(*codes)) == tuple(modules)


def test_lines_may_be_a_list_as_jupyter_writes_them():
    cell = {"cell_type": "code", "source": ["import numpy\n", "import keras\n"]}
    assert modules_to_import(json.dumps({"cells": [cell]})) == ("keras",)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "{}", '{"cells": 3}', '{"cells": [1]}', "[" * 100_000),
        *('{"cells": [{"cell_type": "code", "source": 3}]}', '{"cells": [{"source": "x"}]}'),
    ],
)
def test_what_is_no_notebook_asks_for_nothing(text):
    assert modules_to_import(text) == ()


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("Disaster tweets with TinyBERT", ("keras", "keras_hub", "tinybert.training")),
        ("Your data, your permissions", ()),
        ("Your environment", ()),
    ],
)
def test_the_shipped_notebooks(name, modules):
    assert modules_to_import((ROOT / "notebooks" / f"{name}.ipynb").read_text()) == modules


@pytest.mark.parametrize(
    ("cell", "may"),
    [
        *(("1 + 1", False), ("", False), (None, False), ("print('%d' % x)", False)),
        *(("x = 1\nimport keras", True), ("__import__('keras')", True)),
        *(("%matplotlib inline", True), (" !ls", True)),
    ],
)
def test_which_cells_wait(cell, may):
    assert warm.may_import(cell) is may


@pytest.mark.parametrize(
    ("limit", "used", "inactive", "has"),
    [
        *(("max", 1, 0, True), ("4000", 2000, 0, True), ("4000", 3500, 0, False)),
        *(("4000", 3900, 1000, True), ("nonsense", 1, 0, True)),
    ],
)
def test_room_is_what_the_limit_leaves_with_what_the_kernel_can_drop(
    tmp_path, limit, used, inactive, has
):
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text(f"{used}\n")
    (tmp_path / "memory.stat").write_text(f"anon 5\ninactive_file {inactive}\n")
    assert warm.has_room(tmp_path, room=1000) is has


def test_without_a_limit_to_read_there_is_room(tmp_path):
    assert warm.has_room(tmp_path)


@pytest.mark.parametrize(
    ("file", "hides"),
    [
        *(("json.py", True), ("json/__init__.py", True), ("json/data.csv", False)),
        *(("my_own_thing.py", False), ("not-a-name.py", False), ("json.txt", False)),
    ],
)
def test_a_file_beside_the_notebook_may_hide_a_module(tmp_path, file, hides):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).touch()
    assert warm.hides_a_module(tmp_path) is hides


def test_the_folder_is_left_out_for_a_while(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["", "/a", str(tmp_path), "/b"])
    with warm.without_the_folder():
        assert sys.path == ["/a", "/b"]
    assert sys.path == ["", "/a", str(tmp_path), "/b"]


def test_only_a_regular_small_file_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "large.ipynb").write_bytes(b" " * (8 * 2**20 + 1))
    (tmp_path / "good.ipynb").write_text("{}")
    read = [warm.read_notebook(str(tmp_path / f"{name}.ipynb")) for name in ("large", "good")]
    assert read == ["", "{}"]
    assert warm.read_notebook(str(tmp_path / "pipe.ipynb")) == ""
