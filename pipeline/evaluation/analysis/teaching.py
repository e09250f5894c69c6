"""Teaching rows: the unlabelled texts from which a model is likely to learn most, uncertain and unlike each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

POOL = 10  # uncertain texts among which each chosen one is found


def choose(texts: Sequence[str], doubts: Sequence[float], count: int, seed: int = 1) -> list[int]:
    """The places of `count` texts, or of all if there are fewer, in the order in which they were chosen.

    Zhdanov, "Diverse mini-batch active learning" (2019): the most uncertain texts, `POOL` for each one wanted, are
    clustered with their doubts as weights, and each cluster gives one. Here the clusters are the first centres that
    k-means++ draws (Arthur and Vassilvitskii, SODA 2007), as in BADGE (Ash et al., ICLR 2020), over TF-IDF of
    characters: a text is likelier to be chosen the more uncertain it is and the farther from those chosen before.

    Arguments:
        texts: Distinct texts.
        doubts: How uncertain the model is about each, 0 to 1.
        seed: Of the draw.
    """
    order = np.argsort(-np.asarray(doubts, np.float64), kind="stable")[: POOL * count]
    if len(order) <= count:
        return [int(place) for place in order]
    from sklearn.cluster import kmeans_plusplus
    from sklearn.feature_extraction.text import TfidfVectorizer

    pool = [texts[place] for place in order]
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True, dtype=np.float64).fit_transform(
        pool
    )
    weights = np.maximum(np.asarray(doubts, np.float64)[order], 1e-6)
    _, centres = kmeans_plusplus(vectors, count, sample_weight=weights, random_state=seed)
    chosen = dict.fromkeys(int(place) for place in centres)  # a text that equals another may be drawn twice
    rest = (place for place in range(len(pool)) if place not in chosen)
    while len(chosen) < count:
        chosen[next(rest)] = None
    return [int(order[place]) for place in chosen]
