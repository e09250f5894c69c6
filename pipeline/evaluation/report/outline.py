"""The outline of a report, shared by its plain text and its Markdown: sentences, and tables with titles."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pipeline.evaluation.report import facts as nested
from pipeline.evaluation.report import headline, label_sets, likelihood, summary
from pipeline.evaluation.report.summary import ScoreRow, judged_part, percent, score_rows
from pipeline.evaluation.report.translations import N_, Translate

LABELS = 200  # most rows of the table by label
PERPLEXITY = {
    "perplexity": N_("perplexity"),
    "bits_per_token": N_("bits per token"),
    "bits_per_character": N_("bits per character"),
}
COLUMNS = {
    "classify": summary.COLUMNS,
    "multilabel": label_sets.COLUMNS,
    "tag": summary.SPAN_COLUMNS,
    "language": PERPLEXITY,
}
SENTENCES = {
    "classify": summary.sentences,
    "multilabel": label_sets.sentences,
    "tag": summary.span_sentences,
    "language": likelihood.sentences,
}
VERDICTS = {"multilabel": label_sets.verdict, "language": likelihood.verdict}
SLICED = {
    "classify": ("accuracy", N_("accuracy")),
    "multilabel": ("micro_f1", N_("micro F1")),
    "tag": ("f1", N_("F1")),
    "language": ("perplexity", N_("perplexity")),
}

TextTable = list[list[str]]  # rows of cells, the first row the heading


class ReportSection(NamedTuple):
    """A titled table."""

    title: str
    rows: TextTable


def result(document: Mapping[str, Any], _: Translate) -> tuple[str, list[str]]:
    """The result in a sentence, and what else is to be said: the verdict first, what to do next at the end."""
    verdict = VERDICTS.get(document["task"], summary.verdict)
    first, *others = SENTENCES[document["task"]](document, _)
    after = [summary.remembered(document, _), headline.next_step(document, _)]
    return first, [*filter(None, [verdict(document, _), *others, *after])]


def sections(document: Mapping[str, Any], _: Translate) -> list[ReportSection]:
    """The tables of a report that have rows: scores, labels, mistakes, confidence, slices, groups by length and rank.

    `document`: a report of any task, as `Report.as_dict` returns it.
    """
    scores = document.get(judged_part(document)) or {}
    found = [
        ReportSection(_("Scores"), _scores(document, _)),
        ReportSection(
            _("By type") if document["task"] == "tag" else _("By label"),
            _by_label(document, scores.get("per_label", {}), _),
        ),
        ReportSection(_("Most often confused"), _confused(document, _)),
        ReportSection(_("Kinds of mistakes"), _mistakes(scores.get("errors", {}), _)),
        ReportSection(_("Confidence"), _thresholds(document, _)),
        ReportSection(_("Slices"), _slices(document, _)),
        ReportSection(_("by length (characters)"), _groups(scores.get("by_length", {}), _)),
        ReportSection(_("by rank in train"), _groups(scores.get("by_rank", {}), _)),
    ]
    return [section for section in found if len(section.rows) > 1]


def facts(values: Mapping[str, Any], _: Translate) -> list[list[str]]:
    """Names and texts of nested `values`; a name is translated if the catalogue has it."""
    return [[" › ".join(map(_, name.split(" › "))), value] for name, value in nested.facts(values)]


def _scores(document: Mapping[str, Any], _: Translate) -> TextTable:
    rows = score_rows(document, _)
    columns = {
        key: title
        for key, title in COLUMNS[document["task"]].items()
        if any(row.scores.get(key) is not None for row in rows)
    }
    if not columns:
        return []
    lines = [
        [f"{row.who}, {row.part}", f"{row.scores['rows']:,}", *(_score(document, row, key) for key in columns)]
        for row in rows
    ]
    return [["", _("rows"), *(_(title) for title in columns.values())], *lines]


def _score(document: Mapping[str, Any], row: ScoreRow, key: str) -> str:
    shown = _formatter(document, key)
    interval = {} if row.name else document.get("intervals", {}).get(row.key, {})
    low_high = f" [{shown(interval[key][0])}, {shown(interval[key][1])}]" if key in interval else ""
    return shown(row.scores.get(key)) + low_high


def _formatter(document: Mapping[str, Any], key: str) -> Callable[[float | None], str]:
    """The function that formats a score."""
    if document["task"] != "language":
        return percent
    return summary.number if key == "perplexity" else likelihood.bits


def _by_label(document: Mapping[str, Any], per_label: Mapping[str, Any], _: Translate) -> TextTable:
    shown, thresholds = list(per_label.items())[:LABELS], document.get("model", {}).get("thresholds")
    more = label_sets.BY_LABEL if thresholds else {}
    lines = [
        [
            name,
            *(percent(found[key]) for key in ("precision", "recall", "f1")),
            f"{found['support']:,}",
            *(percent(found.get(key)) for key in more),
            *([label_sets.threshold(thresholds.get(name))] if thresholds else []),
        ]
        for name, found in shown
    ]
    heading = _("type") if document["task"] == "tag" else _("label")
    added = [*(_(title) for title in more.values()), *([_("threshold")] if thresholds else [])]
    return [[heading, _("precision"), _("recall"), _("F1"), _("support"), *added], *lines]


def _confused(document: Mapping[str, Any], _: Translate) -> TextTable:
    """The sets of labels that are most often confused; a row each."""
    separator = document.get("model", {}).get("label_separator", "")
    lines = [
        [
            f"{label_sets.shown(one['gold'], separator)} → {label_sets.shown(one['predicted'], separator)}",
            f"{one['rows']:,}",
        ]
        for one in document.get("confused", [])
    ]
    return [[f"{_('gold')} → {_('predicted')}", _("rows")], *lines]


def _mistakes(errors: Mapping[str, int], _: Translate) -> TextTable:
    lines = [[_(kind.replace("_", " ")), f"{count:,}"] for kind, count in errors.items()]
    return [[_("kind"), _("count")], *lines]


def _thresholds(document: Mapping[str, Any], _: Translate) -> TextTable:
    lines = [
        [
            percent(row["target"]),
            f"{row['threshold']:.4f}",
            *_reached(row.get("dev", {})),
            *_reached(row.get("test", {})),
        ]
        for row in document.get("confidence", {}).get("thresholds", [])
        if row["threshold"] is not None
    ]
    accepted = (_("rows labelled, dev"), _("rows labelled, test"))
    if document["task"] == "tag":
        accepted = (_("spans accepted, dev"), _("spans accepted, test"))
    heads = [_("promised precision"), _("confidence from"), accepted[0], _("right, dev"), accepted[1], _("right, test")]
    return [heads, *lines]


def _reached(found: Mapping[str, Any]) -> tuple[str, str]:
    return percent(found.get("coverage")), percent(found.get("precision"))


def _slices(document: Mapping[str, Any], _: Translate) -> TextTable:
    key, title = SLICED[document["task"]]
    shown = _formatter(document, key)
    lines = [
        [
            f"{_slicing(slicing['by'], _)}: {_(one['name']) if slicing['by'] == 'unknown' else one['name']}",
            f"{one['rows']:,}",
            f"{shown(one[key])} [{shown(one['interval'][0])}, {shown(one['interval'][1])}]",
        ]
        for slicing in document.get("slices", [])
        for one in slicing["slices"]
    ]
    return [["", _("rows"), _(title)], *lines]


def _slicing(by: str, _: Translate) -> str:
    titles = {"tokens": _("by length (tokens)"), "unknown": _("by share of unknown tokens")}
    return titles.get(by) or _("by {column}", column=by)


def _groups(groups: Mapping[str, Mapping[str, Any]], _: Translate) -> TextTable:
    lines = [
        [
            _("unknown") if name == "unknown" else name,
            f"{found['tokens']:,}",
            summary.number(found["perplexity"]),
            likelihood.bits(found["bits_per_token"]),
        ]
        for name, found in groups.items()
    ]
    return [["", _("tokens"), _("perplexity"), _("bits per token")], *lines]
