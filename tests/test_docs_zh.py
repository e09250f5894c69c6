"""The Chinese pages say what the English ones say: the same commands, options, outputs and figures, in the same order.

Only comments in the blocks of code are translated. After a change of an English page, this copies its blocks:

    ZHPIPE_RENEW_ZH=1 .venv/bin/python -m pytest tests/test_docs_zh.py
"""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = {"README.zh-CN.md": "README.md"} | {
    f"docs/zh/{path.name}": f"docs/{path.name}" for path in sorted(ROOT.glob("docs/zh/*.md"))
}
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"(?:^|(?<=\s\s))# .*$", re.MULTILINE)
CODE = re.compile(r"(`+)(.+?)\1")
NUMBER = re.compile(r"\d[\d,.]*\d|\d")
LINK = re.compile(r"\[[^\]]*\]\([^)]*\)")
HAN = re.compile(r"[\u4e00-\u9fff]")
RENEW = bool(os.environ.get("ZHPIPE_RENEW_ZH"))


def read(page):
    return (ROOT / page).read_text(encoding="utf-8")


def plain(block):
    """The language and the lines of a block, without comments and the blanks before them."""
    return block[1], re.sub(r" +$", "", COMMENT.sub("", block[2]), flags=re.MULTILINE)


def blocks(text):
    return list(map(plain, FENCE.finditer(text)))


def prose(text):
    return FENCE.sub("", text)


def code(text):
    """What is set as code within the prose: commands, options, names, messages."""
    return {found[2] for found in CODE.finditer(prose(text))}


def figures(text):
    """The numbers of each row of each table."""
    return [NUMBER.findall(line) for line in prose(text).splitlines() if line.startswith("|")]


@pytest.mark.skipif(not RENEW, reason="only where the blocks are renewed")
@pytest.mark.parametrize("page", PAGES)
def test_renew(page):
    assert len(blocks(read(page))) == len(blocks(read(PAGES[page])))
    theirs = FENCE.finditer(read(PAGES[page]))
    pairs = zip(FENCE.finditer(read(page)), theirs, strict=True)
    chosen = iter([ours[0] if plain(ours) == plain(new) else new[0] for ours, new in pairs])
    renewed = FENCE.sub(lambda _: next(chosen), read(page))
    (ROOT / page).write_text(renewed, encoding="utf-8", newline="\n")


@pytest.mark.parametrize("page", PAGES)
class TestPage:
    def test_it_has_the_blocks_of_the_other(self, page):
        assert blocks(read(page)) == blocks(read(PAGES[page]))

    def test_it_names_the_same_options_and_messages(self, page):
        ours, theirs = code(read(page)), code(read(PAGES[page]))
        assert ours == theirs, f"only here: {sorted(ours - theirs)}; only there: {sorted(theirs - ours)}"

    def test_its_tables_have_the_same_figures(self, page):
        assert figures(read(page)) == figures(read(PAGES[page]))

    def test_it_has_as_many_headings(self, page):
        heads = [
            [line.split()[0] for line in prose(read(each)).splitlines() if line.startswith("#")]
            for each in (page, PAGES[page])
        ]
        assert heads[0] == heads[1]

    def test_each_links_to_the_other_in_its_first_line(self, page):
        for one, other in ((page, PAGES[page]), (PAGES[page], page)):
            first = read(one).splitlines()[0]
            link = os.path.relpath(ROOT / other, (ROOT / one).parent)
            assert f"]({link})" in first, f"{one}: {first}"

    def test_its_prose_is_chinese(self, page):
        for line in prose(read(page)).splitlines():
            plain = LINK.sub("", CODE.sub("", line))
            if len(plain) > 40 and not line.startswith(("|", "    ")):
                assert len(HAN.findall(plain)) > len(plain) / 3, line


def test_the_first_hour_can_be_read_in_chinese():
    assert {
        "README.md",
        "docs/first-hour.md",
        "docs/tutorial.md",
        "docs/tag.md",
        "docs/labelling.md",
        "docs/errors.md",
    } <= set(PAGES.values())
