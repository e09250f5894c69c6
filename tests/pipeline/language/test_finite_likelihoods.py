"""Likelihoods and texts come of finite scores alone."""

import shutil

import pytest
from few_lines import CHARACTERS
from spoilt import spoil_unknown

import pipeline
from pipeline.__main__ import _exit_code
from pipeline.errors import NotFinite


@pytest.fixture
def spoilt(written, tmp_path):
    """The folder of a model that gives huge scores after an unknown token."""
    folder = tmp_path / "model"
    shutil.copytree(written(CHARACTERS) / "model", folder)
    spoil_unknown(folder)
    return folder


def test_from_python(spoilt, characters):
    model = pipeline.load(spoilt)
    known = next(iter(characters.encoder.vocabularies["char"].tokens))
    assert all(found.log_probability < 0 for found in model.score([known, known * 3]))
    for place in range(3):
        texts = [known * 5, known, known * 2]
        texts[place] += "\U00020000" + known
        with pytest.raises(NotFinite) as caught:
            model.score(texts)
        assert caught.value.text == place
    with pytest.raises(NotFinite):
        model.next("\U00020000")
    with pytest.raises(NotFinite):
        model.generate("\U00020000")


def test_the_row_is_named(spoilt, tmp_path, characters, capfd):
    known = next(iter(characters.encoder.vocabularies["char"].tokens))
    rows = [known, known * 2, f"{known}\U00020000", known]
    (tmp_path / "in.csv").write_text("text\n" + "\n".join(rows) + "\n", encoding="utf-8")
    code = _exit_code(["label", str(spoilt), str(tmp_path / "in.csv"), str(tmp_path / "out.csv")])
    said = capfd.readouterr().err
    assert code == 2 and "in.csv: row 3: " in said and "scores that are not finite" in said
    assert not (tmp_path / "out.csv").exists()
