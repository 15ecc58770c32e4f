"""A WordPiece vocabulary of our own making, for the untrained preset.

BERT's vocabulary is not ours to ship. This one is made from word lists in classes of
frequency (SCOWL, Debian's package ``scowl``), so that the preset has tokens of its own from
a source that may be used for any purpose. Everything here is pure and deterministic.
"""

from __future__ import annotations

import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

# Words of the web that no dictionary lists; links and user names are full of the pieces.
WEB_WORDS = (
    "http https www com org net html co ly bit amp rt via gt lt lol omg lmao btw imo idk tbh smh "
    "dm fyi rip gonna wanna gotta u ur r im dont cant ill youre thats hes ive didnt isnt doesnt "
    "wont aint tho thx pls plz yeah yep nope haha hahaha ok okay hey wow ugh yay twitter tweet "
    "tweets retweet facebook youtube instagram google hashtag selfie blog vlog app apps emoji "
    "gif meme podcast livestream wifi online website url usa uk eu un uae nyc la sf dc isis fema "
    "noaa usgs cnn bbc abc nbc cbs msnbc reuters gop obama trump covid"
)

# Beyond ASCII: Latin-1's signs and the punctuation and pictures that phones write.
TYPOGRAPHY = (
    "¡¢£¤¥¦§¨©ª«¬®¯°±²³´µ¶·¹º»¼½¾¿×÷ßæðøþđłœ‐‑–—―‘’‚“”„†‡•…‰′″‹›€™→←↑↓−√∞≈≠≤≥■●★☆♥♪✓"  # noqa: RUF001 -- alike, but not the same token
    "❤☀☁☂☔⚡⚠✨🌀🌈🌊🌋🌍🌪🎉🎶🏆🏠🏥🐶👀👇👉👍👏💀💔💕💥💨💪💯📷🔥🙂🙄🙏🚀🚑🚒🚓🚨🤔🤣🥺"
    "😀😁😂😃😄😅😆😉😊😋😍😎😏😒😔😘😜😞😠😡😢😩😫😭😱😳😴😷"
)

LONGEST_SUFFIX = 5
"""Characters of the longest word ending that becomes a piece."""

SUFFIX_PIECES = 1500
COMPOUND_PIECES_FROM_CLASSES = 1
"""How many of the most frequent classes also give ``##word``, for #forestfire."""

INFLECTIONS = ("s", "es", "d", "ed", "ing", "ly", "er", "ers", "ness", "able")


def build_vocabulary(word_classes: Sequence[Iterable[str]], size: int) -> list[str]:
    """Return ``size`` different tokens, the most useful first.

    Parameters
    ----------
    word_classes
        Word lists, the most frequent words first; cases, accents and possessives may occur.
    size
        Length of the result; short lists are filled up with ``[unusedN]`` as BERT's is.

    Raises
    ------
    ValueError
        If ``size`` has no room for the single characters, without which words become [UNK].
    """
    classes = [sorted({*_plain_words(words)}) for words in word_classes]
    tokens = dict.fromkeys([*SPECIAL_TOKENS, *_characters()])
    if size < len(tokens):
        raise ValueError(f"a vocabulary of {size} has no room for {len(tokens)} characters")
    for token in _by_usefulness(classes):
        if len(tokens) == size:
            break
        tokens[token] = None
    unused = (f"[unused{number}]" for number in range(size))
    return [*tokens, *(next(unused) for _ in range(size - len(tokens)))]


def _by_usefulness(classes: Sequence[Sequence[str]]) -> Iterator[str]:
    yield from WEB_WORDS.split()
    yield from _numbers()
    yield from suffix_pieces(classes, SUFFIX_PIECES)
    for words in classes[:COMPOUND_PIECES_FROM_CLASSES]:
        yield from (f"##{word}" for word in words if len(word) > 2)
    known: set[str] = set()
    for rank, words in enumerate(classes):
        known.update(words)
        # rare inflections are left to word + piece, which leaves room for more stems
        yield from (word for word in words if rank < 2 or not _is_inflection(word, known))


def suffix_pieces(classes: Sequence[Iterable[str]], count: int) -> list[str]:
    """Return the ``count`` most frequent word endings as pieces, ties in alphabetical order."""
    endings: Counter[str] = Counter()
    for words in classes:
        for word in words:
            longest = min(LONGEST_SUFFIX, len(word) - 2)
            endings.update(word[-length:] for length in range(2, longest + 1))
    ranked = sorted(endings.items(), key=lambda item: (-item[1], item[0]))
    return [f"##{ending}" for ending, _ in ranked[:count]]


def _plain_words(words: Iterable[str]) -> Iterator[str]:
    """Words as BERT's normalizer leaves them: lower case, no accent, cut at punctuation."""
    for word in words:
        decomposed = unicodedata.normalize("NFD", word.strip().lower())
        plain = "".join(char for char in decomposed if unicodedata.category(char) != "Mn")
        plain = plain.removesuffix("'s")
        if plain.isascii() and plain.isalpha():
            yield plain


def _characters() -> Iterator[str]:
    printable = string.ascii_lowercase + string.digits + string.punctuation + TYPOGRAPHY
    for char in printable:
        yield char
        if not unicodedata.category(char).startswith("P") and char not in string.punctuation:
            yield f"##{char}"  # punctuation always stands alone


def _numbers() -> Iterator[str]:
    yield from (str(number) for number in range(10, 1000))
    yield from (f"##{number:02}" for number in range(100))
    yield from (str(year) for year in range(1900, 2040))
    yield from (f"##{unit}" for unit in ("st", "nd", "rd", "th", "am", "pm", "km", "kg", "mph"))


def _is_inflection(word: str, known: set[str]) -> bool:
    return any(word.endswith(end) and word[: -len(end)] in known for end in INFLECTIONS)
