"""Documents, sentences and spans refuse what they cannot mean."""

import pytest

from corpora.document import Document, Sentence, Span
from corpora.errors import CorpusError


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Document("好", ""), "empty label"),
        (lambda: Document("好", None, -1), "rows count from 1"),
        (lambda: Sentence(("好", "")), "token 2 of 2 is empty"),
        (lambda: Sentence(("很", "好"), ("O",)), "2 tokens, 1 tags"),
        (lambda: Span(2, 2, "PER"), "span 2:2"),
        (lambda: Span(-1, 2, "PER"), "span -1:2"),
        (lambda: Span(0, 2, ""), "a label is expected"),
    ],
)
def test_what_breaks_an_invariant_is_refused(make, message):
    with pytest.raises(CorpusError, match=message):
        make()


def test_what_holds_is_kept():
    assert Document("").text == "" and Document("好").row == 0
    assert Sentence((), ()).tokens == ()
    assert sorted([Span(3, 4, "甲"), Span(0, 2, "乙")])[0].length == 2


def test_nothing_that_flows_can_be_changed():
    with pytest.raises(AttributeError):
        Document("好").text = "坏"
