"""The page of the service, in a browser: texts are answered as they are typed, and a table comes back labelled."""

import pytest
from browsers import everywhere
from random_tagger import make_tagger

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def opened(browser):
    """`opened(address)`: the page; what its console says must be nothing."""
    said, views = [], []

    def page(address):
        view = browser.new_page()
        view.on("console", lambda message: said.append(message.text))
        view.on("pageerror", lambda error: said.append(str(error)))
        view.on("dialog", lambda dialog: said.append(dialog.message) or dialog.dismiss())
        view.goto(address)
        views.append(view)
        return view

    yield page
    for view in views:
        view.close()
    assert said == []


@pytest.fixture
def page(opened, server):
    return opened(server[1])


@everywhere
def test_a_language_model_writes_on(opened, serving, hello):
    page = opened(serving(hello)[1])
    page.fill("#text", "hel")
    page.wait_for_selector("article .bits")
    page.fill("article input[type=range]", "0")
    page.click("article button")
    page.wait_for_selector("article b")
    assert page.inner_text("article b") == "lo world" and "the text ends here" in page.inner_text("article")


def test_words_of_the_dictionary_are_marked(opened, serving, tmp_path):
    make_tagger(tmp_path / "words", "joint", dictionary={"滨江步道": "n"})
    page = opened(serving("words")[1])
    page.fill("#text", "🦆去 滨江步道骑\\车")
    page.wait_for_selector("article .dictionary")
    assert page.locator("article .dictionary").all_inner_texts() == ["滨江步道n"]
    assert page.get_attribute("article .dictionary", "title") == "from the dictionary"
    assert "as the model's dictionary says" in page.inner_text("article") and "\\" in page.inner_text("article")


@everywhere
def test_answers_come_while_one_types(page):
    page.fill("#text", f"我爱吃北京烤鸭{HOSTILE}")
    page.wait_for_selector("article:nth-of-type(2)")
    mail, entities = page.locator("article").all_inner_texts()
    assert HOSTILE in mail and "差" in mail and mail.count("%") == 2
    assert "我爱吃北京烤鸭" in "".join(part for part in entities if part not in "人地")
    assert page.locator("img").count() == 0
    page.uncheck("#models input >> nth=0")
    page.wait_for_selector("article:nth-of-type(2)", state="detached")
    page.fill("#text", "")
    page.wait_for_selector("article", state="detached")


def test_a_table_comes_back(page, tmp_path):
    (tmp_path / "in.csv").write_text('"编号",正文\n1,今天很好吃\n2,\n', encoding="utf-8")
    page.set_input_files("#file", tmp_path / "in.csv")
    page.select_option("#column", "正文")
    page.check("#probabilities")
    with page.expect_download() as download:
        page.click("#columns button")
    assert download.value.suggested_filename == "in-labelled.csv"
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert lines[0] == f'"编号",正文,label,confidence,p:{HOSTILE},p:差' and len(lines) == 3
    page.wait_for_function("document.getElementById('outcome').textContent.includes('1 of 2 rows labelled, 1 blank')")


@everywhere
def test_what_cannot_be_labelled_is_said(page, tmp_path):
    (tmp_path / "in.doc").write_text("x", encoding="utf-8")
    page.set_input_files("#file", tmp_path / "in.doc")
    page.wait_for_function("document.getElementById('outcome').textContent.includes('in.doc: a file .csv')")
    assert page.locator("#columns").is_hidden()
