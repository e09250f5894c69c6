"""Whatever bytes come: one sentence or a whole output, every row accounted for, no character lost.

LABEL_FUZZ sets how many files are tried: 10,000 by `make attacks`.
"""

import os
from itertools import takewhile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from random_model import make_model

from corpora import delimited, entries
from corpora.errors import CorpusError
from corpora.files import ENCODINGS, EscapedLines
from corpora.rows import Row
from pipeline.errors import PipelineError
from pipeline.jobs.label import label_file, rejected_path
from pipeline.jobs.limits import Limits
from pipeline.models.model import Model

LIMITS = Limits(chunk_rows=3)
EXAMPLES = int(os.environ.get("LABEL_FUZZ", "120"))
PIECES = [
    *"\",;\t\n\r'=+-@ {}[]:0aé好评",
    "\r\n",
    '""',
    '",',
    ',"',
    "\0",
    "\ufeff",
    "😀",
    "\u2028",
    "\u202e",
    "\x85",
    "text",
]
PIECES += [
    '{"text": "好"}\n',
    '{"text": 1, "x": null}\n',
    '"text"',
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
]
LINES = st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), max_size=12)
HEADERS = ["text\n", "id,text\r\n", "text;id\n", "id\ttext\n", '"text","a ""b"""\n', '{"text": "x"}\n', ""]


@st.composite
def files(draw):
    """The bytes of a file and how it is said to be written: right, wrong, or damaged."""
    encoding = draw(st.sampled_from(sorted(ENCODINGS)))
    text = draw(st.sampled_from(HEADERS)) + draw(st.sampled_from(["\n", "\r\n", ""])).join(draw(LINES))
    data = text.encode(encoding, "ignore")
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(data)))
        data = data[:place] + draw(st.binary(max_size=3)) + data[place + draw(st.integers(0, 2)) :]
    if draw(st.integers(0, 9)) == 0:
        data = draw(st.binary(max_size=200))
    return data, draw(st.sampled_from([encoding, encoding, "utf-8"]))


OPTIONS = st.fixed_dictionaries(
    {
        "format": st.sampled_from(["csv", "csv", "tsv", "jsonl"]),
        "output_format": st.sampled_from(["csv", "csv", "tsv", "jsonl", "jsonl", "parquet", "xlsx"]),
        "output_encoding": st.sampled_from([None, None, *sorted(ENCODINGS)]),
        "delimiter": st.sampled_from([None, None, ";"]),
        "header": st.booleans(),
        "excel_safe": st.booleans(),
        "probabilities": st.booleans(),
    }
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder to work in, a model whose labels every encoding has; nothing is forced to the disk."""
    folder = tmp_path_factory.mktemp("fuzz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: None)
        yield folder, Model.load(make_model(folder / "model", ("a", "b")), threads=1)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(file=files(), options=OPTIONS)
@example(
    file=(b"\xef\xbb\xbf\xef\xbb\xbftext\n", "utf-8"),  # two byte order marks, and no header
    options={
        **dict.fromkeys(("output_encoding", "delimiter")),
        **dict.fromkeys(("header", "excel_safe", "probabilities"), False),
        **dict.fromkeys(("format", "output_format"), "csv"),
    },
)
def test_any_bytes(place, file, options):
    folder, model = place
    data, encoding = file
    source, target = folder / "in", folder / "out"
    source.write_bytes(data)
    if options["format"] == "jsonl":
        options = {**options, "delimiter": None, "header": True}
    try:
        done = label_file(model, source, target, encoding=encoding, force=True, limits=LIMITS, **options)
    except (CorpusError, PipelineError) as error:
        assert "\n" not in str(error) and str(error).startswith((str(source), str(target)))
        assert sorted(path.name for path in folder.iterdir() if ".job" in path.name) == []
        return
    assert done.rows == done.labelled + done.blank + done.rejected
    check_rows(source, target, encoding, options, done)
    for path in (target, rejected_path(target)):
        path.unlink(missing_ok=True)


def check_rows(source, target, encoding, options, done):
    """What is read back are the good rows, in order, and the new cells."""
    described = {name: options[name] for name in ("format", "delimiter", "header")}
    out_format = options["output_format"]
    keys = model_columns(options) if out_format == options["format"] == "jsonl" else None
    rows = list(entries.read(source, encoding=encoding, reserved=keys, **described).rows)
    assert done.rows == len(rows)
    if done.labelled + done.blank == 0 and (out_format == "jsonl" or not options["header"]):
        return
    same = out_format == options["format"]
    back = entries.read(
        target,
        format=out_format,
        encoding=options["output_encoding"] or encoding,
        delimiter=options["delimiter"] if same else None,
        reserved=() if keys else None,
        header=options["header"] or out_format not in ("csv", "tsv"),
    )
    found = list(back.rows)
    unseen = empty_at_the_end(rows) if out_format == "xlsx" else 0
    assert all(isinstance(row, Row) for row in found) and len(found) == done.labelled + done.blank - unseen
    if out_format in ("csv", "tsv") and options["format"] in ("csv", "tsv") and not options["excel_safe"]:
        width = len(found[0].cells) - len(model_columns(options)) if found else 0
        good = [row.cells for row in rows if isinstance(row, Row)]
        kept = iter(good)
        assert all(any(row.cells[:width] == cells for cells in kept) for row in found)
        assert len(good) - len(found) <= done.rejected


def empty_at_the_end(rows):
    """How many rows without any content are the last ones: in a sheet nothing tells them from what is behind it."""
    good = [row for row in rows if isinstance(row, Row)]
    return sum(1 for _ in takewhile(lambda row: not any(cell not in (None, "") for cell in row.cells), reversed(good)))


def model_columns(options):
    return ["label", "confidence", "p:a", "p:b"] if options["probabilities"] else ["label", "confidence"]


@settings(max_examples=EXAMPLES, deadline=None)
@given(file=files(), delimiter=st.sampled_from(",;\t"))
def test_no_character_of_a_text_is_lost(tmp_path_factory, file, delimiter):
    path = Path(tmp_path_factory.getbasetemp(), "raw")
    data, encoding = file
    path.write_bytes(data)
    try:
        text = "".join(EscapedLines(path, encoding))
    except CorpusError:
        return
    found = "".join(row.raw for row in delimited.entries(EscapedLines(path, encoding), delimiter))
    assert found.replace("\r", "").replace("\n", "") == text.replace("\r", "").replace("\n", "")
