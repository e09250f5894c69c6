"""The stage texts: raw text is read once, held-out texts are set apart, and the characters are counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corpora import raw
from corpora.errors import CorpusError
from embeddings.vocabulary import Vocabulary
from pipeline.config.settings import Settings
from pipeline.encoding.stored_texts import TextWriter
from pipeline.errors import PipelineError
from pipeline.language.spelling import Spelling
from pipeline.models.files import SUMS
from pipeline.pretrained import encoder as pretrained
from pipeline.pretrained.encoder import PretrainedEncoder
from pipeline.progress import Advance, Progress
from pipeline.provenance import sha256
from pipeline.stages.advice import with_settings
from pipeline.stages.manifest import Inputs
from pipeline.stages.segment import split_seed
from pipeline.stages.stage import Stage
from pipeline.tasks import TASKS

VERSION = 1
PARTS = ("train", "dev", "test")
HELD_OUT = {"dev": "the best epoch is chosen", "test": "the perplexity is measured"}
VOCABULARY = "vocabulary.txt"


@dataclass
class Source:
    """A file: its name without folders, its checksum, and the texts and characters that were read from it."""

    name: str
    sha256: str
    texts: int = 0
    characters: int = 0


def perform(settings: Settings, run: Path, made: Mapping[str, Path], progress: Progress) -> str:
    """Writes the texts of train, dev and test, vocabulary.txt, spelling.json, and texts.json with what was read."""
    folder = made["texts"]
    reader = _Reader(settings, folder)
    with progress("read", total=None, unit="texts") as advance, reader.writing():
        reader.read(advance)
    reader.check()
    start = encoder_of(settings)
    vocabulary = _vocabulary(settings, reader.counts, start)
    vocabulary.save(folder / VOCABULARY)
    _write_json(folder / "spelling.json", _spelling(settings, reader.counts).as_dict())
    unknown = {character: count for character, count in reader.counts.items() if character not in vocabulary}
    about = {
        "sources": [asdict(source) for source in reader.sources],
        "texts": {part: reader.writers[part].texts for part in PARTS},
        "characters": {part: reader.writers[part].characters for part in PARTS},
        "left_out": dict(reader.dropped),
        "unknown": {"kinds": len(unknown), "characters": sum(unknown.values())},
    }
    _write_json(folder / "texts.json", about)
    return _summary(settings, about, len(vocabulary.tokens), start)


def encoder_of(settings: Settings) -> PretrainedEncoder | None:
    """The encoder that training goes on from, if there is one. Raises PipelineError if its sizes are others."""
    if settings.network.encoder == "none":
        return None
    found = pretrained.load(pretrained.folder_of(settings.network.encoder))
    found.check_sizes(settings.network.widths, settings.embed.vector_size)
    return found


def encoder_files(settings: Settings) -> list[Path]:
    """What changes if that encoder does."""
    named = settings.network.encoder
    return [] if named == "none" else [pretrained.folder_of(named) / SUMS]


def read_about(run: Path) -> dict[str, Any]:
    """The content of texts.json."""
    about: dict[str, Any] = json.loads((run / "texts" / "texts.json").read_text(encoding="utf-8"))
    return about


def read_spelling(run: Path) -> Spelling:
    """How characters that the vocabulary lacks are written."""
    return Spelling.from_dict("char", json.loads((run / "texts" / "spelling.json").read_text(encoding="utf-8")))


class _Reader:
    """Reads every file once, and writes each text into its part.

    `counts`: of the characters of train; `dropped`: blank texts, texts of train that dev or test has, and long texts
    that were read in pieces.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        corpus = settings.corpus
        self.settings = settings
        self.folder = folder
        self.shares = {
            part: share
            for part, share in (("dev", corpus.dev_share), ("test", corpus.test_share))
            if getattr(corpus, part) is None
        }
        self.seed = split_seed(settings)
        self.counts: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.sources: list[Source] = []
        self.writers: dict[str, TextWriter] = {}
        self._held_out: set[int] = set()

    def writing(self) -> ExitStack:
        """Opens the files of each part, which the result closes."""
        stack = ExitStack()
        self.writers = {part: stack.enter_context(TextWriter(self.folder, part)) for part in PARTS}
        return stack

    def read(self, advance: Advance) -> None:
        """Reads dev and test, if they have files, then train, whose texts are split if they have none."""
        for part in ("test", "dev"):
            for path in files(self.settings, part):
                for text in self._texts(path, advance):
                    self._held_out.add(raw.digest(text))
                    self._write(part, text)
        for path in files(self.settings, "train"):
            for text in self._texts(path, advance):
                if self._held_out and raw.digest(text) in self._held_out:
                    self.dropped["held_out"] += 1
                else:
                    self._write(raw.part_of(text, self.shares, self.seed), text)

    def check(self) -> None:
        """Raises PipelineError unless each part has a text."""
        for part, purpose in HELD_OUT.items():
            if not self.writers[part].texts:
                raise PipelineError(
                    f"no {part} texts, on which {purpose}: give more texts, name a file in corpus.{part}, or set "
                    f"corpus.{part}_share"
                )
        if not self.writers["train"].texts:
            raise PipelineError("no text is left to train on: dev and test have them all: give more texts")

    def _texts(self, path: Path, advance: Advance) -> Iterator[str]:
        """The texts of a file that are not blank. Raises PipelineError if it has none, or can't be read."""
        source = Source(path.name[-200:], sha256(path))
        task = TASKS[self.settings.task].from_settings(self.settings)
        try:
            for document in task.read(path, self.settings.corpus, Counter()):
                advance(1)
                if not document.text.strip():
                    self.dropped["blank"] += 1
                    continue
                source.texts, source.characters = source.texts + 1, source.characters + len(document.text)
                yield document.text
        except CorpusError as error:
            raise PipelineError(with_settings(str(error))) from None
        if not source.texts:
            raise PipelineError(f"{path}: has no text: expected one text a line: fill it, or leave it out")
        self.sources.append(source)

    def _write(self, part: str, text: str) -> None:
        """Writes a text into a part, a long one in pieces."""
        longest = self.settings.network.max_tokens
        if part == "train":
            self.counts.update(text)
        if len(text) > longest:
            self.dropped["cut"] += 1
        for start in range(0, len(text), longest):
            self.writers[part].write(text[start : start + longest])


def files(settings: Settings, part: str) -> list[Path]:
    """The files of a part, those of train with the extra texts. Raises PipelineError if a pattern matches nothing."""
    named = getattr(settings.corpus, part)
    sources = [named, *(settings.embed.extra if part == "train" else ())]
    try:
        return raw.files(source for source in sources if source)
    except CorpusError as error:
        raise PipelineError(str(error)) from None


def _vocabulary(settings: Settings, counts: Counter[str], start: PretrainedEncoder | None) -> Vocabulary:
    """The characters that are frequent enough, the most frequent first; after those of an earlier encoder, if any."""
    embed, known = settings.embed, start.vocabulary.tokens if start else ()
    frequent = (token for token, count in counts.most_common(embed.max_words) if count >= embed.min_count)
    tokens = dict.fromkeys((*known, *frequent))
    if not tokens:
        raise PipelineError(f"no character comes {embed.min_count} times: give more texts, or lower embed.min_count")
    return Vocabulary(tokens)


def _spelling(settings: Settings, counts: Counter[str]) -> Spelling:
    """From the rare characters of train, as a language model's."""
    rarest = max(2, settings.embed.min_count)
    rare = {character: count for character, count in counts.items() if count < rarest}
    return Spelling("char", rare, sum(rare.values()))


def _summary(settings: Settings, about: Mapping[str, Any], characters: int, start: PretrainedEncoder | None) -> str:
    left, unknown, longest = about["left_out"], about["unknown"], settings.network.max_tokens
    parts = ", ".join(f"{part} {about['texts'][part]:,}" for part in PARTS)
    share = unknown["characters"] / about["characters"]["train"]
    notes = [
        f"texts: {parts}; {about['characters']['train']:,} characters to train on, {characters:,} different",
        f"{unknown['kinds']:,} rare characters are unknown, {share:.2%} of train" if unknown["kinds"] else "",
        f"{left['blank']:,} blank lines left out" if left.get("blank") else "",
        f"{left['held_out']:,} texts left out that dev or test has" if left.get("held_out") else "",
        f"{left['cut']:,} long texts read in pieces of {longest:,} characters" if left.get("cut") else "",
        _said_of(start),
    ]
    return "; ".join(filter(None, notes))


def _said_of(start: PretrainedEncoder | None) -> str:
    if start is None:
        return ""
    return f"goes on from {start.card.name}, whose weights are {start.card.precision}"


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _inputs(settings: Settings, run: Path) -> Inputs:
    corpus, embed = settings.corpus, settings.embed
    used = {
        "corpus": corpus.model_dump(exclude={*PARTS, "corrections", "split_seed"}),
        "files": {part: len(files(settings, part)) for part in PARTS},
        "embed": embed.model_dump(include={"min_count", "max_words"}),
        "longest": settings.network.max_tokens,
        "seed": split_seed(settings),
    }
    named = [path for part in PARTS for path in files(settings, part)]
    return Inputs(used, [*named, *encoder_files(settings)], VERSION)


STAGE = Stage("texts", ("texts",), _inputs, perform)
