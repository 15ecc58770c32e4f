"""`./tinyberth preset`: weights whole, checked and readable by all, or nothing at all.

Kaggle is a server on loopback that serves ranges; everything else is the real thing.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from range_server import Storage, serve

from tinyberth_launcher.checkout import Checkout, load_checkout
from tinyberth_launcher.presets import fetch_preset, list_presets
from tinyberth_launcher.problem import INTERRUPTED, REFUSED, USAGE, Problem
from tinyberth_launcher.steps import Steps
from tinyberth_presets.checksums import NOT_RECORDED, VERIFIED

NAME = "bert_tiny_en_uncased"
HANDLE = "keras/bert/keras/bert_tiny_en_uncased/3"
FILES = {
    "config.json": b"{}",
    "model.weights.h5": os.urandom(700_000),  # does not shrink in the archive
    "assets/tokenizer/vocabulary.txt": b"fire\n",
}


def archive_of(files: dict[str, bytes], link: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o600
            tar.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo("link")
            info.type, info.linkname = tarfile.SYMTYPE, link
            tar.addfile(info)
    return buffer.getvalue()


@pytest.fixture
def kaggle() -> Iterator[Storage]:
    with serve(Storage(archive_of(FILES))) as storage:
        yield storage


@pytest.fixture
def checkout(tmp_path: Path, root: Path, kaggle: Storage) -> Checkout:
    """Return as much of a checkout as the command needs, that takes ``kaggle`` for Kaggle."""
    (tmp_path / "data/presets").mkdir(parents=True)
    (tmp_path / "data/.tinyberth-data").touch()
    (tmp_path / "singleuser/presets").mkdir(parents=True)
    (tmp_path / "docker-compose.yml").write_bytes((root / "docker-compose.yml").read_bytes())
    record(tmp_path, {})
    return load_checkout(tmp_path, {"KAGGLE_API_ENDPOINT": kaggle.url})


def record(root: Path, sha256: dict[str, str]) -> None:
    lock = root / "singleuser/presets/presets.json"
    lock.write_text(json.dumps({NAME: {"handle": HANDLE, "sha256": sha256}}))


def fetch(checkout: Checkout, *, replace_it: bool = False) -> None:
    steps = Steps(io.StringIO(), io.StringIO())
    assert fetch_preset(checkout, steps, NAME, replace=replace_it) == 0


def shelf(checkout: Checkout) -> list[str]:
    """Return everything below data/presets, hidden things, too."""
    folder = checkout.host_data_dir / "presets"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


WHOLE = sorted(f"{NAME}/{name}" for name in [*FILES, "PROVENANCE.json"])


def test_a_preset_is_fetched_whole_and_readable_by_all(checkout, kaggle, capsys):
    old = os.umask(0o077)  # a careful admin's
    try:
        fetch(checkout)
    finally:
        os.umask(old)
    assert shelf(checkout) == WHOLE
    place = checkout.host_data_dir / "presets" / NAME
    for path in (place, *place.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path
    assert kaggle.asked[0]["path"] == f"/api/v1/models/{HANDLE}/download"
    label = json.loads((place / "PROVENANCE.json").read_text())
    assert (label["trained"], label["verified"]) == (True, NOT_RECORDED)
    printed = capsys.readouterr().out
    assert hashlib.sha256(FILES["config.json"]).hexdigest() in printed


def test_recorded_checksums_are_compared(checkout):
    record(checkout.root, {n: hashlib.sha256(c).hexdigest() for n, c in FILES.items()})
    fetch(checkout)
    label = json.loads((checkout.host_data_dir / f"presets/{NAME}/PROVENANCE.json").read_text())
    assert label["verified"] == VERIFIED


def test_a_file_that_is_not_as_recorded_leaves_nothing(checkout):
    record(checkout.root, {"config.json": "0" * 64})
    with pytest.raises(Problem, match="not the preset that is pinned"):
        fetch(checkout)
    assert shelf(checkout) == []


@pytest.mark.parametrize(
    "archive",
    [
        archive_of({**FILES, "../../escape": b"x"}),
        archive_of({**FILES, "/etc/escape": b"x"}),
        archive_of(FILES, link="/etc/passwd"),
        archive_of(FILES)[:-2000],
        b"<html>please sign in</html>",
    ],
    ids=["parent", "absolute", "link", "cut short", "no archive"],
)
def test_an_archive_that_is_not_a_preset_leaves_nothing(checkout, kaggle, archive):
    kaggle.content = archive
    with pytest.raises(Problem, match="not the preset that is pinned"):
        fetch(checkout)
    assert shelf(checkout) == []
    assert not list(checkout.root.rglob("escape"))


def test_a_connection_that_breaks_is_taken_up_where_it_broke(checkout, kaggle):
    kaggle.break_after = [300_000, 200_000]
    fetch(checkout)
    assert shelf(checkout) == WHOLE
    ranges = [asked.get("Range") for asked in kaggle.asked]
    assert ranges == [None, "bytes=300000-", "bytes=500000-"]


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(checkout, kaggle):
    part = checkout.host_data_dir / "presets/.unfinished" / NAME
    part.mkdir(parents=True)
    part /= f"{HANDLE.replace('/', '_')}.tar.gz.part"
    part.write_bytes(b"the beginning of an older edition")
    part.with_name(f"{part.name}.edition").write_text('"\\"edition-0\\""')
    fetch(checkout)
    assert shelf(checkout) == WHOLE
    assert kaggle.asked[0]["If-Range"] == '"edition-0"'


def test_bytes_that_changed_on_the_way_are_noticed_and_thrown_away(checkout, kaggle):
    announced = base64.b64encode(hashlib.md5(b"something else").digest()).decode()
    kaggle.headers = {"x-goog-hash": f"crc32c=AAAAAA==, md5={announced}"}
    with pytest.raises(Problem, match="its checksum differs"):
        fetch(checkout)
    assert [name for name in shelf(checkout) if "edition" not in name] == []


def test_offline_is_one_line_and_leaves_nothing(checkout):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(Problem, match="cannot be reached from here") as problem:
            fetch(replace(checkout, shell={"KAGGLE_API_ENDPOINT": url}))
    assert "\n" not in problem.value.text()
    assert list((checkout.host_data_dir / "presets").iterdir()) == []


def test_what_is_there_stays_unless_it_is_to_be_replaced(checkout):
    fetch(checkout)
    marker = checkout.host_data_dir / "presets" / NAME / "of-the-admin"
    marker.touch()
    with pytest.raises(Problem, match="there already") as problem:
        fetch(checkout)
    assert problem.value.code == REFUSED
    assert marker.exists()
    fetch(checkout, replace_it=True)
    assert shelf(checkout) == WHOLE


def test_credentials_go_to_kaggle_and_not_to_where_it_sends_us(checkout, kaggle):
    kaggle_itself = Storage(b"")
    with serve(kaggle_itself):
        kaggle_itself.redirect = f"{kaggle.url}/signed"
        secret = {"KAGGLE_API_ENDPOINT": kaggle_itself.url}
        secret |= {"KAGGLE_USERNAME": "ada", "KAGGLE_KEY": "s3cret"}
        fetch(replace(checkout, shell=secret))
    assert kaggle_itself.asked[0]["Authorization"].startswith("Basic ")
    assert "Authorization" not in kaggle.asked[0]
    for path in checkout.root.rglob("*"):
        assert not path.is_file() or b"s3cret" not in path.read_bytes()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "does not accept these credentials"),
        (403, "accept them at"),
        (404, "has no the model"),
        (429, "no more downloads for now"),
        (500, "Kaggle answered 500"),
    ],
)
def test_refusals_are_sentences(checkout, kaggle, status, sentence):
    kaggle.status = status
    with pytest.raises(Problem) as problem:
        fetch(checkout)
    assert sentence in problem.value.text()


def test_a_preset_that_is_not_pinned_is_refused_with_those_that_are(checkout):
    with pytest.raises(Problem, match="not pinned") as problem:
        fetch_preset(checkout, Steps(io.StringIO(), io.StringIO()), "bert_huge", replace=False)
    assert problem.value.code == USAGE
    assert NAME in problem.value.remedy


def test_the_list_says_what_is_there_and_what_it_is(checkout, capsys):
    list_presets(checkout)
    assert f"{NAME}: not fetched: ./tinyberth preset fetch {NAME}" in capsys.readouterr().out
    fetch(checkout)
    capsys.readouterr()
    list_presets(checkout)
    assert f"{NAME}: trained, 700 kB, {HANDLE}" in capsys.readouterr().out


def test_an_interrupted_fetch_goes_on_with_the_next_command(checkout, kaggle, root):
    """The whole program, ended by Ctrl-C's signal in the middle of the download."""
    kaggle.delay = 0.1
    data = str(checkout.host_data_dir)
    command = [sys.executable, str(root / "tinyberth"), "preset", "fetch", NAME]
    environ = {**os.environ, "KAGGLE_API_ENDPOINT": kaggle.url, "DATA_DIR": data}
    environ |= {"PYTHONDONTWRITEBYTECODE": "1"}
    part = checkout.host_data_dir / f"presets/.unfinished/{NAME}"
    part /= f"{HANDLE.replace('/', '_')}.tar.gz.part"
    child = subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    printed, _ = child.communicate(timeout=30)
    assert child.returncode == INTERRUPTED, printed
    assert b"can be run again" in printed
    assert b"Traceback" not in printed
    size = part.stat().st_size
    assert 0 < size < len(kaggle.content)
    assert not (checkout.host_data_dir / "presets" / NAME).exists()

    kaggle.delay = 0
    done = subprocess.run(command, env=environ, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert kaggle.asked[-1]["Range"] == f"bytes={size}-"
    assert shelf(checkout) == WHOLE
