"""A parser of pages, for tests of what they hold."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """The tags, attributes and text of a page; every tag must be closed by its own."""

    VOID = frozenset({"meta", "br", "hr", "img", "input", "link"})

    def __init__(self, source):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = [], [], [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
