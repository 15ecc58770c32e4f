"""The sample dataset: the competition's columns, both classes, and the oddities of real files."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

# Beside the checkout where the project is developed; never in the repository.
REAL = Path(__file__).parents[3] / "shared/data/disaster-tweets"


@pytest.fixture(scope="module")
def tweets(root) -> list[dict[str, str]]:
    path = root / "data/datasets/disaster-tweets/sample.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_it_has_the_competitions_columns_and_enough_tweets(tweets):
    assert list(tweets[0]) == ["id", "keyword", "location", "text", "target"]
    assert len(tweets) >= 240
    assert all(None not in tweet.values() and None not in tweet for tweet in tweets)


def test_both_classes_are_near_balance(tweets):
    share = sum(tweet["target"] == "1" for tweet in tweets) / len(tweets)
    assert {tweet["target"] for tweet in tweets} == {"0", "1"}
    assert 0.45 <= share <= 0.55


def test_no_tweet_or_number_comes_twice(tweets):
    assert len({tweet["text"].casefold() for tweet in tweets}) == len(tweets)
    assert len({tweet["id"] for tweet in tweets}) == len(tweets)


def test_it_holds_what_breaks_careless_readers(tweets):
    texts = [tweet["text"] for tweet in tweets]
    for sign in ("\n", '"', ",", "🔥", "é", "°", "#"):
        assert any(sign in text for text in texts), sign
    assert any(not tweet["keyword"] or not tweet["location"] for tweet in tweets)
    assert any("%20" in tweet["keyword"] for tweet in tweets)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real tweets do not lie beside this checkout")
def test_no_text_is_taken_from_the_competition(tweets):
    real = set()
    for name in ("train.csv", "test.csv"):
        with (REAL / name).open(encoding="utf-8", newline="") as file:
            real |= {" ".join(row["text"].casefold().split()) for row in csv.DictReader(file)}
    assert not real & {" ".join(tweet["text"].casefold().split()) for tweet in tweets}


def test_the_marker_of_the_data_root_is_one_line(root):
    assert len((root / "data/.tinyberth-data").read_text().splitlines()) == 1
