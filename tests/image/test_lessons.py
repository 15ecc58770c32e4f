"""Every shipped notebook, top to bottom, in the image: delivered into a home, run as its owner."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from containers import UID, Container

ROOT = Path(__file__).parents[2]
TEAM_GID = 30001

# What the image's command does before the server; then a notebook as `jupyter` in a terminal.
DELIVER = """
from pathlib import Path
from tinyberth_start.identity import ensure_git_identity
from tinyberth_start.notebooks import deliver_notebooks
print(deliver_notebooks(Path("/opt/tinyberth/notebooks"), Path.home()))
ensure_git_identity(Path.home(), {"TINYBERTH_LOGIN": "zora"})
"""
SECONDS_MAX = 300
"""What a notebook may take from top to bottom on two cores."""


@pytest.fixture(scope="module")
def host_shared(host_ledger: Path) -> Path:
    """Return a folder that the engine sees, with data sets and the folder of a team."""
    folder = host_ledger.parent / "image-shared"
    shutil.copytree(
        ROOT / "data/datasets/disaster-tweets",
        folder / "datasets/disaster-tweets",
        dirs_exist_ok=True,
    )
    team = folder / "nlp"
    team.mkdir(exist_ok=True)
    os.chown(team, 0, TEAM_GID)
    team.chmod(0o2770)
    return folder


@pytest.fixture(scope="module")
def start_pupil(start: Callable[..., Container], host_shared: Path) -> Callable[..., Container]:
    """Start a container as the warden does, with read-only data sets and notebooks delivered."""

    def start_one(*args: str) -> Container:
        pupil = start("--volume", f"{host_shared}/datasets:/datasets:ro", *args)
        pupil.python(DELIVER)
        return pupil

    return start_one


def run_notebook(pupil: Container, name: str) -> str:
    """Run one notebook where it was delivered; return everything that its cells put out."""
    pupil.shell(
        f"cd ~/notebooks && timeout {SECONDS_MAX} jupyter nbconvert --log-level ERROR "
        f"--execute --to notebook --output-dir /tmp --output done '{name}.ipynb'"
    )
    notebook = json.loads(pupil.run("cat", "/tmp/done.ipynb"))
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output["output_type"] == "error"]
    texts = (
        output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs
    )
    return "".join("".join(text) for text in texts)


def test_the_lesson_runs_on_the_sample_and_says_so(start_pupil):
    pupil = start_pupil()
    said = run_notebook(pupil, "Disaster tweets with TinyBERT")
    print(re.search(r"RESULT .*", said)[0], re.search(r"trained in .*", said)[0], sep="\n")
    assert "SMALL SAMPLE" in said
    assert "The reloaded model answers as the trained one does." in said
    results = "results/disaster-tweets"
    metrics = json.loads(pupil.run("cat", f"{results}/metrics.json"))
    assert (metrics["data"], metrics["tweets"]) == ("sample.csv", 252)
    assert {"accuracy", "f1", "threshold", "baseline_accuracy", "baseline_f1"} <= set(metrics)
    submission = pupil.run("cat", f"{results}/submission.csv").splitlines()
    assert submission[0] == "id,target"
    assert len(submission) == 1 + 51
    assert all(re.fullmatch(r"\d+,[01]", line) for line in submission[1:])
    written = set(pupil.run("ls", results).split())
    assert written == {
        *("confusion_matrix.png", "data.png", "learning_curves.png"),
        *("metrics.json", "submission.csv", "tinybert.keras"),
    }
    owners = set(pupil.run("find", "results", "-printf", "%U:%G\n").split())
    assert owners == {f"{UID}:{UID}"}


def test_the_lesson_takes_the_real_files_names_when_they_are_there(start_pupil, host_shared):
    """Stand-ins of our own, under the competition's names: what the admin would put there."""
    tweets = host_shared / "datasets/disaster-tweets"
    lines = (tweets / "sample.csv").read_text(encoding="utf-8")
    (tweets / "train.csv").write_text(lines, encoding="utf-8")
    unseen = "id,keyword,location,text\n7,fire,,Flames near the school http://t.co/x\n9,,,a nap\n"
    (tweets / "test.csv").write_text(unseen, encoding="utf-8")
    try:
        pupil = start_pupil()
        said = run_notebook(pupil, "Disaster tweets with TinyBERT")
    finally:
        (tweets / "train.csv").unlink()
        (tweets / "test.csv").unlink()
    assert "SMALL SAMPLE" not in said
    submission = pupil.run("cat", "results/disaster-tweets/submission.csv").splitlines()
    assert [line.split(",")[0] for line in submission] == ["id", "7", "9"]


@pytest.mark.parametrize("in_a_team", [True, False], ids=["in a team", "in no team"])
def test_permissions_are_shown_as_they_are(start_pupil, host_shared, in_a_team):
    team = ("--volume", f"{host_shared}/nlp:/teams/nlp", "--group-add", str(TEAM_GID))
    said = run_notebook(start_pupil(*(team if in_a_team else ())), "Your data, your permissions")
    assert f"Python agrees: zora is uid {UID}, gid {UID}." in said
    assert "Operation not permitted" in said
    assert "CapEff:\t0000000000000000" in said
    assert "umask here: 0002" in said
    assert "/datasets/my-copy.csv': Read-only file system" in said
    assert "data/users/zora/results/permissions/note.txt" in said
    assert ("You are in no team." in said) is not in_a_team
    team_file = f"/teams/nlp/hello-from-zora.txt: owner {UID} (you), group {TEAM_GID}, mode 664"
    assert (team_file in said) is in_a_team
    assert list((host_shared / "nlp").iterdir()) == []


def test_what_the_lesson_says_of_moving_into_a_team_is_true(start_pupil, host_shared):
    team = ("--volume", f"{host_shared}/nlp:/teams/nlp", "--group-add", str(TEAM_GID))
    pupil = start_pupil(*team)
    pupil.shell("touch moved copied && mv moved /teams/nlp/ && cp copied /teams/nlp/")
    groups = pupil.shell("cd /teams/nlp && stat -c '%n %g' copied moved && rm copied moved")
    assert groups.split() == ["copied", str(TEAM_GID), "moved", str(UID)]


def test_the_environment_runs_offline_and_leaves_no_secret(start_pupil):
    pupil = start_pupil()
    said = run_notebook(pupil, "Your environment")
    assert "you commit as: zora <zora@" in said
    assert "no package was added; the lesson goes on without it" in said
    assert "not-a-real-secret" not in said
    assert "tracked: .gitignore train.py" in said
    first, again, other = re.findall(r"^seed \d: ([\d.e-]+)", said, re.MULTILINE)
    assert first == again != other
    assert set(pupil.run("ls", "-A", "results/environment").split()) == {
        "requirements.txt",
        "run.json",
    }
    kernels = ".local/share/jupyter/kernels"
    assert pupil.run("sh", "-c", f"ls {kernels} 2>/dev/null || true") == ""


def test_it_can_be_run_twice(start_pupil):
    pupil = start_pupil()
    for _ in range(2):
        run_notebook(pupil, "Your data, your permissions")


TRAINING = (Path(__file__).parent / "training_in_the_image.py").read_text()


def test_the_training_functions_do_what_they_say(start_pupil):
    start_pupil().python(TRAINING)
