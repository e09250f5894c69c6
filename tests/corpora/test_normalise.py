"""Normalisation does what is asked and nothing else."""

import sys
from types import SimpleNamespace

import pytest

from corpora.errors import CorpusError
from corpora.normalise import normaliser

TEXT = "ＡＢＣ　繁體中文①é\r\n"


def test_off_is_the_identity():
    assert normaliser()(TEXT) is TEXT


def test_nfkc():
    assert normaliser(nfkc=True)(TEXT) == "ABC 繁體中文1é\r\n"


def test_simplify_is_the_last_step(monkeypatch):
    table = str.maketrans("體", "体")
    asked = []

    def converter(config):
        asked.append(config)
        return SimpleNamespace(convert=lambda text: text.translate(table))

    monkeypatch.setitem(sys.modules, "opencc", SimpleNamespace(OpenCC=converter))
    assert normaliser(simplify=True)(TEXT) == "ＡＢＣ　繁体中文①é\r\n"
    assert normaliser(nfkc=True, simplify=True)(TEXT) == "ABC 繁体中文1é\r\n"
    assert asked == ["t2s", "t2s"]


def test_simplify_with_the_real_tables():
    pytest.importorskip("opencc")
    assert normaliser(simplify=True)("頭髮發現乾燥後臺") == "头发发现干燥后台"


def test_simplify_keeps_the_number_of_characters(monkeypatch):
    """Offsets in the result are offsets in the text, whatever the table does."""
    tables = {"瞭": "了", "甲": "一二", "丙": ""}

    def convert(text):
        return "".join(tables.get(character, character) for character in text)

    monkeypatch.setitem(sys.modules, "opencc", SimpleNamespace(OpenCC=lambda config: SimpleNamespace(convert=convert)))
    assert normaliser(simplify=True)("瞭乙") == "了乙"
    assert normaliser(simplify=True)("甲瞭") == "甲了"
    assert normaliser(simplify=True)("丙瞭") == "丙了"


def test_simplify_without_opencc_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "opencc", None)
    with pytest.raises(CorpusError, match=r"zhpipe\[opencc\]"):
        normaliser(simplify=True)
