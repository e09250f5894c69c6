"""Mending: what a review of planted label errors gains, and how many labels chosen rows save against random ones.

    python -m benchmarks.mending planted DATA/a --errors 50 --rows 500
    python -m benchmarks.mending teaching DATA/a DATA/b --start 100 --step 50 --rounds 4

DATA/a holds train.csv, which may be packed, dev.csv and test.csv with the columns text and label.
"""

from __future__ import annotations

import csv
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

import pipeline
from benchmarks.markdown import machine, table
from corpora import formats
from corpora.table_options import TableOptions
from pipeline.evaluation.report import comparison
from pipeline.evaluation.report.summary import p_value
from pipeline.models.model import Model
from pipeline.review.table_queue import ReviewTable, teaching_most

ADDRESS = re.compile(r"open (http://127\.0\.0\.1:\d+)/#(\S+)")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
Labelled = tuple[str, str]  # a text and its label


@click.group()
def main() -> None:
    """Measure what mended and chosen labels gain."""


@main.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--errors", default=50, show_default=True, help="Rows of train that get another label.")
@click.option(
    "--rows", type=int, help="Rows of train to learn from, at random; test and the others judge.  [default: all]"
)
@click.option("--seed", "seeds", type=int, multiple=True, default=(1,), show_default=True)
@click.option("--only", default="doubtful", show_default=True, help="As of zhpipe review.")
@click.option("--set", "overrides", multiple=True, help="As of zhpipe run.")
def planted(
    data: Path, errors: int, rows: int | None, seeds: Sequence[int], only: str, overrides: Sequence[str]
) -> None:
    """Plant errors in train, mend them through the review's page, and run again.

    Whoever reviews knows the right label of every row, accepts nothing unseen, and looks at all rows of the queue.
    """
    found = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as work:
            found += _planted(data, Path(work), errors, rows, seed, only, overrides)
    columns = [
        "seed",
        "labels of train",
        "wrong",
        "looked at",
        "dev accuracy",
        "accuracy",
        "macro F1",
        "gain over planted",
    ]
    click.echo(table(columns, found))
    click.echo(machine())


@main.command()
@click.argument("data", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--start", default=100, show_default=True, help="Rows that are labelled at random before the first choice."
)
@click.option("--step", default=50, show_default=True, help="Rows that are labelled in each round.")
@click.option("--rounds", default=4, show_default=True)
@click.option("--pool", default=3000, show_default=True, help="Rows of train to choose from.")
@click.option("--seed", "seeds", type=int, multiple=True, default=(1, 2), show_default=True)
@click.option("--set", "overrides", multiple=True, help="As of zhpipe run.")
def teaching(
    data: Sequence[Path], start: int, step: int, rounds: int, pool: int, seeds: Sequence[int], overrides: Sequence[str]
) -> None:
    """Label rows that `zhpipe review --next` chooses, or random ones, and score each model on dev."""
    sizes = [start + step * number for number in range(rounds + 1)]
    rows = []
    for corpus in data:
        curves: dict[str, list[list[float]]] = {"random": [], "chosen": []}
        for seed in seeds:
            for way, curve in curves.items():
                curve.append(_curve(corpus, way, sizes, pool, seed, overrides))
        means = {way: [statistics.mean(found) for found in zip(*curve, strict=True)] for way, curve in curves.items()}
        rows += [[corpus.name, way, *(f"{100 * score:.1f}" for score in found), ""] for way, found in means.items()]
        rows[-1][-1] = saved(sizes, means["random"], means["chosen"])
    click.echo(table(["corpus", "rows", *map(str, sizes), "random rows for the last score"], rows))
    click.echo(machine())


def saved(sizes: Sequence[int], of_random: Sequence[float], of_chosen: Sequence[float]) -> str:
    """How many random rows reach the last score of the chosen ones, between two sizes by a straight line.

    >>> saved([100, 200], [0.5, 0.7], [0.5, 0.6]), saved([100, 200], [0.5, 0.7], [0.5, 0.8])
    ('150', 'more than 200')
    """
    goal = of_chosen[-1]
    for place, score in enumerate(of_random):
        if score >= goal and place == 0:
            return f"{sizes[0]}"
        if score >= goal:
            before = of_random[place - 1]
            share = (goal - before) / (score - before)
            return f"{sizes[place - 1] + share * (sizes[place] - sizes[place - 1]):.0f}"
    return f"more than {sizes[-1]}"


def plant(rows: Sequence[Labelled], errors: int, seed: int) -> list[Labelled]:
    """The rows, some of which have another label, chosen at random."""
    chance, labels = random.Random(seed), sorted({label for _, label in rows})
    wrong = set(chance.sample(range(len(rows)), errors))
    return [
        (text, chance.choice([name for name in labels if name != label]) if place in wrong else label)
        for place, (text, label) in enumerate(rows)
    ]


def _planted(
    data: Path, work: Path, errors: int, count: int | None, seed: int, only: str, overrides: Sequence[str]
) -> list[list[str]]:
    rows = list(dict(_rows(data / "train.csv")).items())
    random.Random(seed).shuffle(rows)
    right, judge = rows[:count], [*([] if count is None else rows[count:]), *_rows(data / "test.csv")]
    _write(work / "right.csv", right)
    _write(work / "train.csv", plant(right, errors, seed))
    _write(work / "judge.csv", judge)
    (work / "config.toml").write_text(
        'name = "planted"\n[corpus]\ntrain = "train.csv"\ntest = "judge.csv"\n', encoding="utf-8"
    )
    settings = [f"corpus.dev={data.resolve() / 'dev.csv'}", f"seed={seed}", *overrides]
    _run(work, settings, "right", "corpus.train=right.csv")
    _run(work, settings, "planted")
    looked = _mend(work, dict(right), only)
    _run(work, settings, "mended", f"corpus.corrections={json.dumps([str(work / 'corrections.csv')])}")
    with (work / "corrections.csv").open(encoding="utf-8", newline="") as file:
        changed = sum(row["old"] != row["new"] for row in csv.DictReader(file))
    wrong = {"right": (0, ""), "planted": (errors, ""), "mended": (errors - changed, f"{looked}")}
    return [[f"{seed}", name, f"{left}", seen, *_scores(work, name)] for name, (left, seen) in wrong.items()]


def _mend(work: Path, right: Mapping[str, str], only: str) -> int:
    """Decides about every text of the queue by its right label, as the page would; returns the number of texts."""
    command = [sys.executable, "-m", "pipeline", "review", "runs/planted", "--only", only, "--part", "train"]
    with subprocess.Popen(command, cwd=work, env=ENVIRONMENT, stderr=subprocess.PIPE, encoding="utf-8") as process:
        found = next(filter(None, map(ADDRESS.search, process.stderr or [])), None)
        if found is None:
            raise click.ClickException("zhpipe review printed no address")
        address, token = found.groups()
        count = len(_asked(address, token, "queue")["decided"])
        for place in range(count):
            item = _asked(address, token, f"items/{place}")
            text = "".join(piece for piece, _ in item["pieces"])
            _asked(address, token, f"items/{place}", {"new": right[text]})
        process.terminate()
    return count


def _asked(address: str, token: str, path: str, value: Any = None) -> Any:
    body = None if value is None else json.dumps(value).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{address}/v1/{path}", body, headers)) as reply:
        return json.load(reply)


def _curve(data: Path, way: str, sizes: Sequence[int], pool: int, seed: int, overrides: Sequence[str]) -> list[float]:
    """The accuracies on dev with so many labelled rows."""
    chance = random.Random(seed)
    rows = list(dict(_rows(data / "train.csv")).items())
    chance.shuffle(rows)
    rows = rows[:pool]
    chosen, scores = rows[: sizes[0]], []
    settings = [f"corpus.test={data.resolve() / 'dev.csv'}", f"seed={seed}", *overrides]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "config.toml").write_text('name = "a"\n[corpus]\ntrain = "train.csv"\n', encoding="utf-8")
        for size in sizes:
            if more := size - len(chosen):
                chosen = [*chosen, *_more(work, way, rows, chosen, more)]
            _write(work / "train.csv", chosen)
            run = pipeline.run(work / "config.toml", overrides=settings, runs=work / "runs")
            report = json.loads((run / "evaluate" / "report.json").read_text(encoding="utf-8"))
            scores.append(float(report["test"]["accuracy"]))
            click.echo(f"{data.name}, seed {seed}, {way}, {size} rows: {100 * scores[-1]:.1f}", err=True)
    return scores


def _more(work: Path, way: str, rows: Sequence[Labelled], chosen: Sequence[Labelled], count: int) -> list[Labelled]:
    known = {text for text, _ in chosen}
    left = [row for row in rows if row[0] not in known]
    if way == "random":
        return left[:count]
    _write(work / "pool.csv", [(text, "") for text, _ in left])
    found = teaching_most(
        ReviewTable(work / "pool.csv", TableOptions()), Model.load(work / "runs" / "a" / "model"), count
    )
    return [left[item.row - 1] for item in found]


def _run(work: Path, settings: Sequence[str], name: str, *more: str) -> None:
    overrides = [*settings, f"name={name}", *more]
    command = [sys.executable, "-m", "pipeline", "run", "config.toml"]
    subprocess.run(
        [*command, *(part for each in overrides for part in ("--set", each))], cwd=work, env=ENVIRONMENT, check=True
    )


def _scores(work: Path, name: str) -> list[str]:
    """Of a run: accuracy on dev, that of its judge and macro F1; and the gain in accuracy over the planted run."""
    ours, planted_ = (comparison.read(work / "runs" / run) for run in (name, "planted"))
    dev, test = ours.document["dev"], ours.document["test"]
    shown = [f"{100 * score:.1f}" for score in (dev["accuracy"], test["accuracy"], test["macro_f1"])]
    if name == "planted":
        return [*shown, ""]
    pair = comparison.compare([ours, planted_])["pairs"][0]
    low, high = (100 * bound for bound in pair["interval"])
    return [*shown, f"{100 * pair['difference']:+.1f} ({low:+.1f} to {high:+.1f}), p {p_value(pair['p'])}"]


def _rows(path: Path) -> list[Labelled]:
    packed = path.with_name(f"{path.name}.gz")
    return [
        (one.text, one.label)
        for one in formats.read(packed if packed.exists() else path, text="text", label="label")
        if one.label and one.text.strip()
    ]


def _write(path: Path, rows: Sequence[Labelled]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])


if __name__ == "__main__":
    main()
