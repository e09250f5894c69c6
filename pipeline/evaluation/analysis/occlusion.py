"""Occlusion: which words of a text moved an answer, found by leaving each of them out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

MOST_WORDS = 80  # of a text, from its start


@dataclass(frozen=True, slots=True)
class Explained:
    """A text in pieces, and of each by how much the probability of the answer falls without it, -1 to 1.

    "".join(pieces) is the text. None for pieces that were not left out: white space, and those behind `MOST_WORDS`.

    >>> Explained(("不", "好吃"), (0.4, None)).strongest
    0.4
    """

    pieces: tuple[str, ...]
    effects: tuple[float | None, ...]

    @property
    def strongest(self) -> float:
        """The greatest effect either way."""
        return max((abs(effect) for effect in self.effects if effect is not None), default=0.0)


def explain(
    texts: Sequence[Sequence[str]],
    answers: Sequence[int],
    probability: Callable[[Sequence[Sequence[str]], Sequence[int]], Sequence[float]],
) -> list[Explained]:
    """Zeiler and Fergus (2014), over words: P(answer | text) - P(answer | text without a piece).

    `texts`: pieces of each text, white space and all; `answers`: for each the id of a label; `probability(texts, ids)`
    gives the model's probability of each id, 0 for a text with nothing left in it.
    """
    places = [
        [place for place, piece in enumerate(pieces) if not piece.isspace()][:MOST_WORDS] if len(pieces) > 1 else []
        for pieces in texts
    ]
    whole = probability(texts, answers)
    without = [
        [*pieces[:place], *pieces[place + 1 :]]
        for pieces, chosen in zip(texts, places, strict=True)
        for place in chosen
    ]
    ids = [answer for answer, chosen in zip(answers, places, strict=True) for _ in chosen]
    left = iter(probability(without, ids))
    explained = []
    for pieces, chosen, full in zip(texts, places, whole, strict=True):
        effects = {place: full - next(left) for place in chosen}
        explained.append(Explained(tuple(pieces), tuple(effects.get(place) for place in range(len(pieces)))))
    return explained
