"""Asking a model: one text or many, what is no text, data frames, and what a notebook shows."""

import math
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from random_model import make_model
from random_tagger import make_tagger

from pipeline import load
from pipeline.models.model import Model
from pipeline.tasks import notebook
from pipeline.tasks.prediction import PredictedSpan, Prediction

LABELS = ("好", "<b>差", "中,等")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return load(make_model(tmp_path_factory.mktemp("asked") / "model", LABELS))


@pytest.fixture(scope="module")
def tagger(tmp_path_factory):
    return load(make_tagger(tmp_path_factory.mktemp("asked") / "model"))


def test_one_text_has_one_answer(classifier):
    text = "今天的电影很好看"
    one = classifier.predict(text)
    assert isinstance(one, Prediction) and [one] == classifier.predict([text])
    assert one.text == text and one.labels == classifier.labels.names
    assert classifier.predict("").is_blank


@pytest.mark.parametrize("make", [list, tuple, iter, np.array, pd.Series, lambda texts: (each for each in texts)])
def test_any_sequence_of_texts_is_taken(classifier, make):
    texts = ["电影难看", "服务不好"]
    assert classifier.predict(make(texts)) == [classifier.predict(text) for text in texts]


@pytest.mark.parametrize("missing", [None, math.nan, np.nan, pd.NaT])
def test_what_is_missing_is_named_by_position(classifier, missing):
    with pytest.raises(ValueError, match=r"texts\[2\]: expected a text, received (None|nan|NaT): leave it out"):
        classifier.predict(["好", "差", missing])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (7, r"texts\[0\]: expected a text, received 7 \(int\): pass a str"),
        (b"a", r"texts\[0\]: expected a text, received b'a': decode it first"),
        (["好"], r"texts\[0\]: expected a text, received \['好'\] \(list\)"),
        (pd.NA, r"texts\[0\]: expected a text, received <NA>"),
    ],
)
def test_what_is_no_text_is_refused(classifier, tagger, value, said):
    for ask in (classifier.predict, tagger.predict, lambda texts: tagger.n_best(texts, 2)):
        with pytest.raises(ValueError, match=said):
            ask([value])


@pytest.mark.parametrize("value", [None, 7, b"text", {"text": "好"}])
def test_what_holds_no_texts_is_refused(classifier, value):
    with pytest.raises(ValueError, match="expected a text or a sequence of texts, received"):
        classifier.predict(value)


def test_a_text_in_place_of_several_is_refused_where_answers_are_lists(tagger):
    with pytest.raises(
        ValueError, match=r"expected a sequence of texts, received one text: pass it in a list, \['去'\]"
    ):
        tagger.n_best("去", 2)


def test_a_data_frame_is_refused_with_the_way_out(classifier):
    frame = pd.DataFrame({"内容": ["好"], "评价": ["差"]})
    with pytest.raises(ValueError, match=r'columns 内容, 评价: pass one column.*label_frame\(frame, text="COLUMN"\)'):
        classifier.predict(frame)


def test_a_frame_gets_numbers_and_booleans(classifier):
    frame = pd.DataFrame({"标题": ["电影", None, "今天"], "内容": ["难看", math.nan, "很好"]}, index=[7, 7, 3])
    kept = frame.copy()
    found = classifier.label_frame(frame, text=["标题", "内容"], probabilities=True, review_below=0.99, prefix="m_")
    pd.testing.assert_frame_equal(frame, kept)
    assert list(found.index) == [7, 7, 3]
    assert list(found)[2:] == ["m_label", "m_confidence", *(f"m_p:{name}" for name in LABELS), "m_needs_review"]
    assert found["m_needs_review"].dtype == bool and found["m_confidence"].dtype == float
    answers = classifier.predict(["电影\n难看", "今天\n很好"])
    assert found["m_label"].iloc[[0, 2]].tolist() == [answer.value for answer in answers]
    assert found["m_confidence"].iloc[[0, 2]].tolist() == [round(answer.score, 4) for answer in answers]
    assert found["m_needs_review"].tolist() == [True, False, True]
    assert found["m_label"].isna().tolist() == found["m_confidence"].isna().tolist() == [False, True, False]


def test_a_frame_gets_lists_of_a_tagger(tagger, tmp_path):
    words = load(make_tagger(tmp_path / "words", "joint"))
    frame = pd.DataFrame({"text": ["我爱吃北京烤鸭", ""]})
    entities = tagger.label_frame(frame)["entities"]
    [answer, _] = tagger.predict(frame["text"])
    assert [entity["text"] for entity in entities[0]] == [span.text for span in answer.spans]
    assert entities[1] == []
    found = words.label_frame(frame)
    assert "".join(found["words"][0]) == frame["text"][0] and len(found["tags"][0]) == len(found["words"][0])


class Rows:
    """A table that becomes a data frame and comes from one, as a Dataset of Hugging Face does."""

    def __init__(self, frame):
        self.frame = frame

    def to_pandas(self):
        return self.frame

    @classmethod
    def from_pandas(cls, frame):
        return cls(frame)


def test_a_dataset_comes_back_as_a_dataset(classifier):
    frame = pd.DataFrame({"内容": ["电影很好看", ""], "id": [1, 2]})
    found = classifier.label_frame(Rows(frame), text="内容")
    assert isinstance(found, Rows)
    pd.testing.assert_frame_equal(found.frame, classifier.label_frame(frame, text="内容"))


def test_a_dataset_of_hugging_face(classifier):
    datasets = pytest.importorskip("datasets")
    table = datasets.Dataset.from_dict({"内容": ["电影很好看", ""], "id": [1, 2]})
    found = classifier.label_frame(table, text="内容")
    assert found.column_names == ["内容", "id", "label", "confidence"] and found["label"][1] is None
    assert len(classifier.predict(table["内容"])) == 2


def test_a_frame_without_the_column_or_with_ours_is_refused(classifier):
    frame = pd.DataFrame({"内容": ["好"], "label": [1]})
    with pytest.raises(ValueError, match=r'expected one column "text"; the columns are "内容", "label": choose'):
        classifier.label_frame(frame)
    with pytest.raises(ValueError, match=r'has a column "label" already: set prefix='):
        classifier.label_frame(frame, text="内容")


def test_the_repr_is_one_line(classifier, tagger, characters):
    for model, start in (
        (classifier, "<Model random: classify, 3 labels, ?, "),
        (tagger, "<Model "),
        (characters, "<LanguageModel mini: language, "),
    ):
        assert repr(model).startswith(start) and repr(model).endswith("network.onnx>")
        assert "\n" not in repr(model) and len(repr(model)) < 250


class Texts(HTMLParser):
    """The text of a page, and its tags."""

    def __init__(self, page):
        super().__init__()
        self.text, self.tags = "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def test_a_notebook_shows_labels_with_bars_and_escapes_them(classifier):
    answer = classifier.predict("<script>电影</script>")
    page = Texts(answer._repr_html_())
    assert "<script>电影</script>" in page.text and "<b>差" in page.text
    assert "script" not in page.tags and page.tags.count("tr") == 3
    widths = [float(width) for width in re.findall(r"width:([\d.]+)em", answer._repr_html_())]
    assert widths == sorted(widths, reverse=True)
    assert widths == [round(12 * share, 1) for share in sorted(answer.distribution, reverse=True)]


def test_a_notebook_shows_the_whole_text_of_a_tagger():
    spans = (PredictedSpan("<i>", "a&b", 1, 4, 0.5), PredictedSpan("京", "", 6, 7, 0.9))
    page = Texts(notebook.html(Prediction(None, 0.4, tokens=("x",), spans=spans, text="我<i>爱 京!")))
    assert page.text == "我<i>\xa0a&b爱 京!" and "i" not in page.tags


def test_a_notebook_shows_lists_blanks_and_likelihoods(classifier, characters):
    page = Texts(classifier.predict(["好", " "] * 30)._repr_html_())
    assert page.tags.count("table") == 25 and "no text" in page.text and page.text.endswith("… and 10 more")
    assert "Likelihood" in Texts(characters.predict(["好"])._repr_html_()).text


def test_predictions_compare_without_their_text(classifier):
    assert Prediction("好", 0.5, text="a") == Prediction("好", 0.5, text="b")
    assert isinstance(classifier, Model)
