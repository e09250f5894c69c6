"""The server as a process: it listens where it should, needs a token where others can reach it, and stops well."""

import json
import signal
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from mini import python
from random_model import make_model

from pipeline.serving.server import is_loopback, read_token


def ask(address):
    """The status of a request, or None if the server took no connection."""
    body = json.dumps({"texts": ["今天很好吃"] * 50}).encode()
    request = urllib.request.Request(f"{address}/v1/models/mail/predict", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as reply:
            assert len(json.loads(reply.read())["predictions"]) == 50
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code
    except (urllib.error.URLError, ConnectionResetError):
        return None


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 0)])
def test_what_was_taken_is_answered_before_it_stops(server, number, code):
    process, address = server
    with ThreadPoolExecutor(8) as clients:
        replies = [clients.submit(ask, address) for _ in range(80)]
        while not any(reply.done() for reply in replies):
            time.sleep(0.01)
        process.send_signal(number)
        statuses = [reply.result() for reply in replies]
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert set(statuses) <= {200, None} and 200 in statuses
    assert said.count(" 200 ") == statuses.count(200) + 1  # with /healthz
    assert "Traceback" not in said and "今天" not in said


def test_others_need_a_token(tmp_path):
    make_model(tmp_path / "mail")
    done = python("-m", "pipeline", "serve", "mail", "--host", "0.0.0.0", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "zhpipe: --host 0.0.0.0: others can reach it: give a token with --token-file, or use 127.0.0.1"
    )


@pytest.mark.parametrize("token", ["", "short", "0123456789abcde\n", "密" * 16, "0123456789\n0123456789"])
def test_tokens_that_are_not_safe(tmp_path, token):
    (tmp_path / "token").write_text(token, encoding="utf-8")
    with pytest.raises(ValueError, match="a token of at least 16 printable ASCII characters is expected"):
        read_token(tmp_path / "token")


def test_a_token_is_read_without_its_line_end(tmp_path):
    (tmp_path / "token").write_text("0123456789abcdef\n", encoding="utf-8")
    assert read_token(tmp_path / "token") == "0123456789abcdef"


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", True), ("10.0.0.1", False), ("::", False), ("a.b", False)]
)
def test_loopback(host, expected):
    assert is_loopback(host) is expected
