"""Long texts are decoded in windows as in one, n best sequences are those of enumeration, windows cover a text."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_tagger import make_answerer

from pipeline.tagging.overlapping_windows import OverlappingWindows


@given(st.integers(1, 200), st.integers(4, 30))
def test_windows_cover_a_text_once(count, size):
    windows = OverlappingWindows(count, size, size // 4)
    middles = [range(start, min(start + windows.step, count)) for start in windows.starts]
    assert [token for middle in middles for token in middle] == list(range(count))
    for middle, first, stop in zip(middles, windows.firsts, windows.stops, strict=True):
        assert 0 <= first <= middle.start and middle.stop <= stop <= count and stop - first <= size


@pytest.mark.parametrize("decode", ["greedy", "maxent", "crf"])
@pytest.mark.parametrize("kind", ["entities", "words", "joint", "pos"])
def test_windows_give_what_decoding_in_one_gives(kind, decode):
    task = make_answerer(kind, decode=decode)
    decoder = replace(task.decoder, window=96, context=24, longest_whole=100)
    scores = np.random.default_rng(0).normal(0, 2, (700, len(task.tagset.labels))).astype(np.float32)
    [whole] = decoder.decode(scores[None], np.array([700]))
    found = decoder.decode_in_windows(scores, OverlappingWindows(700, 96, 24))
    assert found is not None and found == decoder.decode_long(scores)
    assert found.ids == whole.ids
    assert [span[:3] for span in found.spans] == [span[:3] for span in whole.spans]
    np.testing.assert_allclose(found.confidences, whole.confidences, atol=1e-4)
    np.testing.assert_allclose(
        [span.confidence for span in found.spans], [span.confidence for span in whole.spans], atol=1e-4
    )
    assert found.log_probability == pytest.approx(whole.log_probability, abs=1e-2)


def test_windows_that_never_agree_are_decoded_in_one():
    task = make_answerer("words")
    decoder = replace(task.decoder, window=96, context=24, longest_whole=100)
    scores = np.zeros((300, len(task.tagset.labels)), np.float32)
    scores[:, task.tagset.labels.id("M")] = 50  # one word from end to end
    assert decoder.decode_in_windows(scores, OverlappingWindows(300, 96, 24)) is None
    [whole] = decoder.decode(scores[None], np.array([300]))
    assert decoder.decode_long(scores) == whole and len(whole.spans) == 1


@pytest.mark.parametrize("decode", ["greedy", "maxent", "crf"])
def test_the_n_best_are_those_of_enumeration(decode):
    task = make_answerer("words", decode=decode)
    scores = np.random.default_rng(3).normal(0, 2, (2, 4, len(task.tagset.labels))).astype(np.float32)
    lengths = np.array([4, 2])
    found = task.decoder.n_best(scores, lengths, 5)
    for row, length in enumerate(lengths.tolist()):
        every = []
        for path in product(range(len(task.tagset.labels)), repeat=length):
            log = probability(task, scores[row], path, decode)
            every += [(log, list(path))] if np.isfinite(log) else []
        total = np.logaddexp.reduce([log for log, _ in every])
        expected = sorted(every, key=lambda pair: -pair[0])[:5]
        assert [tags.ids for tags in found[row]] == [path for _, path in expected]
        logs = [tags.log_probability for tags in found[row]]
        np.testing.assert_allclose(logs, [log - total for log, _ in expected], atol=1e-4)
    assert [len(best) for best in found] == [5, 2]


def probability(task, scores, path, decode):
    """The logarithm of a sequence's probability, but for a constant, from the definitions."""
    transitions, start, end = (table.astype(np.float64) for table in task.chain)
    log, before = 0.0, None
    for step, tag in enumerate(path):
        row = scores[step] + (start if before is None else transitions[before]) + (end if step == len(path) - 1 else 0)
        with np.errstate(invalid="ignore"):
            log += row[tag] - (np.logaddexp.reduce(row) if decode == "maxent" else 0)
        before = tag
    return log if np.isfinite(log) else -np.inf
