"""The routes of the review: nothing without the token, a sentence for each refusal, and no write for bad values."""

import pytest
from fastapi.testclient import TestClient
from review_runs import HOSTILE, TOKEN, written

from pipeline.review.app import application
from pipeline.review.queue import of_run
from pipeline.review.session import Session

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def client(session):
    return TestClient(application(session, TOKEN), base_url="http://127.0.0.1", headers=HEADERS)


def message(response, status):
    assert response.status_code == status
    return response.json()["error"]["message"]


def test_the_page_is_open_and_all_else_needs_the_token_and_the_name(client, session):
    for path in ("/", "/page/review.js", "/page/spans.js", "/page/review.css"):
        assert client.get(path, headers={"Authorization": ""}).status_code == 200
    for path in ("/v1/queue", "/v1/items/0", "/openapi.json"):
        assert "token" in message(client.get(path, headers={"Authorization": "Bearer wrong"}), 401)
    assert message(client.get("/v1/queue", headers={"Host": "evil.example"}), 421)
    assert client.get("/page/review.js?name=index.html&path=/etc/passwd").text.startswith("// The page")


def test_decisions_are_on_the_disk_at_once(client, session, tmp_path):
    place = next(place for place, item in enumerate(session.items) if item.old == HOSTILE)
    shown = client.get(f"/v1/items/{place}").json()
    assert shown["old"] == HOSTILE and HOSTILE in "".join(piece for piece, _ in shown["pieces"])
    found = client.post(f"/v1/items/{place}", json={"new": shown["answer"]}).json()
    assert found["decided"][place] and written(tmp_path) == [(HOSTILE, shown["answer"])]
    assert client.post("/v1/undo").json()["place"] == place
    assert written(tmp_path) == [] and client.post("/v1/undo").json()["place"] is None


@pytest.mark.parametrize(
    "body", [{"new": "没有的"}, {"new": None}, {"new": ["正常邮件"]}, {}, {"new": "x", "more": 1}, []]
)
def test_bad_values_are_refused_and_nothing_is_written(client, tmp_path, body):
    assert message(client.post("/v1/items/0", json=body), 422)
    assert not (tmp_path / "corrections.csv").exists()


def test_there_is_no_such_text(client):
    assert "the queue has" in message(client.get("/v1/items/999"), 404)
    assert message(client.get("/v1/items/-1"), 404) and message(client.get("/v1/items/a"), 422)
    assert message(client.get("/v1/other"), 404)


def test_words_that_speak_for_the_answer_are_told(session):
    effects = [share for place in range(len(session.items)) for _, share in session.item(place)["pieces"]]
    assert max(effects) == 1.0 or min(effects) == -1.0


def test_a_second_start_goes_on(client, session, run, model):
    client.post("/v1/items/0", json={"new": session.items[0].old})
    again = Session("mini", of_run(run, model), model, session.decisions)
    assert again.overview()["decided"] == session.overview()["decided"] and sum(again.overview()["decided"]) == 1


def test_a_file_that_was_spoilt_meanwhile_is_said(client, tmp_path):
    (tmp_path / "corrections.csv").write_text("a\n", encoding="utf-8")
    assert 'no column "fingerprint"' in message(client.post("/v1/items/0", json={"new": "正常邮件"}), 422)
