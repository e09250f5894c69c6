"""Multi-label classifiers: from a table to a model, its thresholds, its answers in every form, and its report."""

import csv
import json
import shutil

import numpy as np
import pytest
from few_remarks import CONFIG, SUBJECTS, remarks
from mini import read_csv, write_config, write_csv

import pipeline
from pipeline.__main__ import _exit_code
from pipeline.commands.answer_lines import lines_of
from pipeline.config.load import load
from pipeline.encoding.encoder import Tokenised
from pipeline.encoding.labels import Labels
from pipeline.errors import ModelError, PipelineError, SettingsError
from pipeline.evaluation.metrics import label_thresholds
from pipeline.evaluation.report import comparison
from pipeline.jobs.label import label_file
from pipeline.models.model import Model
from pipeline.stages import segment
from pipeline.stages.evaluate import evaluate_file
from pipeline.tasks.multilabel import LabelSet, Multilabel, MultilabelAnswerer

HEADER = ("标签", "评价")
NAMES = tuple(sorted(SUBJECTS))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, with the remarks and their config."""
    write_csv(tmp_path / "remarks.csv", remarks(), header=HEADER)
    write_config(tmp_path, CONFIG, "remarks.toml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def report_of(run):
    return json.loads((run / "evaluate" / "report.json").read_text(encoding="utf-8"))


def test_it_learns_and_reports(remarked):
    report = report_of(remarked)
    assert report["task"] == "multilabel" and report["test"]["micro_f1"] > 0.85
    assert set(report["test"]["per_label"]) == set(NAMES) == set(report["model"]["thresholds"])
    assert report["model"]["label_separator"] == "|" and report["baselines"].keys() == {
        "majority",
        "tfidf_characters_svc",
    }
    assert report["against"]["majority"]["difference"] > 0.3 and "micro_f1" in report["intervals"]["test"]
    assert report["confidence"]["dev"]["rows"] == report["dev"]["rows"]
    text = (remarked / "evaluate" / "report.txt").read_text(encoding="utf-8")
    page = (remarked / "evaluate" / "report.html").read_text(encoding="utf-8")
    markdown = (remarked / "evaluate" / "report.md").read_text(encoding="utf-8")
    for shown in (text, page, markdown):
        assert "micro F1" in shown and "threshold" in shown and all(name in shown for name in NAMES)
    assert (
        "rows without any label" in json.loads((remarked / "manifest.json").read_text())["stages"]["segment"]["summary"]
    )


def test_thresholds_are_those_of_the_fair_rows_of_dev(remarked):
    """They follow from dev's probabilities alone: test has no part in them."""
    model = pipeline.load(remarked)
    rows = segment.read_part(remarked, "dev", model.task.parse_gold)
    leaked = segment.read_audit(remarked)["leaked_dev"]
    fair = [row for place, row in enumerate(rows) if place not in leaked]
    shares = np.array([model.predict_tokens([row.tokenised])[0].distribution for row in fair])
    gold = np.array([[name in row.gold for name in NAMES] for row in fair])
    assert list(model.answerer.thresholds) == label_thresholds.choose(gold, shares)


def test_leaked_rows_of_dev_choose_no_threshold(folder):
    """Copies of train's texts, with every label wrong, change nothing."""
    train, fresh = remarks(80), remarks(60, seed=9)
    wrong = [("|".join(name for name in NAMES if name not in labels), text) for labels, text in train]
    texts = {text for _, text in train}
    fresh = [row for row in fresh if row[1] not in texts]
    write_csv(folder / "remarks.csv", train, header=HEADER)
    found = []
    for name, rows in (("fair", fresh), ("both", [*fresh, *wrong])):
        write_csv(folder / f"{name}.csv", rows, header=HEADER)
        overrides = [f"corpus.dev={name}.csv", "corpus.test=fair.csv", f"name={name}", "train.epochs=2"]
        run = pipeline.run("remarks.toml", overrides=overrides)
        report = report_of(run)
        found.append((report["model"]["thresholds"], pipeline.load(run).answerer.scaling, report["baselines"]))
    assert found[0][:2] == found[1][:2]
    assert found[1][2]["tfidf_characters_svc"]["test"] == found[0][2]["tfidf_characters_svc"]["test"]


def test_the_tables_of_the_report_say_what_is_wrong(remarked):
    made = remarked / "evaluate"
    predictions, errors = rows_of(made / "predictions.csv"), rows_of(made / "errors.csv")
    wrong = [row for row in predictions if row["gold"] != row["predicted"]]
    assert {row["row"] for row in errors} == {row["row"] for row in wrong}
    for row in errors:
        gold, said = (set(filter(None, row[name].split("|"))) for name in ("gold", "predicted"))
        missed, added = (set(filter(None, row[name].split("|"))) for name in ("missed", "added"))
        assert (missed, added) == (gold - said, said - gold)
    confused = rows_of(made / "confusion.csv")
    assert sum(int(row["rows"]) for row in confused) == len(wrong)
    thresholds = report_of(remarked)["model"]["thresholds"]
    for row in predictions:
        reached = [name for name in NAMES if round(float(row[f"p:{name}"]), 4) >= thresholds[name]]
        assert row["predicted"] == "|".join(reached)
    assert [row["row"] for row in rows_of(made / "baselines.csv")] == [row["row"] for row in predictions]


def test_predictions_are_typed(remarked):
    model = pipeline.load(remarked)
    both, none, blank = model.predict(["快递太贵", "还没拆开", "  "])
    assert isinstance(both, LabelSet) and both.chosen == ("价格", "物流") and both.value == "价格|物流"
    assert none.chosen == () and none.value == "" and not none.is_blank
    assert blank.is_blank and blank.chosen == ()
    assert len(both.distribution) == 3 and 0 < both.score <= 1
    assert "<b>价格</b>" in both._repr_html_() and "<b>服务</b>" not in both._repr_html_()
    lines = lines_of(both)
    assert sum(line.startswith("✓ ") for line in lines) == 2 and len(lines) == 3
    assert lines_of(none)[0].startswith("  ") and lines_of(blank) == ["(no text)"]


def test_the_confidence_is_the_scaled_product(remarked):
    model = pipeline.load(remarked)
    [found], [plain] = model.predict_tokens_at([model.tokenise("快递太贵")], (model.answerer.temperature, 1.0))
    chances = [
        share if name in found.chosen else 1 - share for name, share in zip(NAMES, found.distribution, strict=True)
    ]
    assert plain.score == pytest.approx(np.prod(chances)) and plain.chosen == found.chosen
    assert found.score == pytest.approx(plain.score ** (1 / model.answerer.temperature))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "xlsx"])
def test_label_joins_labels_and_gives_each_its_probability(remarked, folder, suffix):
    write_csv(folder / "in.csv", [("a", "快递太贵"), ("b", "还没拆开"), ("c", "")], header=("编号", "评价"))
    label_file(remarked, "in.csv", f"out.{suffix}", text="评价", probabilities=True, review_below=0.5)
    if suffix != "csv":
        return
    first, second, blank = rows_of(folder / "out.csv")
    assert first["label"] == "价格|物流" and set(first) == {
        "编号", "评价", "label", "confidence", "p:价格", "p:服务", "p:物流", "needs_review",
    }  # fmt: skip
    assert second["label"] == "" and second["confidence"] and second["needs_review"] in ("true", "false")
    assert blank["confidence"] == blank["needs_review"] == ""
    thresholds = pipeline.load(remarked).answerer.thresholds
    for row in (first, second):
        reached = [name for name, bound in zip(NAMES, thresholds, strict=True) if float(row[f"p:{name}"]) >= bound]
        assert row["label"] == "|".join(reached)
        assert row["needs_review"] == str(float(row["confidence"]) < 0.5).lower()


def test_a_precision_can_be_asked_for(remarked, folder, capfd):
    write_csv(folder / "in.csv", [("a", "快递太贵")], header=("编号", "评价"))
    arguments = ["label", str(remarked), "in.csv", "out.csv", "--text", "评价", "--target-precision"]
    assert _exit_code([*arguments, "0.3"]) == 0
    assert "rows (" in capfd.readouterr().err and rows_of(folder / "out.csv")[0]["needs_review"] in ("true", "false")
    assert _exit_code([*arguments, "1"]) == 2
    assert "no threshold promises a precision of 1" in capfd.readouterr().err


def test_a_frame_has_the_same_columns(remarked):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"评价": ["快递太贵", "还没拆开", None]})
    found = pipeline.load(remarked).label_frame(frame, text="评价", probabilities=True)
    assert found["label"].tolist()[:2] == ["价格|物流", ""] and found["p:服务"].isna().tolist() == [
        False,
        False,
        True,
    ]


def test_a_table_layout_is_the_only_one(remarked, folder):
    with pytest.raises(PipelineError, match="--layout long is for taggers"):
        label_file(remarked, "remarks.csv", "out.csv", text="评价", layout="long")
    with pytest.raises(PipelineError, match="--n-best is of taggers"):
        label_file(remarked, "remarks.csv", "out.csv", text="评价", n_best=2)


def test_a_file_is_scored_in_any_form(remarked, folder):
    """The model's own separator, another one, and lists give the same scores."""
    write_csv(folder / "own.csv", remarks(40, seed=5), header=HEADER)
    other = [(labels.replace("|", " ; "), text) for labels, text in remarks(40, seed=5)]
    write_csv(folder / "other.csv", other, header=HEADER)
    listed = [{"标签": labels.split("|") if labels else [], "评价": text} for labels, text in remarks(40, seed=5)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in listed)
    (folder / "listed.jsonl").write_text(lines, encoding="utf-8")
    columns = {"text": "评价", "label": "标签"}
    own = evaluate_file(remarked, "own.csv", "a", **columns).test
    assert own["micro_f1"] > 0.8
    assert evaluate_file(remarked, "other.csv", "b", label_separator=";", **columns).test == own
    assert evaluate_file(remarked, "listed.jsonl", "c", **columns).test == own


def test_unknown_labels_are_named_and_scored_as_errors(remarked, folder):
    notes = []
    write_csv(folder / "new.csv", [*remarks(9), ("新类|价格", "太贵")], header=HEADER)
    found = evaluate_file(remarked, "new.csv", "out", text="评价", label="标签", notify=notes.append)
    assert any("labels that the model does not know, scored as errors: 新类 (1 row)" in note for note in notes)
    assert found.test["per_label"]["新类"]["recall"] == 0
    write_csv(folder / "strange.csv", [("x|y", "太贵"), ("z", "快递")], header=HEADER)
    with pytest.raises(PipelineError, match="the model knows none of the labels"):
        evaluate_file(remarked, "strange.csv", "out", text="评价", label="标签")


def test_a_single_label_model_refuses_a_separator(trained, mini):
    with pytest.raises(PipelineError, match="is a model whose task is classify, not of several labels: leave out"):
        evaluate_file(trained("gru"), "mini.csv", "out", text="正文", label="类别", label_separator="|")


def test_runs_are_compared(remarked, folder):
    second = shutil.copytree(remarked, folder / "second")
    path = second / "evaluate" / "predictions.csv"
    rows = rows_of(path)
    for row in rows[:5]:
        row["predicted"] = "" if row["predicted"] else "价格"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    systems = [comparison.read(remarked), comparison.read(second)]
    found = comparison.write(folder / "out", systems)
    assert found["disagreements"] == 5 and found["pairs"][0]["difference"] > 0
    assert "micro F1" in comparison.render(found)
    listed = rows_of(folder / "out" / "disagreements.csv")
    assert {row["row"] for row in listed} == {row["row"] for row in rows[:5]}


def test_the_files_of_a_model_are_checked(remarked, tmp_path):
    folder = shutil.copytree(remarked / "model", tmp_path / "model")
    about = (folder / "model.toml").read_text(encoding="utf-8")
    for old, new, said in (
        ("thresholds = [", "thresholds = [0.5, ", "expected 3 slopes, offsets and thresholds"),
        ("thresholds = [", "thresholds = [1.5, ", "options.thresholds"),
        ('label_separator = "|"', 'label_separator = ""', "options.label_separator"),
        ("slopes = [", "slopes = [-1.0, ", "options.slopes"),
    ):
        (folder / "model.toml").write_text(about.replace(old, new), encoding="utf-8")
        seal(folder)
        with pytest.raises(ModelError, match=said):
            Model.load(folder)


def seal(folder):
    from pipeline.provenance import sha256

    names = sorted(path.name for path in folder.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{sha256(folder / name)}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def test_training_again_gives_the_same_model(remarked, folder):
    again = pipeline.run("remarks.toml", runs="again")
    sums = [(run / "model" / "SHA256SUMS").read_text().splitlines() for run in (remarked, again)]
    differing = [one for one, other in zip(*sums, strict=True) if one != other]
    assert not any("onnx" in line or "labels" in line or "confidence" in line for line in differing)


def test_without_empty_rows_an_answer_is_never_empty(folder):
    write_csv(folder / "remarks.csv", [row for row in remarks() if row[0]], header=HEADER)
    run = pipeline.run("remarks.toml", overrides=["train.epochs=1", "evaluate.baselines=[]"])
    model = pipeline.load(run)
    assert model.task.never_empty and all(found.chosen for found in model.predict(["还没拆开", "哦", "x"]))


def test_a_label_map_renames_and_merges(folder):
    names = 'corpus.label_map={ "价格" = "其他", "服务" = "其他" }'
    run = pipeline.run("remarks.toml", overrides=[names, "train.epochs=1", "evaluate.baselines=[]"])
    assert pipeline.load(run).labels.names == ("其他", "物流")
    summary = json.loads((run / "manifest.json").read_text())["stages"]["segment"]["summary"]
    expected = sum("价格" in labels for labels, _ in remarks())
    assert f"价格 to 其他 ({expected})" in summary


@pytest.mark.parametrize(("unit", "wide"), [("word", 2), ("char", 0)])
def test_words_and_characters_with_and_without_ngrams(folder, unit, wide):
    inputs = "words" if unit == "word" else "characters"
    overrides = [f"segment.unit={unit}", f"network.inputs={inputs}", f"network.wide.characters={wide}"]
    run = pipeline.run(
        "remarks.toml", overrides=[*overrides, "network.cell=lstm", "train.epochs=1", "evaluate.baselines=[]"]
    )
    assert (run / "model" / "network.int8.onnx").is_file() and report_of(run)["test"]["rows"] == 32


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("train.class_weights=true", "a multi-label classifier cannot have train.class_weights = true"),
        ("train.metric=accuracy", 'not measured if task is "multilabel": choose one of micro_f1'),
        ('corpus.label_separator="x"', "expected a mark that no label has inside"),
        ('corpus.label_separator=""', "expected a mark that no label has inside"),
        ('evaluate.baselines=["crfsuite"]', "is not a baseline"),
    ],
)
def test_settings_that_do_not_fit_are_refused(folder, override, said):
    with pytest.raises(SettingsError, match=said):
        load("remarks.toml", [override])


def test_the_task_is_chosen_by_the_separator(folder):
    assert load("remarks.toml").task == "multilabel" == load("remarks.toml", ["task=multilabel"]).task
    text = CONFIG.replace('label_separator = "|"\n', "")
    write_config(folder, text, "single.toml")
    assert load("single.toml").task == "classify"
    with pytest.raises(SettingsError, match='label_separator is for rows with several labels, but task is "tag"'):
        load("remarks.toml", ["task=tag", "evaluate.baselines=[]", "segment.unit=char", "network.wide.characters=0"])
    with pytest.raises(SettingsError, match=r'task = "multilabel" needs corpus\.label_separator'):
        load("single.toml", ["task=multilabel"])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("", f"第{n}次") for n in range(40)], "found none"),
        ([("价格", f"第{n}次") for n in range(40)], '"价格" in every row'),
    ],
)
def test_nothing_to_learn_is_told(folder, rows, said):
    write_csv(folder / "remarks.csv", rows, header=HEADER)
    with pytest.raises(PipelineError, match=said):
        pipeline.run("remarks.toml", last="segment")


def test_without_the_setting_lists_are_refused_by_every_command(folder, capfd):
    lines = "".join(
        json.dumps({"评价": f"第{n}次", "标签": ["价格", "物流"]}, ensure_ascii=False) + "\n" for n in range(9)
    )
    (folder / "lists.jsonl").write_text(lines, encoding="utf-8")
    columns = ["--text", "评价", "--label", "标签"]
    assert _exit_code(["inspect", "lists.jsonl", *columns]) == 2
    said = capfd.readouterr().err
    assert "lists.jsonl: row 1: the label is a list" in said and "set --label-separator" in said
    assert _exit_code(["train", "lists.jsonl", *columns]) == 2
    said = capfd.readouterr().err
    assert "set corpus.label_separator to read several" in said and said.count("\n") == 1


def test_a_separator_is_for_tables_alone(folder, capfd):
    (folder / "a.conll").write_text("好\tO\n\n", encoding="utf-8")
    for arguments in (["inspect", "a.conll"], ["train", "a.conll"]):
        assert _exit_code([*arguments, "--label-separator", "|"]) == 2
        assert "--label-separator is for" in capfd.readouterr().err
    assert _exit_code(["run", "remarks.toml", "--label-separator", "|"]) == 2
    assert "--label-separator is for a FILE; remarks.toml is a config" in capfd.readouterr().err


def test_inspect_points_out_joined_labels_and_counts_them(folder, capfd):
    assert _exit_code(["inspect", "remarks.csv"]) == 0
    assert 'labels joined by "|"' in capfd.readouterr().out
    assert _exit_code(["inspect", "remarks.csv", "--text", "评价", "--label", "标签"]) == 0
    assert 'look like several joined by "|": --label-separator "|" reads them' in capfd.readouterr().out
    assert _exit_code(["inspect", "remarks.csv", "--label-separator", "|", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["labels"]["价格"] == sum("价格" in labels for labels, _ in remarks())
    assert found["label_sets"] == len({labels for labels, _ in remarks()}) and found["findings"]["no_labels"] == 16


@pytest.mark.parametrize(
    ("given", "guessed"),
    [
        (["--label-separator", "|"], "label = 标签 (the only column with labels joined by"),
        (["--task", "multilabel"], "label_separator = | (as in the column 标签)"),
    ],
)
def test_a_file_of_ones_own_needs_no_config(folder, capfd, given, guessed):
    assert _exit_code(["init", "remarks.csv", *given, "--out", "own.toml"]) == 0
    assert guessed in capfd.readouterr().out
    found = load("own.toml")
    assert (found.task, found.corpus.label, found.corpus.label_separator) == ("multilabel", "标签", "|")
    assert found.train.metric == "micro_f1" and found.network.wide.on


def test_one_label_a_row_of_joined_labels_is_doubted(folder, capfd):
    assert _exit_code(["init", "remarks.csv", "--label", "标签", "--out", "own.toml"]) == 0
    assert 'labels that look like several joined by "|"' in capfd.readouterr().out
    assert load("own.toml").task == "classify"


def test_a_label_with_the_models_separator_inside_is_refused(remarked, folder):
    write_csv(folder / "odd.csv", [("价格;a|b", "太贵")], header=HEADER)
    with pytest.raises(PipelineError, match=r'row 1: the label "a\|b" has "\|" inside'):
        evaluate_file(remarked, "odd.csv", "out", text="评价", label="标签", label_separator=";")


def test_gold_goes_through_the_files_between_stages():
    task = Multilabel("|")
    for gold in ((), ("价格",), ("价格", "物流")):
        assert task.parse_gold(task.format_gold(gold)) == gold
    fitted = task.fit([Tokenised("a", "a")] * 2, [("b", "a"), ()])
    assert fitted.labels.names == ("a", "b") and not fitted.never_empty


def test_an_answerer_that_was_not_calibrated_decides_at_a_half():
    answerer = MultilabelAnswerer(Labels(("a", "b")), "|", never_empty=False)
    scores = np.array([[0.1, -0.1], [-3, 3]], np.float32)
    assert answerer.choices(scores, None).tolist() == [[1, 0], [0, 1]]
    assert answerer.load(None, answerer.save(None)).choices(scores, None).tolist() == [[1, 0], [0, 1]]


def test_segment_files_keep_the_sets(remarked):
    rows = read_csv(remarked / "segment" / "train.csv")
    assert {row[1] for row in rows[1:]} <= {labels for labels, _ in remarks()}
