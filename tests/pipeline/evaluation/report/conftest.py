"""What the tests of pages share: a page in the browser."""

import pytest


@pytest.fixture
def opened(browser, tmp_path):
    """`opened(source, **options)`: a page in the browser; what its console says must be nothing."""
    said = []

    def visit(source, **options):
        (tmp_path / "report.html").write_text(source, encoding="utf-8")
        context = browser.new_context(**options)
        view = context.new_page()
        view.on("console", lambda message: said.append(message.text))
        view.on("pageerror", lambda error: said.append(str(error)))
        view.on("dialog", lambda dialog: said.append(dialog.message) or dialog.dismiss())
        view.goto((tmp_path / "report.html").as_uri())
        return view

    yield visit
    assert said == []
