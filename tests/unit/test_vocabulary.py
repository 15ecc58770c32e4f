"""The untrained preset's vocabulary: complete, deterministic, of our own making."""

from __future__ import annotations

import string

import pytest

from tinyberth_presets.vocabulary import (
    SPECIAL_TOKENS,
    TYPOGRAPHY,
    WEB_WORDS,
    build_vocabulary,
    suffix_pieces,
)

CLASSES = [
    ["the", "Fire", "fires", "fire's", "café", "e-mail"],
    ["rescue", "burning", "burn"],
    ["evacuate", "evacuates", "evacuation", "volcano"],
]
SIZE = 3000


@pytest.fixture(scope="module")
def vocabulary() -> list[str]:
    return build_vocabulary(CLASSES, SIZE)


def test_it_has_exactly_the_size_asked_for_and_no_token_twice(vocabulary):
    assert len(vocabulary) == len(set(vocabulary)) == SIZE


def test_the_padding_token_is_number_zero_and_berts_special_tokens_are_there(vocabulary):
    assert tuple(vocabulary[:5]) == SPECIAL_TOKENS
    assert vocabulary[0] == "[PAD]"


def test_any_word_of_letters_and_digits_can_be_spelt(vocabulary):
    for char in string.ascii_lowercase + string.digits:
        assert char in vocabulary
        assert f"##{char}" in vocabulary


def test_every_punctuation_mark_is_a_token(vocabulary):
    assert set(string.punctuation) <= set(vocabulary)
    assert len(set(TYPOGRAPHY)) == len(TYPOGRAPHY)


def test_words_are_as_berts_normalizer_leaves_them(vocabulary):
    assert {"fire", "cafe", "volcano"} <= set(vocabulary)
    assert not {"Fire", "fire's", "café", "e-mail"} & set(vocabulary)
    assert all(token == token.lower() for token in vocabulary if token not in SPECIAL_TOKENS)


def test_rare_inflections_are_left_to_pieces_and_frequent_ones_are_not(vocabulary):
    assert {"fires", "burning", "evacuate"} <= set(vocabulary)
    assert "evacuates" not in vocabulary


def test_words_of_the_web_are_there(vocabulary):
    assert set(WEB_WORDS.split()) <= set(vocabulary)


def test_the_order_and_repetition_of_words_in_a_class_change_nothing(vocabulary):
    shuffled = [[*reversed(words), *words] for words in CLASSES]
    assert build_vocabulary(shuffled, SIZE) == vocabulary


def test_long_lists_are_cut_and_short_ones_filled_up(vocabulary):
    assert vocabulary[-1].startswith("[unused")
    many = [[*CLASSES[0], *("x" + "abcdefghij"[n % 10] * (n // 10) for n in range(5000))]]
    assert "[unused0]" not in build_vocabulary(many, 1500)


def test_a_size_without_room_for_the_characters_is_refused():
    with pytest.raises(ValueError, match="no room"):
        build_vocabulary(CLASSES, 50)


def test_word_endings_are_ranked_by_frequency_then_alphabet():
    words = [["fires", "tires", "firing"]]
    assert suffix_pieces(words, 4) == ["##es", "##res", "##ing", "##ng"]
