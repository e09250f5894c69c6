"""The page in a real browser and in numbers: every figure again from the tables beside it, whatever the texts are."""

import csv
import json
import re
import time
from html.parser import HTMLParser

import numpy as np
import pytest
from browsers import everywhere
from mini import CONFIG, mails, write_config, write_csv
from report_pages import HOSTILE, TYPES, hostile_report, stretches, tagged_report
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

import pipeline
from corpora.errors import CorpusError
from embeddings import pretrained
from pipeline.evaluation.report import page
from pipeline.evaluation.report.wordmap_chart import word_map


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Tables(HTMLParser):
    """The words of a page by section, and its rows of cells."""

    def __init__(self, source):
        super().__init__()
        self.section, self.words, self.rows, self.cell = "", {}, {}, None
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        if tag == "section":
            self.section = dict(attrs).get("id", "")
        if tag == "tr":
            self.rows.setdefault(self.section, []).append([])
        if tag in ("td", "th") and self.section in self.rows:
            self.rows[self.section][-1].append("")
            self.cell = self.section

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.cell = None

    def handle_data(self, data):
        self.words[self.section] = self.words.get(self.section, "") + data
        if self.cell:
            self.rows[self.cell][-1][-1] += data


def percent(value):
    return f"{100 * value:.1f}"


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """The folder of a report over some 80 test rows, with a column to slice by and a baseline."""
    folder = tmp_path_factory.mktemp("page")
    write_csv(folder / "mini.csv", mails(120))
    test = [(label, text, "东" if number % 3 else "西") for number, (label, text) in enumerate(mails(80, seed=9))]
    noisy = [
        (("正常邮件" if number % 7 == 0 else label), text, side) for number, (label, text, side) in enumerate(test)
    ]
    write_csv(folder / "test.csv", noisy, header=("类别", "正文", "方向"))
    extra = 'test = "test.csv"\ntext = "正文"'
    config = write_config(folder, CONFIG.replace('text = "正文"', extra) + '\n[evaluate]\nslices = ["方向"]\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with pytest.raises(CorpusError, match=r'no column "方向".* choose one with evaluate.slices'):
            pipeline.run(config, runs=folder / "runs")
        write_csv(folder / "mini.csv", [(*row, "东") for row in mails(120)], header=("类别", "正文", "方向"))
        return pipeline.run(config, runs=folder / "runs") / "evaluate"


def test_every_figure_again_from_the_predictions(evaluated):
    rows = rows_of(evaluated / "predictions.csv")
    found = Tables((evaluated / "report.html").read_text(encoding="utf-8"))
    gold, said = [row["gold"] for row in rows], [row["predicted"] for row in rows]
    right = np.array([one == other for one, other in zip(gold, said, strict=True)])
    sure = np.array([float(row["confidence"]) for row in rows])
    labels = sorted(set(gold) | set(said))

    model = next(row for row in found.rows["scores"] if row[0] == "GRU model")
    assert model[-1] == "80" and model[1].startswith(percent(accuracy_score(gold, said)))
    assert model[3].startswith(percent(f1_score(gold, said, average="macro")))
    others = rows_of(evaluated / "baselines.csv")
    theirs = np.array([row["tfidf_words_svc"] == row["gold"] for row in others])
    beside = next(row for row in found.rows["scores"] if row[0].startswith("TF-IDF words"))
    points = round(100 * (right.mean() - theirs.mean()), 1)
    assert beside[1] == percent(theirs.mean()) and abs(points) == abs(float(beside[2].split(",")[0][1:]))

    for label, *scores in zip(labels, *precision_recall_fscore_support(gold, said, labels=labels), strict=True):
        row = next(row for row in found.rows["labels"] if row[0] == label)
        assert [cell.split("[")[0] for cell in row[1:]] == [*map(percent, scores[:3]), str(scores[3])]
    for label in labels:
        row = next(row for row in found.rows["confusion"] if row[0] == label)
        for other, cell in zip(found.rows["confusion"][0][1:], row[1:], strict=True):
            count = sum(pair == (label, other) for pair in zip(gold, said, strict=True))
            assert cell == (f"{count}{percent(count / gold.count(label))}%" if count else "0")

    words = found.words["confidence"]
    error = 0.0
    for place in range(15):
        inside = (sure > place / 15) & (sure <= (place + 1) / 15)
        error += abs(right[inside].sum() - sure[inside].sum()) / len(rows)
    assert f"the mean confidence is {percent(sure.mean())}% and {percent(right.mean())}% are right" in words
    assert f"calibration error is {percent(error)}%" in words
    for row in found.rows.get("confidence", [])[1:]:
        if len(row) == 6:
            accepted = np.array([float(f"{value:.4f}") >= float(row[1]) for value in sure])
            assert row[4] == percent(accepted.mean())
            assert row[5] == (percent(right[accepted].mean()) if accepted.any() else "–")

    for side in "东西":
        inside = right[[row["slice:方向"] == side for row in rows]]
        row = next(row for row in found.rows["slices"] if row[0] == side)
        assert row[1] == str(len(inside)) and row[2].startswith(percent(inside.mean()))
    for row in found.rows["slices"][1:5]:
        if match := re.fullmatch(r"(\d+)(?:–(\d+))?", row[0]):
            low, high = int(match[1]), int(match[2] or match[1])
            inside = right[[low <= int(one["tokens"]) <= high for one in rows]]
            assert row[1] == str(len(inside)) and row[2].startswith(percent(inside.mean()))
    wrong = int((~right).sum())
    assert f"{wrong} of {wrong} wrong test rows" in " ".join(found.words["texts"].split())


def test_shading_makes_the_text_again(evaluated):
    texts = {int(row["row"]): row["text"] for row in rows_of(evaluated / "errors.csv")}
    lines = (evaluated / "explained.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert [one["row"] for one in found] == list(texts)[:50]
    for one in found:
        assert "".join(one["words"]) == texts[one["row"]] and len(one["words"]) == len(one["effects"])
        assert all(-1 <= effect <= 1 for effect in one["effects"] if effect is not None)


def test_a_hundred_thousand_predictions_make_a_page_that_can_be_mailed(tmp_path):
    labels = [f"{name}{number}" for number in range(15) for name in HOSTILE]
    outcomes, made = hostile_report(100_000, labels=labels[:3])
    start = time.process_time()
    source = page.render(made.as_dict(), {"test": outcomes}, labels)
    assert time.process_time() - start < 30
    assert len(source.encode()) < 5_000_000


@everywhere
def test_texts_are_searched_filtered_and_found_from_the_matrix(opened):
    outcomes, made = hostile_report(200)
    view = opened(page.render(made.as_dict(), {"test": outcomes}, HOSTILE))
    assert view.title().startswith(HOSTILE[0]), "a label's markup is text"
    visible = "#rows > li:not([hidden])"
    assert view.locator(visible).count() == 6 and view.locator("#shown").inner_text() == "50"
    view.click("#more")
    assert view.locator(visible).count() == 50 and not view.locator("#more").is_visible()
    view.fill("#query", "第8行 很长")
    assert view.locator(visible).count() == 1 and HOSTILE[8 % 3] in view.locator(visible).inner_text()
    view.fill("#query", "没有这样的")
    assert view.locator("#nothing").is_visible() and view.locator(visible).count() == 0
    cell = view.locator('.matrix button[data-gold="0"][data-predicted="1"]')
    cell.click()
    assert view.input_value("#query") == "" and view.input_value("#gold") == "0"
    assert int(view.locator("#shown").inner_text()) >= 5
    assert all(f"gold {HOSTILE[0]}" in text for text in view.locator(visible).all_inner_texts())
    assert cell.get_attribute("aria-pressed") == "true"
    view.click("#filters button[type=reset]")
    pytest.importorskip("playwright.sync_api").expect(view.locator("#shown")).to_have_text("50")
    view.select_option("#kind", "right")
    assert 0 < int(view.locator("#shown").inner_text()) < 50
    view.locator(".pairs button").first.click()
    assert view.locator(visible).count() >= 5


def test_dark_narrow_and_printed(opened):
    outcomes, made = hostile_report(60)
    source = page.render(made.as_dict(), {"test": outcomes}, HOSTILE)
    colours = []
    for scheme in ("light", "dark"):
        view = opened(source, color_scheme=scheme, viewport={"width": 390, "height": 800})
        colours.append(view.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert view.evaluate("document.documentElement.scrollWidth") <= 390, "a phone scrolls down only"
    assert colours == ["rgb(251, 250, 247)", "rgb(21, 24, 27)"]
    view.emulate_media(media="print")
    assert not view.locator("#filters").is_visible() and not view.locator("nav").is_visible()


def test_without_its_script_the_page_shows_its_errors(opened):
    outcomes, made = hostile_report(60)
    view = opened(page.render(made.as_dict(), {"test": outcomes}, HOSTILE), java_script_enabled=False)
    assert view.locator("#rows > li:visible").count() == 15 and not view.locator("#filters").is_visible()


@everywhere
def test_a_real_report_has_no_complaint(opened, evaluated):
    view = opened((evaluated / "report.html").read_text(encoding="utf-8"))
    assert view.locator("mark.for").count() > 1 and view.locator("svg").count() == 4


def test_every_figure_of_a_tagger_again_from_the_predictions(tmp_path):
    found = Tables(tagged_report(tmp_path))
    rows = rows_of(tmp_path / "predictions.csv")
    gold, said = ([stretches(row[name]) for row in rows] for name in ("gold_tags", "predicted_tags"))

    def scores(keep):
        right = sum(len({*filter(keep, one)} & {*filter(keep, other)}) for one, other in zip(gold, said, strict=True))
        wanted, given = (sum(len([*filter(keep, one)]) for one in side) for side in (gold, said))
        precision, recall = right / given, right / wanted
        return [*map(percent, (precision, recall, 2 * precision * recall / (precision + recall)))], wanted

    model, more, *_ = (row for row in found.rows["scores"] if row[0] == "GRU model")
    precision, recall, both = scores(lambda span: True)[0]
    assert model[-1] == str(len(rows))
    assert [model[place].split("[")[0] for place in (1, 3, 4)] == [both, precision, recall]
    tags = [(row["gold_tags"].split(), row["predicted_tags"].split()) for row in rows]
    same = sum(a == b for one, other in tags for a, b in zip(one, other, strict=True))
    whole = sum(row["gold_tags"] == row["predicted_tags"] for row in rows)
    assert {percent(same / len(rows) / 5), percent(whole / len(rows))} <= {*model, *more}
    for name in TYPES:
        shown = next(row for row in found.rows["labels"] if row[0] == name)
        expected, wanted = scores(lambda span, name=name: span[2] == name)
        assert [cell.split("[")[0] for cell in shown[1:4]] == expected and shown[4] == str(wanted)
    pairs = [
        (one[2:] or "O", other[2:] or "O")
        for row in rows
        for one, other in zip(row["gold_tags"].split(), row["predicted_tags"].split(), strict=True)
    ]
    names = found.rows["confusion"][0][1:]
    for shown in found.rows["confusion"][1:]:
        for name, cell in zip(names, shown[1:], strict=True):
            gold_type, said_type = shown[0].replace("invented", "O"), name.replace("missed", "O")
            kept = [pair for pair in pairs if pair[0] == gold_type and pair != ("O", "O")]
            count = kept.count((gold_type, said_type))
            expected = f"{count}{percent(count / len(kept))}%" if count else "0"
            assert cell == ("" if gold_type == said_type == "O" else expected)
    missing = [(row, span) for row, (one, other) in enumerate(zip(gold, said, strict=True)) for span in one - other]
    kinds = {"missed": 0, "wrong type": 0, "wrong border": 0}
    for row, (start, end, _) in missing:
        over = [span for span in said[row] if span[0] < end and start < span[1]]
        same_place = any(span[:2] == (start, end) for span in over)
        kinds["wrong type" if same_place else "wrong border" if over else "missed"] += 1
    kinds["invented"] = sum(
        not any(span[0] < other[1] and other[0] < span[1] for other in one)
        for one, spans_ in zip(gold, said, strict=True)
        for span in spans_
    )
    assert {row[0]: int(row[1]) for row in found.rows["mistakes"][1:]} == kinds and min(kinds.values()) > 0


def test_confidence_and_slices_of_a_tagger_again_from_the_predictions(tmp_path):
    found = Tables(tagged_report(tmp_path))
    rows = rows_of(tmp_path / "predictions.csv")
    sides = [(stretches(row["gold_tags"]), sorted(stretches(row["predicted_tags"]))) for row in rows]
    fair = [(row, *side) for row, side in zip(rows, sides, strict=True) if row["leaked"] == "false"]
    right = np.array([span in gold for _, gold, said in fair for span in said])
    sure, unscaled = (
        np.array([float(value) for row, _, _ in fair for value in row[name].split()]) for name in ("sure", "unscaled")
    )
    assert len(right) == len(sure) == len(unscaled) > 100

    def error(values):
        bins = [(values > place / 15) & (values <= (place + 1) / 15) for place in range(15)]
        bins[0] |= values == 0
        return sum(abs(right[inside].sum() - values[inside].sum()) for inside in bins) / len(values)

    said = found.words["confidence"]
    assert f"of the {len(sure)} spans that are predicted on test is {percent(sure.mean())}%" in said
    assert f"{percent(right.mean())}% of them are right" in said
    assert f"calibration error is {percent(error(sure))}%" in said and f"would be {percent(error(unscaled))}%" in said
    [reached] = [row for row in found.rows["confidence"] if row[0] == "90.0"]
    accepted = sure >= float(reached[1])
    assert reached[1:4] == ["0.7000", percent(100 / 300), percent(96 / 100)]
    assert reached[4:] == [percent(accepted.mean()), percent(right[accepted].mean())]
    words = "".join(found.words["answers"].split())
    assert f"needsnocheck{percent(accepted.mean())}%oftheanswers" in words
    assert f"{percent(right[accepted].mean())}%ofwhichareright" in words

    def f1(keep):
        kept = [side for row, side in zip(rows, sides, strict=True) if keep(row)]
        hits, wanted, given = (sum(map(len, each)) for each in zip(*((g & {*s}, g, s) for g, s in kept), strict=True))
        return [str(len(kept)), percent(2 * hits / (wanted + given))]

    shown = {row[0]: [row[1], row[2].split("[")[0]] for row in found.rows["slices"]}
    assert {name: shown[name] for name in "东西"} == {
        side: f1(lambda row, side=side: row["slice:方向"] == side) for side in "东西"
    }
    assert shown["none"] == f1(lambda row: row["unknown"] == "0")
    assert shown["over 10 to 25%"] == f1(lambda row: row["unknown"] == "1")
    assert shown["over 25%"] == f1(lambda row: row["unknown"] == "2")


@everywhere
def test_a_taggers_mistakes_are_searched_and_chosen(opened, tmp_path):
    view = opened(tagged_report(tmp_path))
    assert view.title().startswith(HOSTILE[0])
    visible = "#rows > li:not([hidden])"
    assert view.locator(visible).count() == 6 and view.locator("#shown").inner_text() == "72"
    for kind in ("missed", "invented", "wrong_type", "wrong_border"):
        view.locator(f'#mistakes .cell[data-kinds="{kind}"]').click()
        assert view.locator("#shown").inner_text() == "18"
        assert view.locator(f"{visible}:has(mark.{kind})").count() == view.locator(visible).count() == 6
    view.locator('.matrix .cell[data-confused="2-0"], .matrix .cell[data-confused="1-0"]').first.click()
    assert view.input_value("#kinds") == "" and 0 < int(view.locator("#shown").inner_text()) < 72
    view.click("#filters button[type=reset]")
    view.fill("#query", "alert(1)")
    assert 0 < int(view.locator("#shown").inner_text()) < 72
    narrow = opened(tagged_report(tmp_path / "zh", locale="zh"), viewport={"width": 390, "height": 800})
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 390
    assert "错误类型" in narrow.locator("main").inner_text()


def test_words_are_mapped_by_their_principal_components(evaluated):
    placed = json.loads((evaluated / "report.json").read_text(encoding="utf-8"))["words"]["map"]
    vectors = pretrained.read(evaluated.parent / "embed" / "word")
    table = np.array([vectors.values[vectors.words.index(one["word"])] for one in placed["words"]], float)
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    _, sizes, axes = np.linalg.svd(table - table.mean(axis=0), full_matrices=False)
    expected = (table - table.mean(axis=0)) @ axes[:2].T
    found = np.array([[one["x"], one["y"]] for one in placed["words"]])
    assert np.allclose(np.abs(found), np.abs(expected), atol=1e-3)
    assert placed["explained"] == pytest.approx((sizes**2 / (sizes**2).sum())[:2], abs=1e-3)
    assert {one["label"] for one in placed["words"]} <= {"垃圾邮件", "正常邮件", None}
    drawn = word_map(placed)
    assert all(f"<title>{one['word']}: " in drawn for one in placed["words"])
    source = (evaluated / "report.html").read_text(encoding="utf-8")
    assert "<title>" in source and "map of words" not in source, "too few words for a map"
