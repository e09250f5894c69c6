"""The task language from a text to a model: what it says of texts, what it writes, and how it is judged."""

import csv
import json
import math
import random

import numpy as np
import pytest
from few_lines import CHARACTERS, CONFIG, LINES, WORDS
from mini import python

import pipeline
from pipeline.__main__ import main
from pipeline.config.load import load
from pipeline.errors import ModelError, PipelineError, SettingsError
from pipeline.jobs.label import label_file
from pipeline.models.language_model import LanguageModel

ODD = ["", "河", "龘靐", "hello", "\U0001f600", " ", "\ud800", "今天\n明天", "走" * 300, *LINES]


@pytest.fixture
def zhpipe(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


def test_hello_world(hello, zhpipe):
    with (hello / "train" / "history.csv").open(encoding="utf-8") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses[0] > 2 and losses[-1] < 0.01
    assert losses[:20] == sorted(losses[:20], reverse=True)
    assert zhpipe("generate", hello, "--prompt", "h") == (0, "hello world\n", "")
    assert pipeline.load(hello).generate("h", temperature=0) == ["hello world"]
    assert zhpipe("next", hello, "hello", "-n", 1)[1].endswith("  \\s\n")
    assert zhpipe("next", hello, "hello world", "-n", 1)[1].endswith("  (end of text)\n")


@pytest.mark.parametrize("model", ["characters", "words"])
def test_scores_alone_in_any_order_and_among_others(model, request):
    model = request.getfixturevalue(model)
    together = model.score(ODD)
    places = random.Random(1).sample(range(len(ODD)), len(ODD))
    shuffled = dict(zip(places, model.score([ODD[place] for place in places]), strict=True))
    for place, (text, found) in enumerate(zip(ODD, together, strict=True)):
        [alone] = model.score([text])
        for other in (alone, shuffled[place]):
            np.testing.assert_allclose(found.distribution, other.distribution, atol=1e-4)
        assert found.value == text == "".join(found.tokens)
        assert len(found.distribution) == len(found.tokens) + 1
        assert -math.inf < found.log_probability < 0
        assert [text[start:end] for start, end in found.places] == [*found.tokens, ""]
        assert sum(found.bits) == pytest.approx(-found.log_probability / math.log(2))


@pytest.mark.parametrize("model", ["characters", "words"])
def test_a_text_is_as_likely_as_its_tokens_one_after_the_other(model, request):
    model = request.getfixturevalue(model)
    text = "河边的风很大"
    [found] = model.score([text])
    before = ""
    for token, log in zip([*found.tokens, None], found.distribution, strict=True):
        following = dict(model.next(before, 1000))
        assert sum(following.values()) == pytest.approx(1, abs=0.2), "the unknown token is not listed"
        if token is None or token in model.encoder.vocabularies[model.encoder.reads[0]]:
            assert math.log(following[token]) == pytest.approx(log, abs=1e-4)
        before += token or ""


def test_an_empty_text_and_one_of_unknown_characters(characters):
    [empty] = characters.score([""])
    assert empty.tokens == () and empty.log_probability == pytest.approx(math.log(dict(characters.next())[None] or 0))
    [one, two] = characters.score(["龘", "龘龘"])
    assert 20 < one.bits[0] < 45, "its own cost and that of any character of Unicode"
    assert two.log_probability < one.log_probability


def test_a_very_long_text(characters):
    text = "".join(random.Random(1).choices("今天河边的人很多。", k=100_000))
    [found] = characters.score([text])
    assert len(found.distribution) == 100_001
    [beginning] = characters.score([text[:500]])
    np.testing.assert_allclose(found.distribution[:500], beginning.distribution[:500], atol=1e-4)
    assert len(characters.next(text, 3)) == 3


def test_texts_of_its_own(characters, words):
    drawn = characters.generate("河", count=5, length=12, seed=3)
    assert drawn == characters.generate("河", count=5, length=12, seed=3) != characters.generate("河", count=5, seed=4)
    assert all(text.startswith("河") and len(text) <= 13 and "\ufffd" not in text for text in drawn)
    assert len(set(drawn)) == 5
    assert any("\ufffd" in text for text in characters.generate(count=60, length=20, unknown=True))
    assert characters.generate("龘河", length=0) == ["龘河"], "what was never seen is read as unknown"
    assert characters.generate("龘河", length=3)[0].startswith("龘河")
    assert "".join(characters.stream("河", length=4, temperature=0)) == characters.generate(
        "河", length=4, temperature=0
    )[0].removeprefix("河")
    for found in words.search("今天", width=3, length=4):
        assert found.text.startswith("今天") and found.log_probability < 0
    for wrong in ({"temperature": -1}, {"top_p": 2}, {"length": -1}):
        with pytest.raises(PipelineError, match="expected"):
            characters.generate(**wrong)


def test_beam_search_is_as_likely_as_the_scores_say(characters):
    for found in characters.search("河", width=4, length=6):
        whole = characters.score([found.text])[0].distribution
        behind = whole[1:] if found.ended else whole[1:-1]
        assert found.log_probability == pytest.approx(sum(behind), abs=1e-3)


def test_generate_from_the_shell(written, zhpipe):
    run = written(CHARACTERS)
    model = pipeline.load(run)
    code, out, _ = zhpipe("generate", run, "--prompt", "河", "-n", 3, "--length", 5, "--top-k", 4, "--seed", 7)
    assert code == 0
    assert out == "".join(f"{text}\n" for text in model.generate("河", count=3, length=5, top_k=4, seed=7))
    code, out, _ = zhpipe("generate", run, "--beam", 3, "--length", 4)
    assert out == f"{model.search(width=3, length=4)[0].text}\n"
    code, out, error = zhpipe("generate", run, "--temperature", "-1")
    assert (code, error) == (2, "zhpipe: temperature: expected 0 or more, received -1.0\n")


def test_writing_loads_no_training_library(hello, tmp_path):
    script = (
        "import sys; from pipeline.__main__ import _exit_code; "
        f"code = _exit_code(['generate', {str(hello)!r}, '--prompt', 'h']); "
        "print(code, sorted({'keras', 'tensorflow', 'gensim', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    done = python("-c", script, folder=tmp_path)
    assert done.stdout.splitlines() == ["hello world", "0 []"], done.stderr


def test_other_tasks_do_not_write(trained, zhpipe):
    code, _, error = zhpipe("generate", trained("gru"))
    assert code == 2 and "its task is classify: a language model is needed here" in error
    with pytest.raises(ModelError):
        LanguageModel.of(pipeline.load(trained("gru")))


def test_label_adds_how_likely_each_row_is(written, tmp_path):
    texts = ["今天去河边", "", "河边今去天", "龘"]
    with (tmp_path / "in.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text in texts)])
    run = written(CHARACTERS)
    label_file(run, tmp_path / "in.csv", tmp_path / "out.csv", probabilities=True)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["text", "log_probability", "perplexity", "surprisal"]
    assert rows[1] == ["", "", "", ""]
    for row, found in zip(rows, pipeline.load(run).score(texts), strict=True):
        if row[0]:
            assert float(row[1]) == pytest.approx(found.log_probability, abs=1e-3)
            assert float(row[2]) == pytest.approx(found.perplexity, rel=1e-3)
            surprisal = json.loads(row[3])
            assert [row[0][start:end] for start, end, _ in surprisal] == [*row[0], ""]
            assert [bits for *_, bits in surprisal] == pytest.approx(found.bits, abs=1e-3)


@pytest.mark.parametrize("overrides", [CHARACTERS, WORDS])
def test_the_report(overrides, written):
    run = written(overrides)
    report = json.loads((run / "evaluate" / "report.json").read_text(encoding="utf-8"))
    assert report["task"] == "language"
    model = pipeline.load(run)
    with (run / "segment" / "test.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    logs = [log for found in model.score(texts) for log in found.distribution]
    test = report["test"]
    assert test["tokens"] == len(logs) and test["characters"] == sum(map(len, texts))
    assert test["perplexity"] == pytest.approx(math.exp(-sum(logs) / len(logs)), rel=1e-4)
    assert test["bits_per_token"] == pytest.approx(math.log2(test["perplexity"]))
    assert test["bits_per_character"] == pytest.approx(test["bits_per_token"] * len(logs) / test["characters"])
    assert set(report["baselines"]) == {"unigram", "kneser_ney"}
    for scores in report["baselines"].values():
        assert scores["test"]["tokens"] == len(logs) and scores["test"]["perplexity"] > 1
    assert sum(group["tokens"] for group in test["by_length"].values()) == len(logs)
    assert sum(group["tokens"] for group in test["by_rank"].values()) == len(logs) - len(texts)
    shown = (run / "evaluate" / "report.txt").read_text(encoding="utf-8")
    assert f"On {len(texts)} test texts ({len(logs):,} tokens, ends included)" in shown
    with (run / "evaluate" / "surprises.csv").open(encoding="utf-8", newline="") as file:
        surprises = list(csv.DictReader(file))
    bits = [float(row["bits"]) for row in surprises]
    assert len(bits) == len(logs) and bits == sorted(bits, reverse=True)
    assert max(bits) == pytest.approx(-min(logs) / math.log(2), rel=1e-4)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("network.bidirectional=true", "a language model cannot have network.bidirectional = true: set it to false"),
        ("network.wide.words=2", "a language model cannot have network.wide.words = 2: set it to 0"),
        ("segment.mode=full", 'a language model cannot have segment.mode = "full": set it to "default"'),
        ('evaluate.baselines=["majority"]', "choose from unigram, kneser_ney"),
        ("train.metric=accuracy", "choose one of loss"),
        ("language.bptt_steps=-1", "expected 0 or more, received -1"),
    ],
)
def test_settings_that_a_language_model_cannot_have(override, said, tmp_path):
    (tmp_path / "mini.toml").write_text(CONFIG, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / "mini.toml", [override])
    assert said in str(caught.value)


def test_a_spoilt_spelling_is_one_sentence(written, tmp_path):
    import shutil

    from pipeline.provenance import sha256

    folder = shutil.copytree(written(CHARACTERS) / "model", tmp_path / "model")
    (folder / "spelling.json").write_text('{"tokens": 1}', encoding="utf-8")
    sums = [f"{sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir()) if path.name != "SHA256SUMS"]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    with pytest.raises(ModelError):
        pipeline.load(folder)


def test_a_corpus_of_blank_lines(tmp_path):
    (tmp_path / "mini.txt").write_text("\n \n", encoding="utf-8")
    (tmp_path / "mini.toml").write_text(CONFIG, encoding="utf-8")
    with pytest.raises(PipelineError, match="no row has a text: add such rows, or name another file"):
        pipeline.run(tmp_path / "mini.toml", runs=tmp_path / "runs")
