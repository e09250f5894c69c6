"""User dictionaries: characters a CPU second of jieba and zhpipe with none, some and very many words of the user's."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import click

from benchmarks.markdown import machine, spread, table
from benchmarks.segmentation import bare_jieba, texts_of

Cut = Callable[[str], list[str]]
REFERENCE = "jieba"
FREQUENCY = 3  # of every word of the user's, where frequencies count


class Timed(NamedTuple):
    """A contender with some number of words: CPU seconds to load, and characters a CPU second of each repeat."""

    name: str
    words: int
    loading: float
    speeds: list[float]


@click.command()
@click.argument("corpora", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--text", default="text", show_default=True, help="Text column of a table.")
@click.option("--lines", default=10_000, show_default=True, help="Lines read from each corpus.")
@click.option("--words", "sizes", multiple=True, type=int, default=(0, 1_000, 500_000), help="Sizes of the dictionary.")
@click.option("--repeats", default=5, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(corpora: Sequence[Path], text: str, lines: int, sizes: Sequence[int], repeats: int, seed: int) -> None:
    """Cut the first lines of CORPORA with dictionaries of several sizes, and print a Markdown table.

    A dictionary's words are drawn from jieba's own of two characters and more, and from the neighbouring words of the
    texts, joined. Contenders take turns; ratios are those of the same turn. All times are CPU seconds, which other
    processes disturb less than the clock.
    """
    texts = [line for path in corpora for line in islice(texts_of(path, text), lines)]
    pool = candidates(texts)
    found = [each for size in sizes for each in measure(texts, dictionary(pool, size, seed), repeats)]
    click.echo(
        f"{len(texts):,} lines, {sum(map(len, texts)):,} characters of {', '.join(each.name for each in corpora)}"
    )
    click.echo(f"\n{machine()}\n\n{markdown(found)}")


def candidates(texts: Sequence[str]) -> list[str]:
    """Words that a user may have: jieba's own, and pairs of words that follow each other in the texts; sorted."""
    from pipeline.segmentation.main_dictionary import jieba_frequencies
    from pipeline.segmentation.segmenter import Segmenter

    cut = Segmenter().split_all(texts)
    pairs = (one + other for tokens in cut for one, other in pairwise(tokens) if (one + other).isalpha())
    return sorted({word for word in chain(jieba_frequencies(), pairs) if len(word) > 1})


def dictionary(pool: Sequence[str], size: int, seed: int) -> list[str]:
    """`size` words of the pool; where it has too few, joined pairs of its words too."""
    generator = random.Random(seed)
    words = dict.fromkeys(generator.sample(pool, min(size, len(pool))))
    while len(words) < size:
        words[generator.choice(pool) + generator.choice(pool)] = None
    return list(words)


def contenders(words: Sequence[str]) -> Iterator[tuple[str, Callable[[], Cut]]]:
    """What is measured, the reference first: a name, and what loads the dictionary and returns the cut."""
    from pipeline.segmentation.dictionary import UserDictionary
    from pipeline.segmentation.segmenter import Segmenter

    def ours(engine: Any, **given: dict[str, Any]) -> Callable[[], Cut]:
        def load() -> Cut:
            segmenter = Segmenter(engine=engine, dictionary=UserDictionary(**given))
            segmenter.split("，天")
            return segmenter.split

        return load

    yield REFERENCE, lambda: bare_jieba(words, FREQUENCY)
    for engine in ("rjieba", "jieba"):
        yield f"zhpipe, {engine}, weighted", ours(engine, weights=dict.fromkeys(words, FREQUENCY))
        yield f"zhpipe, {engine}, forced", ours(engine, words=dict.fromkeys(words))


def measure(texts: Sequence[str], words: Sequence[str], repeats: int) -> list[Timed]:
    """Each contender with these words."""
    characters, found, cuts = sum(map(len, texts)), list[Timed](), list[Cut]()
    for name, load in contenders(words):
        begun = time.process_time()
        cuts.append(load())
        found.append(Timed(name, len(words), time.process_time() - begun, []))
    for _ in range(repeats):
        for timed, cut in zip(found, cuts, strict=True):
            begun = time.process_time()
            for text in texts:
                cut(text)
            timed.speeds.append(characters / (time.process_time() - begun))
    return found


def markdown(found: Sequence[Timed]) -> str:
    """What `measure` found, as a table; ratios are to the reference with the same words, turn by turn."""
    reference = {each.words: each.speeds for each in found if each.name == REFERENCE}
    return table(
        ("", "words", "CPU seconds to load", "million characters a CPU second", "times jieba"),
        (
            (
                each.name,
                f"{each.words:,}",
                f"{each.loading:.1f}",
                spread([speed / 1e6 for speed in each.speeds], ".2f"),
                spread([one / other for one, other in zip(each.speeds, reference[each.words], strict=True)], ".1f"),
            )
            for each in found
        ),
    )


if __name__ == "__main__":
    main()
