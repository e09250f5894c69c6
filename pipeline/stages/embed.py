"""Embed: the vocabulary of each unit that the network reads, and its vectors, trained here or read from a file."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
from pipeline.stages import segment
from pipeline.stages.manifest import Inputs
from pipeline.stages.stage import Stage
from pipeline.workplace import BEGUN, begin, is_begun

VERSION = 2


@dataclass(frozen=True)
class Sentences:
    """Token lists that can be gone through again and again: those of train, then those of a segmented file, if any."""

    train: Sequence[Sequence[str]]
    extra: Path | None

    def __iter__(self) -> Iterator[Sequence[str]]:
        yield from self.train
        if self.extra is not None:
            yield from segmented.read(self.extra)


def perform(settings: Settings, run: Path, made: Mapping[str, Path], progress: Progress) -> str:
    """Writes of each unit UNIT/vocabulary.txt and, if any, its vectors (vectors.npy, words.txt); and coverage.json."""
    folder = made["embed"]
    segmenter = segment.read_segmenter(run)
    rows = segment.read_part(run, "train", segmenter)
    features = settings.network.features
    reads_extra = settings.embed.method == "word2vec" or "bigrams" in set(features.trained) - set(features.tables)
    extra = _segment_extra(settings, segmenter, folder, progress) if reads_extra else None
    coverage = {}
    for unit in units(settings):
        texts = [row.tokenised.tokens_of(unit, segmenter.unit) for row in rows]
        path = _in_units(extra, unit, segmenter.unit, folder) if extra else None
        vectors = _vectors(settings, unit, Sentences(texts, path), progress)
        _save(folder / unit, settings.embed, texts, vectors)
        coverage[unit] = _coverage(texts, vectors)
    texts = [row.tokenised.tokens for row in rows]
    for name in features.trained:
        cut = _bigrams(texts, extra, folder) if name == "bigrams" else _words(settings, texts, folder, progress)
        vectors = _feature_vectors(settings, name, cut, progress)
        _save(folder / name, _feature_embed(settings, name), cut.train, vectors)
        coverage[name] = _coverage(cut.train, vectors)
    for path in folder.glob("extra*.txt"):
        path.unlink()
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
    """Trains vectors on raw text alone, plain or gzip, a sentence a line, and saves them in the folder `target`.

    `pairs`: of each token with the one behind it, in place of tokens (bigrams, where `cut` is into characters). The
    folder appears when it is whole, and can be used as `embed.pretrained` or as a feature's table. Raises PipelineError
    where it exists, or `TARGET.partial` is not ours, CorpusError for a bad file, EmbeddingError where no word is
    frequent enough.
    """
    target = Path(target)
    if target.exists():
        raise PipelineError(f"{target}: exists already: name another folder for the vectors")
    partial, begun = target.with_name(target.name + ".partial"), {"vectors": target.name}
    if is_begun(partial, BEGUN, lambda found: bool(found == begun)):
        shutil.rmtree(partial)
    partial.mkdir(parents=True, exist_ok=True)
    begin(partial, begun)
    try:
        path = _segment_lines(sources, encoding, segment.make_segmenter(cut), cut.workers, partial, progress)
        sentences = _bigrams((), path, partial) if pairs else Sentences((), path)
        with progress("embed", total=None, unit="sentences") as advance:
            vectors = word2vec.train(sentences, _options(settings, seed), advance=advance)
        for path in partial.glob("extra*.txt"):
            path.unlink()
        vectors.save(partial)
        partial.rename(target)
        (target / BEGUN).unlink()
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return vectors


def units(settings: Settings) -> list[str]:
    """The units that need a vocabulary: those that the recurrent part reads, then those that are only weighed."""
    return list(dict.fromkeys([*settings.network.units_read, *settings.grams]))


def read_vocabulary(run: Path, unit: str) -> Vocabulary:
    """The vocabulary of a unit."""
    return Vocabulary.load(run / "embed" / unit / "vocabulary.txt")


def read_vectors(run: Path, unit: str) -> Vectors | None:
    """The vectors of a unit, or None where the stage made none."""
    folder = run / "embed" / unit
    return Vectors.load(folder) if (folder / "vectors.npy").exists() else None


def _vectors(settings: Settings, unit: str, sentences: Sentences, progress: Progress) -> Vectors | None:
    embed = settings.embed
    if embed.method == "none" or unit not in settings.network.units_read:
        return None
    if embed.method == "pretrained":
        return _pretrained(embed, unit, sentences.train)
    with progress(f"embed {unit}", total=None, unit="sentences") as advance:
        return word2vec.train(sentences, _options(embed, settings.seed), advance=advance)


def _bigrams(texts: Sequence[Sequence[str]], extra: Path | None, folder: Path) -> Sentences:
    """Each character with the one behind it, of train and of the extra text in characters."""
    path = folder / "extra.bigrams.txt" if extra else None
    if extra and path:
        segmented.write(path, map(bigrams, segmented.read(extra)))
    return Sentences([bigrams(text) for text in texts], path)


def _words(settings: Settings, texts: Sequence[Sequence[str]], folder: Path, progress: Progress) -> Sentences:
    """Train and, unless the lexicon has a table, the extra text, cut by jieba."""
    segmenter = Segmenter()
    sources = () if "lexicon" in settings.network.features.tables else settings.embed.extra
    workers = settings.segment.workers
    path = (
        _segment_lines(sources, "utf-8", segmenter, workers, folder, progress, "extra.words.txt") if sources else None
    )
    return Sentences([segmenter.tokens("".join(text)) for text in texts], path)


def _feature_vectors(settings: Settings, name: str, cut: Sentences, progress: Progress) -> Vectors:
    """Vectors of bigrams or of a lexicon's words, without those that are too long to be looked for."""
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
    """How a feature's vectors come about. The words of a lexicon are those with vectors, whatever train has."""
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
    """What `embed.keep` keeps of a table: the tokens of train, or the first `embed.max_words` of them all.

    For messages, `of`: what has vectors there; `key` and `width_key`: the settings of the table and of its width.
    Raises PipelineError where nothing is left, EmbeddingError for a bad table.
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
    """The vocabulary is the vectors' words where they were trained here, else train's, and all others where kept."""
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


def _segment_extra(settings: Settings, segmenter: Segmenter, folder: Path, progress: Progress) -> Path | None:
    """All extra text, cut once into a file that every epoch of every unit streams."""
    if not settings.embed.extra:
        return None
    return _segment_lines(settings.embed.extra, "utf-8", segmenter, settings.segment.workers, folder, progress)


def _segment_lines(
    sources: Sequence[str | Path],
    encoding: str,
    segmenter: Segmenter,
    workers: int,
    folder: Path,
    progress: Progress,
    name: str = "extra.txt",
) -> Path:
    """The lines of text files as a segmented file in the folder."""
    path = folder / name
    lines = (document.text for name in sources for document in LineDocuments(Path(name), encoding))
    with progress("segment raw text", total=None, unit="lines") as advance:
        cut = split_texts(segmenter, lines, workers=segment.process_count(workers, segment.SMALL))
        segmented.write(path, (segmenter.content(tokens) for tokens in cut), advance=advance)
    return path


def _in_units(path: Path, unit: str, segmenter_unit: str, folder: Path) -> Path:
    """The segmented extra text in another unit."""
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
