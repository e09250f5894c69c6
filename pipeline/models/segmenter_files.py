"""The segmenter of a model folder: its settings in model.toml, dictionaries and stop words in files, its own engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from pipeline.errors import DictionaryError, ModelError, SettingsError
from pipeline.segmentation.dictionary import UserDictionary, write_lines
from pipeline.segmentation.main_dictionary import MainDictionary
from pipeline.segmentation.model_engine import FOLDER, ModelEngine
from pipeline.segmentation.segmenter import Engine, Segmenter, read_stop_words

WEIGHTED, MAIN = "weighted.txt", "main_dictionary.txt"  # only if the segmenter has such words
SETTINGS = ("unit", "engine", "mode", "hmm", "keep_whitespace", "keep_whole")


def save(folder: Path, segmenter: Segmenter) -> dict[str, Any]:
    """Writes the files; returns what model.toml says."""
    if isinstance(segmenter.trained, ModelEngine):
        segmenter.trained.copy(folder / FOLDER)
    if segmenter.main:
        segmenter.main.save(folder / MAIN)
    segmenter.dictionary.save(folder / "dictionary.txt", folder / WEIGHTED)
    write_lines(folder / "stop_words.txt", sorted(segmenter.stop_words))
    about = {name: getattr(segmenter, name) for name in SETTINGS}
    return {**about, "main": segmenter.main.name} if segmenter.main else about


def load(folder: Path, segment: Mapping[str, Any], open_engine: Callable[[Path], ModelEngine]) -> Segmenter:
    """The segmenter that `save` wrote; a model that does not say whether it keeps things whole keeps none.

    `segment`: what model.toml says; `open_engine`: opens the folder of a trained segmenter. Raises ModelError.
    """
    if segment["engine"] not in get_args(Engine):
        segment = {**segment, "engine": _own_engine(folder / FOLDER, segment["engine"], open_engine)}
    try:
        weighted = folder / WEIGHTED
        dictionary = UserDictionary.load(folder / "dictionary.txt", weighted if weighted.is_file() else ())
        main = _load_main(folder / MAIN, segment.get("main", ""))
        stop_words = read_stop_words(folder / "stop_words.txt")
        settings = {"keep_whole": False, **segment, "main": main}
        return Segmenter(**settings, dictionary=dictionary, stop_words=stop_words)
    except (DictionaryError, SettingsError) as error:
        raise ModelError(f"{folder}: {str(error).splitlines()[0]}") from None


def _load_main(path: Path, name: str) -> MainDictionary | None:
    if not name:
        return None
    main = MainDictionary.load(path)
    if main.name != name:
        raise ModelError(f"{path}: is another dictionary than the one that model.toml names: copy the folder again")
    return main


def _own_engine(folder: Path, name: str, open_engine: Callable[[Path], ModelEngine]) -> ModelEngine:
    if folder.is_symlink():
        raise ModelError(f"{folder}: is a link, and may lead anywhere: copy the folder itself")
    engine = open_engine(folder)
    if engine.name != name:
        raise ModelError(f"{folder}: is another model than the one that model.toml names: copy the model folder again")
    return engine
