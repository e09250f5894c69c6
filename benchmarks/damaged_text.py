"""How often a language model finds the original likelier than the same text with a slip, and whether it sees where.

python -m benchmarks.damaged_text runs/songci_lm dev.txt --count 200
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

import pipeline
from benchmarks.markdown import machine, table
from corpora import formats
from pipeline.models.language_model import LanguageModel
from pipeline.tasks.language import Likelihood

KINDS = ("neighbours swapped", "two swapped", "one replaced")
LEAST, MOST = 8, 100  # characters of the texts that are damaged
TOP = 3


class Damaged(NamedTuple):
    """A text, what is wrong with it, and at which characters."""

    text: str
    kind: str
    places: tuple[int, ...]


def damage(text: str, kind: str, characters: Sequence[str], generator: np.random.Generator) -> Damaged:
    """The text with two characters that differ swapped, or one replaced by another one of `characters`.

    `kind`: one of KINDS. Which characters is drawn at random; two swapped ones need not be neighbours.
    """
    changed = list(text)
    if kind == "one replaced":
        at = int(generator.integers(len(text)))
        others = [character for character in characters if character != text[at]]
        changed[at] = str(generator.choice(others))
        return Damaged("".join(changed), kind, (at,))
    if kind == "neighbours swapped":
        one = int(generator.choice([place for place in range(len(text) - 1) if text[place] != text[place + 1]]))
        other = one + 1
    else:
        one = int(generator.integers(len(text)))
        other = int(generator.choice([place for place in range(len(text)) if text[place] != text[one]]))
    changed[one], changed[other] = text[other], text[one]
    return Damaged("".join(changed), kind, (min(one, other), max(one, other)))


def is_seen(found: Likelihood, damaged: Damaged) -> bool:
    """Whether one of the most surprising tokens is among the damaged characters."""
    surprising = np.argsort([-bits for bits in found.bits[:-1]], kind="stable")[:TOP]
    places = (found.places[token] for token in surprising)
    return any(start <= place < end for start, end in places for place in damaged.places)


def markdown(model: LanguageModel, texts: Sequence[str], seed: int) -> str:
    """A row a kind of slip: texts, share of originals that are likelier, share of slips among the most surprising."""
    rows = []
    characters = sorted({character for text in texts for character in text if not character.isspace()})
    originals = model.score(texts)
    for kind in KINDS:
        generator = np.random.default_rng(seed)
        slips = [damage(text, kind, characters, generator) for text in texts]
        found = model.score([slip.text for slip in slips])
        likelier = np.mean(
            [one.log_probability > other.log_probability for one, other in zip(originals, found, strict=True)]
        )
        seen = np.mean([is_seen(one, slip) for one, slip in zip(found, slips, strict=True)])
        rows.append([kind, f"{len(texts):,}", f"{100 * likelier:.1f}", f"{100 * seen:.1f}"])
    return table(["slip", "texts", "original likelier, %", f"among the {TOP} most surprising, %"], rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a run, or a model's folder")
    parser.add_argument("texts", help="texts that the model was not trained on, one a line")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    lines = [document.text for document in formats.read(chosen.texts, "lines")]
    usable = [text for text in lines if LEAST <= len(text) <= MOST and len(set(text)) > 1]
    places = np.random.default_rng(chosen.seed).permutation(len(usable))[: chosen.count]
    model = LanguageModel.of(pipeline.load(chosen.model))
    print(markdown(model, [usable[place] for place in places], chosen.seed))
    print(f"\n{machine()}")


if __name__ == "__main__":
    main()
