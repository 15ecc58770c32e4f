"""`./tinyberth dataset`: copied whole and readable by all, or nothing at all."""

from __future__ import annotations

import io
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from range_server import Storage, serve

from tinyberth_launcher import datasets
from tinyberth_launcher.checkout import Checkout, load_checkout
from tinyberth_launcher.datasets import add_dataset, list_datasets
from tinyberth_launcher.problem import REFUSED, USAGE, Problem
from tinyberth_launcher.steps import Steps
from tinyberth_launcher.tweets import fetch_tweets


@pytest.fixture
def checkout(tmp_path: Path, root: Path) -> Checkout:
    (tmp_path / "data/datasets").mkdir(parents=True)
    (tmp_path / "data/.tinyberth-data").touch()
    (tmp_path / "docker-compose.yml").write_bytes((root / "docker-compose.yml").read_bytes())
    return load_checkout(tmp_path, {})


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """Return a folder as people have them: nested, private, with an executable."""
    folder = tmp_path / "reviews"
    (folder / "images/empty").mkdir(parents=True)
    (folder / "reviews.csv").write_text("text,stars\nfine,5\n")
    (folder / "images/1.png").write_bytes(b"\x89PNG")
    for path in (folder / "reviews.csv", folder / "images/1.png"):
        path.chmod(0o600)
    (folder / "images").chmod(0o700)
    return folder


def steps() -> Steps:
    return Steps(io.StringIO(), io.StringIO())


def add(checkout: Checkout, name: str, source: Path, *, replace_it: bool = False) -> None:
    assert add_dataset(checkout, steps(), name, source, replace=replace_it) == 0


def files(checkout: Checkout) -> dict[str, str]:
    """Return name and mode of everything below data/datasets, hidden things, too."""
    folder = checkout.host_data_dir / "datasets"
    return {
        str(path.relative_to(folder)): oct(path.stat().st_mode & 0o777)[2:]
        for path in sorted(folder.rglob("*"))
    }


def test_a_folder_is_copied_and_readable_by_all(checkout, reviews):
    add(checkout, "reviews", reviews)
    assert files(checkout) == {
        "reviews": "755",
        "reviews/images": "755",
        "reviews/images/1.png": "644",
        "reviews/reviews.csv": "644",
    }
    copy, source = checkout.host_data_dir / "datasets/reviews/reviews.csv", reviews / "reviews.csv"
    assert copy.read_bytes() == source.read_bytes()
    assert copy.stat().st_mtime_ns == source.stat().st_mtime_ns
    assert source.stat().st_mode & 0o777 == 0o600  # the source is as it was


def test_a_file_becomes_a_folder_of_its_name(checkout, reviews):
    add(checkout, "stars", reviews / "reviews.csv")
    assert files(checkout) == {"stars": "755", "stars/reviews.csv": "644"}


def test_what_is_there_stays_unless_it_is_to_be_replaced(checkout, reviews):
    add(checkout, "reviews", reviews)
    with pytest.raises(Problem, match="There is a data set reviews") as problem:
        add(checkout, "reviews", reviews / "reviews.csv")
    assert problem.value.code == REFUSED
    assert "reviews/images/1.png" in files(checkout)
    add(checkout, "reviews", reviews / "reviews.csv", replace_it=True)
    assert files(checkout) == {"reviews": "755", "reviews/reviews.csv": "644"}


@pytest.mark.parametrize("make", [lambda p: p.symlink_to("/etc/shadow"), os.mkfifo])
def test_links_and_pipes_are_refused_and_nothing_is_copied(checkout, reviews, make):
    make(reviews / "images/odd")
    with pytest.raises(Problem, match="plain files and folders"):
        add(checkout, "reviews", reviews)
    assert files(checkout) == {}


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "", "-rf", "a b", "é", "x" * 65, "a\n"])
def test_a_name_that_is_no_folders_is_refused(checkout, reviews, name):
    with pytest.raises(Problem, match="cannot be a data set's name") as problem:
        add(checkout, name, reviews)
    assert problem.value.code == USAGE


def test_a_path_that_is_not_there_is_refused(checkout, tmp_path):
    with pytest.raises(Problem, match="There is no file or folder"):
        add(checkout, "x", tmp_path / "nothing")


def test_a_copy_that_does_not_fit_is_refused_before_it_begins(checkout, tmp_path):
    with (tmp_path / "big").open("wb") as big:
        big.truncate(2**42)  # 4 TB, and no byte of it on the disk
    with pytest.raises(Problem, match=r"This takes 4398\.05 GB"):
        add(checkout, "big", tmp_path / "big")
    assert files(checkout) == {}


def test_an_interrupted_copy_is_unseen_and_goes_on_with_the_next_command(
    checkout, reviews, monkeypatch
):
    copied = []
    copy_one = datasets._copy_one

    def interrupted(step, source, target, before, total):
        if copied:
            raise KeyboardInterrupt
        copied.append(source.name)
        copy_one(step, source, target, before, total)

    monkeypatch.setattr(datasets, "_copy_one", interrupted)
    with pytest.raises(KeyboardInterrupt):
        add(checkout, "reviews", reviews)
    assert not (checkout.host_data_dir / "datasets/reviews").exists()
    assert files(checkout)[".unfinished"] == "700"

    again = []
    monkeypatch.setattr(
        datasets, "_copy_one", lambda *args: (again.append(args[1].name), copy_one(*args))
    )
    add(checkout, "reviews", reviews)
    assert sorted(copied + again) == ["1.png", "reviews.csv"]
    assert ".unfinished" not in files(checkout)
    assert len(files(checkout)) == 4


def test_a_data_folder_that_is_not_mounted_is_refused(checkout, reviews):
    (checkout.host_data_dir / ".tinyberth-data").unlink()
    with pytest.raises(Problem, match="is not a data folder"):
        add(checkout, "reviews", reviews)


def test_the_list_says_where_servers_see_it(checkout, reviews, capsys):
    add(checkout, "reviews", reviews)
    capsys.readouterr()
    list_datasets(checkout)
    assert capsys.readouterr().out == "reviews: 2 files, 22 bytes; in servers /datasets/reviews\n"


# ---- disaster-tweets, from a stand-in for Kaggle on loopback -----------------------------------

TRAIN = 'id,keyword,location,text,target\n1,,,"Fire, now",1\n2,,,Ablaze,0\n'
TEST = "id,keyword,location,text\n3,,,Flood\n"


def archive(train: str = TRAIN) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr("train.csv", train)
        zipped.writestr("test.csv", TEST)
        zipped.writestr("sample_submission.csv", "id,target\n3,0\n")
    return buffer.getvalue()


@pytest.fixture
def signed_in(checkout):
    folder = checkout.host_data_dir / "datasets/disaster-tweets"
    folder.mkdir()
    (folder / "sample.csv").write_text("ours")
    with serve(Storage(archive())) as kaggle:
        shell = {"KAGGLE_API_ENDPOINT": kaggle.url}
        shell |= {"KAGGLE_USERNAME": "ada", "KAGGLE_KEY": "s3cret"}
        yield replace(checkout, shell=shell), kaggle


def test_tweets_come_beside_the_sample_and_no_credential_is_kept(signed_in):
    checkout, kaggle = signed_in
    fetch_tweets(checkout, steps(), replace=False)
    assert files(checkout) == {
        "disaster-tweets": "755",
        "disaster-tweets/sample.csv": "644",
        "disaster-tweets/test.csv": "644",
        "disaster-tweets/train.csv": "644",
    }
    folder = checkout.host_data_dir / "datasets/disaster-tweets"
    assert (folder / "train.csv").read_text() == TRAIN
    [asked] = kaggle.asked
    assert asked["path"] == "/api/v1/competitions/data/download-all/nlp-getting-started"
    for path in checkout.root.rglob("*"):
        assert not path.is_file() or b"s3cret" not in path.read_bytes()
    with pytest.raises(Problem, match="already"):
        fetch_tweets(checkout, steps(), replace=False)
    fetch_tweets(checkout, steps(), replace=True)


@pytest.mark.parametrize("shell", [{}, {"KAGGLE_USERNAME": "ada"}, {"KAGGLE_KEY": "s3cret"}])
def test_without_credentials_nothing_is_asked(checkout, shell):
    with pytest.raises(Problem, match="no credentials are set"):
        fetch_tweets(replace(checkout, shell=shell), steps(), replace=False)


def test_a_token_is_enough(signed_in):
    checkout, kaggle = signed_in
    shell = {"KAGGLE_API_ENDPOINT": kaggle.url, "KAGGLE_API_TOKEN": "t0ken"}
    fetch_tweets(replace(checkout, shell=shell), steps(), replace=False)
    assert kaggle.asked[0]["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(("status", "word"), [(401, "credentials"), (403, "accept them at")])
def test_refusals_are_sentences(signed_in, status, word):
    checkout, kaggle = signed_in
    kaggle.status = status
    with pytest.raises(Problem) as problem:
        fetch_tweets(checkout, steps(), replace=False)
    assert word in problem.value.text()


@pytest.mark.parametrize("content", [archive("a,b\n1,2\n"), b"<html>", archive()[:-30]])
def test_files_that_are_not_the_competitions_leave_nothing(signed_in, content):
    checkout, kaggle = signed_in
    kaggle.content = content
    with pytest.raises(Problem, match="not the competition's files"):
        fetch_tweets(checkout, steps(), replace=False)
    assert [name for name in files(checkout) if "csv" in name] == ["disaster-tweets/sample.csv"]
