"""Plants wrong labels in a corpus and counts how many of them are among the suspects.

    python benchmarks/suspects.py data/waimai_10k/train.csv --text text --label label

Of the rows, --share (5 %) get another label at random; what is suspected is compared with what was planted. The labels
of real corpora are not all right themselves, so that the precision is a lower bound.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

from markdown import table

from corpora import formats
from pipeline.evaluation.analysis import suspects
from pipeline.evaluation.analysis.suspects import LabelledRow


def main() -> None:
    """Prints a line a corpus."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--text", default="text")
    parser.add_argument("--label", default="label")
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rows = [_planted(path, arguments) for path in arguments.corpora]
    columns = (
        "rows",
        "labels",
        "planted",
        "suspected",
        "found",
        "precision",
        "recall",
        "precision of first",
        "seconds",
    )
    print(table(["corpus", *columns], rows))


def _planted(path: Path, arguments: argparse.Namespace) -> list[str]:
    documents = formats.read(path, text=arguments.text, label=arguments.label)
    rows = [LabelledRow("train", one.row, one.text, one.label) for one in documents if one.label and one.text.strip()]
    labels = sorted({row.label for row in rows})
    chance = random.Random(arguments.seed)
    wrong = set(chance.sample(range(len(rows)), round(arguments.share * len(rows))))
    planted = [
        LabelledRow(row.part, row.row, row.text, chance.choice([name for name in labels if name != row.label]))
        if place in wrong
        else row
        for place, row in enumerate(rows)
    ]
    numbers = {planted[place].row for place in wrong}
    start = time.perf_counter()
    found = [one.labelled.row for one in suspects.find(planted)]
    seconds = time.perf_counter() - start
    hits = sum(row in numbers for row in found)
    first = found[: len(wrong)]
    return [
        path.parent.name,
        f"{len(rows):,}",
        str(len(labels)),
        f"{len(wrong):,}",
        f"{len(found):,}",
        f"{hits:,}",
        f"{hits / max(len(found), 1):.3f}",
        f"{hits / len(wrong):.3f}",
        f"{sum(row in numbers for row in first) / max(len(first), 1):.3f}",
        f"{seconds:.0f}",
    ]


if __name__ == "__main__":
    main()
