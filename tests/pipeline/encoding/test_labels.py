"""Labels: names and ids there and back, whatever the names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.errors import EmbeddingError
from pipeline.encoding.labels import Labels

NAMES = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), unique=True)


@given(NAMES)
def test_ids_are_places_in_the_order_of_code_points(names):
    labels = Labels.build([*names, *names])
    assert labels.names == tuple(sorted(names))
    assert [labels.id(name) for name in labels.names] == list(range(len(labels)))
    assert all(name in labels for name in names)


@given(NAMES)
def test_saved_labels_load_the_same(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("labels") / "labels.txt"
    Labels(tuple(names)).save(path)
    assert Labels.load(path) == Labels(tuple(names))


def test_a_name_comes_once_and_is_not_empty():
    for names in (("通知", "通知"), ("",)):
        with pytest.raises(ValueError, match="unique and not empty"):
            Labels(names)


def test_unknown_names():
    labels = Labels.build(["通知"])
    assert "垃圾" not in labels
    with pytest.raises(KeyError):
        labels.id("垃圾")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(EmbeddingError, match=r"labels\.txt"):
        Labels.load(tmp_path / "labels.txt")
