"""Documents, sentences and spans, checked when they are made."""

from dataclasses import dataclass

from corpora.errors import CorpusError


@dataclass(frozen=True, slots=True)
class Document:
    """A text, its label if it has one, and the row it came from.

    Args:
        text: The text as in the source; may be empty.
        label: A non-empty class name, or None where there is no label.
        row: 1-based number of the data row, without the header; 0 for a text that came from no file.
        sentence: The source's own tokens of the text, in order, and their tags; or None.
        labels: The names of a text that may have several, in order, perhaps none; or None. `label` is None then.

    Raises:
        CorpusError: A label is empty or the row negative.

    >>> Document("房间很干净", "好评", 1).label
    '好评'
    """

    text: str
    label: str | None = None
    row: int = 0
    sentence: "Sentence | None" = None
    labels: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.label == "" or "" in (self.labels or ()):
            raise CorpusError(f"row {self.row}: an empty label: use None for a text without one")
        if self.row < 0:
            raise CorpusError(f"row {self.row}: rows count from 1, and 0 stands for no row")

    @property
    def label_set(self) -> tuple[str, ...] | None:
        """All labels of the text; None where there are none known.

        >>> Document("又慢又贵", labels=("价格", "物流")).label_set, Document("很好", "好评").label_set
        (('价格', '物流'), ('好评',))
        """
        return self.labels if self.label is None else (self.label,)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Tokens and, where known, one tag for each.

    Args:
        tokens: Non-empty words or characters.
        tags: As many tags as tokens, or None.

    Raises:
        CorpusError: A token is empty, or there are fewer or more tags than tokens.

    >>> Sentence(("小明", "来", "了"), ("B-PER", "O", "O")).tags
    ('B-PER', 'O', 'O')
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not all(self.tokens):
            raise CorpusError(f"token {self.tokens.index('') + 1} of {len(self.tokens)} is empty")
        if self.tags is not None and len(self.tags) != len(self.tokens):
            raise CorpusError(f"one tag per token is expected: {len(self.tokens)} tokens, {len(self.tags)} tags")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A labelled range, half-open: `start` belongs to it, `end` does not.

    Args:
        start: First position inside, in characters or tokens, depending on the source of the span.
        end: First position after it, in the same unit.
        label: A non-empty name.

    Raises:
        CorpusError: The span is empty, begins before 0, or has no label.

    >>> "小明来了"[slice(0, 2)], Span(0, 2, "PER").length
    ('小明', 2)
    """

    start: int
    end: int
    label: str

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise CorpusError(f"span {self.start}:{self.end}: 0 <= start < end is expected")
        if not self.label:
            raise CorpusError(f"span {self.start}:{self.end}: a label is expected, an empty one came")

    @property
    def length(self) -> int:
        """Number of characters or tokens inside."""
        return self.end - self.start
