"""The segmenter of a model folder: what a model recorded, it cuts with, and one that recorded less cuts as before."""

import pytest
import tomli_w
from random_model import make_model
from random_tagger import make_tagger
from seals import seal

from pipeline.errors import ModelError
from pipeline.models import segmenter_files
from pipeline.models.model import Model, open_segmenter
from pipeline.segmentation.dictionary import UserDictionary
from pipeline.segmentation.main_dictionary import MainDictionary
from pipeline.segmentation.segmenter import Segmenter

TEXT = "发到a@b.com，9:30见EMAIL，服务态度好，价格便宜"


def rewrite(folder, old, new):
    path = folder / "model.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    seal(folder)


def test_a_model_without_keep_whole_cuts_as_it_did(tmp_path):
    """Models trained before the option keep the segmentation that they were evaluated with."""
    folder = make_model(tmp_path / "model")
    assert "a@b.com" in Model.load(folder).tokenise(TEXT).tokens
    rewrite(folder, "keep_whole = true\n", "")
    (folder / "dictionary.txt").write_text("AI\n", encoding="utf-8")
    seal(folder)
    old = Model.load(folder)
    assert not old.segmenter.keep_whole and not old.segmenter.dictionary.keep_whole
    expected = Segmenter(dictionary=UserDictionary({"AI": None}), keep_whole=False)
    assert old.tokenise(TEXT).tokens == expected.tokens(TEXT)
    assert {"EM", "AI", "L", "@"} <= set(old.tokenise(TEXT).tokens)


def test_weights_splits_and_main_dictionary_travel_in_the_folder(tmp_path):
    main = MainDictionary({"服务": 50, "态度": 40, "好": 90, "价格": 30, "便宜": 30, "价格便宜": 60})
    dictionary = UserDictionary({"见": "v"}, {"服务态度": 10**6, "价格便宜": 0}, {"发到": ("发", "到")})
    cutter = Segmenter(dictionary=dictionary, main=main, engine="jieba")
    about = segmenter_files.save(tmp_path, cutter)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("dictionary.txt", "weighted.txt", "main_dictionary.txt", "stop_words.txt")
    }
    again = segmenter_files.load(tmp_path, about, open_segmenter)
    assert again.settings() == cutter.settings() and again.split(TEXT) == cutter.split(TEXT)
    assert {"服务态度", "价格", "便宜", "发", "到"} <= set(again.split(TEXT))
    (tmp_path / "main_dictionary.txt").write_text("服务 5\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"another dictionary than the one that model.toml names"):
        segmenter_files.load(tmp_path, about, open_segmenter)
    (tmp_path / "main_dictionary.txt").unlink()
    with pytest.raises(ModelError, match="can't be read"):
        segmenter_files.load(tmp_path, about, open_segmenter)


def test_a_folder_with_frequencies_for_characters_is_refused(tmp_path):
    folder = make_tagger(tmp_path / "model", "words")
    (folder / "dictionary.txt").write_text("北京 0\n", encoding="utf-8")
    seal(folder)
    with pytest.raises(ModelError, match=r"the frequency of '北京' is for jieba"):
        Model.load(folder)


def test_about_names_what_is_recorded(tmp_path):
    about = segmenter_files.save(tmp_path, Segmenter(keep_whole=False))
    assert tomli_w.dumps(about).splitlines() == [
        *('unit = "word"', 'engine = "rjieba"', 'mode = "default"', "hmm = true"),
        *("keep_whitespace = false", "keep_whole = false"),
    ]
