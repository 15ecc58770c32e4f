"""The configuration file itself, loaded as JupyterHub loads it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from traitlets.config.loader import PyFileConfigLoader

FILE = Path(__file__).parents[2] / "jupyterhub_config.py"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the file's folder, with our settings replaced by one marker."""

    def configure(c: Any, hub: object) -> None:
        c.JupyterHub.db_url = f"from {hub}"
        c.JupyterHub.bind_url = "ours"

    monkeypatch.setattr("tinyberth_hub.configure.configure", configure)
    monkeypatch.setattr("tinyberth_hub.settings.load_settings", lambda: "settings")
    shutil.copy(FILE, tmp_path)
    (tmp_path / "jupyterhub_config.d").mkdir()
    return tmp_path


def load(folder: Path) -> Any:
    return PyFileConfigLoader(FILE.name, path=str(folder)).load_config()


def test_it_loads_the_settings_and_sets_what_they_mean(folder: Path) -> None:
    assert load(folder).JupyterHub.db_url == "from settings"


def test_files_in_the_folder_run_last_in_the_order_of_their_names(folder: Path) -> None:
    (folder / "jupyterhub_config.d" / "20-b.py").write_text("c.JupyterHub.bind_url = 'second'")
    (folder / "jupyterhub_config.d" / "10-a.py").write_text(
        "c.JupyterHub.bind_url = 'first'; c.JupyterHub.base_url = '/theirs/'"
    )
    (folder / "jupyterhub_config.d" / "README.md").write_text("no configuration")
    config = load(folder)
    assert config.JupyterHub.bind_url == "second"
    assert config.JupyterHub.base_url == "/theirs/"
    assert config.JupyterHub.db_url == "from settings"


def test_a_broken_file_is_an_error_that_names_it(folder: Path) -> None:
    (folder / "jupyterhub_config.d" / "10-a.py").write_text("c.JupyterHub.bind_url = oops")
    with pytest.raises(NameError, match="oops"):
        load(folder)


def test_it_stays_a_page() -> None:
    assert len(FILE.read_text().splitlines()) < 60
