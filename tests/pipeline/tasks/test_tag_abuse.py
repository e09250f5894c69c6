"""Cells of every sort are labelled with entities: nothing is lost, offsets are right, a long cell is soon done."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mini import read_csv, write_csv
from random_tagger import make_tagger

from pipeline.jobs.label import label_file
from pipeline.jobs.limits import Limits
from pipeline.models.model import Model
from pipeline.tagging.decoder import Decoder

ODD = [
    "",
    " \t\u3000",
    "！？……——《》",
    "😀👨\u200d👩\u200d👧去\ufe0f",
    "é\u0301去",
    "去 New York 吃 KFC",
    "我愛吃北京烤鴨",
    "=1+1去",
    "\x1c\x00去",
]
cells = st.lists(
    st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)), max_size=8
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return Model.load(make_tagger(tmp_path_factory.mktemp("taggers") / "model"))


def check(asked, model, folder, **options):
    """Labels cells and looks at every row; returns how many entities there are."""
    write_csv(folder / "in.csv", [[str(row), cell] for row, cell in enumerate(asked)], header=("编号", "正文"))
    done = label_file(model, folder / "in.csv", folder / "out.csv", text="正文", force=True, **options)
    header, *rows = read_csv(folder / "out.csv")
    assert header == ["编号", "正文", "entities", "confidence"] and len(rows) == done.rows == len(asked)
    assert (done.labelled, done.blank) == (len(asked) - done.blank, sum(not cell.strip() for cell in asked))
    found = 0
    for row, cell in zip(rows, asked, strict=True):
        assert row[1] == cell and (row[2] == "") == (not cell.strip())
        for entity in json.loads(row[2] or "[]"):
            assert cell[entity["start"] : entity["end"]] == entity["text"] and entity["text"].strip() == entity["text"]
            assert 0 <= entity["confidence"] <= 1
            found += 1
    return found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells)
def test_any_cells(model, tmp_path, asked):
    check(asked, model, tmp_path)


def test_workers_and_small_chunks(model, tmp_path):
    limits = Limits(chunk_rows=8, solo_seconds=0.0)
    assert check([*ODD, "去滨江步道骑车"] * 6, model, tmp_path, workers=2, limits=limits) > 0


def test_a_cell_of_200_000_characters_is_decoded_in_windows(model, tmp_path, monkeypatch):
    steps = []
    decode = Decoder.decode

    def counted(self, scores, lengths):
        steps.append(scores.shape[1])
        return decode(self, scores, lengths)

    monkeypatch.setattr(Decoder, "decode", counted)
    text = "去滨江步道骑车，我爱吃 北京烤鸭。\n" * 12_000
    assert len(text) > 200_000 and check([text, "去北京"], model, tmp_path) > 10_000
    assert max(steps) <= Decoder.longest_whole
