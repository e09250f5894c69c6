"""Plain text, a document a line."""

import gzip

from hypothesis import given
from hypothesis import strategies as st

from corpora.document import Document
from corpora.lines import LineDocuments


@given(texts=st.lists(st.text("好 \u2028\x0b\x85\0", max_size=5)))
def test_a_line_is_a_document_and_none_is_skipped(tmp_path_factory, texts):
    path = tmp_path_factory.getbasetemp() / "文.txt"
    path.write_bytes("".join(text + "\n" for text in texts).encode())
    lines = LineDocuments(path)
    assert list(lines) == [Document(text, None, row) for row, text in enumerate(texts, start=1)] == list(lines)


def test_line_ends_gzip_and_no_end(tmp_path):
    path = tmp_path / "文.txt.gz"
    path.write_bytes(gzip.compress("早\r\n\r\n安\r晚\n安".encode("gb18030")))
    assert [(line.row, line.text) for line in LineDocuments(path, "gbk")] == [
        (1, "早"),
        (2, ""),
        (3, "安"),
        (4, "晚"),
        (5, "安"),
    ]
