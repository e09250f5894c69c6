"""Keywords: the words that speak for each label in train, and whether the vectors know them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from embeddings.vectors import Vectors
from pipeline.evaluation.baselines.linear import Sample

WORDS = 5  # of each label
NEIGHBOURS = 5  # of each word
MOST_LABELS = 20
FEWEST = 3  # texts that a word must be in


def keywords(train: Sequence[Sample], labels: Sequence[str], count: int = WORDS) -> dict[str, list[str]]:
    """For each label the words whose presence tells most of it, by chi-squared, the strongest first.

    Counted are texts, not occurrences. Words are taken that are more frequent in the label's texts than in the others,
    in at least `FEWEST` texts, and hold a letter or a character of Chinese.
    """
    total = len(train)
    texts: Counter[str] = Counter()
    of_label: dict[str, Counter[str]] = {label: Counter() for label in labels}
    sizes = Counter(sample.label for sample in train)
    for sample in train:
        words = {word for word in sample.tokens if any(character.isalpha() for character in word)}
        texts.update(words)
        of_label.setdefault(sample.label, Counter()).update(words)
    found = {}
    for label in labels:
        weighed = (
            (_chi_squared(inside, texts[word], sizes[label], total), word)
            for word, inside in of_label[label].items()
            if texts[word] >= FEWEST and inside * total > texts[word] * sizes[label]
        )
        found[label] = [word for _, word in sorted(weighed, key=lambda pair: (-pair[0], pair[1]))[:count]]
    return found


def with_neighbours(words: dict[str, list[str]], vectors: Vectors | None) -> list[dict[str, Any]]:
    """Each keyword, its `label`, and its `neighbours`: the nearest words and their cosines, None without a vector."""
    known = set(vectors.words) if vectors is not None else set()
    return [
        {
            "label": label,
            "word": word,
            "neighbours": [list(pair) for pair in vectors.nearest(word, NEIGHBOURS)]
            if vectors is not None and word in known
            else None,
        }
        for label in list(words)[:MOST_LABELS]
        for word in words[label]
    ]


def _chi_squared(inside: int, texts: int, size: int, total: int) -> float:
    """Of the table of a word and a label: `inside` texts have both, `texts` the word, `size` the label, of `total`."""
    others = total - size
    outside = texts - inside
    below = texts * (total - texts) * size * others
    return total * (inside * (others - outside) - outside * (size - inside)) ** 2 / below if below else 0.0
