"""The headline of a report: how good, compared with what, what may be done with it, and what to do next."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from pipeline.evaluation.metrics.significance import SIGNIFICANT
from pipeline.evaluation.report import summary
from pipeline.evaluation.report.summary import (
    DECIDES,
    all_leaked,
    compared_part,
    count,
    judged_part,
    number,
    percent,
    percentage,
)
from pipeline.evaluation.report.translations import ENGLISH, Translate, plural

Standing = Literal["better", "open", "worse"]
FEW = 300  # judged rows below which a difference of a few points can hardly be told
# Counts of a report that are faults of the data, and what they mean.
PROBLEMS = {
    "skipped": plural(
        "{count} row was skipped, as it has no text or no label",
        "{count} rows were skipped, as they have no text or no label",
    ),
    "truncated": plural(
        "{count} scored text is longer than network.max_tokens, and was read only to there",
        "{count} scored texts are longer than network.max_tokens, and were read only to there",
    ),
    "truncated_train": plural(
        "{count} text of train is longer than network.max_tokens, and was read only to there",
        "{count} texts of train are longer than network.max_tokens, and were read only to there",
    ),
    "leaked": plural(
        "{count} test row has a text that was also trained on",
        "{count} test rows have a text that was also trained on",
    ),
    "leaked_dev": plural(
        "{count} dev row has a text that was also trained on",
        "{count} dev rows have a text that was also trained on",
    ),
}


class Tile(NamedTuple):
    """An answer at a glance: what it is about, the answer, and what qualifies it, or ""."""

    title: str
    answer: str
    note: str = ""


def tiles(document: Mapping[str, Any], _: Translate = ENGLISH) -> list[Tile]:
    """The answers that the page begins with; `document`: a report as `Report.as_dict` returns it."""
    part = judged_part(document)
    if not (document.get(part) or {}).get("rows"):
        return []
    found = [_score(document, part, _), _best_baseline(document, part, _), _acceptable(document, part, _)]
    found += [_weakest(document, part, _), _doubtful(document, _)]
    return [tile for tile in found if tile is not None]


def problems(document: Mapping[str, Any], _: Translate = ENGLISH) -> list[str]:
    """What is wrong with the data, a line each; none if nothing was found."""
    counts = document.get("counts", {})
    known = [
        _.plural(*forms, counts[key], count=count(counts[key])) for key, forms in PROBLEMS.items() if counts.get(key)
    ]
    others = (key for key in counts if key not in PROBLEMS and not key.startswith("scored"))
    return [*known, *(f"{_(key.replace('_', ' '))}: {count(counts[key])}" for key in others if counts[key])]


def standing(document: Mapping[str, Any]) -> Standing:
    """Whether the model is better than the best baseline, worse, or neither can be said."""
    part = judged_part(document)
    scores = document.get(part) or {}
    if summary.nothing_learnt(scores, ENGLISH):
        return "worse"
    if all_leaked(document, part):
        return "open"
    if document["task"] == "language":
        return _standing_of_ngrams(document)
    against = [found for found in document.get("against", {}).values() if found]
    if not against:
        return "open"
    closest = min(against, key=lambda found: found["difference"])
    if closest["p"] >= SIGNIFICANT:
        return "open"
    return "better" if closest["difference"] > 0 else "worse"


def next_step(document: Mapping[str, Any], _: Translate = ENGLISH) -> str:
    """One sentence with what to do next; "" if there is nothing to say."""
    part = judged_part(document)
    scores = document.get(part) or {}
    if not scores.get("rows") or summary.nothing_learnt(scores, _):
        return ""  # the verdict says what to do
    if all_leaked(document, part):
        return _("Next: test on texts that were not trained on.")
    place = standing(document)
    if document["task"] == "language":
        if place != "better" and document.get("baselines"):
            return _("Next: train on more text, start from an encoder, or search for better settings with zhpipe tune.")
        return _("Next: read what it writes; the command zhpipe label tells how likely other texts are.")
    if place == "worse":
        return _("Next: search for better settings with zhpipe tune, or label more rows.")
    if place == "open" and document.get("against") and scores["rows"] < FEW:
        return _.plural(
            "Next: label more rows, to learn from and to test with, since {rows} {part} row is too few to tell; and "
            "read the mistakes.",
            "Next: label more rows, to learn from and to test with, since {rows} {part} rows are too few to tell; and "
            "read the mistakes.",
            scores["rows"],
            rows=count(scores["rows"]),
            part=_(part),
        )
    if (document.get("suspects") or {}).get("count"):
        return _("Next: look through the doubtful labels with zhpipe review, mend the wrong ones, and train again.")
    return _("Next: read the mistakes; if you can live with them, the command zhpipe label answers new rows.")


class NgramLead(NamedTuple):
    """The best n-grams beside a language model, on rows that did not leak: their name, and all perplexities."""

    name: str
    theirs: float
    ours: float
    interval: tuple[float, float]


def ngram_lead(document: Mapping[str, Any]) -> NgramLead | None:
    """The comparison of a language model with the best n-grams; None without both."""
    fair = compared_part(document)
    ours = (document.get(fair) or {}).get("perplexity")
    found = {name: (scored.get(fair) or {}).get("perplexity") for name, scored in document.get("baselines", {}).items()}
    theirs = {name: float(value) for name, value in found.items() if value}
    if not theirs or not ours:
        return None
    best = min(theirs, key=lambda name: theirs[name])
    low, high = document.get("intervals", {}).get(fair, {}).get("perplexity") or (ours, ours)
    return NgramLead(best, theirs[best], float(ours), (low, high))


def _standing_of_ngrams(document: Mapping[str, Any]) -> Standing:
    """A lead counts as proven if the perplexity of the n-grams is outside of the 95 % interval of the network's."""
    lead = ngram_lead(document)
    if lead is None or lead.interval[0] <= lead.theirs <= lead.interval[1]:
        return "open"
    return "better" if lead.ours < lead.theirs else "worse"


def offer(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The threshold with the highest promised precision that accepts half of the claims, or else most of them."""
    part = judged_part(document)
    reached = [row for row in document.get("confidence", {}).get("thresholds", []) if row["threshold"] is not None]
    reached = [row for row in reached if row.get(part, {}).get("precision") is not None]
    half = [row for row in reached if row["dev"]["coverage"] >= 0.5]
    return max(half, key=lambda row: row["target"]) if half else (reached[0] if reached else None)


def _score(document: Mapping[str, Any], part: str, _: Translate) -> Tile | None:
    key, title = DECIDES[document["task"]]
    if document[part].get(key) is None:
        return None
    interval = document.get("intervals", {}).get(part, {}).get(key)
    low_high = "" if interval is None else " – ".join(shown_score(document, one) for one in interval)
    return Tile(_(title, part=_(part)), shown_score(document, document[part][key]), low_high)


def _best_baseline(document: Mapping[str, Any], part: str, _: Translate) -> Tile | None:
    key, _title = DECIDES[document["task"]]
    found = {
        name: scored[part][key]
        for name, scored in document.get("baselines", {}).items()
        if (scored.get(part) or {}).get(key) is not None
    }
    if not found or all_leaked(document, part):
        return None
    best = (min if document["task"] == "language" else max)(found, key=lambda name: float(found[name]))
    return Tile(_("best baseline"), shown_score(document, found[best]), _(summary.BASELINE_TITLES.get(best, best)))


def _acceptable(document: Mapping[str, Any], part: str, _: Translate) -> Tile | None:
    if not document.get("confidence", {}).get("thresholds"):
        return None
    found = offer(document)
    if found is None:
        why = _("the model is too weak, or dev too small, to promise how many would be right")
        return Tile(_("needs no check"), _("nothing"), why)
    reached = found[part]
    note = _(
        "of the answers: those with a confidence of {threshold} or more, {right} of which are right",
        right=percentage(reached["precision"]),
        threshold=f"{found['threshold']:.2f}",
    )
    return Tile(_("needs no check"), percentage(reached["coverage"]), note)


def _weakest(document: Mapping[str, Any], part: str, _: Translate) -> Tile | None:
    scored = {name: one for name, one in (document[part].get("per_label") or {}).items() if one["support"]}
    if len(scored) < 2:
        return None
    name = min(scored, key=lambda one: scored[one]["f1"])
    f1, support = percent(scored[name]["f1"]), scored[name]["support"]
    if document["task"] == "tag":
        note = _.plural("F1 {f1}, {count} span", "F1 {f1}, {count} spans", support, f1=f1, count=count(support))
        return Tile(_("weakest type"), name, note)
    note = _.plural("F1 {f1}, {count} row", "F1 {f1}, {count} rows", support, f1=f1, count=count(support))
    return Tile(_("weakest label"), name, note)


def _doubtful(document: Mapping[str, Any], _: Translate) -> Tile | None:
    suspects = document.get("suspects") or {}
    return (
        Tile(_("doubtful labels"), count(suspects["count"]), _("to look at, in train, dev and test"))
        if suspects.get("count")
        else None
    )


def shown_score(document: Mapping[str, Any], value: float) -> str:
    """The score that decides as it is shown."""
    if document["task"] == "language":
        return number(value)
    return percentage(value) if document["task"] == "classify" else percent(value)


def changed_settings(config: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The settings of nested `config` whose values are not those of `defaults`, by dotted key."""
    for key, value in config.items():
        other = defaults.get(key)
        if isinstance(value, Mapping) and isinstance(other, Mapping) and value and other:
            yield from ((f"{key}.{inner}", found) for inner, found in changed_settings(value, other))
        elif value != other:
            yield key, value
