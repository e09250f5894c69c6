"""The page of the service, in a browser: texts are answered as they are typed, and a table comes back labelled."""

import pytest

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def page(browser, server):
    """The page, opened; what its console says must be nothing."""
    said = []
    view = browser.new_page()
    view.on("console", lambda message: said.append(message.text))
    view.on("pageerror", lambda error: said.append(str(error)))
    view.on("dialog", lambda dialog: said.append(dialog.message) or dialog.dismiss())
    view.goto(server[1])
    yield view
    view.close()
    assert said == []


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


def test_what_cannot_be_labelled_is_said(page, tmp_path):
    (tmp_path / "in.doc").write_text("x", encoding="utf-8")
    page.set_input_files("#file", tmp_path / "in.doc")
    page.wait_for_function("document.getElementById('outcome').textContent.includes('in.doc: a file .csv')")
    assert page.locator("#columns").is_hidden()
