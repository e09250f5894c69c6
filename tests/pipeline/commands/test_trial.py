"""`zhpipe try`: what a terminal, a pipe and an argument get, and nothing that a terminal would obey."""

import io
import math
import sys

import click
import pytest
from random_model import make_model
from random_tagger import make_tagger

from pipeline import load
from pipeline.__main__ import main
from pipeline.commands.answer_lines import lines_of
from pipeline.commands.escapes import escaped
from pipeline.tasks.language import Likelihood
from pipeline.tasks.prediction import PredictedSpan, Prediction

EVIL = "好\x1b[31m\u202e\x07\x9b"


class Input(io.TextIOWrapper):
    """Standard input with these bytes, that may be a terminal."""

    def __init__(self, content, terminal=False):
        super().__init__(io.BytesIO(content), encoding="utf-8")
        self.isatty = lambda: terminal


@pytest.fixture
def ask(capsys, monkeypatch):
    """Runs `zhpipe try`: exit code, standard output, standard error."""

    def run(*arguments, given=b"", terminal=False):
        monkeypatch.setattr(sys, "stdin", Input(given, terminal))
        with pytest.raises(SystemExit) as ended:
            main(["try", *map(str, arguments)])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("tried") / "model", ("好", "中等", "差\x1b[2J"))


@pytest.fixture(scope="module")
def tagger(tmp_path_factory):
    return make_tagger(tmp_path_factory.mktemp("tried") / "model")


def test_one_text_gets_its_labels_with_bars(ask, classifier):
    code, out, _ = ask(classifier, "今天的电影很好看")
    assert code == 0 and "\x1b" not in out and "差\\x1b[2J" in out
    answer = load(classifier).predict("今天的电影很好看")
    shares = sorted(answer.distribution, reverse=True)
    assert [line.split()[1] for line in out.splitlines()] == [f"{share:.1%}" for share in shares]
    assert [line.count("█") for line in out.splitlines()] == [round(30 * share) for share in shares]
    assert out.split()[0] == escaped(str(answer.value))


def test_a_pipe_gets_an_answer_a_line(ask, classifier):
    code, out, error = ask(classifier, given="\ufeff电影\r\n\n服务\n".encode())
    blocks = out.split("\n\n")
    assert code == 0 and error == "" and len(blocks) == 3
    assert blocks[0] + "\n" == ask(classifier, "电影")[1] and blocks[1] == "(no text)"
    assert blocks[2] == ask(classifier, "服务")[1]


def test_a_terminal_is_asked_until_an_empty_line(ask, classifier):
    code, out, error = ask(classifier, given="电影\n服务\n\n味道\n".encode(), terminal=True)
    assert code == 0 and error == "> > > " and len(out.split("\n\n")) == 2


def test_what_is_no_utf_8_is_refused_by_line(ask, classifier):
    code, _, error = ask(classifier, given="好\n".encode() + "好\n".encode("gb18030"))
    assert code == 2 and error == "zhpipe: standard input: line 2: byte 1 is not UTF-8\n"


def test_a_missing_model_is_one_sentence(ask, tmp_path):
    code, _, error = ask(tmp_path / "none", "好")
    assert code == 2 and "no model here" in error and error.count("\n") == 1


def test_entities_stand_in_brackets_or_in_colour():
    spans = (PredictedSpan("老周", "人\x07", 0, 2, 0.5), PredictedSpan("昆明", "地", 4, 6, 0.5))
    answer = Prediction(None, 0.1, tokens=tuple("老周去了昆明。"), spans=spans, text="老周去了昆明。")
    assert lines_of(answer) == ["[老周 人\\x07]去了[昆明 地]。"]
    [coloured] = lines_of(answer, colour=True)
    assert click.unstyle(coloured) == "老周/人\\x07去了昆明/地。" and coloured != click.unstyle(coloured)
    nothing = Prediction(None, 0.1, tokens=tuple("去了"), text="去 了")
    assert lines_of(nothing) == ["去 了"]


def test_words_stand_apart_with_their_tags():
    spans = (PredictedSpan("我", "n", 0, 1, 0.5), PredictedSpan("爱", "v", 2, 3, 0.5))
    answer = Prediction(None, 0.1, tokens=("我", "爱"), tags=("n", "v"), spans=spans, text="我 爱")
    assert lines_of(answer) == ["我/n 爱/v"]
    assert click.unstyle(lines_of(answer, colour=True)[0]) == "我/n 爱/v"
    bare = [PredictedSpan(span.text, "", span.start, span.end, 0.5) for span in spans]
    assert lines_of(Prediction(None, 0.1, tokens=("我", "爱"), spans=tuple(bare), text="我 爱")) == ["我 爱"]


def test_a_language_model_shows_bits():
    answer = Likelihood("好\n", 0.0, (math.log(0.25), math.log(2**-9), math.log(0.5)), ("好", "\n"))
    assert lines_of(answer) == ["好:2.0 \\n:9.0 (end):1.0", "perplexity 16.0"]
    assert click.unstyle(lines_of(answer, colour=True)[0]) == lines_of(answer)[0]


@pytest.mark.parametrize("colour", [False, True])
def test_no_control_character_of_a_text_reaches_the_terminal(classifier, tagger, characters, colour):
    for model in (load(classifier), load(tagger), characters):
        for text in (EVIL, f"去{EVIL}北京"):
            for line in lines_of(model.predict(text), colour=colour):
                assert all(character.isprintable() for character in click.unstyle(line)), line


def test_many_labels_are_cut(tmp_path):
    made = load(make_model(tmp_path / "model", tuple(f"类{place}" for place in range(14))))
    lines = lines_of(made.predict("电影"))
    assert len(lines) == 11 and lines[-1] == "… and 4 more"
