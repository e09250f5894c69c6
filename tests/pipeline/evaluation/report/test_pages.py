"""What the pages of all tasks have in common: they stand alone, and nothing in a text or label becomes markup."""

import base64
import hashlib
import re
from importlib.resources import files

import pytest
from babel.messages.pofile import read_po
from page_parser import Page
from report_pages import HOSTILE, PAGES

each = pytest.mark.parametrize("render", PAGES.values(), ids=PAGES)


@each
def test_texts_and_labels_never_become_markup(render, tmp_path):
    parsed = Page(render(tmp_path))
    assert parsed.tags.count("script") <= 1 and not {"img", "b>"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    words = "".join(parsed.words)
    assert all(text in words.replace("\n", "") for text in HOSTILE)


@each
def test_a_page_needs_nothing_from_outside(render, tmp_path):
    source = render(tmp_path)
    parsed = Page(source)
    addresses = [value for name, value in parsed.attributes if name in ("src", "href", "xlink:href")]
    assert addresses and all(address.startswith("#") for address in addresses)
    assert "://" not in source and "@import" not in source and not re.search(r"url\((?!#)", source)
    assert not {"link", "iframe", "object"} & set(parsed.tags)


@each
def test_the_only_script_that_may_run_is_its_own(render, tmp_path):
    source = render(tmp_path)
    scripts = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert re.findall(r"'sha256-([^']+)'", source) == hashes


@each
def test_a_page_repeats_itself_and_its_links_lead_to_its_sections(render, tmp_path):
    source = render(tmp_path)
    assert source == render(tmp_path)
    parsed = Page(source)
    ids = [value for name, value in parsed.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for name, value in parsed.attributes if name == "href"} <= set(ids)


@each
def test_a_page_is_in_chinese_too(render, tmp_path):
    source = render(tmp_path, locale="zh")
    assert '<html lang="zh">' in source
    words = {word.strip() for word in Page(source.split('<section id="made">')[0] + "</main></body></html>").words}
    with files("pipeline.evaluation.report").joinpath("locale/zh/LC_MESSAGES/zhpipe.po").open("rb") as file:
        translated = {message.id: message.string for message in read_po(file) if message.id}
    left = {phrase for phrase, chinese in translated.items() if phrase in words and phrase != chinese}
    assert left <= {"epoch", "loss"}, "the table of epochs has the names of history.csv"
    assert len(words & set(translated.values())) > 15
