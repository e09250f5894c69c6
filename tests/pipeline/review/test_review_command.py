"""The command: it prints an address, goes on where it stopped, locks its file, and says how to apply it."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from mini import write_csv
from review_runs import written

from pipeline.__main__ import BAD_INPUT, SUCCESS, main


@pytest.fixture
def zhpipe(capsys):
    """`zhpipe("review", ...)`: exit code, output and error."""

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments)])
        return ended.value.code, *capsys.readouterr()

    return call


def asked(address, token, path, value=None):
    body = None if value is None else json.dumps(value).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{address}/v1/{path}", body, headers)) as reply:
        return json.load(reply)


def test_it_decides_stops_and_goes_on(run, tmp_path, zhpipe):
    command = [sys.executable, "-m", "pipeline", "review", str(run), "--only", "error", "--who", "某人"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    options = {"cwd": tmp_path, "env": environment, "encoding": "utf-8"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    try:
        said = (re.search(r"open (http\S+)/#(\S+)", line) for line in process.stderr)
        address, token = next(filter(None, said)).groups()
        count = len(asked(address, token, "queue")["decided"])
        item = asked(address, token, "items/0")
        asked(address, token, "items/0", {"new": item["answer"]})
        assert written(tmp_path) == [(item["old"], item["answer"])]
        code, _, error = zhpipe("review", run)
        assert code == BAD_INPUT and "another process is working" in error
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[0]
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == SUCCESS and "1 decided, 1 of them change a label" in said
    assert 'corpus.corrections=["corrections.csv"]' in said
    code, said, error = zhpipe("review", run, "--only", "error", "--export", "left.jsonl")
    assert (
        code == SUCCESS
        and f"{count} texts, {count - 1} to decide" in error
        and f"{count - 1} texts: left.jsonl" in said
    )


def test_bad_calls_are_refused_in_a_sentence(run, tmp_path, zhpipe):
    write_csv(tmp_path / "in.csv", [("", "恭喜")], header=("label", "正文"))
    (tmp_path / "left.json").write_text("[]", encoding="utf-8")
    for arguments, message in [
        ((run, "--next", 5), "--next is for a TABLE"),
        ((run, "in.csv", "--only", "error"), "--only is for a run"),
        ((run, "in.csv", "--below", 0.5, "--next", 5), "leave one out"),
        ((run, "in.csv", "--text", "正文"), "no column needs_review"),
        ((run, "--export", "left.json"), "exists already"),
        ((run, "--export", "a.csv"), "Label Studio reads and writes .json"),
        ((run, "--corrections", "no/corrections.csv"), "the folder no does not exist"),
        ((run / "model",), "has no stage segment"),
        (("nowhere",), "nowhere"),
    ]:
        code, _, error = zhpipe("review", *arguments)
        assert code == BAD_INPUT and message in error, arguments
    assert not (tmp_path / "corrections.csv").exists()


def test_decisions_of_another_tool_are_taken_over(run, tmp_path, zhpipe):
    write_csv(tmp_path / "in.csv", [("", "恭喜中奖"), ("", "明天会议")], header=("label", "正文"))
    line = json.dumps({"text": "恭喜中奖", "label": ["垃圾邮件"]}, ensure_ascii=False)
    (tmp_path / "done.jsonl").write_text(line, encoding="utf-8")
    code, said, _ = zhpipe("review", run, "in.csv", "--text", "正文", "--import", "done.jsonl")
    assert code == SUCCESS and "1 decided, 0 undecided, 0 of texts that in.csv lacks" in said
    assert written(tmp_path) == [("", "垃圾邮件")]
