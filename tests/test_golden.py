"""What every command answers, kept in tests/golden/expected: a change of the code must change none of it unawares.

Where nothing is trained, each byte is compared. What a network has learnt may differ in the last digits from one CPU to
the next: there wording, columns, keys and the order of rows are compared exactly, scores within 0.02, 97 % of the lines
of a table, and nine of ten lines of a report. After a change that is meant, renew them and read the difference:

    ZHPIPE_RENEW_GOLDEN=1 .venv/bin/python -m pytest tests/test_golden.py

An expected file is what a session at the shell would show: `$ zhpipe ...`, the exit code, `>>> ` and what was
printed or written. Long files are given as a digest, long cells by their beginning and a digest; seconds, versions,
paths and settings are left out. The names of the networks and arrays are there, not their bytes.
"""

import contextlib
import csv
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alike import DECIMAL, same_keys, same_lines, same_report, same_wording

from pipeline.__main__ import main

GOLDEN = Path(__file__).parent / "golden"
RENEW = bool(os.environ.get("ZHPIPE_RENEW_GOLDEN"))
# All rows in one batch: steps are few, and Keras compiles one shape of batch instead of three.
QUICK = "--set train.batch_size=512 --set train.epochs=8 --set train.learning_rate=0.02 --set network.units=16"
SHORT, LONG = 16, 30  # characters of a cell, lines of a file of a stage
FIRST = 4  # rows of a table of a report, items of a list
BINARY = {".npy", ".npz", ".onnx", ".codes", ".ends"}
# Settings, digests of the rest, and what a language model draws, which its last digits decide.
UNREAD = {
    "config.toml",
    "manifest.json",
    "begun.json",
    "model.toml",
    "encoder.toml",
    "perplexity.json",
    "SHA256SUMS",
    "generated.jsonl",
}
UNENDED = "\n<no newline>\n"
STAGE = re.compile(r"/(segment|embed|model)/|^(words|characters|bigrams)/")  # what is made of the corpus alone
INNERMOST = re.compile(r"[\[{][^\[\]{}]*[\]}]")
MADE_OF = re.compile(r'"of": "[0-9a-f]{64}"')  # what an output was made of: a network, whose last digits differ
HEADING = re.compile(r"<h\d[^>]*>.*?</h\d>|^#+ .*$", re.MULTILINE)
TIMES = {"seconds", "tokens_per_second"}

FIXED = {
    "segment": """
        segment lines.txt cut.txt --workers 1
        segment lines.txt characters.txt --unit char --workers 1
        segment lines.txt mine-cut.txt --dictionary mine.txt --stop-words stop.txt --workers 1
        segment few.csv cut.csv --text 正文 --engine jieba --workers 1
        segment few.csv search.jsonl --text 正文 --mode search --no-hmm --workers 1
        segment few-gb.csv full.tsv --text 正文 --mode full --encoding gb18030 --workers 1
        segment lines.txt cut.txt
    """,
    "inspect": """
        inspect few.csv --text 正文
        inspect labelled.csv --text 正文 --label 类别
        inspect labelled.csv --text 正文 --label 类别 --json
        inspect few-gb.csv --text 正文 --encoding gb18030 --json
        inspect remarks.csv
        inspect remarks.csv --text 评价 --label 标签 --label-separator |
        inspect few.jsonl --text 正文
        inspect few.conll
        inspect few-pos.txt --format slashed
        inspect few-prose.txt --json
    """,
    "config": "config",
    "vocabularies": """
        embed raw.txt --out words --size 4 --epochs 1 --min-count 2
        embed raw.txt --out characters --unit char --size 4 --epochs 1 --min-count 2 --max-words 30
        embed raw.txt few-prose.txt --out bigrams --unit bigram --algorithm cbow --size 4 --epochs 1 --min-count 3
        embed raw.txt --out words
        embed raw.txt
    """,
    "splits": """
        run sample-mail.toml --until segment
        run sample-ner.toml --until segment
        run sample-pos.toml --until segment
        run sample-cws.toml --until segment
        run sample-hello.toml --until embed
        run sample-language.toml --until embed
        run sample-language.toml --until embed
    """,
    "errors": """
        label
        foo
        run sample-mail.toml --x
        run nowhere.toml
        run sample-mail.toml --from trian
        run sample-mail.toml --set train.epochs=x
        run sample-mail.toml --set trian.epochs=1
        run sample-mail.toml --set network.cell=gri
        run sample-mail.toml --set corpus.label=类型
        train sample-mail.toml
        label nowhere few.csv out.csv --text 正文
        evaluate nowhere --corpus labelled.csv --text 正文 --label 类别
        inspect few-gb.csv --text 正文
        inspect labelled.csv --text 正文 --label 类型
        inspect nowhere.csv
        segment few.csv out.csv
        report nowhere
        compare nowhere elsewhere
        neighbours 会议 --vectors nowhere
        generate nowhere
    """,
}

TRAINED = {
    "mail": f"""
        run sample-mail.toml {QUICK} --set train.epochs=4
        run sample-mail.toml {QUICK} --set train.epochs=4
        label runs/sample-mail few.csv out.csv --text 正文 --show 3
        label runs/sample-mail few.csv out.csv --text 正文
        label runs/sample-mail few.tsv out.tsv --text 正文
        label runs/sample-mail few.jsonl out.jsonl --text 正文 --probabilities
        label runs/sample-mail few.csv safe.csv --text 正文 --review-below 0.6 --prefix zh_ --excel-safe
        label runs/sample-mail few.csv precise.csv --text 正文 --target-precision 0.5
        label runs/sample-mail few-gb.csv excel.csv --text 正文 --encoding gb18030 --output-encoding utf-8-sig
        label runs/sample-mail few-semicolon.csv semicolon.csv --text 正文 --delimiter ;
        label runs/sample-mail noheader.csv headless.csv --no-header --text 2
        label runs/sample-mail broken.csv kept.csv --text 正文
        label runs/sample-mail broken.csv strict.csv --text 正文 --bad-rows stop
        label runs/sample-mail few.csv few.tsv many --text 正文 --workers 1
        label runs/sample-mail - - --text 正文 < few.csv
        label runs/sample-mail words.csv cut.csv --words 词
        label runs/sample-mail few.csv wrong.csv
        label runs/sample-mail few.csv wrong.csv --text 正文 --layout long
        label runs/sample-mail few.csv wrong.csv --text 正文 --int8
        evaluate runs/sample-mail --corpus labelled.csv --text 正文 --label 类别
        evaluate runs/sample-mail --corpus labelled.csv --text 正文 --label 类别 --fail-under accuracy=1
        evaluate runs/sample-mail --corpus labelled.csv --text 正文 --label 类别 --fail-under macro_fl=1
        evaluate mini --corpus labelled.csv --text 正文 --label 类别 --out other
        compare labelled-evaluation other --out compared
        neighbours 会议 --vectors runs/sample-mail -n 5
        neighbours 没有的词 --vectors runs/sample-mail
        neighbours 会 --vectors runs/sample-mail --unit char
        similarity pairs.txt --vectors runs/sample-mail
        analogies questions.txt --vectors runs/sample-mail
        generate runs/sample-mail
    """,
    "multilabel": f"""
        run sample-multilabel.toml {QUICK}
        label runs/sample-multilabel remarks.csv out.csv --text 评价 --probabilities
        label runs/sample-multilabel remarks.csv out.jsonl --text 评价 --review-below 0.3
        evaluate runs/sample-multilabel --corpus remarks.csv --text 评价 --label 标签
        report runs/sample-multilabel --language zh
    """,
    "ner": f"""
        run sample-ner.toml {QUICK}
        label runs/sample-ner few.csv out.csv --text 正文 --show 2
        label runs/sample-ner few.csv nbest.csv --text 正文 --n-best 2 --review-below 0.4
        label runs/sample-ner few.tsv finer.jsonl --text 正文 --probabilities --prefix zh_
        label runs/sample-ner few.csv long.csv --text 正文 --layout long
        label runs/sample-ner few.csv out.conll --text 正文 --layout conll
        label runs/sample-ner few.csv out.conllu --text 正文 --layout conllu
        label runs/sample-ner few.csv spans.jsonl --text 正文 --layout jsonl
        label runs/sample-ner few.csv small.csv --text 正文 --int8
        label runs/sample-ner few.csv - --text 正文 --layout long
        evaluate runs/sample-ner --corpus few.conll
        report runs/sample-ner --language zh
    """,
    "pos": f"""
        segment sample-pos.toml
        embed sample-pos.toml {QUICK}
        train sample-pos.toml {QUICK}
        evaluate sample-pos.toml {QUICK}
        label runs/sample-pos few.csv out.csv --text 正文
        label runs/sample-pos few.csv long.tsv --text 正文 --layout long
        label runs/sample-pos words.csv out.conll --words 词 --layout conll
        label runs/sample-pos words.csv out.conllu --words 词 --layout conllu
        label runs/sample-pos few.csv spans.jsonl --text 正文 --layout jsonl
        label runs/sample-pos words.csv nbest.csv --words 词 --n-best 2
        evaluate runs/sample-pos --corpus few-pos.txt --format slashed --out own
        compare runs/sample-pos runs/sample-pos
    """,
    "cws": f"""
        run sample-cws.toml {QUICK} --until train
        run sample-cws.toml {QUICK} --from evaluate
        label runs/sample-cws few.csv out.csv --text 正文
        label runs/sample-cws few.csv long.csv --text 正文 --layout long
        label runs/sample-cws few.csv out.conll --text 正文 --layout conll
        label runs/sample-cws few.csv out.conllu --text 正文 --layout conllu
        label runs/sample-cws few.csv spans.jsonl --text 正文 --layout jsonl
        label runs/sample-cws words.csv out.csv --words 词 --force
        segment lines.txt cut.txt --engine runs/sample-cws --workers 1
        evaluate runs/sample-cws --corpus few-pos.txt --format slashed --out own
    """,
    "language": f"""
        run sample-language.toml {QUICK}
        label runs/sample-language few.csv out.csv --text 正文
        label runs/sample-language few.csv finer.jsonl --text 正文 --surprisal
        evaluate runs/sample-language --corpus few-prose.txt
        next runs/sample-language 河面 -n 5
        next runs/sample-language -n 3
        generate runs/sample-language --prompt 河面上 --temperature 0.6 -n 3 --length 12
        generate runs/sample-language --seed 7 --top-k 5 --top-p 0.9 --unknown --length 12
        generate runs/sample-language --prompt 老周 --beam 3 -n 2 --length 8
    """,
    "pretrain": f"""
        pretrain sample-pretrain.toml {QUICK} --set train.epochs=2
        pretrain sample-pretrain.toml {QUICK} --set train.epochs=2
        pretrain sample-pretrain.toml {QUICK}
    """,
    "hello": """
        run sample-hello.toml
        label runs/sample-hello few.csv out.csv --text 正文 --surprisal
        generate runs/sample-hello --prompt h --temperature 0
        next runs/sample-hello hel -n 3
    """,
}


@dataclass(frozen=True)
class Part:
    """A part of what a command did: a `title`, such as `printed` or the name of a file, and its text."""

    title: str
    text: str

    def __str__(self) -> str:
        ended = not self.text or self.text.endswith("\n")
        return f">>> {self.title}\n{self.text}{'' if ended else UNENDED}"


@pytest.mark.parametrize("name", FIXED)
def test_what_needs_no_training_is_the_same_to_the_byte(name: str, tmp_path: Path) -> None:
    steps = session(FIXED[name], tmp_path)
    for (command, parts), (_, expected) in zip(steps, kept(name, steps), strict=True):
        assert written(parts) == written(expected), f"zhpipe {command}"


@pytest.mark.parametrize("name", TRAINED)
def test_what_a_trained_model_answers_is_the_same(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if name == "mail":
        shutil.copytree(request.getfixturevalue("trained")("gru"), tmp_path / "mini")
    if name == "hello":
        shutil.copytree(request.getfixturevalue("hello"), tmp_path / "runs" / "sample-hello")
    steps = session(TRAINED[name], tmp_path)
    for (command, parts), (_, expected) in zip(steps, kept(name, steps), strict=True):
        assert [part.title for part in parts] == [part.title for part in expected], f"zhpipe {command}"
        for part, wanted in zip(parts, expected, strict=True):
            assert alike(command, part, wanted), f"zhpipe {command}: {part}\nwas expected as {wanted}"


def alike(command: str, part: Part, expected: Part) -> bool:
    """Whether a part is as it is expected, as far as another CPU lets it be."""
    new, old = part.text, expected.text
    if old == new:
        return True
    if STAGE.search(part.title):
        return False
    if part.title.startswith("exit"):
        chosen = (
            command.split()[0] in ("neighbours", "next", "generate", "segment")
            or "--show" in command
            or " - " in command
        )
        return same_lines(old, new) if chosen else same_wording(old, new)
    if part.title.endswith("report.txt"):
        return same_report(old, new)
    if part.title.endswith(".json"):
        return same_keys(old, new) and same_report(old, new)
    return same_lines(old, new)


def session(commands: str, folder: Path) -> list[tuple[str, list[Part]]]:
    """Runs commands, a line each, in a folder with the inputs, and gives each with its parts."""
    shutil.copytree(GOLDEN / "inputs", folder, dirs_exist_ok=True)
    steps, seen = [], dict(files(GOLDEN / "inputs"))
    for command in commands.strip().splitlines():
        parts = [answer(command.strip(), folder)]
        now = dict(files(folder))
        parts += [Part(name, text) for name, text in now.items() if seen.get(name) != text]
        seen = now
        steps.append((command.strip(), parts))
    return steps


def answer(command: str, folder: Path) -> Part:
    """Runs a command in this process: its exit code, and what it prints to standard output and, behind it, error."""
    arguments, _, source = command.partition(" < ")
    given = (folder / source).read_bytes() if source else b""
    out, error = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(folder), pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", error)
        main(shlex.split(arguments))
    printed, said = (stream.buffer.getvalue().decode("utf-8") for stream in (out, error))  # type: ignore[attr-defined]
    said = "".join(line for line in said.splitlines(keepends=True) if not line.startswith("WARNING:"))
    return Part(f"exit {ended.value.code}", timeless(visible(printed) + visible(said), folder))


def files(folder: Path) -> Iterator[tuple[str, str]]:
    """The files of a folder by name, as they are kept."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        # What an evaluation remembers is named after the versions of the libraries.
        if not name.startswith("mini/") and "/remembered/" not in name:
            yield name, "" if path.suffix in BINARY or path.name in UNREAD else contents(path, name, folder)


def contents(path: Path, name: str, folder: Path) -> str:
    """A file as text: what is measured left out, what is long cut short."""
    data = path.read_bytes()
    try:
        text = visible(data.decode("utf-8"))
    except UnicodeDecodeError:
        text = visible(data.decode("gb18030"))
    if path.suffix in (".html", ".md"):
        return "".join(f"{heading}\n" for heading in HEADING.findall(text))
    if path.suffix == ".json":
        spread = json.dumps(stable(json.loads(text)), ensure_ascii=False, indent=1)
        return INNERMOST.sub(lambda found: " ".join(found[0].split()), spread) + "\n"
    if path.name == "report.txt":
        return timeless(text, folder)
    if path.name in ("history.csv", "confidence.csv"):
        return text.splitlines()[0] + "\n"
    if (path.parent / "report.json").exists() or path.parent.name == "compared":
        rows = list(csv.reader(io.StringIO(text))) if path.suffix == ".csv" else [[line] for line in text.splitlines()]
        shown = len(rows) if path.name == "predictions.csv" else FIRST
        return "".join(",".join(map(short, row)) + "\n" for row in rows[:shown])
    lines = text.count("\n")
    if lines > LONG and STAGE.search(name):
        return text[: text.index("\n") + 1] + f"... {lines} lines, SHA-256 {hashlib.sha256(data).hexdigest()}\n"
    return MADE_OF.sub('"of": "SHA-256"', text)


def visible(text: str) -> str:
    """The bytes that a text file would lose, or an editor would, as marks."""
    return text.replace("\ufeff", "<BOM>").replace("\r", "<CR>")


def short(cell: str) -> str:
    """A cell, or the beginning of a long one and a digest that leaves numbers with decimals aside."""
    cell = DECIMAL.sub(lambda number: f"{float(number[0]):.3f}", cell)
    if len(cell) <= SHORT:
        return cell.replace("\n", "\\n")
    digest = hashlib.sha256(DECIMAL.sub("#", cell).encode()).hexdigest()[:6]
    return f"{cell[:8]}…{digest}".replace("\n", "\\n")


def stable(value: Any) -> Any:
    """A JSON value without what is measured or is about the run, with three decimals."""
    if isinstance(value, dict):
        return {key: stable(inner) for key, inner in value.items() if key not in (*TIMES, "made", "bytes")}
    if isinstance(value, list):
        return [stable(inner) for inner in value[:FIRST]]
    return round(value, 3) if isinstance(value, float) else value


def timeless(text: str, folder: Path) -> str:
    """Printed text without seconds, speeds, versions, paths and settings."""
    text = re.sub(r"[^\s\"']*/samples/", "SAMPLES/", text.replace(str(folder), "."))
    text = re.sub(r"[\d,.]+ (rows|tokens|characters)/s", r"N \1/s", text)
    text = re.sub(r"\d+\.\d s(?=, N rows/s)", "N s", text)
    text = re.sub(
        r"^(segment|embed|train|evaluate|texts|forward|backward|measure)( +)\d+\.\d s ",
        r"\1 N s ",
        text,
        flags=re.MULTILINE,
    )
    text = re.sub(r"[\d,.]+( +[\d,]{3,} +\d+\.\d)$", r"N\1", text, flags=re.MULTILINE)  # train s, of compare
    text = re.sub(r"(trains in|trained in|用时|训练只需) ?[\d.]+ ?(s|秒)", r"\1 N \2", text)
    return re.sub(
        r"^\W*(config|配置|versions|版本|seconds|秒|commands|train sha256|zhpipe run)\b.*\n",
        "",
        text,
        flags=re.MULTILINE,
    )


def written(parts: list[Part]) -> str:
    return "".join(map(str, parts))


def kept(name: str, steps: list[tuple[str, list[Part]]]) -> list[tuple[str, list[Part]]]:
    """What is expected of these commands; with ZHPIPE_RENEW_GOLDEN set, what they have just done, which is kept."""
    path = GOLDEN / "expected" / f"{name}.txt"
    if RENEW:
        shown = "".join(f"$ zhpipe {command}\n{written(parts)}\n" for command, parts in steps)
        path.write_text(shown, encoding="utf-8", newline="")
    return read(path.read_bytes().decode("utf-8"))


def read(text: str) -> list[tuple[str, list[Part]]]:
    """An expected file, as commands and parts."""
    steps = []
    for step in re.split(r"^\$ zhpipe ", text, flags=re.MULTILINE)[1:]:
        command, _, rest = step.removesuffix("\n").partition("\n")
        parts = [part.partition("\n") for part in re.split(r"^>>> ", rest, flags=re.MULTILINE)[1:]]
        steps.append((command, [Part(title, body.removesuffix(UNENDED)) for title, _, body in parts]))
    return steps
