"""Train, dev and test: a deterministic split by content, and an audit of any split."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import combinations

from corpora.document import Document
from corpora.errors import CorpusError
from corpora.likeness import likeness, near_duplicates

PARTS = ("train", "dev", "test")
EXAMPLES = 5
FEW = 2  # near-duplicates that are kept together however small a part is


@dataclass(frozen=True, slots=True)
class Splits:
    """Three lists of documents; `split` keeps the order of the source."""

    train: list[Document]
    dev: list[Document]
    test: list[Document]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Texts that two parts share: distinct texts, and rows of the second part that have one of them."""

    texts: int
    rows: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """A text with several labels, in order of name; where rows have several, those of a row are joined by |."""

    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """What is doubtful about a split; texts are equal if every character is.

    Args:
        rows: Rows of each part by its name.
        train_duplicates: Rows of train whose text occurs in an earlier row of train.
        overlaps: What the parts share, by "train-dev", "train-test" and "dev-test".
        conflicts: Distinct texts, over all parts, with two or more labels.
        conflict_examples: The first few of these.
        leaked_dev: 0-based positions in dev of rows whose text is in train.
        leaked_test: 0-based positions in test of rows whose text is in train or dev.
        near_duplicates: Rows of dev, and of test, whose text train (or dev) has but for digits, punctuation, white
            space, width or case; equal texts do not count.
        unseen_labels: Labels of dev or test that train lacks, in order of name.
    """

    rows: dict[str, int]
    train_duplicates: int
    overlaps: dict[str, Overlap]
    conflicts: int
    conflict_examples: tuple[Conflict, ...]
    leaked_dev: tuple[int, ...]
    leaked_test: tuple[int, ...]
    near_duplicates: dict[str, int]
    unseen_labels: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """The same as plain values for JSON."""
        values = asdict(self)
        examples = [{"text": conflict.text, "labels": [*conflict.labels]} for conflict in self.conflict_examples]
        lists = {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
        return {**values, **lists, "conflict_examples": examples}


def split(documents: Iterable[Document], *, dev: float, test: float, seed: int) -> Splits:
    """Splits by content: the same texts and seed give the same parts, in whatever order the texts come.

    Equal texts stay in one part, and so do near-duplicates (`corpora.likeness`), unless they are more than half of the
    rows that dev or test is to get, as templates are; below, they count as one text. Each label, or set of labels, is
    divided on its own: its distinct texts, ordered by the SHA-256 of seed and text, go to dev, then to test, as long as
    that brings the share nearer. If one gives too few or too many rows, the next one makes up for it, so that shares
    are met to within half the rows of the most frequent text. Every label keeps a text in train. A text with several
    labels counts under its most frequent one.

    Args:
        documents: Labelled or not; taken into memory.
        dev: Share of the rows for dev, 0 for none; a small share gives about one row.
        test: Share of the rows for test, likewise.
        seed: Another seed gives another split.

    Raises:
        CorpusError: The shares are impossible, a part with a share gets no row, or train lacks a label.

    >>> mails = [Document(f"第{n}封", "通知" if n % 2 else "正常邮件") for n in range(20)]
    >>> parts = split(mails, dev=0.1, test=0.2, seed=1)
    >>> len(parts.train), len(parts.dev), len(parts.test)
    (14, 2, 4)
    """
    if not (0 <= dev < 1 and 0 <= test < 1 and dev + test < 1):
        raise CorpusError(f"dev = {dev}, test = {test}: shares of at least 0 that leave rows for train are expected")
    source = list(documents)
    texts = _representatives(source, min((share for share in (dev, test) if share), default=0.0))
    chosen = _chosen(source, texts, {"dev": dev, "test": test}, seed)
    parts: dict[str, list[Document]] = {name: [] for name in PARTS}
    for document in source:
        parts[chosen.get(texts[document.text], "train")].append(document)
    splits = Splits(**parts)
    _check(splits, {"train": 1.0, "dev": dev, "test": test})
    return splits


def audit(splits: Splits) -> Audit:
    """Counts duplicates, conflicts and leaks in a split, whether made here or given as files."""
    parts = {"train": splits.train, "dev": splits.dev, "test": splits.test}
    texts = {name: {document.text for document in part} for name, part in parts.items()}
    conflicts = _conflicts(parts.values())
    seen = _labels(splits.train)
    return Audit(
        rows={name: len(part) for name, part in parts.items()},
        train_duplicates=len(splits.train) - len(texts["train"]),
        overlaps={
            f"{first}-{second}": Overlap(len(texts[first] & texts[second]), len(_within(parts[second], texts[first])))
            for first, second in combinations(PARTS, 2)
        },
        conflicts=len(conflicts),
        conflict_examples=tuple(conflicts[:EXAMPLES]),
        leaked_dev=_within(splits.dev, texts["train"]),
        leaked_test=_within(splits.test, texts["train"] | texts["dev"]),
        near_duplicates={
            "dev": near_duplicates((document.text for document in splits.dev), texts["train"]),
            "test": near_duplicates((document.text for document in splits.test), texts["train"] | texts["dev"]),
        },
        unseen_labels=tuple(sorted((_labels(splits.dev) | _labels(splits.test)) - seen)),
    )


def _representatives(source: Sequence[Document], share: float) -> dict[str, str]:
    """For each text the first, in order of code points, of its near-duplicates; itself if they are too many.

    `share`: the smaller share of dev and test.
    """
    sizes = Counter(document.text for document in source)
    if not share:
        return {text: text for text in sizes}
    groups: dict[str, list[str]] = defaultdict(list)
    for text in sizes:
        groups[likeness(text)].append(text)
    most = max(FEW, share * len(source) / 2)
    firsts = {}
    for texts in groups.values():
        together = sum(sizes[text] for text in texts) <= most
        firsts.update({text: min(texts) if together else text for text in texts})
    return firsts


def _chosen(
    source: Sequence[Document], representatives: Mapping[str, str], shares: dict[str, float], seed: int
) -> dict[str, str]:
    """The part of each text that is not in train; near-duplicates count as the text that represents them."""
    sizes = Counter(representatives[document.text] for document in source)
    chosen: dict[str, str] = {}
    owed = dict.fromkeys(shares, 0.0)
    for texts in _strata(source, representatives, seed):
        rows = sum(sizes[text] for text in texts)
        largest = max(sizes[text] for text in texts)
        free = texts[:-1]  # the last one stays in train
        for part, share in shares.items():
            wanted = rows * max(share, 1 / len(source)) + owed[part] if share else 0.0
            taken = _nearest(free, sizes.__getitem__, wanted)
            chosen.update(dict.fromkeys(taken, part))
            free = [text for text in free if text not in chosen]
            # A label that has nothing to give must not empty the next one.
            owed[part] = min(wanted - sum(sizes[text] for text in taken), largest / 2)
    return chosen


def _strata(source: Sequence[Document], representatives: Mapping[str, str], seed: int) -> list[list[str]]:
    """The distinct texts of each label, or set of labels, ordered by hash; labels in order of name."""
    labels: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for document in source:
        labels[representatives[document.text]][document.label_set or ()] += 1
    strata: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for text, counts in labels.items():
        strata[min(counts, key=lambda label: (-counts[label], label))].append(text)
    return [sorted(strata[label], key=lambda text: _digest(seed, text)) for label in sorted(strata)]


def _digest(seed: int, text: str) -> bytes:
    return sha256(f"{seed}\n{text}".encode("utf-8", "surrogatepass")).digest()


def _nearest(texts: Sequence[str], size: Callable[[str], int], wanted: float) -> list[str]:
    """The texts, in order, that each bring the sum of sizes nearer to `wanted`."""
    taken: list[str] = []
    total = 0
    for text in texts:
        if total + size(text) / 2 <= wanted + 1e-9:
            taken.append(text)
            total += size(text)
    return taken


def _check(splits: Splits, shares: dict[str, float]) -> None:
    parts = {"train": splits.train, "dev": splits.dev, "test": splits.test}
    everyone = [document for part in parts.values() for document in part]
    labels = _labels(everyone)
    counts = ", ".join(f"{name} {len(part)}" for name, part in parts.items())
    whole = f"{len(everyone)} rows with {len(labels)} labels cannot be split as asked ({counts})"
    for name, part in parts.items():
        if shares[name] and not part:
            raise CorpusError(f"{whole}: {name} would be empty: add rows, or give files for train, dev and test")
    for label in sorted(labels - _labels(splits.train)):
        rows = sum(label in (document.label_set or ()) for document in everyone)
        raise CorpusError(f'{whole}: train would have none of the {rows} rows of "{label}": add some, or drop it')


def _labels(documents: Iterable[Document]) -> set[str]:
    return {label for document in documents for label in document.label_set or ()}


def _within(documents: Sequence[Document], texts: set[str]) -> tuple[int, ...]:
    return tuple(index for index, document in enumerate(documents) if document.text in texts)


def _conflicts(parts: Iterable[Sequence[Document]]) -> list[Conflict]:
    labels: dict[str, set[str]] = defaultdict(set)
    for part in parts:
        for document in part:
            if document.label_set is not None:
                labels[document.text].add("|".join(document.label_set))
    return [Conflict(text, tuple(sorted(names))) for text, names in labels.items() if len(names) > 1]
