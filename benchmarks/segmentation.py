"""Segmentation: characters a second of jieba, rjieba and our segmenter on real text, and where their cuts differ."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, islice
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.markdown import machine, spread, table

Cut = Callable[[Sequence[str]], list[list[str]]]
REFERENCE = "jieba"


class Difference(NamedTuple):
    """How cuts differ from the reference: lines cut the same, boundaries in one of the two alone, lines in all."""

    equal: int
    boundaries: int
    lines: int


@click.command()
@click.argument("corpora", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--text", default="text", show_default=True, help="Text column of a table.")
@click.option("--lines", default=20_000, show_default=True, help="Lines read from each corpus.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--workers", default=os.cpu_count() or 1, show_default=True, help="Processes of the last row.")
def main(corpora: Sequence[Path], text: str, lines: int, repeats: int, workers: int) -> None:
    """Cut the first lines of CORPORA, labelled tables or plain text (gzip too), and print a Markdown table."""
    texts = [line for path in corpora for line in islice(texts_of(path, text), lines)]
    found = measure(texts, segmenters(workers), repeats)
    characters = sum(map(len, texts))
    click.echo(f"{len(texts):,} lines, {characters:,} characters of {', '.join(path.name for path in corpora)}")
    click.echo(f"\n{machine()}\n\n{markdown(found)}")


def texts_of(path: Path, text: str) -> Iterable[str]:
    from corpora import formats

    is_plain = formats.corpus_format(path) == "lines"
    return (document.text for document in formats.read(path, text=text, label=None) if document.text or not is_plain)


def segmenters(workers: int) -> dict[str, Cut]:
    """What is measured, by name, the reference first; dictionaries are loaded already."""
    import rjieba

    from pipeline.parallel import split_texts
    from pipeline.segmentation.segmenter import Segmenter

    bare = rjieba.Jieba()
    ours = {engine: Segmenter(engine=engine) for engine in ("jieba", "rjieba")}
    for segmenter in ours.values():
        segmenter.split("天气")
    return {
        REFERENCE: _each(bare_jieba()),
        "rjieba": _each(bare.cut),
        "zhpipe, engine jieba": _each(ours["jieba"].split),
        "zhpipe, engine rjieba": _each(ours["rjieba"].split),
        f"zhpipe, engine rjieba, {workers} processes": lambda texts: list(
            split_texts(ours["rjieba"], texts, workers=workers)
        ),
    }


def bare_jieba(words: Sequence[str] = (), frequency: int | None = None) -> Callable[[str], list[str]]:
    """jieba by itself, its dictionary read from the text file: its shared cache file is neither read nor written.

    `words`: added as `load_userdict` adds those of a file, each with this frequency.
    """
    import jieba

    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    for word in words:
        tokenizer.add_word(word, frequency)
    return lambda text: list(tokenizer.cut(text))


def _each(cut: Callable[[str], Iterable[str]]) -> Cut:
    return lambda texts: [list(cut(text)) for text in texts]


def measure(texts: Sequence[str], cuts: dict[str, Cut], repeats: int) -> dict[str, tuple[list[float], Difference]]:
    """By name: characters a second of each repeat, taken in turn, and the difference to the first one's cuts."""
    characters = sum(map(len, texts))
    speeds: dict[str, list[float]] = {name: [] for name in cuts}
    results: dict[str, list[list[str]]] = {}
    for _ in range(repeats):
        for name, cut in cuts.items():
            start = time.perf_counter()
            results[name] = cut(texts)
            speeds[name].append(characters / (time.perf_counter() - start))
    reference = results[next(iter(cuts))]
    return {name: (speeds[name], difference(reference, results[name])) for name in cuts}


def difference(reference: Sequence[Sequence[str]], cuts: Sequence[Sequence[str]]) -> Difference:
    """Compares the cuts of the same lines.

    >>> difference([["南京市", "长江"], ["大桥"]], [["南京", "市", "长江"], ["大桥"]])
    Difference(equal=1, boundaries=1, lines=2)
    """
    apart = [len(_boundaries(one) ^ _boundaries(other)) for one, other in zip(reference, cuts, strict=True)]
    return Difference(apart.count(0), sum(apart), len(apart))


def _boundaries(tokens: Sequence[str]) -> frozenset[int]:
    return frozenset(accumulate(map(len, tokens)))


def markdown(found: dict[str, tuple[list[float], Difference]]) -> str:
    """What `measure` found, as a table."""
    reference = max(next(iter(found.values()))[0])
    return table(
        ("", "million characters/s", "times jieba", "lines cut as by jieba", "boundaries that differ"),
        (
            (
                name,
                spread([speed / 1e6 for speed in speeds], ".2f"),
                f"{max(speeds) / reference:.1f}",
                f"{apart.equal:,} of {apart.lines:,}",
                f"{apart.boundaries:,}",
            )
            for name, (speeds, apart) in found.items()
        ),
    )


if __name__ == "__main__":
    main()
