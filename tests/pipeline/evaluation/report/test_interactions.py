"""What can be done with a page in a real browser: charts are read, tables sorted, long texts opened; and its layout."""

import random
from itertools import combinations

import pytest
from report_pages import HOSTILE, hostile_report

from pipeline.evaluation.report import page
from pipeline.evaluation.report.wordmap_chart import word_map

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 800}
CHARACTERS = "天地人和风雨山水春夏秋冬日月星云花鸟鱼虫"


def words_on_a_map(count, seed=1):
    """Words in a few crowds, as vectors of few texts lie."""
    generator = random.Random(seed)
    return {
        "explained": [0.5, 0.2],
        "words": [
            {
                "word": "".join(generator.choices(CHARACTERS, k=generator.randint(1, 4))) + str(number),
                "label": (HOSTILE[number % 3], None)[number % 4 == 0],
                "x": generator.gauss(number % 3, 0.15),
                "y": generator.gauss(number % 2, 0.15),
            }
            for number in range(count)
        ],
    }


def full_page(count, locale="en"):
    """The page of a classifier's report that has everything a run writes."""
    outcomes, made = hostile_report(count)
    text = "很长的文本\n" * 40
    doubtful = [
        {"part": "train", "given": HOSTILE[0], "expected": HOSTILE[1], "row": row, "text": text} for row in range(10)
    ]
    keywords = [
        {"label": label, "word": f"词{number}", "neighbours": [["近", 0.5], ["邻", 0.4]]}
        for label in HOSTILE
        for number in range(5)
    ]
    document = made.as_dict() | {
        "history": [{"epoch": epoch, "loss": 1 / epoch, "dev_accuracy": epoch / 20} for epoch in range(1, 15)],
        "suspects": {"count": 10, "examples": doubtful},
        "words": {
            "keywords": keywords,
            "map": words_on_a_map(60),
            "coverage": {"words": 2463, "types": 0.3, "tokens": 0.8},
        },
    }
    return page.render(document, {"test": outcomes}, HOSTILE, locale=locale)


def test_the_marks_of_a_chart_are_read_with_keys_and_pointer(opened):
    view = opened(full_page(300), viewport=DESK)
    figure = view.locator("#scores figure")
    marks = figure.locator(".mark")
    assert marks.count() == 2
    view.locator("nav a").last.focus()
    for _ in range(3):
        view.keyboard.press("Tab")
        if figure.locator(".mark:focus").count():
            break
    reading = figure.locator(".reading")
    assert reading.inner_text() == "GRU model: 75.0%"
    view.keyboard.press("ArrowDown")
    assert reading.inner_text().startswith("majority class: ")
    view.keyboard.press("ArrowDown")
    assert marks.nth(1).get_attribute("tabindex") == "0" and marks.nth(0).get_attribute("tabindex") == "-1"
    loss = view.locator("#curve figure").first
    loss.scroll_into_view_if_needed()
    box = loss.locator(".mark").nth(3).bounding_box()
    view.mouse.move(box["x"] + box["width"] / 2 + 2, box["y"] + box["height"] / 2 + 3)
    assert loss.locator(".reading").inner_text() == "loss, epoch 4: 0.25"


def test_a_table_sorts_by_the_heading_chosen(opened):
    view = opened(full_page(300), viewport=DESK)
    table = view.locator("#labels table")

    def column(place):
        cells = table.locator(f"tbody td:nth-child({place})").all_inner_texts()
        return [float(text.split()[0].split("[")[0]) for text in cells]

    table.locator("thead button", has_text="F1").click()
    assert column(4) == sorted(column(4), reverse=True)
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    table.locator("thead button", has_text="F1").press("Enter")
    assert column(4) == sorted(column(4)) and table.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    table.locator("thead button").first.click()
    assert table.locator("th[aria-sort]").inner_text().startswith("label")


def test_a_phone_shows_the_lead_and_a_desk_a_page_of_some_screens(opened):
    source = full_page(500)
    view = opened(source, viewport=PHONE)
    lead = view.locator("#scores thead th", has_text="the model's lead").first.bounding_box()
    assert lead["x"] + lead["width"] <= PHONE["width"]
    assert view.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert view.locator("nav").bounding_box()["height"] < 60, "the contents are one line"
    view = opened(source, viewport=DESK)
    assert view.evaluate("document.documentElement.scrollHeight") < 8_000
    view.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert view.locator("nav").bounding_box()["y"] == 0, "the contents stay"


def test_long_texts_are_opened(opened):
    view = opened(full_page(60), viewport=DESK)
    first = view.locator("#suspects .text").first
    height = first.bounding_box()["height"]
    assert height < 120
    view.locator("#suspects .whole").first.click()
    left = view.locator("#suspects .whole:visible")
    assert first.bounding_box()["height"] > 2 * height and left.count() == 2
    view.locator("#suspects summary").click()
    assert left.count() == 9


@pytest.mark.parametrize("count", [12, 80])
def test_no_two_words_of_a_map_collide(opened, count):
    placed = words_on_a_map(count)
    view = opened(f"<figure style='width: 1000px'>{word_map(placed)}</figure>", viewport=DESK)
    names = {one["word"] for one in placed["words"]}
    boxes = [text.bounding_box() for text in view.locator("svg text").all() if text.text_content().strip() in names]
    assert len(boxes) > min(count, 40) * 0.7
    for one, other in combinations(boxes, 2):
        apart_across = one["x"] + one["width"] <= other["x"] + 1 or other["x"] + other["width"] <= one["x"] + 1
        apart_up = one["y"] + one["height"] <= other["y"] + 4 or other["y"] + other["height"] <= one["y"] + 4
        assert apart_across or apart_up, (one, other)
    assert view.locator(".mark").count() == count, "a word without room has its mark"
