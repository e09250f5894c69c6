"""A map of words: their vectors in two dimensions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from embeddings.vectors import Vectors

MOST = 80  # words
NEIGHBOURS = 2  # of each keyword


def mapped(keywords: Sequence[Mapping[str, Any]], vectors: Vectors | None) -> dict[str, Any]:
    """Where the keywords and their nearest neighbours lie: `words`, each with `word`, `label`, `x`, `y`; `explained`.

    `keywords` is what `keywords.with_neighbours` gives. A neighbour that is no keyword has None for a label; a keyword
    of several labels has the first. The two axes are the principal components of the vectors at length 1, by
    scikit-learn's PCA, which gives the same at each call; `explained` is the share of the variance that each has. {}
    for fewer than three words.
    """
    labels: dict[str, str | None] = {}
    for one in (one for one in keywords if one["neighbours"] is not None):
        labels.setdefault(one["word"], one["label"])
    for one in keywords:
        for word, _ in (one["neighbours"] or [])[:NEIGHBOURS]:
            labels.setdefault(word, None)
    chosen = list(labels.items())[:MOST]
    if vectors is None or len(chosen) < 3 or vectors.width < 2:
        return {}
    from sklearn.decomposition import PCA

    row = {word: place for place, word in enumerate(vectors.words)}
    table = np.asarray(vectors.values[[row[word] for word, _ in chosen]], np.float64)
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
    pca = PCA(n_components=2, svd_solver="full")
    places = pca.fit_transform(table)
    if not np.isfinite(pca.explained_variance_ratio_).all():
        return {}
    return {
        "explained": [round(float(share), 4) for share in pca.explained_variance_ratio_],
        "words": [
            {"word": word, "label": label, "x": round(float(x), 4), "y": round(float(y), 4)}
            for (word, label), (x, y) in zip(chosen, places, strict=True)
        ],
    }
