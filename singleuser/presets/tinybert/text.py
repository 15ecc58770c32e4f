"""Make tweets shorter without losing what they say."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_LINK = re.compile(r"https?://\S*")
_MENTION = re.compile(r"@\w+")


def clean(text: str) -> str:
    """Return ``text`` with links as ``http``, ``@names`` as ``@``, and ``&amp;`` as ``&``.

    The letters of a short link are random: many tokens, and nothing to learn from.
    """
    text = html.unescape(text)
    text = _LINK.sub(" http ", text)
    text = _MENTION.sub(" @ ", text)
    return " ".join(text.split())


def clean_all(texts: Iterable[str]) -> list[str]:
    """Return every text cleaned. Whatever was done to train must be done to predict, too."""
    return [clean(text) for text in texts]
