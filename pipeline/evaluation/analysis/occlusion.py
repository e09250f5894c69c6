"""Occlusion: how much each word of a text moved the answer, found by leaving it out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

MOST_WORDS = 80  # words of a text, from its start, that are left out in turn


@dataclass(frozen=True, slots=True)
class Explained:
    """A text in pieces; `effects`: how much the probability of the answer falls without each piece, -1 to 1.

    "".join(pieces) is the text. The effect is None for a piece that was not left out: white space, and what follows the
    first `MOST_WORDS` words.

    >>> Explained(("不", "好吃"), (0.4, None)).strongest
    0.4
    """

    pieces: tuple[str, ...]
    effects: tuple[float | None, ...]

    @property
    def strongest(self) -> float:
        """The largest absolute effect; 0 if there is none."""
        return max((abs(effect) for effect in self.effects if effect is not None), default=0.0)


def explain(
    texts: Sequence[Sequence[str]],
    answers: Sequence[int],
    probability: Callable[[Sequence[Sequence[str]], Sequence[int]], Sequence[float]],
) -> list[Explained]:
    """Zeiler and Fergus (2014), over words: P(answer | text) - P(answer | text without a piece).

    `texts`: the pieces of each text, white space included; `answers`: the id of each text's predicted label;
    `probability(texts, ids)`: the model's probability of each id, 0 for an empty text.
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
