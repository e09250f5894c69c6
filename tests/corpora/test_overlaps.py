"""Which of overlapping spans are kept, beside a search of all choices."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from corpora.document import Span
from corpora.overlaps import flat, nested

SPANS = st.sets(
    st.tuples(st.integers(0, 7), st.integers(1, 8), st.sampled_from("甲乙")).filter(lambda place: place[0] < place[1]),
    max_size=6,
).map(lambda places: [Span(*place) for place in sorted(places)])


def overlap(one, other):
    return one.start < other.end and other.start < one.end


def cross(one, other):
    inside = (one.start <= other.start and other.end <= one.end) or (other.start <= one.start and one.end <= other.end)
    return overlap(one, other) and not inside


@given(found=SPANS, overlaps=st.sampled_from(["longest", "outermost"]))
def test_nothing_that_is_kept_overlaps_and_all_that_is_dropped_does(found, overlaps):
    for choose, excludes in ((flat, overlap), (nested, cross)):
        kept = choose(found, overlaps)
        assert sorted((*kept.spans, *kept.dropped)) == found
        assert not any(excludes(one, other) for one, other in combinations(kept.spans, 2))
        assert all(any(excludes(one, other) for other in kept.spans) for one in kept.dropped)


@given(found=SPANS)
def test_the_longest_is_kept_and_the_outermost_is_in_no_other(found):
    if not found:
        return
    assert max(span.length for span in flat(found).spans) == max(span.length for span in found)
    outermost = flat(found, "outermost").spans
    assert min(found, key=lambda span: (span.start, -span.end)).end == outermost[0].end
    for kept in outermost:
        inside = [one for one in found if one.start <= kept.start and kept.end <= one.end and one.length > kept.length]
        assert all(any(overlap(one, other) and other.start < one.start for other in outermost) for one in inside)
