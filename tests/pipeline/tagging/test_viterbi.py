"""Viterbi and forward-backward against the enumeration of every tag sequence, python-crfsuite, and their own laws."""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import chain_oracle
import numpy as np
import pycrfsuite
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PipelineError
from pipeline.tagging import viterbi
from pipeline.tagging.forward_backward import forward_backward
from pipeline.tagging.linear_chain import PADDING, LinearChain, forbid


@dataclass(frozen=True)
class Case:
    """The scores of a batch and the parameters of its chain."""

    scores: Any
    lengths: Any
    transitions: Any
    start: Any
    end: Any

    @property
    def all(self) -> tuple[Any, ...]:
        return self.scores, self.lengths, LinearChain(self.transitions, self.start, self.end)

    def text(self, row: int) -> "Case":
        """One text alone, without its padding."""
        length = int(self.lengths[row])
        return replace(self, scores=self.scores[row : row + 1, :length], lengths=self.lengths[row : row + 1])


def enumerate_paths(chain: Case, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Every tag sequence of a text, ordered by the last tag, then the last but one, and so on; and its score."""
    length, tags = int(chain.lengths[row]), chain.scores.shape[2]
    paths = np.array([path[::-1] for path in product(range(tags), repeat=length)])
    scores = chain.start[paths[:, 0]].astype(float) + chain.end[paths[:, -1]]
    for step in range(length):
        scores += chain.scores[row, step, paths[:, step]]
        if step:
            scores += chain.transitions[paths[:, step - 1], paths[:, step]]
    return paths, scores


def log_sum(scores: np.ndarray) -> float:
    return float(scores.max() + np.log(np.exp(scores - scores.max()).sum()))


@st.composite
def chains(draw, ties=False, most_steps=4, most_tags=4):
    """Small chains, NaN in the padding; transitions, starts and ends forbidden at random, but for one tag's own.

    With ties, scores are multiples of 1/4, which add up without rounding.
    """
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, steps, tags = draw(st.integers(1, 4)), draw(st.integers(1, most_steps)), draw(st.integers(1, most_tags))
    scale = 1.0 if ties else draw(st.sampled_from([0.1, 3.0, 30.0]))

    def numbers(*shape):
        values = generator.normal(0, scale, shape)
        return (np.round(values * 4) / 4 if ties else values).astype(np.float32)

    lengths = generator.integers(1, steps + 1, rows).astype(np.int32)
    scores = numbers(rows, steps, tags)
    scores[np.arange(steps) >= lengths[:, None]] = np.nan
    allowed = generator.random((tags + 2, tags)) < draw(st.sampled_from([0.3, 0.7, 1.0]))
    free = draw(st.integers(0, tags - 1))
    allowed[[free, tags, tags + 1], free] = True
    return Case(
        scores,
        lengths,
        forbid(numbers(tags, tags), allowed[:tags]),
        forbid(numbers(tags), allowed[tags]),
        forbid(numbers(tags), allowed[tags + 1]),
    )


@given(chains(ties=True))
def test_best_path_is_the_first_of_the_best_sequences(chain):
    paths = viterbi.best_path(*chain.all)
    assert paths.dtype == np.int32 and paths.shape == chain.scores.shape[:2]
    for row, length in enumerate(chain.lengths):
        every, scores = enumerate_paths(chain, row)
        assert paths[row, :length].tolist() == every[scores.argmax()].tolist()
        assert (paths[row, length:] == PADDING).all()


@given(chains())
def test_partition_marginals_and_probabilities(chain):
    total = chain_oracle.log_partition(*chain.all)
    probabilities = chain_oracle.marginals(*chain.all)
    best = viterbi.best_path(*chain.all)
    logs = chain_oracle.log_probability(best, *chain.all)
    assert probabilities.dtype == np.float32
    for row, length in enumerate(chain.lengths):
        every, scores = enumerate_paths(chain, row)
        assert total[row] == pytest.approx(log_sum(scores), abs=1e-9)
        weights = np.exp(scores - log_sum(scores))
        for step, tag in np.ndindex(length, chain.scores.shape[2]):
            expected = weights[every[:, step] == tag].sum()
            assert probabilities[row, step, tag] == pytest.approx(expected, abs=1e-6)
        assert (probabilities[row, length:] == 0).all()
        assert logs[row] == pytest.approx(scores.max() - log_sum(scores), abs=1e-5)


@given(chains(most_steps=5, most_tags=3), st.data())
def test_span_probability(chain, data):
    tags = chain.scores.shape[2]
    size = chain.scores.shape[0] * chain.scores.shape[1]
    paths = np.array(data.draw(st.lists(st.integers(0, tags - 1), min_size=size, max_size=size)))
    paths = paths.reshape(chain.scores.shape[:2])
    spans = [
        (row, first, stop)
        for row, length in enumerate(chain.lengths)
        for first in range(length)
        for stop in range(first + 1, length + 1)
    ]
    ours = chain_oracle.span_probability(paths, *np.transpose(spans), *chain.all)
    for (row, first, stop), probability in zip(spans, ours, strict=True):
        every, scores = enumerate_paths(chain, row)
        same = (every[:, first:stop] == paths[row, first:stop]).all(axis=1)
        assert probability == pytest.approx(np.exp(scores - log_sum(scores))[same].sum(), abs=1e-9)


@given(chains(ties=True), st.integers(1, 9))
def test_n_best_are_the_n_best(chain, n):
    found = viterbi.n_best(*chain.all, n)
    assert found.tags.shape == (len(chain.lengths), n, chain.scores.shape[1])
    assert (found.tags[:, 0] == viterbi.best_path(*chain.all)).all()
    for row, length in enumerate(chain.lengths):
        every, scores = enumerate_paths(chain, row)
        by_path = dict(zip(map(tuple, every.tolist()), scores, strict=True))
        count = min(n, int(np.isfinite(scores).sum()))
        ours = [tuple(path) for path in found.tags[row, :count, :length].tolist()]
        assert len(set(ours)) == count
        assert [by_path[path] for path in ours] == sorted(scores, reverse=True)[:count]
        expected = np.sort(scores)[::-1][:count] - log_sum(scores)
        assert found.log_probabilities[row, :count] == pytest.approx(expected, abs=1e-9)
        assert (found.tags[row, count:] == PADDING).all()
        assert (found.log_probabilities[row, count:] == -np.inf).all()


def memm_scores(chain: Case, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Every sequence and its log probability, token by token, as the model's definition has it."""
    paths, _ = enumerate_paths(chain, row)
    length = int(chain.lengths[row])
    logs = np.zeros(len(paths))
    for step in range(length):
        before = chain.transitions[paths[:, step - 1]] if step else chain.start[None]
        local = chain.scores[row, step].astype(float) + before + (chain.end if step == length - 1 else 0)
        highest = np.maximum(local.max(axis=1, keepdims=True), -1e30)
        with np.errstate(divide="ignore"):
            total = highest + np.log(np.exp(local - highest).sum(axis=1, keepdims=True))
        local = np.where(np.isfinite(total), local - np.maximum(total, -1e30), -np.inf)
        logs += np.take_along_axis(np.broadcast_to(local, (len(paths), local.shape[1])), paths[:, [step]], 1)[:, 0]
    return paths, logs


@given(chains())
def test_memm_is_the_chain_that_normalise_locally_makes(chain):
    local = replace(chain, scores=viterbi.normalise_locally(*chain.all))
    total = chain_oracle.log_partition(*local.all)
    best = chain_oracle.best_path_memm(*chain.all)
    for row, length in enumerate(chain.lengths):
        every, logs = memm_scores(chain, row)
        _, scores = enumerate_paths(local, row)
        assert scores == pytest.approx(logs, abs=1e-6)
        assert total[row] == pytest.approx(log_sum(logs), abs=1e-6)
        chosen = (every == best[row, :length]).all(axis=1)
        assert logs[chosen] == pytest.approx(logs.max(), abs=1e-4)


@given(chains(ties=True))
def test_without_transitions_each_token_has_its_own_best_tag_and_softmax(chain):
    none = np.zeros_like(chain.start)
    paths = chain_oracle.greedy(chain.scores, chain.lengths)
    free = replace(chain, transitions=np.zeros_like(chain.transitions), start=none, end=none)
    assert (paths == viterbi.best_path(*free.all)).all()
    softmax = np.exp(chain.scores) / np.exp(chain.scores).sum(axis=2, keepdims=True)
    inside = np.arange(chain.scores.shape[1]) < chain.lengths[:, None]
    assert chain_oracle.marginals(*free.all)[inside] == pytest.approx(softmax[inside], abs=1e-6)


def random_chain(rows=7, steps=12, tags=6, seed=0, scale=3.0) -> Case:
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, steps + 1, rows).astype(np.int32)
    shapes = ((rows, steps, tags), (tags, tags), (tags,), (tags,))
    scores, transitions, start, end = (generator.normal(0, scale, shape).astype(np.float32) for shape in shapes)
    return Case(scores, lengths, transitions, start, end)


def bmes(types: int) -> np.ndarray:
    """Which of B, M, E, S of each type (id = 4 * type + position) may follow which."""
    position, kind = np.arange(4 * types) % 4, np.arange(4 * types) // 4
    opens = np.isin(position, (0, 1))
    inner = np.isin(position, (1, 2))
    same = kind[:, None] == kind
    return np.where(opens[:, None], inner & same, ~inner)


@pytest.mark.parametrize("types", [1, 4, 25])
@pytest.mark.parametrize("forbidden", [True, False])
def test_many_tags_and_forbidden_pairs(types, forbidden):
    """The sparse and the dense way through the transitions, against a loop over one text in float64."""
    chain = random_chain(rows=9, steps=20, tags=4 * types, scale=2)
    if forbidden:
        chain = replace(chain, transitions=forbid(chain.transitions, bmes(types)))
    paths = viterbi.best_path(*chain.all)
    for row, length in enumerate(chain.lengths):
        best, back = chain.scores[row, 0].astype(float) + chain.start, []
        for step in range(1, length):
            sums = best[:, None] + chain.transitions
            back.append(sums.argmax(axis=0))
            best = sums.max(axis=0) + chain.scores[row, step]
        path = [int((best + chain.end).argmax())]
        for pointers in reversed(back):
            path.append(int(pointers[path[-1]]))
        assert paths[row, :length].tolist() == path[::-1]


def test_a_text_is_decoded_alike_alone_and_in_a_batch():
    chain = random_chain()
    batched = (
        viterbi.best_path(*chain.all),
        chain_oracle.marginals(*chain.all),
        chain_oracle.log_partition(*chain.all),
    )
    local, many = viterbi.normalise_locally(*chain.all), viterbi.n_best(*chain.all, 4)
    for row, length in enumerate(chain.lengths):
        alone = chain.text(row).all
        assert (viterbi.best_path(*alone)[0] == batched[0][row, :length]).all()
        assert np.allclose(chain_oracle.marginals(*alone)[0], batched[1][row, :length], atol=1e-7)
        assert np.isclose(chain_oracle.log_partition(*alone)[0], batched[2][row], atol=1e-9)
        assert np.allclose(viterbi.normalise_locally(*alone)[0], local[row, :length])
        assert (viterbi.n_best(*alone, 4).tags[0] == many.tags[row, :, :length]).all()


def test_shifting_a_tokens_scores_changes_no_probability():
    chain = random_chain()
    shift = np.random.default_rng(1).normal(0, 50, (*chain.lengths.shape, chain.scores.shape[1], 1))
    moved = replace(chain, scores=chain.scores + shift)
    assert np.allclose(chain_oracle.marginals(*chain.all), chain_oracle.marginals(*moved.all), atol=1e-6)
    inside = np.arange(chain.scores.shape[1]) < chain.lengths[:, None]
    added = np.where(inside, shift[:, :, 0], 0).sum(axis=1)
    assert np.allclose(chain_oracle.log_partition(*moved.all), chain_oracle.log_partition(*chain.all) + added)
    assert (viterbi.best_path(*moved.all) == viterbi.best_path(*chain.all)).all()


def test_a_text_of_100_000_tokens_neither_overflows_nor_drifts():
    """The same 10 tokens over and over, apart by tokens that only one tag can have: each has the same answer."""
    piece = random_chain(rows=1, steps=10, tags=5, seed=2)
    piece = replace(piece, lengths=np.array([10]))
    times = 10_000
    scores = np.tile(piece.scores, (1, times, 1))
    scores[:, 9::10, 1:] = -np.inf
    long = replace(piece, scores=scores, lengths=np.array([10 * times]))
    whole = forward_backward(*long.all)
    assert np.isfinite(whole.log_partition).all()
    probabilities = whole.marginals()[0]
    assert np.abs(probabilities.sum(axis=1) - 1).max() < 1e-6
    repeated = probabilities.reshape(times, 10, 5)[1:-1]
    assert np.abs(repeated - repeated[0]).max() < 1e-6
    path = viterbi.best_path(*long.all)
    assert len(np.unique(path.reshape(times, 10)[1:-1], axis=0)) == 1
    starts = np.arange(10, 10 * times - 10, 10)
    same = whole.span_probability(path, np.zeros_like(starts), starts, starts + 10)
    assert np.abs(same - same[0]).max() < 1e-9
    assert whole.log_probability(path)[0] == pytest.approx(np.log(same[0]) * times, rel=1e-3)


def test_sequences_that_are_next_to_impossible_keep_their_probability():
    """Two tags that can't be left, one 5,000 nats less likely until the last token decides for it."""
    scores = np.zeros((1, 50, 2), np.float32)
    scores[0, :, 1] = -100
    forbidden = np.array([[0, -np.inf], [-np.inf, 0]], np.float32)
    chain = scores, np.array([50]), LinearChain(forbidden, np.zeros(2), np.array([-np.inf, 0.0]))
    assert chain_oracle.log_partition(*chain)[0] == pytest.approx(-5000)
    assert (chain_oracle.marginals(*chain)[0] == [0, 1]).all()
    assert (viterbi.best_path(*chain) == 1).all()


def test_probabilities_of_python_crfsuite(tmp_path):
    """A model trained there, its weights made scores, gives its marginals, its best paths and its probabilities."""
    generator = np.random.default_rng(3)
    tags, words = ["代词", "动词", "名词", "形容词"], "我你爱吃北京烤鸭好"
    sentences = [[words[k] for k in generator.integers(0, len(words), length)] for length in range(1, 30)]
    trainer = pycrfsuite.Trainer(verbose=False)
    for sentence in sentences:
        labels = [tags[(words.index(word) + int(generator.integers(0, 2))) % 4] for word in sentence]
        trainer.append([[word] for word in sentence], labels)
    trainer.set_params({"c2": 0.1, "max_iterations": 30, "feature.possible_transitions": True})
    trainer.train(str(tmp_path / "toy.crfsuite"))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(tmp_path / "toy.crfsuite"))
    weights = tagger.info()
    names = tagger.labels()
    transitions = np.array([[weights.transitions.get((a, b), 0.0) for b in names] for a in names])
    longest = max(map(len, sentences))
    scores = np.full((len(sentences), longest, len(names)), np.nan)
    for row, sentence in enumerate(sentences):
        for step, word in enumerate(sentence):
            scores[row, step] = [weights.state_features.get((word, name), 0.0) for name in names]
    even = np.zeros(len(names))
    chain = scores, np.array([len(s) for s in sentences]), LinearChain(transitions, even, even)
    paths, probabilities = viterbi.best_path(*chain), chain_oracle.marginals(*chain)
    logs = chain_oracle.log_probability(paths, *chain)
    for row, sentence in enumerate(sentences):
        tagger.set([[word] for word in sentence])
        best = tagger.tag()
        assert [names[tag] for tag in paths[row, : len(sentence)]] == best
        assert np.exp(logs[row]) == pytest.approx(tagger.probability(best), abs=1e-5)
        theirs = [[tagger.marginal(name, step) for name in names] for step in range(len(sentence))]
        assert probabilities[row, : len(sentence)] == pytest.approx(np.array(theirs), abs=1e-5)


FUNCTIONS = [viterbi.best_path, chain_oracle.best_path_memm, chain_oracle.marginals, chain_oracle.log_partition]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_has_no_answer_is_one_sentence(function):
    chain = random_chain(rows=3, steps=4, tags=2)
    with pytest.raises(PipelineError, match="expected lengths from 1 to 4, received 0 to 4: leave empty texts out"):
        function(*replace(chain, lengths=np.array([4, 0, 1])).all)
    with pytest.raises(PipelineError, match="received 1 to 5"):
        function(*replace(chain, lengths=np.array([5, 1, 1])).all)
    with pytest.raises(PipelineError, match=r"received shapes \(3, 4, 2\) and \(2,\)"):
        function(*replace(chain, lengths=np.array([4, 4])).all)
    with pytest.raises(PipelineError, match="text 1 of the batch has none"):
        never = np.full_like(chain.transitions, -np.inf)
        function(*replace(chain, lengths=np.array([1, 4, 1]), transitions=never).all)
    broken = chain.scores.copy()
    broken[2, 0] = np.nan
    with pytest.raises(PipelineError, match="text 2 of the batch has none"):
        function(*replace(chain, scores=broken).all)


def test_wrong_paths_spans_and_counts():
    chain = random_chain(rows=2, steps=4, tags=2)
    chain = replace(chain, lengths=np.array([4, 2]))
    with pytest.raises(PipelineError, match="expected tags from 0 to 1 in every path"):
        chain_oracle.log_probability(np.full((2, 4), 2), *chain.all)
    with pytest.raises(PipelineError, match="inside the 2 tokens of text 1, received 1 to 3"):
        chain_oracle.span_probability(np.zeros((2, 4), int), [0, 1], [0, 1], [4, 3], *chain.all)
    with pytest.raises(PipelineError, match="asked for at least 1 sequence, received 0"):
        viterbi.n_best(*chain.all, 0)
