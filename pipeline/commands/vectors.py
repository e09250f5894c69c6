"""`zhpipe embed`, `neighbours`, `similarity` and `analogies`: train and examine word vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipeline import progress
from pipeline.commands.options import refuse_overrides, run_options, vectors_options
from pipeline.commands.run import run_stages
from pipeline.errors import PipelineError


@click.command()
@click.argument("sources", metavar="CONFIG|TEXT...", nargs=-1, required=True)
@click.option("--out", help="Folder for the vectors of TEXT.")
@click.option(
    "--unit",
    type=click.Choice(["word", "char", "bigram"]),
    default="word",
    show_default=True,
    help="Vectors of words, of characters, or of pairs of characters.",
)
@click.option(
    "--algorithm",
    type=click.Choice(["skip-gram", "cbow"]),
    default="skip-gram",
    show_default=True,
    help="Predict the context from a word, or a word from its context.",
)
@click.option("--vector-size", type=click.IntRange(min=1), default=100, show_default=True, help="Width of a vector.")
@click.option(
    "--window",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Width of the context: tokens on each side.",
)
@click.option(
    "--min-count",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Leave out tokens that occur less often.",
)
@click.option("--max-words", type=click.IntRange(min=1), help="Keep only the most frequent tokens.  [default: all]")
@click.option("--epochs", type=click.IntRange(min=1), default=5, show_default=True, help="Passes over the text.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Threads; with 2 or more the result is not reproducible.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="The same seed gives the same vectors."
)
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of TEXT; never guessed.")
@run_options
def embed(sources: tuple[str, ...], out: str | None, **options: Any) -> None:
    """Train Word2Vec on TEXT, or run a CONFIG's stage embed.

    TEXT are raw text files, one sentence per line, plain or gzip.
    """
    if len(sources) == 1 and sources[0].endswith(".toml"):
        run_stages(sources[0], options, first="embed", last="embed")
        return
    if out is None:
        raise click.UsageError("--out is missing: the folder for the vectors")
    refuse_overrides(options)
    from pipeline.config.embed import EmbedSettings
    from pipeline.config.segment import SegmentSettings
    from pipeline.stages.embed import embed_files

    names = ("algorithm", "vector_size", "window", "min_count", "max_words", "epochs", "workers")
    vectors = embed_files(
        sources,
        out,
        EmbedSettings(**{name: options[name] for name in names}),
        SegmentSettings(unit="word" if options["unit"] == "word" else "char"),
        pairs=options["unit"] == "bigram",
        seed=options["seed"],
        encoding=options["encoding"],
        progress=progress.bar,
    )
    click.echo(f"{len(vectors)} vectors of {vectors.width}: {out}")


@click.command()
@click.argument("word")
@vectors_options
@click.option("--count", "-n", type=click.IntRange(min=1), default=10, show_default=True, help="Number of words.")
def neighbours(word: str, vectors: str, unit: str, count: int) -> None:
    """Print the words whose vectors are nearest to WORD's.

    Each line has the cosine of the two vectors and a word.
    """
    for neighbour, cosine in _vectors(vectors, unit).nearest(word, count):
        click.echo(f"{cosine:.4f}  {neighbour}")


@click.command()
@click.argument("pairs", nargs=-1, required=True)
@vectors_options
def similarity(pairs: tuple[str, ...], vectors: str, unit: str) -> None:
    """Compare vectors with human judgements of similarity.

    PAIRS are files with two words and a score per line.
    """
    from embeddings import evaluation

    table = _vectors(vectors, unit)
    for path in pairs:
        found = evaluation.similarity(table, evaluation.read_pairs(path))
        shown = "  ".join(
            f"{name} {value:.4f}" for name, value in (("Spearman", found.spearman), ("Pearson", found.pearson))
        )
        click.echo(f"{Path(path).name}: {shown}  pairs used {found.used}, skipped {found.skipped}")


@click.command()
@click.argument("questions", nargs=-1, required=True)
@vectors_options
def analogies(questions: tuple[str, ...], vectors: str, unit: str) -> None:
    """Answer analogies with vectors: a is to b as c is to ?

    QUESTIONS are files with four words per line, in sections (: NAME).
    """
    from embeddings import evaluation

    table = _vectors(vectors, unit)
    for path in questions:
        for section, found in evaluation.analogies(table, evaluation.read_questions(path)).items():
            click.echo(
                f"{Path(path).name} {section}: {found.accuracy:.4f}  "
                f"{found.correct} of {found.used}, skipped {found.skipped}"
            )


def _vectors(path: str, unit: str) -> Any:
    from embeddings import pretrained

    made = Path(path) / "embed"
    if not made.is_dir():
        return pretrained.read(path)
    units = sorted(vectors.parent.name for vectors in made.glob("*/vectors.npy"))
    if unit not in units:
        raise PipelineError(f"{path}: has no vectors of unit {unit}, but of {', '.join(units) or 'none'}: use --unit")
    return pretrained.read(made / unit)
