"""The People page: its scripts' pure parts, and how its files are served."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyberth_hub import static_files

HERE = Path(__file__).parent
SCRIPTS = sorted((static_files.STATIC_DIR / "people").glob("*.mjs"))


def test_the_pure_parts_of_its_scripts() -> None:
    """Filter, sort, menus, CSV, the import's workers: people_page.test.mjs."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not here: run the tests with ./tinyberth test")
    done = subprocess.run(
        [node, "--test", str(HERE / "people_page.test.mjs")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_no_script_makes_markup_of_data(script: Path) -> None:
    """What people are named reaches the page as text nodes alone."""
    markup = re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", script.read_text()
    )
    assert markup is None


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_script_is_short_and_imports_what_is_there(script: Path) -> None:
    text = script.read_text()
    assert text.count("\n") < 200
    for name in re.findall(r'from "\./([^"]+)"', text):
        assert (script.parent / name).is_file(), name


def test_files_change_their_address_with_their_content(tmp_path: Path) -> None:
    def hashes() -> Iterator[str]:
        (tmp_path / "a.mjs").write_text("1")
        yield static_files.content_hash(tmp_path)
        (tmp_path / "a.mjs").write_text("2")
        yield static_files.content_hash(tmp_path)
        (tmp_path / "a.mjs").rename(tmp_path / "b.mjs")
        yield static_files.content_hash(tmp_path)

    first, second, third = hashes()
    assert len({first, second, third}) == 3
    assert third == static_files.content_hash(tmp_path)


def test_the_address_is_below_the_hub_and_has_the_hash() -> None:
    ((pattern, _),) = static_files.static_handlers
    found = re.fullmatch(pattern, f"{static_files.STATIC_PATH}/people/main.mjs")
    assert found
    assert (static_files.STATIC_DIR / found[1]).is_file()
