"""Starter: the config of a user's own file, from its columns or its tags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from corpora import columns, formats, header, label_sets, sniffing
from corpora.columns import Column
from corpora.table_options import TableOptions
from pipeline.config.section import toml_value
from pipeline.config.task_defaults import TaskName
from pipeline.errors import PipelineError

# What the first line of the config says, by task.
ABOUT = {
    "classify": "Sorts the texts of {file} into the labels of its column {label}.",
    "multilabel": "Gives the texts of {file} any number of the labels in its column {label}.",
    "tag": "Learns the tags ({kind}) of the sentences in {file}.",
    "language": "Learns which token follows which in the texts of {file}.",
}
DEFAULTS_NOTE = "# `zhpipe config` explains every key; keys that are left out here have their default."
# Keys that are often changed, commented out.
OFTEN_CHANGED = """
# [network]
# cell = "gru"                # rnn, gru or lstm
# units = 128

# [train]
# epochs = 20                 # at most; patience stops earlier
# learning_rate = 0.003
"""


@dataclass(frozen=True)
class Starter:
    """A config as commented TOML, and what was guessed for it, a sentence each."""

    name: str
    task: TaskName
    toml: str
    guesses: tuple[str, ...]


def starter(
    path: str | Path,
    *,
    text: Sequence[str] = (),
    label: str | None = None,
    label_separator: str | None = None,
    task: TaskName | None = None,
    format: str | None = None,
    name: str | None = None,
    **reading: Any,
) -> Starter:
    """The config of a file. What is not given is guessed where the file leaves one choice.

    `label_separator`: between the labels of a row that may have several; `name`: of the run, by default the stem of the
    file. `reading`: other fields of `TableOptions`. Raises CorpusError if the file cannot be read, and PipelineError if
    a column has to be chosen.
    """
    path = Path(path)
    options = TableOptions(**reading)
    found = sniffing.sniff(path, format, options.encoding)
    if task == "tag" and not found.is_tagged:
        raise PipelineError(
            f"{path}: is read as {found.format}, which has no tags: choose one of {', '.join(formats.TAGGED)} with "
            "--format, or leave out --task tag"
        )
    chosen = task or _task(found, label_separator)
    guesses = [] if task or label_separator else [_said_of_task(chosen, found)]
    if label_separator and chosen != "multilabel":
        raise PipelineError(f"{path}: --label-separator is for labels of whole texts, but the task is {chosen}")
    corpus = {"train": str(path)}
    if found.is_tagged or found.format != _format_by_suffix(path):
        corpus["format"] = found.format
    values: dict[str, object] = {**corpus, **_changed(options)}
    is_table = not found.is_tagged and found.format != "lines"
    if not is_table and set(_changed(options)) > {"encoding"}:
        raise PipelineError(
            f"{path}: is read as {found.format}, which has none of the options of tables: leave them out"
        )
    if is_table:
        asked = _Asked(text, label, label_separator, chosen)
        values.update(_columns(path, replace(options, format=found.format), asked, guesses))
    elif text and not label and found.format in formats.JSON_OF_SPANS:
        values["text"] = text[0]
    elif text or label:
        raise PipelineError(f"{path}: is read as {found.format}, which has no columns: leave out --text and --label")
    named = name or run_name(path)
    return Starter(named, chosen, _toml(named, chosen, values, found.kind, path), tuple(guesses))


def run_name(path: Path) -> str:
    """The name of a run from that of a file.

    >>> run_name(Path("外卖 (2).csv.gz"))
    '外卖_2'
    """
    stem = path.name.split(".")[0]
    return re.sub(r"[^\w-]+", "_", stem).strip("_-") or "run"


def _task(found: sniffing.Sniffed, label_separator: str | None) -> TaskName:
    if found.is_tagged:
        return "tag"
    return "language" if found.format == "lines" else "multilabel" if label_separator else "classify"


def _said_of_task(task: TaskName, found: sniffing.Sniffed) -> str:
    kind = f" of {found.kind}" if found.kind else ""
    what = {"classify": "a table", "tag": f"{found.format}, tags{kind}", "language": "plain lines without labels"}
    return f"task = {task} ({what[task]})"


def _changed(options: TableOptions) -> dict[str, object]:
    """The options that are not the default."""
    defaults = asdict(TableOptions())
    return {name: value for name, value in asdict(options).items() if value != defaults[name]}


def _format_by_suffix(path: Path) -> str | None:
    try:
        return formats.corpus_format(path)
    except ValueError:
        return None


class _Asked(NamedTuple):
    """What was given of the columns of a table."""

    text: Sequence[str]
    label: str | None
    label_separator: str | None
    task: TaskName


def _columns(path: Path, options: TableOptions, asked: _Asked, guesses: list[str]) -> dict[str, object]:
    """The settings of the columns of a table; adds to `guesses` what was not given."""
    text, label = asked.text, asked.label
    found = columns.columns(path, options)
    known = [column.name for column in found]
    for name in (*text, *([label] if label else [])):
        header.position(path, known, name, "--label" if name == label else "--text")
    values: dict[str, object] = {}
    if text:
        values["text"] = text[0] if len(text) == 1 else list(text)
    else:
        names = [name for name in columns.text_candidates(found) if name != label]
        values["text"] = _only(path, names, known, "text")
        guesses.append(f"text = {values['text']} (the only column with Chinese text)")
    if asked.task == "classify":
        values["label"] = label or _label(path, columns.label_candidates(found), found, text, guesses)
    elif asked.task == "multilabel":
        values["label"] = label or _label(path, columns.joined_candidates(found), found, text, guesses)
        values["label_separator"] = asked.label_separator or _separator(path, values["label"], found, guesses)
    joined = next((column.joined for column in found if column.name == values.get("label")), None)
    if asked.task == "classify" and joined:
        guesses.append(f"task = classify ({label_sets.advice(joined)})")
    return values


def _label(
    path: Path, candidates: Sequence[str], found: Sequence[Column], text: Sequence[str], guesses: list[str]
) -> str:
    """The only candidate for the label that is no text."""
    chosen = _only(path, [name for name in candidates if name not in text], [one.name for one in found], "label")
    column = next(column for column in found if column.name == chosen)
    why = column.looks_like if column.joined else f"few values: {column.distinct}"
    guesses.append(f"label = {chosen} (the only column with {why})")
    return chosen


def _separator(path: Path, label: object, found: Sequence[Column], guesses: list[str]) -> str:
    """The separator by which the labels look joined; "|" for lists. Raises PipelineError if there is none."""
    joined = next(column.joined for column in found if column.name == label)
    if joined is None:
        raise PipelineError(
            f'{path}: the column "{label}" does not look like joined labels: say what is between them with '
            "--label-separator"
        )
    separator = "|" if joined == label_sets.LIST else joined
    guesses.append(f"label_separator = {separator} (as in the column {label})")
    return separator


def _only(path: Path, candidates: Sequence[str], known: Sequence[str], option: str) -> str:
    """The only candidate. Raises PipelineError if there is none or a choice."""
    if len(candidates) == 1:
        return candidates[0]
    several = "; repeat it to join several" if option == "text" else ""
    if candidates:
        shown = " and ".join(f'"{name}"' for name in candidates)
        raise PipelineError(f"{path}: the columns {shown} look like the {option}: choose with --{option}{several}")
    shown = ", ".join(f'"{name}"' for name in known)
    raise PipelineError(f"{path}: none of the columns {shown} looks like the {option}: choose with --{option}")


def _toml(name: str, task: TaskName, corpus: dict[str, object], kind: str, path: Path) -> str:
    about = ABOUT[task].format(file=path.name, label=corpus.get("label"), kind=kind)
    lines = [f"# {_on_one_line(about)}", DEFAULTS_NOTE, ""]
    lines += [f"name = {toml_value(name)}", f'task = "{task}"', "", "[corpus]"]
    lines += [f"{key} = {toml_value(value)}" for key, value in corpus.items()]
    suffix = "".join(path.suffixes)
    lines += [f"# dev = {toml_value(f'dev{suffix}')}            # files of their own, in place of 10 % of train each"]
    lines += [f"# test = {toml_value(f'test{suffix}')}"]
    if task == "tag":
        unit = "word" if kind == "pos" else "char"
        lines += ["", "[segment]", f'unit = "{unit}"', "", "[tag]", f'kind = "{kind}"']
    return "\n".join(lines) + "\n" + OFTEN_CHANGED


def _on_one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
