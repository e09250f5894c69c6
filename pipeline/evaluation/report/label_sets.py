"""The page of a multi-label classifier, and its result in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.evaluation.metrics.multilabel import scored_claims
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.report import corrected, frame, page, score_section, summary, trust
from pipeline.evaluation.report.frame import clip
from pipeline.evaluation.report.summary import count, judged_part, percent, percentage, score_rows
from pipeline.evaluation.report.translations import ENGLISH, N_, Locale, Translate, translator

COLUMNS = {
    "micro_f1": N_("micro F1"),
    "macro_f1": N_("macro F1"),
    "sample_f1": N_("F1 by row"),
    "subset_accuracy": N_("all labels right"),
    "hamming_loss": N_("Hamming loss"),
    "roc_auc": N_("ROC-AUC"),
    "average_precision": N_("average precision"),
}
# Columns by label besides precision, recall, F1 and support.
BY_LABEL = {"average_precision": N_("average precision"), "calibration_error": N_("calibration error")}
NONE = "∅"  # no label


@dataclass(frozen=True, slots=True)
class Marked:
    """A label of a row on the page; `verdict`: "right", "missed" or "added"; `share`: its probability, if known."""

    name: str
    verdict: str
    share: float | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A row with a mistake; `missed`, `added`: places of labels, as text, for the filters of the page."""

    outcome: Outcome
    text: str
    labels: tuple[Marked, ...]
    missed: str
    added: str


def sentences(document: Mapping[str, Any], _: Translate = ENGLISH, *, compared: bool = True) -> list[str]:
    """The result in up to three sentences, as `summary.sentences`."""
    part = judged_part(document)
    scores = document.get(part) or {}
    if not scores.get("rows"):
        return [_("No row with a label was scored.")]
    first = _.plural(
        "On {rows} {part} row the {model} gets micro F1 {micro} (macro F1 {macro}, F1 by row {sample}); {exact} of "
        "the rows have exactly the right labels.",
        "On {rows} {part} rows the {model} gets micro F1 {micro} (macro F1 {macro}, F1 by row {sample}); {exact} of "
        "the rows have exactly the right labels.",
        scores["rows"],
        rows=count(scores["rows"]),
        part=_(part),
        model=summary.model_title(document, _),
        micro=percent(scores["micro_f1"]),
        macro=percent(scores["macro_f1"]),
        sample=percent(scores["sample_f1"]),
        exact=percentage(scores["subset_accuracy"]),
    )
    beside = summary.comparisons(document, "micro_f1", _) if compared else []
    return [first, *beside, *summary.leaked(document, part, "micro_f1", _), *corrected.sentences(document, _)]


def verdict(document: Mapping[str, Any], _: Translate = ENGLISH) -> str:
    """One sentence on whether the network earned its cost, as `summary.verdict`."""
    if (document.get(judged_part(document)) or {}).get("micro_f1") == 0:
        return _(
            "The model has learnt nothing: it gives no label rightly. Train longer (train.epochs, train.patience), try "
            "another train.learning_rate or a smaller train.batch_size, and look at the labels with zhpipe inspect."
        )
    return summary.verdict(document, _)


def threshold(value: float | None) -> str:
    """A threshold as text; a dash for a label that the model does not have."""
    return "–" if value is None else f"{value:.2f}"


def shown(labels: Sequence[str], separator: str) -> str:
    """A set of labels as text.

    >>> shown(["价格", "物流"], "|"), shown([], "|")
    ('价格|物流', '∅')
    """
    return separator.join(labels) or NONE


def render(
    document: Mapping[str, Any],
    judged: Sequence[Outcome],
    dev: Sequence[Outcome],
    labels: Sequence[str],
    locale: Locale = "en",
) -> str:
    """The page of `document`, a report as in report.json, with the mistakes of `judged`; `labels`: the model's."""
    from markupsafe import Markup

    _ = translator(locale)
    rows, separator = score_rows(document, _), document["model"]["label_separator"]
    names = list((document.get(judged_part(document)) or {}).get("per_label", {}))
    errors = page.most_confident(judged)
    claims = {"dev": scored_claims(dev), judged_part(document): scored_claims(judged)}
    return frame.render(
        "label_sets.html",
        document,
        locale,
        scripts=("texts.js",),
        verdict=verdict(document, _),
        sentences=sentences(document, _, compared=False),
        rows=rows,
        columns=score_section.columns("multilabel", rows, COLUMNS),
        trust=[Markup(chart) for chart in trust.drawn(document, claims, _)],
        names=names,
        by_label=BY_LABEL,
        threshold=threshold,
        missed=Counter(name for one in errors for name in set(one.gold_labels or ()) - set(one.predicted_labels)),
        added=Counter(name for one in errors for name in set(one.predicted_labels) - set(one.gold_labels or ())),
        confused=[
            (shown(one["gold"], separator), shown(one["predicted"], separator), one["rows"])
            for one in document.get("confused", [])
        ],
        shown=_shown(errors, names, labels),
        error_count=len(errors),
        mistakes="texts" if errors else "",
    )


def _shown(errors: Sequence[Outcome], names: Sequence[str], labels: Sequence[str]) -> list[Shown]:
    """The most confident errors, then some with each label missed or added."""
    place = {name: str(number) for number, name in enumerate(names)}
    seen: Counter[tuple[str, str]] = Counter()
    chosen: list[Shown] = []
    for outcome in errors:
        gold, said = set(outcome.gold_labels or ()), set(outcome.predicted_labels)
        kinds = [("missed", name) for name in sorted(gold - said)] + [("added", name) for name in sorted(said - gold)]
        if len(chosen) < page.ERRORS_SHOWN or min(seen[kind] for kind in kinds) < page.OF_A_CELL:
            seen.update(kinds)
            missed, added = (" ".join(place[name] for name in sorted(one)) for one in (gold - said, said - gold))
            marked = _marked(outcome, dict(zip(labels, outcome.probabilities, strict=False)))
            chosen.append(Shown(outcome, clip(outcome.text), marked, missed, added))
        if len(chosen) == page.TEXTS_SHOWN:
            break
    return chosen


def _marked(outcome: Outcome, shares: Mapping[str, float]) -> tuple[Marked, ...]:
    gold, said = set(outcome.gold_labels or ()), set(outcome.predicted_labels)
    verdicts = {name: "right" if name in gold & said else "missed" if name in gold else "added" for name in gold | said}
    return tuple(Marked(name, verdict, shares.get(name)) for name, verdict in sorted(verdicts.items()))
