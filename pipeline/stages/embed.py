"""The stage embed: the vocabulary of each unit that the network reads, and its vectors, trained or read from a file."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora import segmented
from corpora.lines import LineDocuments
from embeddings import pretrained, word2vec
from embeddings.vectors import Vectors
from embeddings.vocabulary import Vocabulary
from pipeline.config.embed import EmbedSettings
from pipeline.config.segment import SegmentSettings
from pipeline.config.settings import Settings
from pipeline.encoding.encoder import Tokenised
from pipeline.encoding.features import bigrams
from pipeline.encoding.lexicon import LONGEST
from pipeline.errors import PipelineError
from pipeline.parallel import split_texts
from pipeline.progress import Progress, silent
from pipeline.segmentation.segmenter import Segmenter
from pipeline.stages import run_segmenter, segment
from pipeline.stages.manifest import Inputs
from pipeline.stages.stage import Stage
from pipeline.workplace import BEGUN, begin, is_begun

VERSION = 2


@dataclass(frozen=True)
class Sentences:
    """Token lists that can be iterated again and again: those of train, then those of a segmented file, if any."""

    train: Sequence[Sequence[str]]
    extra: Path | None

    def __iter__(self) -> Iterator[Sequence[str]]:
        yield from self.train
        if self.extra is not None:
            yield from segmented.read(self.extra)


def perform(settings: Settings, run: Path, made: Mapping[str, Path], progress: Progress) -> str:
    """Writes for each unit and feature NAME/vocabulary.txt and its vectors (vectors.npy, words.txt), if it has any.

    Also writes coverage.json.
    """
    folder = made["embed"]
    texts = [row.tokenised for row in segment.read_part(run, "train")]
    extra = _segment_extra(settings, run, folder, progress)
    coverage = {}
    for unit in units(settings):
        sentences = _in_unit(settings, texts, unit, extra, folder)
        vectors = _vectors(settings, unit, sentences, progress)
        _save(folder / unit, settings.embed, sentences.train, vectors)
        coverage[unit] = _coverage(sentences.train, vectors)
    for name in settings.network.features.trained:
        sentences = _of_feature(settings, name, [text.tokens for text in texts], extra, folder, progress)
        vectors = _feature_vectors(settings, name, sentences, progress)
        _save(folder / name, _feature_embed(settings, name), sentences.train, vectors)
        coverage[name] = _coverage(sentences.train, vectors)
    _remove_extra(folder)
    (folder / "coverage.json").write_text(json.dumps(coverage, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return _summary(settings.embed, coverage)


def embed_files(
    sources: Sequence[str | Path],
    target: str | Path,
    settings: EmbedSettings,
    cut: SegmentSettings,
    *,
    pairs: bool = False,
    seed: int = 1,
    encoding: str = "utf-8",
    progress: Progress = silent,
) -> Vectors:
    """Trains vectors on raw text, plain or gzip, a sentence per line, and saves them in the folder `target`.

    `pairs`: vectors of each token joined with the next one (bigrams, if `cut` is into characters), not of tokens. The
    folder appears when it is complete, and can serve as `embed.pretrained` or as the table of a feature. Raises
    PipelineError if it exists, CorpusError for a bad file, EmbeddingError if no word is frequent enough.
    """
    with _new_folder(Path(target)) as folder:
        path = _segment_lines(sources, encoding, run_segmenter.make_segmenter(cut), cut.workers, folder, progress)
        sentences = _bigrams((), path, folder) if pairs else Sentences((), path)
        with progress("embed", total=None, unit="sentences") as advance:
            vectors = word2vec.train(sentences, _options(settings, seed), advance=advance)
        _remove_extra(folder)
        vectors.save(folder)
    return vectors


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `target` when the block ends, and is removed if it fails."""
    if target.exists():
        raise PipelineError(f"{target}: exists already: name another folder for the vectors")
    partial, begun = target.with_name(target.name + ".partial"), {"vectors": target.name}
    if is_begun(partial, BEGUN, lambda found: bool(found == begun)):
        shutil.rmtree(partial)
    partial.mkdir(parents=True, exist_ok=True)
    begin(partial, begun)
    try:
        yield partial
        partial.rename(target)
        (target / BEGUN).unlink()
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def units(settings: Settings) -> list[str]:
    """The units that need a vocabulary: those of the recurrent part, then those that only the linear part reads."""
    return list(dict.fromkeys([*settings.network.units_read, *settings.grams]))


def read_vocabulary(run: Path, unit: str) -> Vocabulary:
    """The vocabulary of a unit or feature."""
    return Vocabulary.load(run / "embed" / unit / "vocabulary.txt")


def read_vectors(run: Path, unit: str) -> Vectors | None:
    """The vectors of a unit or feature, or None if the stage made none."""
    folder = run / "embed" / unit
    return Vectors.load(folder) if (folder / "vectors.npy").exists() else None


def _vectors(settings: Settings, unit: str, sentences: Sentences, progress: Progress) -> Vectors | None:
    """The vectors of a unit, or None if the network has none for it."""
    embed = settings.embed
    if embed.method == "none" or unit not in settings.network.units_read:
        return None
    if embed.method == "pretrained":
        return _pretrained(embed, unit, sentences.train)
    with progress(f"embed {unit}", total=None, unit="sentences") as advance:
        return word2vec.train(sentences, _options(embed, settings.seed), advance=advance)


def _of_feature(
    settings: Settings,
    name: str,
    texts: Sequence[Sequence[str]],
    extra: Path | None,
    folder: Path,
    progress: Progress,
) -> Sentences:
    """The bigrams of train and of the extra text, or their words for a lexicon; `texts` are characters."""
    return _bigrams(texts, extra, folder) if name == "bigrams" else _words(settings, texts, folder, progress)


def _bigrams(texts: Sequence[Sequence[str]], extra: Path | None, folder: Path) -> Sentences:
    """Each character joined with the next one, in train and in the segmented extra text."""
    path = folder / "extra.bigrams.txt" if extra else None
    if extra and path:
        segmented.write(path, map(bigrams, segmented.read(extra)))
    return Sentences([bigrams(text) for text in texts], path)


def _words(settings: Settings, texts: Sequence[Sequence[str]], folder: Path, progress: Progress) -> Sentences:
    """Train, and the extra text unless the lexicon has a table, cut by jieba."""
    segmenter = Segmenter(keep_whole=False)
    sources = () if "lexicon" in settings.network.features.tables else settings.embed.extra
    workers = settings.segment.workers
    path = (
        _segment_lines(sources, "utf-8", segmenter, workers, folder, progress, "extra.words.txt") if sources else None
    )
    return Sentences([segmenter.tokens("".join(text)) for text in texts], path)


def _feature_vectors(settings: Settings, name: str, cut: Sentences, progress: Progress) -> Vectors:
    """The vectors of bigrams or of a lexicon's words, without words that are too long to be looked for."""
    embed, table = _feature_embed(settings, name), settings.network.features.tables.get(name)
    if table:
        key = f"network.features.{name}"
        of = "bigrams" if name == "bigrams" else "words"
        vectors = _read_table(table, embed, cut.train, of=of, key=f"{key}_table", width_key=key)
    else:
        with progress(f"embed {name}", total=None, unit="sentences") as advance:
            vectors = word2vec.train(cut, _options(embed, settings.seed), advance=advance)
    return vectors.restrict({word for word in vectors.words if len(word) <= LONGEST})


def _feature_embed(settings: Settings, name: str) -> EmbedSettings:
    """The settings for a feature's vectors. A lexicon has all words with a vector, even those that train lacks."""
    features = settings.network.features
    changed: dict[str, Any] = {
        "vector_size": features.widths[name],
        "min_count": features.min_count,
        "max_words": features.max_words,
    }
    if name == "lexicon":
        changed |= {"method": "word2vec", "keep": "all"}
    else:
        changed |= {"method": "pretrained" if name in features.tables else "word2vec"}
    return settings.embed.model_copy(update={**changed, "format": None})


def _pretrained(embed: EmbedSettings, unit: str, texts: Sequence[Sequence[str]]) -> Vectors:
    path = embed.pretrained_characters if unit == "char" else embed.pretrained
    key = "embed.pretrained_characters" if unit == "char" else "embed.pretrained"
    if path is None:
        raise PipelineError(f'embed.method = "pretrained", and the network reads {unit}s: name their table in {key}')
    return _read_table(path, embed, texts, of=f"{unit}s", key=key, width_key="embed.vector_size")


def _read_table(
    path: str, embed: EmbedSettings, texts: Sequence[Sequence[str]], *, of: str, key: str, width_key: str
) -> Vectors:
    """The part of a table that `embed.keep` names: the tokens of train, or the first `embed.max_words` of all.

    For messages: `of`, what the table has vectors of; `key` and `width_key`, the settings of the table and its width.
    Raises PipelineError if nothing is left, EmbeddingError for a bad table.
    """
    words = None if embed.keep == "all" else {token for text in texts for token in text}
    limit = embed.max_words if words is None else None
    vectors = pretrained.read(
        path, format=embed.format, words=words, width=embed.vector_size, setting=width_key, limit=limit
    )
    if not len(vectors):
        raise PipelineError(f"{path}: has a vector for none of the {of} of train: check {key}")
    return vectors


def _options(embed: EmbedSettings, seed: int) -> word2vec.Word2VecOptions:
    names = (
        "algorithm",
        "loss",
        "vector_size",
        "window",
        "min_count",
        "epochs",
        "subsample",
        "negative",
        "learning_rate",
        "workers",
        "max_words",
    )
    return word2vec.Word2VecOptions(**{name: getattr(embed, name) for name in names}, seed=seed)


def _save(folder: Path, embed: EmbedSettings, texts: Sequence[Sequence[str]], vectors: Vectors | None) -> None:
    """Writes the vectors and the vocabulary.

    The vocabulary is the words of vectors trained here, else the words of train; with `keep = "all"`, also every word
    that has a vector.
    """
    folder.mkdir(exist_ok=True)
    if vectors is not None:
        vectors.save(folder)
    if vectors is not None and embed.method == "word2vec":
        vocabulary = Vocabulary(vectors.words)
    else:
        vocabulary = Vocabulary.build(texts, min_count=embed.min_count, max_size=embed.max_words)
    if vectors is not None and embed.keep == "all":
        vocabulary = Vocabulary(dict.fromkeys((*vocabulary.tokens, *vectors.words)))
    vocabulary.save(folder / "vocabulary.txt")


def _segment_extra(settings: Settings, run: Path, folder: Path, progress: Progress) -> Path | None:
    """A file with all extra text, segmented once for every epoch of every unit; None if nothing is trained on it."""
    embed, features = settings.embed, settings.network.features
    reads_extra = embed.method == "word2vec" or "bigrams" in set(features.trained) - set(features.tables)
    if not embed.extra or not reads_extra:
        return None
    return _segment_lines(
        embed.extra, "utf-8", run_segmenter.read_segmenter(run), settings.segment.workers, folder, progress
    )


def _segment_lines(
    sources: Sequence[str | Path],
    encoding: str,
    segmenter: Segmenter,
    workers: int,
    folder: Path,
    progress: Progress,
    name: str = "extra.txt",
) -> Path:
    """Writes the lines of text files, segmented, into one file of the folder."""
    path = folder / name
    lines = (document.text for name in sources for document in LineDocuments(Path(name), encoding))
    with progress("segment raw text", total=None, unit="lines") as advance:
        cut = split_texts(segmenter, lines, workers=segment.process_count(workers, segment.SMALL))
        segmented.write(path, (segmenter.content(tokens) for tokens in cut), advance=advance)
    return path


def _remove_extra(folder: Path) -> None:
    """Deletes the segmented extra text."""
    for path in folder.glob("extra*.txt"):
        path.unlink()


def _in_unit(settings: Settings, texts: Sequence[Tokenised], unit: str, extra: Path | None, folder: Path) -> Sentences:
    """The texts of train in a unit, and the extra text if vectors of this unit are trained."""
    tokens = [text.tokens_of(unit, settings.segment.unit) for text in texts]
    trains = settings.embed.method == "word2vec" and unit in settings.network.units_read
    return Sentences(tokens, _extra_in_unit(extra, unit, settings.segment.unit, folder) if extra and trains else None)


def _extra_in_unit(path: Path, unit: str, segmenter_unit: str, folder: Path) -> Path:
    """The segmented extra text in a unit; written anew if it is not the segmenter's."""
    if unit == segmenter_unit:
        return path
    target = folder / f"extra.{unit}.txt"
    texts = (Tokenised("".join(tokens), tokens) for tokens in segmented.read(path))
    segmented.write(target, (text.tokens_of(unit, segmenter_unit) for text in texts))
    return target


def _coverage(texts: Sequence[Sequence[str]], vectors: Vectors | None) -> dict[str, Any] | None:
    if vectors is None:
        return None
    found = vectors.coverage(Counter(token for text in texts for token in text))
    return {
        "words": len(vectors),
        "width": vectors.width,
        "types": round(found.types, 4),
        "tokens": round(found.tokens, 4),
        "missing": list(found.missing),
    }


def _summary(embed: EmbedSettings, coverage: Mapping[str, Any]) -> str:
    found = [
        f"{unit}: {value['words']} vectors of {value['width']}, covering {value['tokens']:.1%} of train's tokens"
        for unit, value in coverage.items()
        if value is not None
    ]
    if embed.method == "word2vec" and embed.workers > 1:
        found.append("trained by several threads, so not reproducible")
    return "; ".join(found) or "vocabulary alone, no vectors"


def _inputs(settings: Settings, run: Path) -> Inputs:
    embed = settings.embed
    features = settings.network.features
    tables = (embed.pretrained, embed.pretrained_characters, *features.tables.values())
    paths = [*embed.extra, *(path for path in tables if path)]
    files = [file for path in paths for file in _files(Path(path))]
    used = {
        "embed": embed.model_dump(exclude={"extra", "pretrained", "pretrained_characters"}),
        "units": units(settings),
        "read": list(settings.network.units_read),
        "features": {name: features.widths[name] for name in features.trained},
        "seed": settings.seed,
    }
    if features.trained:
        used |= {"min_count": features.min_count, "max_words": features.max_words}
    return Inputs(used, [run / "segment" / "train.csv", run / "segment" / "segmenter.json", *files], VERSION)


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


STAGE = Stage("embed", ("embed",), _inputs, perform)
