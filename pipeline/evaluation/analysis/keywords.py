"""Keywords: the words that indicate each label in train, and their neighbours among the word vectors."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from embeddings.vectors import Vectors
from pipeline.evaluation.baselines.linear import Sample

WORDS = 5  # of each label
NEIGHBOURS = 5  # of each word
MOST_LABELS = 20
FEWEST = 3  # texts that a keyword must occur in


def keywords(train: Sequence[Sample], labels: Sequence[str], count: int = WORDS) -> dict[str, list[str]]:
    """The `count` words of each label with the highest chi-squared statistic, the highest first.

    Texts are counted, not occurrences. A keyword is more frequent in the texts of its label than in the others, occurs
    in at least `FEWEST` texts, and has a letter or a Chinese character.
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
    """Each keyword with its `label` and `neighbours`: the nearest words and their cosines, None if it has no vector."""
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
    """Chi-squared of a word and a label: of `total` texts, `inside` have both, `texts` the word, `size` the label."""
    others = total - size
    outside = texts - inside
    below = texts * (total - texts) * size * others
    return total * (inside * (others - outside) - outside * (size - inside)) ** 2 / below if below else 0.0
