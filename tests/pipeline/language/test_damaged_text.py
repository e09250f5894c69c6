"""The benchmark of damaged texts damages what it says it does, and knows where."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.damaged_text import KINDS, damage, is_seen, markdown
from pipeline.tasks.language import Likelihood

texts = st.text("今天河边的风", min_size=4, max_size=20).filter(lambda text: len(set(text)) > 1)


@given(texts, st.sampled_from(KINDS), st.integers(0, 99))
def test_one_slip_and_where_it_is(text, kind, seed):
    slip = damage(text, kind, "今天河边的风大", np.random.default_rng(seed))
    assert slip.text != text and len(slip.text) == len(text)
    assert [place for place in range(len(text)) if text[place] != slip.text[place]] == [*slip.places]
    assert kind != "neighbours swapped" or slip.places[1] == slip.places[0] + 1
    assert kind == "one replaced" or sorted(slip.text) == sorted(text)


def test_seen_where_it_surprises():
    slip = damage("今天河边", "one replaced", "风", np.random.default_rng(0))
    logs = [-1.0, -1.0, -1.0, -1.0, -9.0]
    logs[slip.places[0]] = -8.0
    assert is_seen(Likelihood(slip.text, 0.0, tuple(logs), tuple(slip.text)), slip)
    logs = [-5.0, -5.0, -5.0, -5.0, -9.0]
    logs[slip.places[0]] = -2.0
    assert not is_seen(Likelihood(slip.text, 0.0, tuple(logs), tuple(slip.text)), slip)


def test_the_table(characters):
    found = markdown(characters, ["今天天气很好。", "河边的风很大"], 1)
    assert [line.split(" | ")[1] for line in found.splitlines()[2:]] == ["2"] * len(KINDS)
