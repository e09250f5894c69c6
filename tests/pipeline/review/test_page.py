"""The page of the review, in a browser: labels are mended with keys alone, spans by selecting text."""

from types import SimpleNamespace

import pytest
from browsers import everywhere
from mini import mails
from random_tagger import make_task
from review_runs import HOSTILE, PLANTED, served, written

from corpora.corrections import read
from pipeline.config.load import load
from pipeline.encoding.encoder import Tokenised
from pipeline.encoding.labels import Labels
from pipeline.review.decisions import Decisions
from pipeline.review.queue import Item
from pipeline.review.session import Session
from pipeline.stages.runner import run_stages
from pipeline.stages.segment import PARTS, read_part
from pipeline.tasks import Multilabel

PHONE, DESK = {"width": 390, "height": 800}, {"width": 1280, "height": 800}


@pytest.fixture
def opened(browser):
    """`opened(address)`: the page; what its console says must be nothing."""
    said, views = [], []

    def page(address, **options):
        view = browser.new_page(**options)
        view.set_default_timeout(10_000)
        view.on("console", lambda message: said.append(message.text))
        view.on("pageerror", lambda error: said.append(str(error)))
        view.on("dialog", lambda dialog: said.append(dialog.message) or dialog.dismiss())
        view.goto(address)
        view.wait_for_selector("body[aria-busy=false]")
        views.append(view)
        return view

    yield page
    for view in views:
        view.close()
    assert said == []


def left(view):
    return view.inner_text("#counts")


def pressed(view, key):
    """Presses a key and waits until what it did is done."""
    view.keyboard.press(key)
    view.wait_for_selector("body[aria-busy=false]")


@everywhere
def test_planted_errors_are_mended_with_keys_and_the_corpus_is_right_again(session, opened, run, tmp_path):
    """The suggested label is accepted where it is right; then the stage segment applies what was decided."""
    right = {text: label for label, text in mails()}
    with served(session) as address:
        view = opened(address, viewport=DESK)
        for item in session.items:
            assert f"row {item.row} of" in view.inner_text("#where")
            pressed(view, "a" if right.get(item.text.text, item.old) != item.old else "k")
        view.wait_for_selector("#done:not([hidden])")
        assert "0 left" in left(view)
    assert sum(old != new for old, new in written(tmp_path)) == len(PLANTED)
    settings = load(tmp_path / "mini.toml", ['corpus.corrections=["corrections.csv"]'])
    run_stages(settings, last="segment")
    found = {row.tokenised.text: row.gold for part in PARTS for row in read_part(run, part)}
    assert {text: found[text] for text in right} == right


def test_numbers_undo_skip_and_a_second_tab(session, opened, tmp_path):
    with served(session) as address:
        view = opened(address, viewport=PHONE, color_scheme="dark")
        first = view.inner_text("#where")
        pressed(view, "s")
        second = view.inner_text("#where")
        assert second != first and not (tmp_path / "corrections.csv").exists()
        pressed(view, "2")
        assert written(tmp_path)[0][1] == session.names[1] and read(tmp_path / "corrections.csv")[0].who == "某人"
        pressed(view, "u")
        assert view.inner_text("#where") == second and written(tmp_path) == []
        pressed(view, "1")
        again = opened(address, viewport=PHONE)
        assert left(again) == left(view) and again.inner_text("#where") == first
        again.reload()
        again.wait_for_selector("body[aria-busy=false]")
        width = again.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1]


@everywhere
def test_hostile_texts_and_labels_are_text(session, opened):
    session.items = [item for item in session.items if item.old == HOSTILE]
    with served(session) as address:
        view = opened(address)
        assert HOSTILE in view.inner_text("#text") and HOSTILE in view.inner_text("#labels")
        assert view.locator("img").count() == 0


def test_everything_is_reached_by_keyboard_and_has_contrast(session, opened):
    with served(session) as address:
        for scheme in ("light", "dark"):
            view = opened(address, color_scheme=scheme)
            names = []
            for _ in range(12):
                view.keyboard.press("Tab")
                names.append(view.evaluate("document.activeElement.innerText || document.activeElement.id"))
            assert {"S skip", "U undo"} <= {" ".join(name.split()) for name in names}
            assert [one for one in view.evaluate(CONTRASTS) if one[1] < 4.5] == []


# The contrast of each piece of text with its background, by WCAG 2; half-transparent marks are laid over what is below.
CONTRASTS = """() => {
  const parse = (value) => [...(value.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number), 1].slice(0, 4);
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const linear = (s) => (s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4);
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => sum + weight * linear(c[i] / 255), 0);
  const hasText = (e) => e.offsetParent && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  return [...document.querySelectorAll("body *")].filter(hasText).map((e) => {
    const layers = [];
    for (let n = e; n; n = n.parentElement) layers.push(parse(getComputedStyle(n).backgroundColor));
    const back = layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(back)].sort((x, y) => y - x);
    return [e.textContent.slice(0, 20), (a + 0.05) / (b + 0.05)];
  });
}"""


@pytest.fixture
def sentences(tagger, tmp_path):
    """A session with two sentences of a tagger."""
    items = [
        Item("a.conll", row, "train", tagger.tokenise(text), tags, "O B-人 O O O", 0.6, "error")
        for row, (text, tags) in enumerate([("我爱北京！", "B-人 O O O O"), ("他去🦆 江", "O O O O")], start=1)
    ]
    return Session("entities", items, tagger, Decisions(tmp_path / "corrections.csv", "某人"))


@everywhere
def test_spans_are_mended_with_the_mouse(sentences, opened, tmp_path):
    place = sentences.names.index("地") + 1
    with served(sentences) as address:
        view = opened(address)
        assert view.locator("mark.span").all_inner_texts() == ["我人"]
        start, end = (view.locator(f"[data-place='{at}']").bounding_box() for at in (2, 3))
        view.mouse.move(start["x"] + 1, start["y"] + start["height"] / 2)
        view.mouse.down()
        view.mouse.move(end["x"] + end["width"] - 1, end["y"] + end["height"] / 2, steps=5)
        view.mouse.up()
        pressed(view, str(place))
        view.click("[data-place='0']")
        pressed(view, "Delete")
        pressed(view, "Enter")
        assert "row 2 of" in view.inner_text("#where")
    assert written(tmp_path) == [("B-人 O O O O", "O O B-地 I-地 O")]


@everywhere
def test_spans_are_mended_with_the_keyboard(sentences, opened, tmp_path):
    place = sentences.names.index("人") + 1
    with served(sentences) as address:
        view = opened(address)
        view.focus("#text")
        pressed(view, "End")
        for key in ("ArrowLeft", "Shift+ArrowLeft", str(place), "Home"):
            pressed(view, key)
        pressed(view, "Backspace")
        pressed(view, "Enter")
        assert "row 2 of" in view.inner_text("#where")
        pressed(view, "a")
        assert "去 人" in view.inner_text("#state")
        pressed(view, "u")
        pressed(view, "k")
        assert view.is_visible("#done")
    assert written(tmp_path) == [("B-人 O O O O", "O O B-人 I-人 O"), ("O O O O", "O O O O")]


@pytest.fixture
def worded(tmp_path):
    """`worded(kind, tokens, gold, answer)`: a session with one sentence of a tagger of words or parts of speech."""

    def made(kind, tokens, gold, answer):
        model = SimpleNamespace(task=make_task(kind))
        text = Tokenised("".join(tokens).replace("京烤", "京 烤"), list(tokens))
        items = [Item("a.txt", 1, "train", text, gold, answer, 0.6, "error")]
        return Session(kind, items, model, Decisions(tmp_path / "corrections.csv", "某人"))

    return made


def stretches(view):
    return view.locator("mark.span").all_inner_texts()


@everywhere
def test_words_are_cut_and_joined_with_the_mouse(worded, opened, tmp_path):
    with served(worded("words", "我爱北京烤鸭", "B E B M M E", "S S B E B E")) as address:
        view = opened(address, viewport=PHONE)
        assert stretches(view) == ["我爱", "北京 烤鸭"]
        assert view.locator("#beside b").all_inner_texts() == ["我爱", "北京烤鸭", "我", "爱", "北京", "烤鸭"]
        view.click("[data-gap='1']")
        view.click("[data-gap='4']")
        assert stretches(view) == ["我", "爱", "北京", "烤鸭"]
        view.click("[data-gap='1']")
        view.click("[data-gap='3']")
        assert stretches(view) == ["我爱", "北", "京", "烤鸭"]
        view.click("[data-place='2']")
        view.click("#erase")
        assert stretches(view) == ["我爱北", "京", "烤鸭"]
        assert view.inner_text("#state") == "one word: 我爱北" and view.locator("#labels button").count() == 0
        pressed(view, "Enter")
        assert view.is_visible("#done")
    assert written(tmp_path) == [("B E B M M E", "B M E S B E")]


@everywhere
def test_words_and_their_tags_are_mended_with_the_keyboard(worded, opened, tmp_path):
    session = worded("joint", "我爱北京烤鸭", "B-n E-n B-n M-n M-n E-n", "S-n S-v B-n E-n B-n E-n")
    noun, verb = (str(session.names.index(name) + 1) for name in "nv")
    with served(session) as address:
        view = opened(address)
        for key in ("ArrowRight", "ArrowRight", " ", verb, *["ArrowRight"] * 3, " ", "Delete", "Backspace"):
            pressed(view, key)
        assert stretches(view) == ["我n", "爱v", "北京 烤鸭n"]
        for key in ("ArrowLeft", "ArrowLeft", "Shift+ArrowRight", verb, noun):
            pressed(view, key)
        assert stretches(view) == ["我n", "爱v", "北京n", "烤鸭n"]
        for key in ("Home", "Shift+ArrowRight", "Backspace"):
            pressed(view, key)
        assert stretches(view)[0] == "我爱n"
        for key in ("ArrowRight", "ArrowLeft", " ", verb):
            pressed(view, key)
        assert stretches(view) == ["我n", "爱v", "北京n", "烤鸭n"]
        pressed(view, "Enter")
        assert view.is_visible("#done")
    assert written(tmp_path) == [(session.items[0].old, session.items[0].answer)]


def test_given_words_get_other_tags_and_stay_whole(worded, opened, tmp_path):
    session = worded("pos", ("我", "爱", "北京"), "n n x", "n v n")
    assert session.names == ("n", "v", "w", "x")
    with served(session) as address:
        view = opened(address)
        assert view.locator(".gap").count() == 0 and view.is_hidden("#erase")
        view.click("[data-place='1']")
        for key in (" ", "Backspace", "Delete", "2"):
            pressed(view, key)
        assert stretches(view) == ["我n", "爱v", "北京x"]
        pressed(view, "Enter")
        assert view.is_visible("#done")
    assert written(tmp_path) == [("n n x", "n v x")]


@everywhere
def test_several_labels_are_toggled_and_saved(opened, tmp_path):
    task = Multilabel("|", Labels(("价格", "物流", "质量")))
    items = [
        Item("a.csv", row, "", Tokenised(text, [text]), old, "价格|物流", 0.7, "error")
        for row, (text, old) in enumerate([("又慢又贵", "质量"), ("还行", "")], start=1)
    ]
    several = Session("remarks", items, SimpleNamespace(task=task), Decisions(tmp_path / "corrections.csv", "某人"))
    with served(several) as address:
        view = opened(address)
        for key in ("1", "2", "3", "Enter"):
            pressed(view, key)
        assert "row 2 of" in view.inner_text("#where")
        pressed(view, "3")
        assert view.locator("#labels [aria-pressed=true]").all_inner_texts() == ["3 质量"]
        pressed(view, "3")
        pressed(view, "Enter")
        assert view.is_visible("#done")
    assert written(tmp_path) == [("质量", "价格|物流"), ("", "")]
