"""Comparison of evaluated runs on the same test rows: scores, significance, disagreements and cost."""

import json
import math
import statistics
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.evaluation.metrics import bootstrap, significance
from pipeline.evaluation.metrics import multilabel as label_scores
from pipeline.evaluation.metrics.multilabel import LabelTable
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.perplexity import LN2, against, bits_interval, interval
from pipeline.evaluation.metrics.spans import ScoredText
from pipeline.evaluation.report import comparison_page, likelihood, multilabel, surprise, tables, tagged, text
from pipeline.evaluation.report.comparison_kinds import KINDS, Disagreement, Kind
from pipeline.evaluation.report.report import write_whole
from pipeline.evaluation.report.summary import p_value, percent
from pipeline.evaluation.report.translations import Locale

FORMAT_VERSION = 3


@dataclass(frozen=True)
class System:
    """An evaluated run: its name, its report.json, its outcomes, its labels, and the size of its network in bytes.

    `judged`: for a tagger, its outcomes with their spans; `sets`: for a multi-label classifier, with their labels.
    """

    name: str
    document: dict[str, Any]
    outcomes: tuple[Outcome, ...]
    labels: tuple[str, ...]
    bytes: int | None
    judged: tuple[ScoredText, ...] = ()
    sets: LabelTable | None = None

    @property
    def task(self) -> str:
        """The task in its config."""
        return str(self.document.get("task", "classify"))


def read(folder: str | Path) -> System:
    """The system in a run's folder, or in that of a report. Raises PipelineError if it has no report."""
    folder = Path(folder)
    made = folder / "evaluate" if (folder / "evaluate").is_dir() else folder
    try:
        document = json.loads((made / "report.json").read_text(encoding="utf-8"))
        path, task = made / "predictions.csv", document["task"]
        if task not in KINDS:
            raise ValueError(f"its task is {task!r}")
        rows, columns = tables.read(path, document)
        outcomes = surprise.read_texts(path, document) if task == "language" else [_outcome(row, task) for row in rows]
        judged = tagged.read(path, document) if task == "tag" else []
        sets = LabelTable.of_outcomes(*multilabel.read(path, document)) if task == "multilabel" else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PipelineError(
            f"{folder}: no report can be read here ({error}): name the folder of a run that was evaluated"
        ) from None
    return System(
        name=str(document.get("made", {}).get("name") or folder.name),
        document=document,
        outcomes=tuple(outcomes),
        labels=tuple(name.removeprefix("p:") for name in columns if name.startswith("p:")),
        bytes=_network_size(folder / "model"),
        judged=tuple(judged),
        sets=sets,
    )


def _network_size(model: Path) -> int | None:
    """The size in bytes of the network with which a model answers; None if the model is not there."""
    try:
        answers = tomllib.loads((model / "model.toml").read_text(encoding="utf-8")).get("precision")
        return (model / ("network.int8.onnx" if answers == "int8" else "network.onnx")).stat().st_size
    except (OSError, ValueError):
        return None


def compare(systems: Sequence[System]) -> dict[str, Any]:
    """The content of comparison.json: `systems` with scores and cost, `pairs` with a test, the `spread` of the scores.

    Classifiers are compared by accuracy with McNemar's test; multi-label ones by micro F1, taggers by F1, and language
    models by bits per character, with the paired bootstrap. Raises PipelineError for fewer than two systems, and unless
    they were tested on the same rows.
    """
    if len(systems) < 2:
        raise PipelineError("compare: expected two runs or more, such as runs/a runs/b")
    first = systems[0]
    for other in systems[1:]:
        if other.task != first.task:
            raise PipelineError(
                f"{other.name}: its task is {other.task}, and that of {first.name} {first.task}: compare runs of one "
                "task"
            )
        if _questions(other) != _questions(first):
            raise PipelineError(
                f"{other.name}: was tested on other rows than {first.name} ({len(other.outcomes)} and "
                f"{len(first.outcomes)}): compare runs with the same test file, or the same split"
            )
    names, kind = _distinct([system.name for system in systems]), KINDS[first.task]
    scored = [_scored(name, system) for name, system in zip(names, systems, strict=True)]
    return {
        "format_version": FORMAT_VERSION,
        "task": first.task,
        "scores": dict(kind.scores),
        "test": kind.test,
        "rows": len(first.outcomes),
        "systems": scored,
        "pairs": [
            {"first": names[one], "second": names[other], **_paired(systems[one], systems[other])}
            for one, other in combinations(range(len(systems)), 2)
        ],
        "spread": {key: _spread([system[key] for system in scored]) for key in kind.scores},
        "disagreements": len(disagreements(systems)),
    }


def disagreements(systems: Sequence[System]) -> list[Disagreement]:
    """The rows on which the systems differ, first those that most have wrong, or that they rate most differently."""
    if systems[0].task == "language":
        return _rated_apart(systems)
    found = [
        Disagreement(outcomes[0].row, outcomes[0].text, outcomes[0].gold, answers, outcomes[0].gold)
        for outcomes in zip(*(system.outcomes for system in systems), strict=True)
        if len(set(answers := tuple(one.predicted for one in outcomes))) > 1
    ]
    return sorted(found, key=lambda one: (sum(answer == one.gold for answer in one.answers), one.row))


def _rated_apart(systems: Sequence[System]) -> list[Disagreement]:
    """The texts whose bits per character, as shown, differ; the furthest apart first."""
    found: list[tuple[float, Disagreement]] = []
    for outcomes in zip(*(system.outcomes for system in systems), strict=True):
        one = outcomes[0]
        rated = [-math.fsum(other.probabilities) / LN2 / max(len(one.text), 1) for other in outcomes]
        answers = tuple(map(likelihood.bits, rated))
        if len(set(answers)) > 1:
            best = answers[rated.index(min(rated))]
            found.append((max(rated) - min(rated), Disagreement(one.row, one.text, None, answers, best)))
    return [one for _, one in sorted(found, key=lambda pair: (-pair[0], pair[1].row))]


def write(folder: str | Path, systems: Sequence[System], locale: Locale = "en") -> dict[str, Any]:
    """Write comparison.json, comparison.html and disagreements.csv into `folder`; return what `compare` returns."""
    folder = Path(folder)
    found = compare(systems)
    differing = disagreements(systems)
    folder.mkdir(parents=True, exist_ok=True)
    names = [system["name"] for system in found["systems"]]
    gold = found["task"] != "language"
    columns = ("row", "text", *(["gold"] if gold else []), *names)
    excel_safe = all(tables.is_excel_safe(system.document) for system in systems)
    with tables.table(folder / "disagreements.csv", columns, excel_safe=excel_safe) as rows:
        for one in differing:
            rows.write((one.row, one.text, *([one.gold] if gold else []), *one.answers))
    page = comparison_page.render(found, KINDS[found["task"]], differing, locale)
    write_whole(folder / "comparison.html", page)
    write_whole(folder / "comparison.json", json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    return found


def render(found: dict[str, Any]) -> str:
    """`found`, which `compare` returns, as text for a terminal."""
    kind = KINDS[found["task"]]
    titles = [cell for title in kind.scores.values() for cell in (title, "95 %")]
    rows = [["", *titles, "ECE", "train s", "weights", "network MB"]]
    for system in found["systems"]:
        rows.append(
            [
                system["name"],
                *(cell for key in kind.scores for cell in (kind.show(system[key]), _brackets(system, key, kind))),
                percent(system["calibration_error"]),
                _or_dash(system["seconds"], ".1f"),
                _or_dash(system["weights"], ","),
                _or_dash(None if system["bytes"] is None else system["bytes"] / 1e6, ".1f"),
            ]
        )
    lines = [text.table(rows), "", *(_of_pair(pair, kind) for pair in found["pairs"])]
    for key, title in kind.scores.items():
        spread = {name: kind.show(value) for name, value in found["spread"][key].items()}
        lines.append(
            f"{title}: mean {spread['mean']}, standard deviation {spread['deviation']}, "
            f"{spread['least']} to {spread['most']}"
        )
    return "\n".join([*lines, f"{found['disagreements']:,} of {found['rows']:,} rows are {kind.apart}"]) + "\n"


def _of_pair(pair: dict[str, Any], kind: Kind) -> str:
    low, high = map(kind.show_difference, pair["interval"])
    counted = kind.counted.format(_rows(pair["only_ours"]), pair["only_theirs"])
    return (
        f"{pair['first']} against {pair['second']}: {kind.show_difference(pair['difference'])} {kind.unit} "
        f"[{low}, {high}], p {p_value(pair['p'])}; {counted}"
    )


def _outcome(row: dict[str, str], task: str) -> Outcome:
    """The answers as text, which may be empty unless they are single labels."""
    gold = row["gold"] or None if task == "classify" else row["gold"]
    return Outcome(int(row["row"]), row["text"], gold, row["predicted"], float(row["confidence"]), leaked=False)


def _questions(system: System) -> list[tuple[str, str | None]]:
    """The texts and gold answers of its rows."""
    return [(outcome.text, outcome.gold) for outcome in system.outcomes]


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, with a number appended to those that occur more than once."""
    return [
        name if names.count(name) == 1 else f"{name} ({names[: place + 1].count(name)})"
        for place, name in enumerate(names)
    ]


def _scored(name: str, system: System) -> dict[str, Any]:
    document = system.document
    part = "test" if document["test"].get("rows") else "dev"
    model = document.get("model", {})
    return {
        "name": name,
        "cell": model.get("cell"),
        "seed": document.get("made", {}).get("seed"),
        **{key: document[part][key] for key in KINDS[system.task].scores},
        "intervals": {key: value for key, value in _intervals(system).items() if key != "per_label"},
        "calibration_error": document.get("confidence", {}).get(part, {}).get("calibration_error"),
        "seconds": model.get("seconds"),
        "weights": model.get("weights"),
        "bytes": system.bytes,
    }


def _intervals(system: System) -> dict[str, Any]:
    if system.task == "tag":
        return bootstrap.intervals(system.judged)
    if system.sets is not None:
        return label_scores.intervals(system.sets)
    if system.task == "language":
        found = {"perplexity": interval(system.outcomes), "bits_per_character": bits_interval(system.outcomes)}
        return {key: low_high for key, low_high in found.items() if low_high}
    return significance.intervals(system.outcomes, system.labels)


def _paired(first: System, second: System) -> dict[str, Any]:
    if first.task == "tag":
        right = [[row.gold_tags == row.said_tags for row in system.judged] for system in (first, second)]
        only = [sum(one and not other for one, other in zip(*sides, strict=True)) for sides in (right, right[::-1])]
        return {**bootstrap.against(first.judged, second.judged), "only_ours": only[0], "only_theirs": only[1]}
    if first.task == "language":
        return against(first.outcomes, second.outcomes)
    if first.sets is not None and second.sets is not None:
        return label_scores.against(first.sets, second.sets)
    return significance.against(first.outcomes, [outcome.predicted for outcome in second.outcomes])


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "mean": statistics.fmean(values),
        "deviation": statistics.stdev(values),
        "least": min(values),
        "most": max(values),
    }


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _brackets(system: dict[str, Any], key: str, kind: Kind) -> str:
    around = system["intervals"].get(key)
    return f"[{kind.show(around[0])}, {kind.show(around[1])}]" if around else "–"


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
