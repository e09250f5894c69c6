"""Runs with planted label errors, and the page on which they are mended, for tests of the review."""

import threading
from contextlib import contextmanager

import uvicorn
from mini import WORDS, mails

from corpora import corrections
from pipeline.review.app import application

HOSTILE = "<img src=x onerror=alert(1)>"
TOKEN = "a" * 32
PLANTED = (3, 8, 17, 26)  # places of mails whose label is the other one
CONFIG = """name = "mini"
[corpus]
train = "mini.csv"
text = "正文"
label = "类别"
[segment]
workers = 1
"""


def planted():
    """The mails with four wrong labels; a fifth has markup in its text, and another a hostile label."""
    first, second = WORDS
    rows = [
        ({first: second, second: first}[label] if place in PLANTED else label, text)
        for place, (label, text) in enumerate(mails())
    ]
    return [*rows, (HOSTILE, f"会议{HOSTILE}明天"), (HOSTILE, f"讨论报告{HOSTILE}")]


@contextmanager
def served(session):
    """The address of the page of a session, while it is served."""
    server = uvicorn.Server(
        uvicorn.Config(application(session, TOKEN), port=0, log_level="error", timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/#{TOKEN}"
    finally:
        server.should_exit = True
        thread.join()


def written(folder):
    """What corrections.csv has, as (old, new)."""
    return [(one.old, one.new) for one in corrections.read(folder / "corrections.csv")]
