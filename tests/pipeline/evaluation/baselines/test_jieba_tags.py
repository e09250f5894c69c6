"""jieba as a baseline: its own words score 100 %, its parts of speech are jieba.posseg's, odd corpora are refused."""

import warnings

import pytest

from corpora.document import Sentence
from corpora.tags import to_characters
from pipeline.errors import PipelineError
from pipeline.evaluation.baselines import jieba_tags
from pipeline.evaluation.baselines.linear import Sample
from pipeline.segmentation.jieba_engines import jieba_tokenizer

PKU = ["n", "nr", "ns", "Ng", "v", "a", "d", "r", "p", "c", "u", "m", "q", "w", "t", "nx"]
TEXTS = ["周末在滨江步道骑车。", "老周说他去了昆明，iPhone 很好"]


@pytest.fixture(scope="module")
def posseg():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from jieba import posseg

        return posseg.POSTokenizer(jieba_tokenizer())


def sample(words, tags, kind):
    text = "".join(words)
    if kind == "pos":
        return Sample(words, text, tags=tags)
    characters = to_characters(Sentence(tuple(words), None if kind == "words" else tuple(tags)))
    return Sample(list(characters.tokens), text, tags=characters.tags)


@pytest.mark.parametrize("kind", ["words", "joint", "pos"])
def test_its_own_answers_are_all_right(posseg, kind):
    names = {tag.lower(): tag for tag in PKU}
    samples = []
    for text in TEXTS:
        pairs = posseg.lcut(text)
        words = [pair.word for pair in pairs if not pair.word.isspace()]
        tags = [jieba_tags.tag_of(pair.flag, pair.word, names) for pair in pairs if not pair.word.isspace()]
        if kind == "words":
            words = [word for word in jieba_tokenizer().lcut("".join(words)) if word.strip()]
        samples.append(sample(words, tags, kind))
    scheme = None if kind == "pos" else "BMES"
    told, kept = [], {}
    options = {"advance": told.append, "keep": kept.__setitem__}
    found = jieba_tags.run({"test": samples}, kind, PKU, scheme, frozenset(), **options)
    assert kind == "pos" or kept["jieba"]["test"] == [each.tags for each in samples]
    assert found["jieba"]["test"]["f1"] > (0.9 if kind == "pos" else 0.99) and told == [1]
    assert found["jieba"]["test"]["rows"] == 2 and found["jieba"]["seconds"] > 0


@pytest.mark.parametrize(("kind", "tags"), [("entities", PKU), ("pos", ["NOUN", "VERB"]), ("joint", PKU[1:])])
def test_what_cannot_be_compared(kind, tags):
    with pytest.raises(PipelineError, match=r'has "jieba", .*: leave it out'):
        jieba_tags.run({"test": []}, kind, tags, "BMES", frozenset())
