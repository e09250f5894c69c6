"""What a report says in words and rows, the same on the page and in the text file."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

PARTS = {
    "test": "test",
    "test_without_leaked": "test without leaked rows",
    "dev": "dev",
    "dev_without_leaked": "dev without leaked rows",
}
COLUMNS = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "matthews": "Matthews",
    "roc_auc": "ROC-AUC",
    "average_precision": "average precision",
}
ITEMS_SHOWN = 20
BASELINE_TITLES = {
    "majority": "majority class",
    "tfidf_words_svc": "TF-IDF words + LinearSVC",
    "tfidf_characters_svc": "TF-IDF characters + LinearSVC",
    "crfsuite": "python-crfsuite",
}


class ScoreRow(NamedTuple):
    """One line of the table of scores: who was scored, on which part, with what result."""

    who: str
    part: str
    scores: Mapping[str, Any]


def score_rows(document: Mapping[str, Any]) -> list[ScoreRow]:
    """Part by part the model and then each baseline, of `document`, a report as `Report.as_dict` gives it."""
    rows = []
    for part, title in PARTS.items():
        for who, scored in _scored(document):
            if scored.get(part):
                rows.append(ScoreRow(who, title, scored[part]))
    return rows


def sentences(document: Mapping[str, Any]) -> list[str]:
    """The result in up to three sentences: the score, the distance to each baseline, the leaked rows."""
    part = judged_part(document)
    scores = document.get(part) or {}
    if not scores.get("rows"):
        return ["No row with a label was scored."]
    said = [
        f"On {scores['rows']:,} {part} rows the {model_title(document)} gets "
        f"{percent(scores['accuracy'])}% right (macro F1 {percent(scores['macro_f1'])})."
    ]
    against = [_against(scores, who, scored[part]) for who, scored in _baselines(document) if scored.get(part)]
    if against:
        said.append(f"That is {', '.join(against)}.")
    return said + _leaked(document, part)


def model_title(document: Mapping[str, Any]) -> str:
    """The model in a word or two, by its cell where that is known."""
    cell = str(document.get("model", {}).get("cell") or "").upper()
    return f"{cell} model".strip()


def judged_part(document: Mapping[str, Any]) -> str:
    """The part the result is read from: test, or dev where no test row was scored."""
    has_test = (document.get("test") or {}).get("rows")
    return "test" if has_test or not document.get("dev") else "dev"


def facts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Nested values as rows of name and text, the names of nested keys joined by a `›`; long lists are cut.

    >>> facts({"rows": {"train": 9600, "test": 1200}, "labels": ["差评", "好评"]})
    [('rows › train', '9,600'), ('rows › test', '1,200'), ('labels', '差评, 好评')]
    """
    return list(_facts(values, ()))


def percent(value: float | None) -> str:
    """A fraction as a percentage of one decimal, without the sign; a dash for None."""
    return "–" if value is None else f"{100 * value:.1f}"


def _facts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _facts(inner, (*path, str(key).replace("_", " ")))
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        for number, item in enumerate(value[:ITEMS_SHOWN], start=1):
            yield from _facts(item, (*path, str(number)))
        if len(value) > ITEMS_SHOWN:
            yield " › ".join(path), f"and {len(value) - ITEMS_SHOWN:,} more"
    else:
        yield " › ".join(path), _fact(value)


def _fact(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return _listed(value) if isinstance(value, list) else str(value)


def _listed(values: Sequence[Any]) -> str:
    more = len(values) - ITEMS_SHOWN
    return ", ".join(map(_fact, values[:ITEMS_SHOWN])) + (f" and {more:,} more" if more > 0 else "")


def _scored(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield model_title(document), document
    yield from _baselines(document)


def _baselines(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, scored in document.get("baselines", {}).items():
        yield BASELINE_TITLES.get(name, name), scored


def _against(scores: Mapping[str, Any], who: str, other: Mapping[str, Any]) -> str:
    points = round(100 * (scores["accuracy"] - other["accuracy"]), 1)
    if points == 0:
        return f"level with {who} ({percent(other['accuracy'])}%)"
    unit = "point" if abs(points) == 1 else "points"
    side = "above" if points > 0 else "below"
    return f"{abs(points):.1f} {unit} {side} {who} ({percent(other['accuracy'])}%)"


def _leaked(document: Mapping[str, Any], part: str) -> list[str]:
    kept = document.get(f"{part}_without_leaked") or {}
    leaked = document[part]["rows"] - kept.get("rows", document[part]["rows"])
    if not leaked:
        return []
    rows = "row whose text was" if leaked == 1 else "rows whose texts were"
    return [f"Without the {leaked:,} {rows} also trained on, accuracy is {percent(kept['accuracy'])}%."]


def columns_in_use(rows: Sequence[ScoreRow]) -> dict[str, str]:
    """Of `COLUMNS`, key to heading, those in which some row has a value."""
    return {key: title for key, title in COLUMNS.items() if any(row.scores.get(key) is not None for row in rows)}
