"""Load: a TOML file or a mapping becomes checked settings, and settings become TOML again."""

from __future__ import annotations

import glob
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w
from pydantic import ValidationError

from pipeline.config import corpus_defaults, corpus_size
from pipeline.config.corpus import CorpusSettings
from pipeline.config.corpus_defaults import Chosen
from pipeline.config.messages import Source, explain
from pipeline.config.section import Section
from pipeline.config.segment import is_path
from pipeline.config.settings import Settings
from pipeline.config.task_defaults import with_encoder_inputs
from pipeline.errors import SettingsError

# Keys that hold paths, by section.
PATHS = (
    ("corpus", "train"),
    ("corpus", "dev"),
    ("corpus", "test"),
    ("corpus", "corrections"),
    ("segment", "dictionaries"),
    ("segment", "weighted_dictionaries"),
    ("segment", "main_dictionary"),
    ("segment", "stop_words"),
    ("embed", "extra"),
    ("embed", "pretrained"),
    ("embed", "pretrained_characters"),
    ("train", "from_model"),
    ("network.features", "bigrams_table"),
    ("network.features", "lexicon_table"),
)


class Loaded(NamedTuple):
    """Settings, and which of them the size of the corpus has set; None if it has set none."""

    settings: Settings
    chosen: Chosen | None


def load(path: str | Path, overrides: Sequence[str] = ()) -> Settings:
    """`load_explained` without the explanation."""
    return load_explained(path, overrides).settings


def load_explained(path: str | Path, overrides: Sequence[str] = ()) -> Loaded:
    """Settings from a TOML file, changed by `overrides` such as `train.epochs=3`.

    Keys that are left out have the defaults of `corpus_defaults`, if the corpus can be read, or else those of the
    sections. A relative path in the config starts at the working directory or, if there is no such file, at the
    config's folder; it is made absolute. Raises SettingsError naming the file, the line if it is known, the key, and
    what is allowed.
    """
    path = Path(path)
    return loads(_read(path), overrides, source=str(path), folder=path.parent)


def loads(text: str, overrides: Sequence[str] = (), *, source: str = "settings", folder: Path = Path()) -> Loaded:
    """`load_explained` of the TOML itself, which messages call `source`; `folder`: where its relative paths start."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{source}: not valid TOML: {error}") from None
    for override in overrides:
        _apply(values, override)
    overridden = [override.partition("=")[0].strip() for override in overrides]
    return _validate(values, Source(source, text, overridden), folder)


def from_mapping(values: Mapping[str, Any], *, source: str = "settings", text: str = "") -> Settings:
    """Settings from a nested mapping; relative paths start at the working directory.

    Defaults are those of `load_explained`. Raises SettingsError, which calls the mapping `source` and names the line of
    a key in `text`, its TOML.
    """
    return _validate(_copy(values), Source(source, text), Path()).settings


def corpus_settings(values: Mapping[str, Any], overrides: Sequence[str]) -> CorpusSettings:
    """Corpus settings of these values, changed by overrides such as `corpus.tagged.offsets=utf-16`.

    Raises SettingsError for an override of another section, of a key in `values`, or with a wrong value.
    """
    changed: dict[str, Any] = {}
    names = [override.partition("=")[0].strip() for override in overrides]
    for name, override in zip(names, overrides, strict=True):
        key = name.removeprefix("corpus.")
        if key == name:
            raise SettingsError(f"--set {override}: without a config, only settings of corpus can be set")
        if key in ("corrections", "correct_test"):
            raise SettingsError(
                f"--set {override}: only a config has corrections, which zhpipe run applies: leave it out"
            )
        if key in (*values, "train", "dev", "test", "dev_share", "test_share", "split_seed"):
            raise SettingsError(f"--set {override}: there is an argument or option for {key}: use that")
        _apply(changed, override)
    try:
        read = _Reading.model_validate({"corpus": {**changed.get("corpus", {}), **values, "train": "-"}})
    except ValidationError as error:
        raise SettingsError(explain(error, Source("options", "", names))) from None
    return read.corpus


class _Reading(Section):
    """A config that says only how a corpus is read."""

    corpus: CorpusSettings


def override(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """The settings with some changed, by dotted key, and without the ranges of a search. Raises SettingsError."""
    changed = tomllib.loads(dumps(settings))
    changed.pop("tune", None)
    for key, value in values.items():
        *sections, last = key.split(".")
        table = changed
        for section in sections:
            table = table.setdefault(section, {})
        table[last] = value
    return from_mapping(changed)


def dumps(settings: Settings) -> str:
    """The settings as TOML, with every default written out."""
    return tomli_w.dumps(_without_none(settings.model_dump(mode="json")))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such config") from None
    except IsADirectoryError:
        raise SettingsError(f"{path}: a folder, expected a TOML file") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: byte {error.start} is not UTF-8: save the config as UTF-8") from None


def _apply(values: dict[str, Any], override: str) -> None:
    """Sets the key of `KEY=VALUE` in nested tables. Raises SettingsError if it has another form."""
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise SettingsError(f'--set {override}: expected KEY=VALUE, such as train.epochs=3 or corpus.train="a.csv"')
    *sections, last = key.strip().split(".")
    table: Any = values
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise SettingsError(f"--set {override}: {section} is a value, not a section")
    table[last] = _value(text.strip())


def _value(text: str) -> Any:
    """A TOML value, or the text itself if it is not TOML, so that `corpus.train=a.csv` needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _validate(values: dict[str, Any], source: Source, folder: Path) -> Loaded:
    """The settings of nested tables, whose paths are made absolute in place."""
    for section, key in PATHS:
        table: Any = values
        for name in section.split("."):
            table = table.get(name) if isinstance(table, dict) else None
        _resolve(table, key, folder)
    for section, key in (("segment", "engine"), ("network", "encoder")):
        table = values.get(section)
        if isinstance(table, dict) and is_path(str(table.get(key, ""))):
            _resolve(table, key, folder)
    complete = with_encoder_inputs(values)
    try:
        return _with_corpus_defaults(complete, Settings.model_validate(complete))
    except ValidationError as error:
        raise SettingsError(explain(error, source)) from None


def _with_corpus_defaults(values: Mapping[str, Any], settings: Settings) -> Loaded:
    """The settings of valid nested tables, with the defaults that the corpus' size sets."""
    about = settings.task, settings.segment.unit
    _, missing = corpus_defaults.apply(values, corpus_defaults.defaults_for(*about, rows=1, mean_length=1.0))
    size = corpus_size.measure(settings.corpus, settings.task) if missing else None
    if size is None:
        return Loaded(settings, None)
    defaults = corpus_defaults.defaults_for(*about, rows=size.rows, mean_length=size.mean_length)
    changed, chosen = corpus_defaults.apply(values, defaults)
    return Loaded(Settings.model_validate(changed), Chosen(size, chosen))


def _copy(values: Any) -> Any:
    """A nested mapping as new dicts."""
    return {key: _copy(value) for key, value in values.items()} if isinstance(values, Mapping) else values


def _resolve(section: Any, key: str, folder: Path) -> None:
    """Makes the path or the paths of a key absolute, if there are any."""
    if not isinstance(section, dict) or key not in section:
        return
    value = section[key]
    if isinstance(value, str) and value:
        section[key] = _absolute(value, folder)
    elif isinstance(value, list | tuple):
        section[key] = [_absolute(item, folder) if isinstance(item, str) else item for item in value]


def _absolute(path: str, folder: Path) -> str:
    here = Path(path).expanduser()
    found = here if _is_there(here) or not _is_there(folder / here) else folder / here
    return str(found.resolve())


def _is_there(path: Path) -> bool:
    """Whether there is a file or folder of this name, or one that matches it."""
    return path.exists() or any(glob.iglob(str(path), recursive=True))  # noqa: PTH207 (absolute ones too)


def _without_none(values: Any) -> Any:
    if isinstance(values, dict):
        return {key: _without_none(value) for key, value in values.items() if value is not None}
    return values
