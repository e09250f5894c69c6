"""Identifiers: which tokens may be a piece of a telephone number, an address or a key."""

from __future__ import annotations

import re

from embeddings.vocabulary import FIRST, Vocabulary

IDENTIFYING = re.compile("[0-9A-Za-z\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")  # full-width forms, too


def identifier_ids(vocabulary: Vocabulary) -> list[int]:
    """The ids of the tokens with a digit or a Latin letter, ascending.

    >>> identifier_ids(Vocabulary(["电", "话", "1", "QQ"]))
    [4, 5]
    """
    return [id for id, token in enumerate(vocabulary.tokens, start=FIRST) if IDENTIFYING.search(token)]
