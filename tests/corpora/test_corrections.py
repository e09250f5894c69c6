"""Files of corrections: what is written reads back, and what is wrong in them is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import corrections
from corpora.corrections import Correction, fingerprint
from corpora.errors import CorpusError

CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MADE = st.builds(Correction, st.text().map(fingerprint), CELLS, st.integers(0, 10**9), CELLS, CELLS, CELLS, CELLS)


@given(made=st.lists(MADE, max_size=5))
def test_what_is_written_reads_back(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("corrections") / "corrections.csv"
    corrections.write(path, made)
    assert corrections.read(path) == made


@given(text=st.text(), other=st.text())
def test_texts_differ_where_fingerprints_do(text, other):
    assert (fingerprint(text) == fingerprint(other)) == (text == other)


@pytest.mark.parametrize(
    "content, message",
    [
        ("fingerprint,file,row,old,new,who\n", 'no column "when"'),
        ("fingerprint,file,row,old,new,who,when\nabc,a.csv,1,好,差,,\n", 'row 1: fingerprint "abc": 32 hexadecimal'),
        (f"fingerprint,file,row,old,new,who,when\n{'0' * 32},a.csv,一,好,差,,\n", 'row 1: row "一": a number'),
        ("", "the file is empty"),
    ],
)
def test_what_is_wrong_is_named(content, message, tmp_path):
    path = tmp_path / "corrections.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        corrections.read(path)


def test_a_file_that_excel_saved_is_read(tmp_path):
    path = tmp_path / "corrections.csv"
    path.write_text(f"fingerprint,file,row,old,new,who,when\n{'0' * 32},a.csv,3,好,差,我,\n", encoding="utf-8-sig")
    assert corrections.read(path) == [Correction("0" * 32, "a.csv", 3, "好", "差", "我")]
