"""Comparison: several evaluated runs on the same test rows, side by side: scores, significance, disagreements, cost."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from corpora.files import replace_when_done
from corpora.table import TableReader, TableWriter
from pipeline.errors import PipelineError
from pipeline.evaluation import frame, resampled, significance, tagged, text
from pipeline.evaluation.outcome import Outcome
from pipeline.evaluation.spans import Judged
from pipeline.evaluation.summary import p_value, percent, signed

SHOWN = 200  # disagreements on the page
FORMAT_VERSION = 2
# Of each task that can be compared its scores, by which the first systems are set against each other, and their titles.
SCORES = {
    "classify": {"accuracy": "accuracy", "macro_f1": "macro F1"},
    "tag": {"f1": "F1", "macro_f1": "macro F1"},
}
TESTS = {"classify": "McNemar's exact test", "tag": "the paired bootstrap over texts"}


@dataclass(frozen=True)
class System:
    """One evaluated run: its name, its report.json, what it answered, its labels, and the bytes of its network.

    `judged`: of a tagger its texts again, with their spans.
    """

    name: str
    document: dict[str, Any]
    outcomes: tuple[Outcome, ...]
    labels: tuple[str, ...]
    bytes: int | None
    judged: tuple[Judged, ...] = ()

    @property
    def task(self) -> str:
        """What it does, as in its config."""
        return str(self.document.get("task", "classify"))


@dataclass(frozen=True)
class Disagreement:
    """A row that the systems do not all answer alike, and the answer of each."""

    row: int
    text: str
    gold: str | None
    answers: tuple[str, ...]


def read(folder: str | Path) -> System:
    """A run's folder, or that of a report. Raises PipelineError where there is no report, or of a task without scores
    that can be compared.
    """
    folder = Path(folder)
    made = folder / "evaluate" if (folder / "evaluate").is_dir() else folder
    try:
        document = json.loads((made / "report.json").read_text(encoding="utf-8"))
        _check_task(folder, document)
        table = TableReader(made / "predictions.csv")
        rows = [dict(zip(table.columns, map(str, row), strict=True)) for row in table]
        judged = tagged.read(made / "predictions.csv", document) if document.get("task") == "tag" else []
    except PipelineError:
        raise
    except (OSError, ValueError) as error:
        raise PipelineError(
            f"{folder}: no report can be read here ({error}): name the folder of a run that was evaluated"
        ) from None
    network = folder / "model" / "network.onnx"
    return System(
        name=str(document.get("made", {}).get("name") or folder.name),
        document=document,
        outcomes=tuple(_outcome(row) for row in rows),
        labels=tuple(name.removeprefix("p:") for name in table.columns if name.startswith("p:")),
        bytes=network.stat().st_size if network.is_file() else None,
        judged=tuple(judged),
    )


def _check_task(folder: Path, document: dict[str, Any]) -> None:
    if (task := document.get("task", "classify")) not in SCORES:
        raise PipelineError(
            f"{folder}: its task is {task}, and only runs of {' and of '.join(SCORES)} can be compared: "
            "read the reports side by side"
        )


def compare(systems: Sequence[System]) -> dict[str, Any]:
    """Plain values: `systems`, with scores, intervals and cost; `pairs`, with a test; `spread` of the scores.

    Classifiers are set against each other by accuracy and McNemar's test, taggers by F1 and the paired bootstrap.
    Raises PipelineError for fewer than two systems, and where they were not asked the same rows.
    """
    if len(systems) < 2:
        raise PipelineError("compare: expected two runs or more, such as runs/a runs/b")
    first = systems[0]
    for other in systems[1:]:
        if _questions(other) != _questions(first):
            raise PipelineError(
                f"{other.name}: was tested on other rows than {first.name} ({len(other.outcomes)} and "
                f"{len(first.outcomes)}): compare runs with the same test file, or the same split"
            )
    names, scores = _distinct([system.name for system in systems]), SCORES[first.task]
    scored = [_scored(name, system) for name, system in zip(names, systems, strict=True)]
    return {
        "format_version": FORMAT_VERSION,
        "task": first.task,
        "scores": scores,
        "test": TESTS[first.task],
        "rows": len(first.outcomes),
        "systems": scored,
        "pairs": [
            {"first": names[one], "second": names[other], **_paired(systems[one], systems[other])}
            for one, other in combinations(range(len(systems)), 2)
        ],
        "spread": {key: _spread([system[key] for system in scored]) for key in scores},
        "disagreements": len(disagreements(systems)),
    }


def disagreements(systems: Sequence[System]) -> list[Disagreement]:
    """The rows on which the systems differ, those first that most of them have wrong."""
    found = [
        Disagreement(outcomes[0].row, outcomes[0].text, outcomes[0].gold, tuple(one.predicted for one in outcomes))
        for outcomes in zip(*(system.outcomes for system in systems), strict=True)
        if len({one.predicted for one in outcomes}) > 1
    ]
    return sorted(found, key=lambda one: (sum(answer == one.gold for answer in one.answers), one.row))


def write(folder: str | Path, systems: Sequence[System]) -> dict[str, Any]:
    """Writes comparison.json, comparison.html and disagreements.csv into `folder`; returns what `compare` does."""
    folder = Path(folder)
    found = compare(systems)
    differing = disagreements(systems)
    folder.mkdir(parents=True, exist_ok=True)
    names = [system["name"] for system in found["systems"]]
    with TableWriter(folder / "disagreements.csv", ("row", "text", "gold", *names)) as table:
        for one in differing:
            table.write((one.row, one.text, one.gold, *one.answers))
    shown = frame.template("comparison.html").render(
        found=found, names=names, differing=differing[:SHOWN], title=" / ".join(names)
    )
    for name, content in (
        ("comparison.html", shown),
        ("comparison.json", json.dumps(found, ensure_ascii=False, indent=2) + "\n"),
    ):
        with replace_when_done(folder / name) as temporary:
            temporary.write_text(content, encoding="utf-8", newline="\n")
    return found


def render(found: dict[str, Any]) -> str:
    """What `compare` returns as text for a terminal."""
    titles = [cell for title in found["scores"].values() for cell in (title, "95 %")]
    rows = [["", *titles, "ECE", "train s", "weights", "network MB"]]
    for system in found["systems"]:
        rows.append(
            [
                system["name"],
                *(cell for key in found["scores"] for cell in (percent(system[key]), _brackets(system, key))),
                percent(system["calibration_error"]),
                _or_dash(system["seconds"], ".1f"),
                _or_dash(system["weights"], ","),
                _or_dash(None if system["bytes"] is None else system["bytes"] / 1e6, ".1f"),
            ]
        )
    lines = [text.table(rows), ""]
    for pair in found["pairs"]:
        lines.append(
            f"{pair['first']} against {pair['second']}: {signed(pair['difference'])} points "
            f"[{signed(pair['interval'][0])}, {signed(pair['interval'][1])}], p {p_value(pair['p'])}; "
            f"only the first is right on {_rows(pair['only_ours'])}, only the second on {pair['only_theirs']}"
        )
    for key, title in found["scores"].items():
        spread = found["spread"][key]
        lines.append(
            f"{title}: mean {percent(spread['mean'])}, standard deviation {percent(spread['deviation'])}, "
            f"{percent(spread['least'])} to {percent(spread['most'])}"
        )
    return "\n".join([*lines, f"{found['disagreements']:,} of {found['rows']:,} rows are answered differently"]) + "\n"


def _outcome(row: dict[str, str]) -> Outcome:
    return Outcome(
        int(row["row"]), row["text"], row["gold"] or None, row["predicted"], float(row["confidence"]), leaked=False
    )


def _questions(system: System) -> list[tuple[str, str | None]]:
    return [(system.task, None), *((outcome.text, outcome.gold) for outcome in system.outcomes)]


def _distinct(names: Sequence[str]) -> list[str]:
    """Each with a number behind it where another has the same name."""
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
        **{key: document[part][key] for key in SCORES[system.task]},
        "intervals": {key: value for key, value in _intervals(system).items() if key != "per_label"},
        "calibration_error": document.get("confidence", {}).get(part, {}).get("calibration_error"),
        "seconds": model.get("seconds"),
        "weights": model.get("weights"),
        "bytes": system.bytes,
    }


def _intervals(system: System) -> dict[str, Any]:
    if system.task == "tag":
        return resampled.intervals(system.judged)
    return significance.intervals(system.outcomes, system.labels)


def _paired(first: System, second: System) -> dict[str, Any]:
    if first.task == "tag":
        right = [[row.gold_tags == row.said_tags for row in system.judged] for system in (first, second)]
        only = [sum(one and not other for one, other in zip(*sides, strict=True)) for sides in (right, right[::-1])]
        return {**resampled.against(first.judged, second.judged), "only_ours": only[0], "only_theirs": only[1]}
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


def _brackets(system: dict[str, Any], key: str) -> str:
    interval = system["intervals"].get(key)
    return f"[{percent(interval[0])}, {percent(interval[1])}]" if interval else "–"


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
