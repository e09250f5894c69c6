"""`zhpipe convert`: what it writes, what it says was lost, and what it refuses."""

import json

import openpyxl
import pytest

from corpora.annotations.fit import LOST
from corpora.annotations.formats import FORMATS
from pipeline.__main__ import main


@pytest.fixture
def zhpipe(capsys, tmp_path, monkeypatch):
    """Runs `zhpipe`: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


def doccano(path, *records):
    lines = (json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in records)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_tags_of_another_notation_become_records(zhpipe, tmp_path):
    (tmp_path / "a.bio").write_text("小\tPER-B\n明\tPER-L\n来\to\n\n北\tLOC-B\n京\tLOC-L\n", encoding="utf-8")
    code, out, err = zhpipe("convert", "a.bio", "a.jsonl", "--to", "doccano")
    assert code == 0 and out == "2 texts from conll to doccano: a.jsonl\nentities 2: PER 1, LOC 1\n"
    assert err == 'zhpipe: warning: tags such as "PER-L" are read as "E-PER"\n'
    records = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert records == [{"text": "小明来", "label": [[0, 2, "PER"]]}, {"text": "北京", "label": [[0, 2, "LOC"]]}]
    assert zhpipe("convert", "a.jsonl", "b.conll")[1].startswith("2 texts from doccano to conll: b.conll")
    assert (tmp_path / "b.conll").read_text(encoding="utf-8").startswith("小\tB-PER\n明\tI-PER\n来\tO\n\n")


def test_tags_that_break_the_scheme_are_counted(zhpipe, tmp_path):
    (tmp_path / "a.bio").write_text("小\tB-人\n明\tI-人\n来\tI-地\n", encoding="utf-8")
    code, out, err = zhpipe("convert", "a.bio", "a.jsonl", "--to", "doccano")
    assert code == 0 and "entities 2: 人 1, 地 1" in out
    assert err == "zhpipe: warning: 1 neighbouring tags that break the scheme, read as spans all the same\n"


def test_overlaps_are_refused_or_one_of_them_kept_and_counted(zhpipe, tmp_path):
    doccano(
        tmp_path / "a.jsonl",
        ("北京大学", [[0, 4, "机构"], [0, 2, "地点"]]),
        ("一二三四五六", [[0, 3, "甲"], [2, 6, "乙"]]),
    )
    code, _, err = zhpipe("convert", "a.jsonl", "a.conll")
    assert code == 2 and 'row 1: 0:2 "地点" overlaps another entity' in err and "--overlaps longest or outermost" in err
    assert not (tmp_path / "a.conll").exists()
    _, out, _ = zhpipe("convert", "a.jsonl", "a.conll", "--overlaps", "longest")
    assert "entities 2: 机构 1, 乙 1\nlost     2 entities that overlap others, which are kept\n" in out
    _, out, _ = zhpipe("convert", "a.jsonl", "a.conll", "--overlaps", "outermost", "--force")
    assert "entities 2: 机构 1, 甲 1\n" in out


def test_every_loss_is_said(zhpipe, tmp_path):
    doccano(tmp_path / "a.jsonl", ("我 爱\n北京", [[4, 6, "地 点"]]), (" ", []))
    with (tmp_path / "a.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"text": "没人标"}\n')
    _, out, _ = zhpipe("convert", "a.jsonl", "a.conll")
    assert [line for line in out.splitlines() if line.startswith("lost")] == [
        f"lost     1 {LOST['not_annotated']}",
        f"lost     1 {LOST['white_space']}",
        f"lost     1 {LOST['blank']}",
        'lost     the label "地 点" is now "地_点"',
    ]
    code, _, err = zhpipe("convert", "a.jsonl", "a.txt", "--to", "slashed")
    assert code == 2 and "nothing is left to write" in err and "they have no words" in err


def test_other_fields_of_records_are_named(zhpipe, tmp_path):
    record = {"id": 7, "text": "小明", "label": [[0, 2, "人"]], "Comments": []}
    (tmp_path / "a.jsonl").write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
    _, out, _ = zhpipe("convert", "a.jsonl", "b.json", "--to", "label-studio")
    assert out.splitlines()[-1] == 'lost     other fields of records: "Comments" (1), "id" (1)'
    _, out, _ = zhpipe("convert", "b.json", "c.json", "--to", "cmeee")
    assert "lost" not in out


def test_nothing_is_overwritten_unasked(zhpipe, tmp_path):
    (tmp_path / "a.txt").write_text("小明\n", encoding="utf-8")
    (tmp_path / "a.ann").write_text("T1\t人 0 2\t小明\n", encoding="utf-8")
    doccano(tmp_path / "b.jsonl", ("小明", [[0, 2, "人"]]))
    code, _, err = zhpipe("convert", "b.jsonl", "a.ann")
    assert code == 2 and "a.txt: exists already" in err
    code, _, err = zhpipe("convert", "a.ann", "a.txt", "--to", "brat", "--force")
    assert code == 2 and "is the input" in err
    assert zhpipe("convert", "b.jsonl", "c.ann")[0] == 0
    assert (tmp_path / "c.txt").read_bytes() == b"\xe5\xb0\x8f\xe6\x98\x8e\n"
    assert (tmp_path / "c.ann").read_text(encoding="utf-8") == "T1\t人 0 2\t小明\n"


def test_what_is_asked_wrongly_is_said_in_a_sentence(zhpipe, tmp_path):
    (tmp_path / "a.csv").write_text("text\n好\n", encoding="utf-8")
    code, _, err = zhpipe("convert", "a.csv", "a.conll")
    assert code == 2 and "a.csv: looks like csv, which has no annotations: name its format with --from" in err
    doccano(tmp_path / "b.jsonl", ("小明", [[0, 2, "人"]]))
    code, _, err = zhpipe("convert", "b.jsonl", "b.out")
    assert code == 2 and f"choose one with --to: {', '.join(FORMATS)}" in err
    code, _, err = zhpipe("convert", "b.jsonl", "b.out", "--to", "doccanno")
    assert code == 2 and 'no format "doccanno" of annotations; the formats are conll' in err


def test_advice_is_about_the_options_of_the_command(zhpipe, tmp_path):
    doccano(tmp_path / "a.jsonl", ("😀我在北京", [[4, 6, "地"]]))
    code, _, err = zhpipe("convert", "a.jsonl", "a.conll")
    assert code == 2 and err.endswith(": --offsets utf-16\n")
    assert zhpipe("convert", "a.jsonl", "a.conll", "--offsets", "utf-16")[0] == 0
    (tmp_path / "b.txt").write_text("[香港/ns 特别/a\n", encoding="utf-8")
    code, _, err = zhpipe("convert", "b.txt", "b.conllu", "--from", "slashed")
    assert code == 2 and err.endswith(": --no-brackets if it belongs to the word\n")
    assert zhpipe("convert", "b.txt", "b.conllu", "--from", "slashed", "--no-brackets")[0] == 0
    (tmp_path / "c.json").write_text('{"tokens": ["小"], "ner_tags": [1]}', encoding="utf-8")
    code, _, err = zhpipe("convert", "c.json", "c.conll")
    assert code == 2 and "name them, --names [" in err


def test_encodings_and_names(zhpipe, tmp_path):
    (tmp_path / "a.json").write_text('{"tokens": ["小", "明"], "ner_tags": [1, 2]}', encoding="gb18030")
    options = ("--encoding", "gbk", "--names", "O,B-人,I-人", "--output-encoding", "utf-8-sig")
    code, _out, err = zhpipe("convert", "a.json", "a.conllu", *options)
    assert code == 0, err
    assert (tmp_path / "a.conllu").read_bytes().startswith(b"\xef\xbb\xbf# sent_id = 1\n# text = ")


READING = (
    "--delimiter",
    "--no-quoting",
    "--sheet",
    "--no-header",
    "--header-row",
    "--skip-rows",
    "--bad-rows",
    "--encoding",
)


def test_tables_have_the_same_options_everywhere(zhpipe):
    for name in ("inspect", "train", "run", "init", "evaluate", "segment", "label"):
        _, out, _ = zhpipe(name, "--help")
        assert all(option in out for option in READING), name


def test_sheets_are_read_by_commands_that_make_other_tables(zhpipe, tmp_path):
    book = openpyxl.Workbook()
    for row in (["标题"], ["正文"], ["很好"], ["太差"]):
        book.active.append(row)
    book.active.row_dimensions[3].hidden = True
    book.save(tmp_path / "a.xlsx")
    code, _, err = zhpipe("segment", "a.xlsx", "a.csv", "--text", "正文", "--unit", "char", "--header-row", "2")
    assert code == 0 and err == "zhpipe: warning: 1 rows that are hidden in the sheet, and read like the others\n"
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "正文,tokens\n很好,很 好\n太差,太 差\n"


def test_a_table_is_read_in_the_same_way_by_its_commands(zhpipe, tmp_path):
    rows = "".join(f"很好{place};好评\n太差{place};差评\n" for place in range(10))
    (tmp_path / "a.txt").write_text(f'"二月\n正文;评价\n单位;无\n{rows}坏;行;多\n', encoding="utf-8-sig")
    options = (
        "--format",
        "csv",
        "--delimiter",
        ";",
        "--header-row",
        "2",
        "--skip-rows",
        "3",
        "--bad-rows",
        "set-aside",
    )
    code, out, err = zhpipe("inspect", "a.txt", "--text", "正文", "--label", "评价", *options)
    assert code == 0 and "rows                   20\n" in out and "1 rows that cannot be read, set aside" in out, err
    code, out, err = zhpipe("init", "a.txt", "--text", "正文", "--label", "评价", *options)
    assert code == 0, err
    config = (tmp_path / "a.toml").read_text(encoding="utf-8")
    assert 'delimiter = ";"\nheader_row = 2\nskip_rows = 3\nbad_rows = "set-aside"\n' in config
    code, out, err = zhpipe("segment", "a.toml")
    assert code == 0 and "rows: train 16, dev 2, test 2; 1 rows that cannot be read, set aside" in out, err
    rejected = (tmp_path / "runs" / "a" / "segment" / "rejected-train.csv").read_text(encoding="utf-8")
    assert rejected.splitlines()[1].startswith('"21","2 cells expected') and rejected.endswith('"坏;行;多"\n')
    code, out, err = zhpipe("segment", "a.txt", "cut.csv", "--text", "正文", "--unit", "char", *options)
    assert code == 0 and "rows that can't be read: cut.csv.rejected.csv" in out, err
    assert (tmp_path / "cut.csv").read_bytes().startswith(b"\xef\xbb\xbf\xe6\xad\xa3\xe6\x96\x87,")
    code, _, err = zhpipe("segment", "a.toml", "--set", "corpus.bad_rows=stop")
    assert code == 2 and "row 21 (line 24): 2 cells expected" in err
