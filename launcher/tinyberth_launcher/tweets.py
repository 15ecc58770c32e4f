"""`tinyberth dataset fetch disaster-tweets`: Kaggle's files, beside the sample."""

from __future__ import annotations

import csv
import shutil
import urllib.error
import zipfile
from pathlib import Path

from .checkout import Checkout
from .download import download, format_bytes
from .kaggle import api_url, explain_refusal, need_credentials
from .preflight import check_settings
from .problem import REFUSED, Problem
from .shelf import open_shelf
from .steps import Steps

TWEETS = "disaster-tweets"
_COMPETITION = "nlp-getting-started"
_COMPETITION_PAGE = f"https://www.kaggle.com/competitions/{_COMPETITION}/rules"
_TWEET_FILES = {
    "train.csv": ["id", "keyword", "location", "text", "target"],
    "test.csv": ["id", "keyword", "location", "text"],
}
"""The competition's files that people use, with their columns."""


def fetch_tweets(checkout: Checkout, steps: Steps, *, replace: bool) -> int:
    """Fetch the competition's files from Kaggle and put them beside the sample."""
    settings = check_settings(checkout)
    headers = need_credentials(checkout.shell, "the competition's files")
    shelf = open_shelf(checkout, "datasets")
    there = [name for name in _TWEET_FILES if (shelf.place(TWEETS) / name).exists()]
    if there and not replace:
        raise Problem(
            f"{' and '.join(there)} are in {shelf.place(TWEETS)} already.",
            remedy=f"To fetch them anew: ./tinyberth dataset fetch {TWEETS} --replace",
            code=REFUSED,
        )
    with shelf.work_folder(TWEETS) as work:
        part = work / f"{_COMPETITION}.zip.part"
        with steps.step("Download") as step:
            url = api_url(checkout.shell, f"competitions/data/download-all/{_COMPETITION}")
            try:
                bundle = settings.host_ca_bundle
                download(step, url, part, headers=headers, host_ca_bundle=bundle)
            except urllib.error.HTTPError as error:
                what = f"the files of {_COMPETITION}"
                raise explain_refusal(error, what=what, page=_COMPETITION_PAGE) from None
            step.done(format_bytes(part.stat().st_size))
        with steps.step("Check") as step:
            counts = _unpack_tweets(part, work)
            step.done(", ".join(f"{name} {rows:,} rows" for name, rows in counts.items()))
        shelf.place(TWEETS).mkdir(mode=0o755, exist_ok=True)
        for name in _TWEET_FILES:
            shelf.open_to_all(work / name)
            (work / name).replace(shelf.place(TWEETS) / name)
        part.unlink()
    print(f"\n{shelf.place(TWEETS)}: the notebooks take train.csv from now on, without a restart.")
    return 0


def _unpack_tweets(archive: Path, work: Path) -> dict[str, int]:
    """Unpack the files that are known, check their columns, and return their rows."""
    counts = {}
    try:
        with zipfile.ZipFile(archive) as archived:
            for name, columns in _TWEET_FILES.items():
                with archived.open(name) as content, (work / name).open("wb") as file:
                    shutil.copyfileobj(content, file)  # raises if the checksum differs
                counts[name] = _count_rows(work / name, columns)
    except (zipfile.BadZipFile, KeyError, EOFError, UnicodeDecodeError) as error:
        archive.unlink()
        for name in _TWEET_FILES:
            (work / name).unlink(missing_ok=True)
        raise Problem(
            f"What was fetched is not the competition's files: {error}",
            why="It was thrown away; data/datasets is as it was.",
            remedy="Run the same command again; if it stays, report it.",
        ) from None
    return counts


def _count_rows(path: Path, columns: list[str]) -> int:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        if next(rows, []) != columns:
            raise zipfile.BadZipFile(f"{path.name} has not the columns {columns}")
        return sum(1 for _ in rows)
