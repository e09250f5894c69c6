"""The sentences and the rows of scores of a report, shared by its page, text and Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.evaluation.metrics.significance import SIGNIFICANT
from pipeline.evaluation.report import corrected
from pipeline.evaluation.report.translations import ENGLISH, N_, Translate, plural

PARTS = {
    "test": N_("test"),
    "test_without_leaked": N_("test without leaked rows"),
    "dev": N_("dev"),
    "dev_without_leaked": N_("dev without leaked rows"),
}
COLUMNS = {
    "accuracy": N_("accuracy"),
    "macro_f1": N_("macro F1"),
    "weighted_f1": N_("weighted F1"),
    "matthews": N_("Matthews"),
    "roc_auc": N_("ROC-AUC"),
    "average_precision": N_("average precision"),
}
# For taggers.
SPAN_COLUMNS = {
    "precision": N_("precision"),
    "recall": N_("recall"),
    "f1": N_("F1"),
    "macro_f1": N_("macro F1"),
    "word_f1": N_("word F1"),
    "token_accuracy": N_("token accuracy"),
    "oov_recall": N_("unknown words"),
    "iv_recall": N_("known words"),
    "row_accuracy": N_("whole texts"),
}
BASELINE_TITLES = {
    "majority": N_("majority class"),
    "tfidf_words_svc": N_("TF-IDF words + LinearSVC"),
    "tfidf_words_logistic": N_("TF-IDF words + logistic regression"),
    "tfidf_characters_svc": N_("TF-IDF characters + LinearSVC"),
    "tfidf_characters_logistic": N_("TF-IDF characters + logistic regression"),
    "crfsuite": "python-crfsuite",
    "jieba": "jieba",
    "unigram": N_("unigram"),
    "kneser_ney": N_("Kneser-Ney n-grams"),
}
# By task, the score that decides, and what it is called.
DECIDES = {
    "classify": ("accuracy", N_("right on {part}")),
    "multilabel": ("micro_f1", N_("micro F1 on {part}")),
    "tag": ("f1", N_("F1 on {part}")),
    "language": ("perplexity", N_("perplexity on {part}")),
}
# Where chance may explain the distance from the best baseline.
AHEAD = plural(
    "It is {points} points ahead of a simpler model, {who}, which trains in {seconds} s; but on {rows} row this may be "
    "chance.",
    "It is {points} points ahead of a simpler model, {who}, which trains in {seconds} s; but on {rows} rows this may "
    "be chance.",
)
BEHIND = plural(
    "It is {points} points behind a simpler model, {who}, which trains in {seconds} s; but on {rows} row this may be "
    "chance.",
    "It is {points} points behind a simpler model, {who}, which trains in {seconds} s; but on {rows} rows this may be "
    "chance.",
)


class ScoreRow(NamedTuple):
    """A row of the table of scores: the system, the part, and its scores.

    `who`, `part`: as shown; `name`, `key`: the names of the baseline (or "" for the model) and of the part in the
    report.
    """

    who: str
    part: str
    scores: Mapping[str, Any]
    name: str = ""
    key: str = ""


def score_rows(document: Mapping[str, Any], _: Translate = ENGLISH) -> list[ScoreRow]:
    """The rows of scores of `document`, a report as `Report.as_dict` returns it: for each part the model and baselines.

    A part without rows is left out.
    """
    rows = []
    for part, title in PARTS.items():
        for name, who, scored in [("", model_title(document, _), document), *_baselines(document, _)]:
            if (scores := scored.get(part)) and scores.get("rows") != 0:
                rows.append(ScoreRow(who, _(title), scores, name, part))
    return rows


def sentences(document: Mapping[str, Any], _: Translate = ENGLISH, *, compared: bool = True) -> list[str]:
    """The result in up to four sentences: the score, without leaked rows, what each part of the model earned.

    `compared`: with its distance from each baseline.
    """
    part = judged_part(document)
    scores = document.get(part) or {}
    if not scores.get("rows"):
        return [_("No row with a label was scored.")]
    first = [
        _.plural(
            "On {rows} {part} row the {model} gets {accuracy} right (macro F1 {macro_f1}).",
            "On {rows} {part} rows the {model} gets {accuracy} right (macro F1 {macro_f1}).",
            scores["rows"],
            rows=count(scores["rows"]),
            part=_(part),
            model=model_title(document, _),
            accuracy=percentage(scores["accuracy"]),
            macro_f1=percent(scores["macro_f1"]),
        )
    ]
    beside = comparisons(document, "accuracy", _) if compared else []
    after = [*leaked(document, part, "accuracy", _), *corrected.sentences(document, _), *earned(document, _)]
    return [*first, *beside, *after]


def earned(document: Mapping[str, Any], _: Translate = ENGLISH) -> list[str]:
    """One sentence with what the n-grams and the network of a classifier get right by themselves; none without both."""
    parts = document.get("model", {}).get("parts")
    if not parts:
        return []
    values = {key: percentage(parts[key]) for key in ("ngrams", "network", "both")}
    if not parts["weights"]["network"]:
        return [
            _(
                "By the losses on dev, the n-grams answer alone: they get {ngrams} right there, the network alone "
                "{network}.",
                **values,
            )
        ]
    return [
        _("On dev the n-grams alone get {ngrams} right, the network alone {network}, both together {both}.", **values)
    ]


def span_sentences(document: Mapping[str, Any], _: Translate = ENGLISH, *, compared: bool = True) -> list[str]:
    """The same as `sentences` for a tagger."""
    part = judged_part(document)
    scores = document.get(part) or {}
    if not scores.get("rows"):
        return [_("No row with tags was scored.")]
    first = _.plural(
        "On {rows} {part} row the {model} finds {recall} of the spans, and {precision} of those that it marks are "
        "right (F1 {f1}).",
        "On {rows} {part} rows the {model} finds {recall} of the spans, and {precision} of those that it marks are "
        "right (F1 {f1}).",
        scores["rows"],
        rows=count(scores["rows"]),
        part=_(part),
        model=model_title(document, _),
        f1=percent(scores["f1"]),
        **{key: percentage(scores[key]) for key in ("precision", "recall")},
    )
    beside = comparisons(document, "f1", _) if compared else []
    return [first, *beside, *leaked(document, part, "f1", _), *corrected.sentences(document, _)]


def comparisons(document: Mapping[str, Any], key: str, _: Translate = ENGLISH) -> list[str]:
    """One sentence with the distance of a score from that of each baseline; none without baselines or clean rows."""
    part = judged_part(document)
    if all_leaked(document, part):
        return []
    against = [
        _against(document[part][key], who, other[part][key], _)
        for _name, who, other in _baselines(document, _)
        if other.get(part)
    ]
    return [_("That is {comparisons}.", comparisons=_(", ").join(against))] if against else []


def verdict(document: Mapping[str, Any], _: Translate = ENGLISH) -> str:
    """One sentence on whether the network earned its cost, by the test against the best baseline; "" if unscored.

    A model that has learnt nothing is told apart first.
    """
    part = judged_part(document)
    if nothing := nothing_learnt(document.get(part) or {}, _):
        return nothing
    if all_leaked(document, part):
        return leaked_verdict(part, _)
    against = {name: found for name, found in document.get("against", {}).items() if found}
    if not against:
        scored = (document.get(part) or {}).get("rows")
        return _("No baseline was trained to compare it with.") if scored else ""
    best = min(against, key=lambda name: against[name]["difference"])
    found = against[best]
    values = {
        "who": _(BASELINE_TITLES.get(best, best)),
        "seconds": f"{document.get('baselines', {}).get(best, {}).get('seconds', 0):.1f}",
        "points": percent(abs(lead(document, best))),
    }
    if found["p"] >= SIGNIFICANT:
        return _unproven(found, values, _)
    if found["difference"] > 0:
        return _(
            "The network earned its cost: it is {points} points better than the best baseline, {who}; chance hardly "
            "explains this.",
            **values,
        )
    return _(
        "The network did not earn its cost: {who}, trained in {seconds} s, is {points} points better.",
        **values,
    )


def _unproven(found: Mapping[str, Any], values: Mapping[str, str], _: Translate) -> str:
    """That chance may explain the distance from the best baseline."""
    if values["points"] == "0.0":
        return _("It is level with a simpler model: {who}, which trains in {seconds} s.", **values)
    forms = AHEAD if found["difference"] > 0 else BEHIND
    return _.plural(*forms, found["rows"], rows=count(found["rows"]), **values)


def lead(document: Mapping[str, Any], name: str) -> float:
    """How far the model is ahead of a baseline, as a fraction: the difference of the scores as shown, if both are."""
    key, part = DECIDES[document["task"]][0], compared_part(document)
    ours, theirs = (
        (scored.get(part) or {}).get(key) for scored in (document, document.get("baselines", {}).get(name, {}))
    )
    if ours is None or theirs is None:
        return float(document["against"][name]["difference"])
    return float(round(ours, 3) - round(theirs, 3))


def remembered(document: Mapping[str, Any], _: Translate = ENGLISH) -> str:
    """A sentence if the seconds of baselines are those of an earlier evaluation; "" if they are of this one."""
    if not any(scored.get("remembered") for scored in document.get("baselines", {}).values()):
        return ""
    return _(
        "The baselines were fitted in an earlier evaluation of the same split; their seconds are those of that time."
    )


def nothing_learnt(scores: Mapping[str, Any], _: Translate = ENGLISH) -> str:
    """A sentence if a model finds no span, or is no better than one answer for all rows; "" if it is."""
    support = {name: found["support"] for name, found in (scores.get("per_label") or {}).items() if found["support"]}
    if scores.get("f1") == 0 and support:
        return _(
            "The model has learnt nothing: it found nothing right. Train longer (train.epochs, train.patience), try "
            "another train.learning_rate or a smaller train.batch_size, and look at the tags with zhpipe inspect."
        )
    if "accuracy" not in scores or len(support) < 2:
        return ""
    label = max(support, key=lambda name: support[name])
    share = support[label] / scores["rows"]
    if scores["accuracy"] > share:
        return ""
    return _(
        "The model has learnt nothing: {accuracy} right is no better than always answering {label} ({share}). Train "
        "longer (train.epochs, train.patience), try another train.learning_rate or a smaller train.batch_size, and "
        "look at the labels with zhpipe inspect.",
        accuracy=percentage(scores["accuracy"]),
        label=label,
        share=percentage(share),
    )


def compared_part(document: Mapping[str, Any]) -> str:
    """The part on which the model is compared with baselines: the judged one, without leaked rows if it has some."""
    part = judged_part(document)
    return f"{part}_without_leaked" if document.get(f"{part}_without_leaked") else part


def signed(value: float) -> str:
    """A difference of fractions in percentage points, with its sign: 0.0123 is +1.2."""
    return f"{100 * value:+.1f}".replace("-", "−").replace("+0.0", "±0.0").replace("−0.0", "±0.0")


def p_value(value: float) -> str:
    """A p-value with two digits and a sign before it: "= 0.031", "< 0.0001"."""
    return "< 0.0001" if value < 0.0001 else f"= {value:.2g}"


def model_title(document: Mapping[str, Any], _: Translate = ENGLISH) -> str:
    """The model in a word or two, with its cell if that is known."""
    cell = str(document.get("model", {}).get("cell") or "").upper()
    return _("{cell} model", cell=cell).strip()


def judged_part(document: Mapping[str, Any]) -> str:
    """The part that a report is about: test, or dev if no test row was scored."""
    has_test = (document.get("test") or {}).get("rows")
    return "test" if has_test or not document.get("dev") else "dev"


def percent(value: float | None) -> str:
    """A fraction as a percentage with one decimal, without the sign; a dash for None."""
    return "–" if value is None else f"{100 * value:.1f}"


def percentage(value: float | None) -> str:
    """`percent` with the sign.

    >>> percentage(0.934)
    '93.4%'
    """
    return f"{percent(value)}%"


def count(number: int) -> str:
    """A count with its thousands separated."""
    return f"{number:,}"


def number(value: float | None) -> str:
    """A perplexity as text; a dash for None."""
    return "–" if value is None else f"{value:,.2f}" if value < 1e6 else f"{value:.3g}"


def compact(count: int) -> str:
    """A count in at most four characters or so.

    >>> compact(742), compact(236_076), compact(3_342_520)
    ('742', '236k', '3.3M')
    """
    return f"{count:,}" if count < 10_000 else f"{count / 1e3:.0f}k" if count < 999_500 else f"{count / 1e6:.1f}M"


def _baselines(document: Mapping[str, Any], _: Translate) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for name, scored in document.get("baselines", {}).items():
        yield name, _(BASELINE_TITLES.get(name, name)), scored


def _against(score: float, who: str, other: float, _: Translate) -> str:
    points = round(100 * (score - other), 1)
    accuracy = percentage(other)
    if points == 0:
        return _("level with {who} ({accuracy})", who=who, accuracy=accuracy)
    size = f"{abs(points):.1f}"
    return _.plural(
        "{points} point {side} {who} ({accuracy})",
        "{points} points {side} {who} ({accuracy})",
        1 if abs(points) == 1 else 2,
        points=size,
        side=_("above") if points > 0 else _("below"),
        who=who,
        accuracy=accuracy,
    )


def all_leaked(document: Mapping[str, Any], part: str) -> bool:
    """Whether the text of every row of a part was also trained on, so that no comparison means anything."""
    ending, counts = "" if part == "test" else f"_{part}", document.get("counts", {})
    scored = counts.get(f"scored{ending}", 0)
    return bool(scored and counts.get(f"leaked{ending}", 0) >= scored)


def leaked_sentence(document: Mapping[str, Any], part: str, _: Translate = ENGLISH) -> str:
    """That every row of a part leaked."""
    rows = document["counts"]["scored" if part == "test" else f"scored_{part}"]
    return _.plural(
        "The {rows} {part} row has a text that was also trained on: its score says nothing about new texts, and "
        "nothing is compared.",
        "All {rows} {part} rows have texts that were also trained on: their scores say nothing about new texts, and "
        "nothing is compared.",
        rows,
        rows=count(rows),
        part=_(part),
    )


def leaked_verdict(part: str, _: Translate = ENGLISH) -> str:
    """The verdict if every row of a part leaked."""
    return _("This tells nothing yet: every {part} row has a text that was also trained on.", part=_(part))


def leaked(document: Mapping[str, Any], part: str, key: str, _: Translate = ENGLISH) -> list[str]:
    """One sentence with the score without leaked rows; none if no row leaked."""
    if all_leaked(document, part):
        return [leaked_sentence(document, part, _)]
    kept = document.get(f"{part}_without_leaked") or {}
    dropped = document[part]["rows"] - kept.get("rows", document[part]["rows"])
    if not dropped:
        return []
    if key == "accuracy":
        return [
            _.plural(
                "Without the {rows} row whose text was also trained on, accuracy is {score}.",
                "Without the {rows} rows whose texts were also trained on, accuracy is {score}.",
                dropped,
                rows=count(dropped),
                score=percentage(kept[key]),
            )
        ]
    return [
        _.plural(
            "Without the {rows} row whose text was also trained on, F1 is {score}.",
            "Without the {rows} rows whose texts were also trained on, F1 is {score}.",
            dropped,
            rows=count(dropped),
            score=percent(kept[key]),
        )
    ]
