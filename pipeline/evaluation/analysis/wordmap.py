"""A map of words: their vectors projected to two dimensions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from embeddings.vectors import Vectors

MOST = 80  # words on the map
NEIGHBOURS = 2  # neighbours of each keyword on the map


def mapped(keywords: Sequence[Mapping[str, Any]], vectors: Vectors | None) -> dict[str, Any]:
    """The keywords and their nearest neighbours on a map: `words`, each with `word`, `label`, `x`, `y`; `explained`.

    `keywords`: from `keywords.with_neighbours`. The label is None for a neighbour that is not a keyword, and the first
    label for a keyword of several. The axes are the first two principal components of the vectors scaled to length 1,
    by scikit-learn's PCA, which is deterministic here; `explained` is the share of the variance along each axis. {} for
    fewer than three words.
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
