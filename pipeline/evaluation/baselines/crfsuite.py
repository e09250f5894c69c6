"""The baseline of taggers: a linear-chain CRF of python-crfsuite, over n-grams in a window of two tokens each side."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.encoding.encoder import Tokenised
from pipeline.errors import PipelineError
from pipeline.evaluation.baselines.linear import Keep, Sample, chosen, costs
from pipeline.evaluation.memory import FORGETFUL, Memory, fingerprint, libraries
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.spans import tagging

VERSION = 1  # of the answers: raise it if the same texts would get others, so that old ones are not taken for current
NAME = "crfsuite"
EDGE = "\n"  # stands for a token outside of the text; no token is white space
PLACES = {1: (-2, -1, 0, 1, 2), 2: (-2, -1, 0, 1), 3: (-1,)}  # offsets at which n-grams of each order begin
AFFIX = 3  # characters of the longest prefix and suffix
ITERATIONS = 100  # most steps of L-BFGS; the L2 penalty is the default of CRFsuite


@dataclass(frozen=True, slots=True)
class Tagged:
    """The tags of each row, the number of weights learnt, and the seconds to train and to answer."""

    tags: list[list[str]]
    weights: int
    seconds: float


def run(
    train: Sequence[Sample],
    parts: Mapping[str, Sequence[Sample]],
    scheme: str | None,
    known: frozenset[str],
    *,
    memory: Memory = FORGETFUL,
    advance: Callable[[int], object] = lambda finished: None,
    keep: Keep = lambda name, predicted: None,
) -> dict[str, dict[str, Any]]:
    """{"crfsuite": {part: scores, and `linear.costs`}}: trained once on `train`, scored on each part.

    The scores are those of `spans.tagging`. `keep` is called with the tags of each text of each part. Raises
    PipelineError if python-crfsuite is not installed.
    """
    rows = [sample for samples in parts.values() for sample in samples]
    basis, names = _basis(train, rows), sorted({tag for sample in train for tag in sample.tags})
    remembered = memory.recall(NAME, basis, lambda content: _unpacked(content, rows, names))
    found = remembered or _fitted(train, rows)
    if remembered is None:
        memory.keep(NAME, basis, _packed(found, names))
    answers = iter(found.tags)
    said = {part: [next(answers) for _ in samples] for part, samples in parts.items()}
    keep(NAME, said)
    advance(1)
    cost = costs(found.seconds, found.weights, remembered is not None)
    return {NAME: {**scored(parts, said, scheme, known), **cost}}


def _fitted(train: Sequence[Sample], rows: Sequence[Sample]) -> Tagged:
    start = time.perf_counter()
    tags, weights = predict(train, rows)
    return Tagged(tags, weights, time.perf_counter() - start)


def _basis(train: Sequence[Sample], rows: Sequence[Sample]) -> dict[str, Any]:
    return {
        "baseline": NAME,
        "version": VERSION,
        "libraries": libraries("python-crfsuite"),
        "train": fingerprint((sample.tokens, sample.tags) for sample in train),
        "rows": fingerprint(sample.tokens for sample in rows),
    }


def _packed(found: Tagged, names: Sequence[str]) -> dict[str, Any]:
    """As JSON, each tag as its place in `names`."""
    place = {name: number for number, name in enumerate(names)}
    tags = [[place[tag] for tag in row] for row in found.tags]
    return {"tags": tags, "weights": found.weights, "seconds": found.seconds}


def _unpacked(content: Mapping[str, Any], rows: Sequence[Sample], names: Sequence[str]) -> Tagged:
    """What `_packed` gave. Raises KeyError, TypeError or ValueError for anything else."""
    tags = [chosen(row, names) for row in content["tags"]]
    if [len(row) for row in tags] != [len(sample.tokens) for sample in rows]:
        raise ValueError("it has not a tag for each token")
    return Tagged(tags, int(content["weights"]), float(content["seconds"]))


def scored(
    parts: Mapping[str, Sequence[Sample]],
    said: Mapping[str, Sequence[Sequence[str]]],
    scheme: str | None,
    known: frozenset[str],
) -> dict[str, Any]:
    """The scores of each part, given the tags predicted for each of its samples."""
    return {
        part: tagging(
            [
                Outcome.of_tags(row, Tokenised(sample.text, sample.tokens), sample.tags, tags)
                for row, (sample, tags) in enumerate(zip(samples, said[part], strict=True), start=1)
            ],
            scheme,
            known,
        )
        for part, samples in parts.items()
    }


def predict(train: Sequence[Sample], rows: Sequence[Sample]) -> tuple[list[list[str]], int]:
    """The tags of each of `rows`, and the number of weights learnt, one per feature."""
    if find_spec("pycrfsuite") is None:
        raise PipelineError(
            'evaluate.baselines has "crfsuite", which is not installed: pip install zhpipe[crfsuite], or leave it out'
        )
    import pycrfsuite

    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params({"max_iterations": ITERATIONS})
    for sample in train:
        trainer.append(features(sample.tokens), list(sample.tags))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "crfsuite"
        trainer.train(str(path))
        trained = path.read_bytes()
    tagger = pycrfsuite.Tagger()
    tagger.open_inmemory(trained)
    return [tagger.tag(features(sample.tokens)) for sample in rows], int(trainer.logparser.featgen_num_features)


def features(tokens: Sequence[str]) -> list[list[str]]:
    """The features of each token: the n-grams around it with their offsets; prefixes and suffixes of longer tokens.

    >>> features(["昆", "明"])[1][:3]
    ['1,-2:\\n', '1,-1:昆', '1,0:明']
    """
    padded = [EDGE, EDGE, *tokens, EDGE, EDGE]
    found = []
    for index, token in enumerate(tokens, start=2):
        row = [
            f"{order},{place}:{' '.join(padded[index + place : index + place + order])}"
            for order, places in PLACES.items()
            for place in places
        ]
        if len(token) > 1:
            row += [affix for size in range(1, AFFIX + 1) for affix in (f"<{token[:size]}", f">{token[-size:]}")]
        found.append(row)
    return found
