"""Kernels that import TensorFlow ahead, for the notebooks that begin with it and for no other."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def kernels(start, root):
    container = start("--volume", f"{root}/tests/image:/tests:ro")
    said = container.run("python", "/tests/warm_kernels_in_the_image.py")
    return json.loads(said.splitlines()[-1])


def texts(kernel):
    return [cell["text"] for cell in kernel]


def test_the_lessons_modules_are_there_before_anybody_imports_them(kernels):
    assert texts(kernels["lesson"])[1] == "True True"


def test_opening_the_notebook_in_jupyter_is_enough(kernels):
    assert kernels["server"] == {"status": 201, "warm": True}


def test_it_leaves_nothing_behind_in_cells_names_threads_and_hooks(kernels):
    first, there, names, traces, *_ = kernels["lesson"]
    assert (first["kinds"], first["status"]) == (["execute_result"], "ok")
    printed = there["kinds"] + names["kinds"] + traces["kinds"]
    assert set(printed) == {"stream"}  # what these cells print themselves
    assert traces["text"] == "[] []"


def test_names_are_only_those_of_the_cells(kernels):
    names = texts(kernels["lesson"])[2]
    assert "'sys'" in names
    assert names == texts(kernels["other"])[1]


def test_plots_show_as_ever(kernels):
    assert kernels["lesson"][6]["kinds"] == ["display_data"]


def test_a_training_gives_the_figures_that_it_gives_without(kernels):
    assert texts(kernels["lesson"])[7] == texts(kernels["other"])[3] != ""


def test_a_cell_that_waits_can_be_interrupted(kernels):
    assert kernels["interrupted"] == {"ename": "KeyboardInterrupt", "next": "ok"}


@pytest.mark.parametrize("kernel", ["other", "console", "gone", "off"])
def test_nothing_is_imported_for_others_or_where_it_is_switched_off(kernels, kernel):
    assert texts(kernels[kernel])[0] == "False False"


def test_what_cannot_be_imported_is_told_where_the_person_imports_it(kernels):
    first, there, own, last = kernels["broken"]
    assert (first["kinds"], there["status"], last["status"]) == (["execute_result"], "ok", "ok")
    assert "broken on purpose" in own["text"]


def test_opening_a_notebook_runs_no_code_that_lies_beside_it(kernels):
    """In a team's folder it may be anybody's; what a cell imports is found there as ever."""
    *_, planted, path, _plot, _fit, own, planted_by_own = texts(kernels["lesson"])
    assert planted == "False"
    assert path == texts(kernels["other"])[2]
    assert (own, planted_by_own) == ("", "True")


def test_where_a_file_hides_a_module_of_the_image_nothing_is_imported(kernels):
    assert texts(kernels["hidden"]) == ["False False", "True"]
