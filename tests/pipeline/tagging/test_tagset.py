"""Tagsets: the spans of a batch are those that `corpora.tags` reads, sequence by sequence."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from corpora import tags
from pipeline.encoding.labels import Labels
from pipeline.tagging.tagset import Tagset


@given(st.sampled_from(sorted(tags.SCHEMES)), st.data())
def test_spans_are_those_of_the_corpora(scheme, data):
    names = Labels.build(tags.tag_set(["人", "地"], scheme))
    rows = data.draw(st.lists(st.lists(st.integers(0, len(names) - 1), min_size=1, max_size=9), min_size=1, max_size=5))
    paths = np.full((len(rows), 10), -1, np.int32)
    for row, path in enumerate(rows):
        paths[row, : len(path)] = path
    tagset = Tagset(names, scheme)
    found = tagset.spans(paths, np.array([len(row) for row in rows]))
    ours = [
        (row, start, stop, tagset.types[tag])
        for row, start, stop, tag in zip(found.rows, found.starts, found.stops, found.tags, strict=True)
    ]
    theirs = [
        (row, span.start, span.end, span.label)
        for row, path in enumerate(rows)
        for span in tags.spans([names.names[tag] for tag in path], scheme).spans
    ]
    assert ours == theirs


def test_without_a_scheme_each_token_is_one():
    tagset = Tagset(Labels(("代词", "动词")), None)
    found = tagset.spans(np.array([[1, 1, 0]]), np.array([3]))
    assert found.starts.tolist() == [0, 1, 2] and found.stops.tolist() == [1, 2, 3]
    assert all(each.all() for each in tagset.allowed)


def test_what_is_allowed_is_what_has_nothing_illegal():
    names = Labels.build(tags.tag_set(["人", "地"], "BIOES"))
    allowed = Tagset(names, "BIOES").allowed
    for i, first in enumerate(names.names):
        for j, second in enumerate(names.names):
            alone = int(not allowed.start[i]) + int(not allowed.end[j])
            assert tags.spans([first, second], "BIOES").illegal == alone + int(not allowed.transitions[i, j])
