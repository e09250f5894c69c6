"""The tag card: the content of a tagged corpus, counted in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise

from corpora import tags
from corpora.card import quantiles, section
from corpora.document import Sentence
from corpora.errors import CorpusError, shown
from corpora.findings import said
from corpora.formats import TaggedCorpus
from corpora.notation import CanonicalTags

SHOWN = 10  # illegal tags that the card lists
MISREAD = 0.02  # share of tokens that look like sentences from which the file is taken to be misread
START, END = "the start", "the end"


@dataclass(frozen=True, slots=True)
class IllegalTag:
    """Neighbouring tags that the scheme forbids, and where: `line 12` or `sentence 3`."""

    place: str
    previous: str
    tag: str

    @property
    def sentence(self) -> str:
        """What is wrong, in words."""
        return f'{self.place}: "{shown(self.tag)}" after "{shown(self.previous)}"'


@dataclass(frozen=True, slots=True)
class TagCard:
    """The content of a tagged corpus, in numbers.

    Args:
        format: One of `corpora.formats.TAGGED`.
        kind: "entities", "words", "joint" or "pos".
        scheme: Of the tags, one of `corpora.tags.SCHEMES`; "" for tags of whole words.
        sentences, tokens: Their numbers.
        repeated: Sentences that occurred before.
        types: Entities by type, or tokens by tag, the most frequent first.
        lengths: Tokens of a sentence at the quantiles of `corpora.card.QUANTILES`.
        illegal: How many neighbours break the scheme.
        illegal_examples: The first `SHOWN` of these.
        findings: What the reader changed or doubts, by kind: see `corpora.findings`.
    """

    format: str
    kind: str
    scheme: str
    sentences: int
    tokens: int
    repeated: int
    types: dict[str, int]
    lengths: dict[str, int]
    illegal: int
    illegal_examples: tuple[IllegalTag, ...]
    findings: dict[str, int]

    def as_dict(self) -> dict[str, object]:
        """The same as plain values for JSON."""
        return {**asdict(self), "illegal_examples": [asdict(one) for one in self.illegal_examples]}

    def text(self) -> str:
        """The card as aligned lines."""
        named = f"{self.format}, tags of {self.kind}" + (f" in {self.scheme}" if self.scheme else "")
        counts = {
            "sentences": self.sentences,
            "tokens": self.tokens,
            "repeated sentences": self.repeated,
            "illegal tags": self.illegal,
        }
        tables = {
            "": [(name, f"{count:,}") for name, count in counts.items()],
            "entities by type" if self.kind == "entities" else "tokens by tag": [
                (name, f"{count:,}") for name, count in self.types.items()
            ],
            "length in tokens": [(name, f"{length:,}") for name, length in self.lengths.items()],
        }
        parts = [named, *(section(title, rows) for title, rows in tables.items() if rows)]
        if self.illegal:
            more = [f"  … and {self.illegal - SHOWN:,} more"] if self.illegal > SHOWN else []
            parts.append("\n".join(["illegal tags", *(f"  {one.sentence}" for one in self.illegal_examples), *more]))
        if doubts := said(self.findings):
            parts.append("\n".join(["to look at", *(f"  {sentence}" for sentence in doubts)]))
        return "\n\n".join(parts) + "\n"


def tag_card(corpus: TaggedCorpus, kind: str) -> TagCard:
    """Reads a tagged corpus and counts its content; `kind`: of its tags, as `corpora.sniffing` tells it.

    Raises CorpusError if it cannot be read, or if its tokens look like sentences, so that it was misread.
    """
    findings: Counter[str] = Counter()
    scheme = "" if kind == "pos" or corpus.format in ("segmented", "slashed", "conllu") else _scheme(corpus)
    tally = _Tally(scheme, kind)
    for places, sentence in zip(_places(corpus), corpus.counted(findings), strict=True):
        tally.add(places, sentence)
    if findings["long_tokens"] > MISREAD * tally.tokens:
        raise CorpusError(f"{corpus.path}: read as {corpus.format}: {'; '.join(said(findings))}")
    return TagCard(
        format=corpus.format,
        kind=kind,
        scheme=scheme,
        sentences=sum(tally.lengths.values()),
        tokens=tally.tokens,
        repeated=tally.repeated,
        types=dict(tally.types.most_common()),
        lengths=quantiles(tally.lengths),
        illegal=tally.illegal,
        illegal_examples=tuple(tally.examples),
        findings={name: count for name, count in findings.items() if count},
    )


class _Tally:
    """The counts while sentences are read."""

    def __init__(self, scheme: str, kind: str) -> None:
        self.scheme = scheme
        self.kind = kind
        self.types: Counter[str] = Counter()
        self.lengths: Counter[int] = Counter()
        self.seen: set[int] = set()
        self.tokens = self.repeated = self.illegal = 0
        self.examples: list[IllegalTag] = []

    def add(self, places: list[str], sentence: Sentence) -> None:
        self.tokens += len(sentence.tokens)
        self.lengths[len(sentence.tokens)] += 1
        key = hash(sentence.tokens)
        self.repeated += key in self.seen
        self.seen.add(key)
        if sentence.tags is None:
            return
        if self.kind == "entities":
            self.types.update(span.label for span in tags.spans(sentence.tags, self.scheme).spans)
        else:
            self.types.update(sentence.tags)
        if self.scheme:
            self._judge(places, sentence.tags)

    def _judge(self, places: list[str], found: tuple[str, ...]) -> None:
        """Counts neighbours that the scheme forbids."""
        known = list(dict.fromkeys(found))
        may, ids = tags.allowed(known, self.scheme), {tag: place for place, tag in enumerate(known)}
        faults = [] if may.start[ids[found[0]]] else [(places[0], START, found[0])]
        faults += [
            (places[place], one, other)
            for place, (one, other) in enumerate(pairwise(found), start=1)
            if not may.between[ids[one]][ids[other]]
        ]
        faults += [] if may.end[ids[found[-1]]] else [(places[-1], found[-1], END)]
        self.illegal += len(faults)
        self.examples += [IllegalTag(*fault) for fault in faults[: SHOWN - len(self.examples)]]


def _scheme(corpus: Iterable[Sentence]) -> str:
    return tags.scheme_of({tag for sentence in corpus for tag in sentence.tags or ()})


def _places(corpus: TaggedCorpus) -> Iterator[list[str]]:
    """Where each token of each sentence stands."""
    if isinstance(corpus.source, CanonicalTags):
        for lines, _ in corpus.source.numbered():
            yield [f"{corpus.source.place} {line}" for line in lines]
    else:
        for number, sentence in enumerate(corpus, start=1):
            yield [f"sentence {number}"] * len(sentence.tokens)
