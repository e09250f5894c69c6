"""Texts that are continued over HTTP, within limits, the dictionary's part of an answer, and too much at once."""

import threading
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from random_model import make_model
from random_tagger import make_tagger

import pipeline
from pipeline.models.model import Model
from pipeline.serving.app import application
from pipeline.serving.limits import ServiceLimits
from pipeline.serving.served_model import ServedModel, named_models

LIMITS = ServiceLimits(text_characters=50, continuations=3, continued_tokens=20, queued_texts=1, threads=1, writers=1)
CONTINUE = "/v1/models/hello/continue"


@pytest.fixture(scope="module")
def client(hello, tmp_path_factory):
    place = tmp_path_factory.mktemp("served")
    make_model(place / "mail")
    with TestClient(application(named_models([f"hello={hello}", str(place / "mail")]), limits=LIMITS)) as made:
        yield made


def message(response, status):
    assert response.status_code == status
    return response.json()["error"]["message"]


def test_texts_are_continued_as_generate_continues_them(client, hello):
    asked = {"prompt": "h", "count": 3, "length": 20, "temperature": 2.5, "seed": 7}
    found = client.post(CONTINUE, json=asked).json()
    whole = pipeline.load(hello).generate("h", count=3, length=20, temperature=2.5, seed=7)
    assert found["model"] == "hello" and [f"h{one['text']}" for one in found["continuations"]] == whole
    for one in found["continuations"]:
        assert one["tokens"] == len(one["text"]) and one["finish"] == ("length" if one["tokens"] == 20 else "end")
    assert client.get("/v1/models").json()["models"][0]["generates"]
    assert not client.get("/v1/models").json()["models"][1]["generates"]


def test_a_text_is_cut_at_its_length(client):
    [found] = client.post(CONTINUE, json={"prompt": "hello", "length": 3, "temperature": 0}).json()["continuations"]
    assert found == {"text": " wo", "tokens": 3, "finish": "length"}
    [found] = client.post(CONTINUE, json={"prompt": "hello", "temperature": 5e-324, "length": 20}).json()[
        "continuations"
    ]
    assert found == {"text": " world", "tokens": 6, "finish": "end"}


def test_time_ends_a_text(client, hello):
    with TestClient(application(named_models([f"hello={hello}"]), limits=ServiceLimits(seconds=0))) as made:
        reply = made.post(CONTINUE, json={"count": 2})
    assert reply.json()["continuations"] == [{"text": "", "tokens": 0, "finish": "time"}] * 2


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"count": 4}, "count: at most 3, and 4 are asked for"),
        ({"length": 21}, "length: at most 20, and 21 are asked for"),
        ({"prompt": "h" * 51, "length": 1}, "a text has 51 characters: at most 50 are read"),
        ({"temperature": -1}, "temperature: input should be greater than or equal to 0"),
        ({"top_p": 0}, "top_p: input should be greater than 0"),
        ({"seed": -1}, "seed: input should be greater than or equal to 0"),
        ({"texts": ["h"]}, "texts: extra inputs are not permitted"),
    ],
)
def test_what_is_refused(client, body, expected):
    assert message(client.post(CONTINUE, json=body), 422) == expected


def test_other_models_continue_nothing(client):
    said = message(client.post("/v1/models/mail/continue", json={"length": 1}), 422)
    assert said == "random: its task is classify: a language model is needed here"
    assert message(client.post(CONTINUE, content="{}", headers={"Content-Type": "text/plain"}), 415)


@contextmanager
def held(monkeypatch, owner, name):
    """While it lasts, a method waits; the client's own thread goes on."""
    entered, go = threading.Event(), threading.Event()
    found = getattr(owner, name)

    def waiting(*arguments, **options):
        entered.set()
        assert go.wait(20)
        return found(*arguments, **options)

    monkeypatch.setattr(owner, name, waiting)
    try:
        yield entered
    finally:
        go.set()
        monkeypatch.setattr(owner, name, found)


PREDICT, LABEL = "/v1/models/mail/predict", "/v1/models/mail/label"


@pytest.mark.parametrize(
    ("owner", "name", "asked", "expected"),
    [
        (ServedModel, "continued", (CONTINUE, {"json": {"length": 1}}), "other texts are being continued"),
        (Model, "predict", (PREDICT, {"json": {"texts": ["好"]}}), "1 texts wait already"),
        (
            Model,
            "tokenise_all",
            (LABEL, {"content": "text\n好\n", "headers": {"Content-Type": "text/csv"}}),
            "another table is being labelled",
        ),
    ],
)
def test_what_is_too_much_at_once_gets_429(client, monkeypatch, owner, name, asked, expected):
    route, body = asked
    replies = []
    with held(monkeypatch, owner, name) as entered:
        first = threading.Thread(target=lambda: replies.append(client.post(route, **body)))
        first.start()
        assert entered.wait(20)
        second = client.post(route, **body)
    first.join()
    assert expected in message(second, 429) and second.headers["retry-after"].isdigit()
    assert replies[0].status_code == 200 and client.post(route, **body).status_code == 200


def test_the_parts_that_obey_the_dictionary_are_told(tmp_path):
    make_tagger(tmp_path / "words", "words", dictionary={"滨江步道": None, "烤": None})
    with TestClient(application(named_models([str(tmp_path / "words")]))) as made:
        body = {"texts": ["去滨江步道骑车", "我爱", " "], "dictionary": True}
        found = made.post("/v1/models/words/predict", json=body).json()
        plain = made.post("/v1/models/words/predict", json={"texts": body["texts"]}).json()
    assert found["dictionary"] == [[[1, 5]], [], []] and "滨江步道" in found["predictions"][0]["words"].split(" ")
    assert set(plain) == {"model", "predictions"} and plain["predictions"] == found["predictions"]
