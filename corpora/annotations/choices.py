"""Labels of whole texts, as Label Studio and doccano have them: written without answers, read with those of people.

Label Studio: `{"data": {"text": …}, "annotations": [{"result": [{"type": "choices", "value": {"choices": […]}}]}]}` or
JSON-MIN; doccano: `{"text": …, "label": ["好评"]}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from corpora.annotations.label_studio import MODEL
from corpora.annotations.records import list_of, mapping_of, object_of, records, text_of
from corpora.errors import CorpusError
from corpora.files import replace_when_done

TOOLS = ("label-studio", "doccano")


class Chosen(NamedTuple):
    """A text and the labels that people gave it; None if nobody has decided."""

    text: str
    labels: tuple[str, ...] | None


class Offered(NamedTuple):
    """A text, the labels that it was given, and those that a model suggests with a confidence, 0 to 1."""

    text: str
    given: tuple[str, ...]
    suggested: tuple[str, ...]
    confidence: float


def read(path: Path, tool: str, *, several: bool) -> Iterator[Chosen]:
    """What people chose; `several`: whether a text may have any number of labels, and so none.

    In doccano a text without labels counts as undecided, since nothing tells whether somebody has looked at it.

    Raises:
        CorpusError: The file can't be read, or a record is not of the tool, or has several annotations.
    """
    reading = _studio if tool == "label-studio" else _doccano
    for where, record in records(path, "utf-8"):
        try:
            found = reading(object_of(record), several)
            if not several and found.labels is not None and len(found.labels) > 1:
                raise CorpusError(f"{len(found.labels)} labels, and one is expected")
            yield found
        except CorpusError as error:
            raise CorpusError(f"{path}: {where}: {error}") from None


def write(path: Path, tool: str, texts: Iterable[Offered]) -> int:
    """Writes texts for people to label, and returns their number.

    Label Studio gets the suggestions as predictions, which are no annotations; doccano, which knows none, gets them as
    further fields, so that a suggestion that nobody has looked at is never read back as a decision.
    """
    making = _studio_task if tool == "label-studio" else _doccano_record
    made = [making(text) for text in texts]
    with replace_when_done(path) as temporary:
        lines = [json.dumps(one, ensure_ascii=False) for one in made]
        whole = (
            "[\n" + ",\n".join(lines) + "\n]\n" if tool == "label-studio" else "".join(f"{line}\n" for line in lines)
        )
        temporary.write_text(whole, encoding="utf-8", errors="backslashreplace", newline="\n")
    return len(made)


def _studio(record: dict[str, Any], several: bool) -> Chosen:
    if "data" not in record:
        return _small(record, several)
    text = text_of(mapping_of(record["data"], '"data"'), "text")
    annotations = [mapping_of(one, "an annotation") for one in list_of(record.get("annotations", []), '"annotations"')]
    valid = [one for one in annotations if not one.get("was_cancelled")]
    valid = [one for one in valid if one.get("ground_truth")] or valid
    if len(valid) > 1:
        raise CorpusError(f"{len(valid)} annotations, and one is expected: mark one as ground truth")
    if not valid:
        return Chosen(text, None)
    results = [mapping_of(one, "a result") for one in list_of(valid[0].get("result"), '"result"')]
    values = [value for one in results if isinstance(value := one.get("value"), dict) and "choices" in value]
    return Chosen(text, _decided([name for value in values for name in _names(value["choices"])], several))


def _small(record: dict[str, Any], several: bool) -> Chosen:
    """JSON-MIN: the choice, or `{"choices": […]}` where there are several, is in the field "label"."""
    found = record.get("label")
    found = found.get("choices") if isinstance(found, dict) else found
    return Chosen(text_of(record, "text"), _decided(_names(found), several) if found is not None else None)


def _doccano(record: dict[str, Any], several: bool) -> Chosen:
    return Chosen(text_of(record, "text"), _decided(_names(record.get("label", [])), several=False))


def _decided(names: list[str], several: bool) -> tuple[str, ...] | None:
    return tuple(sorted(set(names))) if names or several else None


def _names(value: Any) -> list[str]:
    names = [value] if isinstance(value, str) else list_of(value, "the labels")
    for name in names:
        if not isinstance(name, str) or not name:
            raise CorpusError(f"a label is {json.dumps(name, ensure_ascii=False)[:40]}, and a text is expected")
    return names


def _studio_task(one: Offered) -> dict[str, Any]:
    result = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": list(one.suggested)}}
    predictions = [{"model_version": MODEL, "score": round(one.confidence, 4), "result": [result]}]
    return {"data": {"text": one.text, "given": "|".join(one.given)}, "predictions": predictions}


def _doccano_record(one: Offered) -> dict[str, Any]:
    return {"text": one.text, "label": [], "given": "|".join(one.given), "suggested": "|".join(one.suggested)}
