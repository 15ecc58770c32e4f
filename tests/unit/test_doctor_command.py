"""How the doctor goes about it: what is printed, asked, done, and returned."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from deployment import wait_until
from tinyberth_launcher.checkout import load_checkout
from tinyberth_launcher.doctor import command, topics
from tinyberth_launcher.doctor.finding import (
    FAULT,
    FINE,
    NOTE,
    SKIPPED,
    Finding,
    Fix,
    fault,
    fine,
    note,
    skipped,
)
from tinyberth_launcher.doctor.topics import Topic, examine


@pytest.fixture
def missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file that one topic misses, and that its repair makes."""
    (tmp_path / "docker-compose.yml").write_text("name: tinyberth\n")
    path = tmp_path / "wanted"

    def look(_: object) -> list[Finding]:
        if path.exists():
            return [fine("it is there")]
        fix = Fix("makes it", (("touch", str(path)),))
        return [fault("gone", "it is gone.", why="Rust.", remedy=f"touch {path}", fix=fix)]

    quiet = Topic("other", "", lambda _: [note("hint", "by the way")])
    monkeypatch.setattr(command, "TOPICS", (Topic("thing", "", look), quiet))
    return path


def examined(missing: Path, **options: object) -> int:
    return command.doctor(load_checkout(missing.parent, shell={}), **options)


def test_a_look_changes_nothing_and_names_fault_reason_and_remedy(missing, capsys) -> None:
    assert examined(missing) == 1
    assert not missing.exists()
    assert capsys.readouterr().out.splitlines() == [
        "✗ Thing: it is gone.",
        "    Why: Rust.",
        f"    Do:  touch {missing}",
        "· Other: by the way",
        "",
        "1 fault, of which `./tinyberth doctor --fix` mends 1.",
    ]


def test_a_repair_is_shown_and_not_made_where_nobody_can_be_asked(missing, capsys) -> None:
    assert examined(missing, fix=True) == 1
    assert not missing.exists()
    said = capsys.readouterr().out
    assert f"Mends thing: makes it\n    $ touch {missing}" in said
    assert "nobody can be asked here; say --fix --yes" in said


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 1)])
def test_a_repair_is_made_if_somebody_says_so_and_looked_at_again(
    missing, capsys, answer, code
) -> None:
    asked = []
    assert examined(missing, fix=True, confirm=lambda q: not asked.append(q) and answer) == code
    assert asked == ["Do this?"]
    assert missing.exists() == answer
    assert ("✓ Thing: it is there" in capsys.readouterr().out) == answer


def test_a_repair_that_fails_says_why_and_the_fault_stays(missing, monkeypatch, capsys) -> None:
    monkeypatch.setattr(command, "_SETTLE_SECONDS", 0)
    missing.symlink_to(missing.parent / "no folder" / "file")
    assert examined(missing, fix=True, confirm=lambda _: True) == 1
    assert "failed (exit code 1): touch" in capsys.readouterr().out


def test_scripts_get_one_document_before_and_after(missing, capsys) -> None:
    assert examined(missing, as_json=True) == 1
    before = json.loads(capsys.readouterr().out)
    assert [(f["topic"], f["level"], f["key"]) for f in before["findings"]] == [
        ("thing", FAULT, "gone"),
        ("other", NOTE, "hint"),
    ]
    assert before["findings"][0]["fix"]["commands"] == [["touch", str(missing)]]
    assert before["exit_code"] == 1
    assert examined(missing, as_json=True, fix=True, confirm=lambda _: True) == 0
    after = json.loads(capsys.readouterr().out)
    assert after["mended"] == [
        {"topic": "thing", "key": "gone", "what": "it is gone.", "failure": ""}
    ]
    assert after["findings"][0]["level"] == FINE


def test_some_topics_alone_and_what_could_not_be_seen(missing, monkeypatch, capsys) -> None:
    blind = Topic("dark", "", lambda _: [skipped("no light", why="Night.")])
    monkeypatch.setattr(command, "TOPICS", (*command.TOPICS, blind))
    assert examined(missing, topics=["other"]) == 0
    assert capsys.readouterr().out == "· Other: by the way\n\nNothing to mend.\n"
    assert examined(missing, topics=["dark", "other"]) == 2
    assert capsys.readouterr().out.endswith("\nNothing to mend; 1 thing not looked at.\n")


def test_what_a_topic_needs_and_is_not_there_is_said(missing) -> None:
    patient = command.Patient(load_checkout(missing.parent, shell={"PORT": "x"}))
    patient.__dict__["engine_version"] = ""
    for needs, words in ((("settings",), "settings have faults"), (("engine",), "no engine")):
        (finding,) = examine(patient, Topic("x", "", lambda _: [], needs))
        assert finding.level == SKIPPED
        assert words in finding.what


def test_what_this_account_may_not_read_is_no_crash(missing) -> None:
    patient = command.Patient(load_checkout(missing.parent, shell={}))
    (finding,) = examine(patient, Topic("x", "", lambda _: [fine(missing.read_text())]))
    assert finding.level == SKIPPED
    assert f"{missing}: No such file" in finding.why


def test_what_takes_long_says_so(monkeypatch, capsys) -> None:
    monkeypatch.setattr(command, "_SLOW_SECONDS", 0)
    with command._progress("Looking at the moon"):
        said = wait_until(lambda: capsys.readouterr().err, "it says what it is at", 10)
    assert said == "… Looking at the moon\n"


def test_every_finding_and_its_topic_are_in_the_docs(root: Path) -> None:
    section = (root / "docs/operations.md").read_text().partition("## The doctor")[2]
    section = section.partition("### The ledger is lost")[0]
    named = set(re.findall(r"`(\w+)`", section))
    source = "".join(
        path.read_text() for path in (root / "launcher/tinyberth_launcher/doctor").glob("*.py")
    )
    keys = set(re.findall(r'\b(?:fault|note)\(\s*"(\w+)"', source))
    keys |= set(re.findall(r'"(\w+_(?:old|orphan))"', source))
    assert len(keys) > 60
    assert keys <= named, keys - named
    for topic in topics.TOPICS:
        assert f"**{topic.name}**" in section
