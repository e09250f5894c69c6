"""The service: it answers as the model does, whatever comes, and says in a sentence what it refuses."""

import io
import json
import logging
import shutil
import time

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_model import make_model
from random_tagger import make_tagger

from pipeline.jobs.label import label_file, label_to_file
from pipeline.models.model import Model
from pipeline.serving import tables
from pipeline.serving.app import application
from pipeline.serving.limits import ServiceLimits
from pipeline.serving.served_model import ServedModel, named_models

PREDICT, LABEL = "/v1/models/mail/predict", "/v1/models/mail/label"
TEXTS = ["今天很好吃", " ", "味道不好，服务很慢", "🦆" * 30]
CSV = {"Content-Type": "text/csv"}
LIMITS = ServiceLimits(body_bytes=2000, table_bytes=5000, texts=5, text_characters=100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("served")
    make_model(place / "mail")
    make_tagger(place / "entities")
    return place


@pytest.fixture(scope="module")
def client(folder):
    with TestClient(application(named_models([str(folder / "mail"), str(folder / "entities")]), limits=LIMITS)) as made:
        yield made


def message(response, status):
    assert response.status_code == status
    error = response.json()["error"]
    assert set(error) == {"message", "request"} and error["request"] == response.headers["x-request-id"]
    return error["message"]


@pytest.mark.parametrize("name", ["mail", "entities"])
@pytest.mark.parametrize("probabilities", [True, False])
def test_answers_are_the_json_lines_of_label(client, folder, tmp_path, name, probabilities):
    reply = client.post(f"/v1/models/{name}/predict", json={"texts": TEXTS, "probabilities": probabilities})
    lines = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in TEXTS)
    (tmp_path / "in.jsonl").write_text(lines, encoding="utf-8")
    label_file(folder / name, tmp_path / "in.jsonl", tmp_path / "out.jsonl", probabilities=probabilities)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert reply.status_code == 200
    assert reply.json() == {
        "model": name,
        "predictions": [{key: cell for key, cell in row.items() if key != "text"} for row in rows],
    }


def test_models_are_listed(client):
    found = client.get("/v1/models").json()["models"]
    assert [(model["name"], model["task"]) for model in found] == [("mail", "classify"), ("entities", "tag")]
    assert found[0]["labels"] == ["好", "差", "中,等"]
    assert found[0]["columns"] == ["label", "confidence", "p:好", "p:差", "p:中,等"]


def test_a_table_comes_back_as_label_writes_it(client, folder, tmp_path):
    frame = pd.DataFrame({"编号": range(40), "正文": [f"今天很好吃{number}" for number in range(39)] + [""]})
    frame.to_csv(tmp_path / "in.csv", index=False)
    reply = client.post(LABEL, params={"text": "正文"}, headers=CSV, content=(tmp_path / "in.csv").read_bytes())
    label_file(folder / "mail", tmp_path / "in.csv", tmp_path / "out.csv", text="正文")
    assert reply.content == (tmp_path / "out.csv").read_bytes()
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    counts = {name: reply.headers[f"zhpipe-{name}"] for name in ("rows", "labelled", "blank", "rejected")}
    assert counts == {"rows": "40", "labelled": "39", "blank": "1", "rejected": "0"}


def test_how_far_a_table_is(client, monkeypatch):
    seen = []

    def watched(*given, progress, **named):
        with progress("label", total=None, unit="rows") as advance:
            advance(2)
            advance(3)
            seen.append(client.get("/v1/labelling/table-0001").json())
            seen.append(client.post(LABEL, params={"watch": "table-0001"}, headers=CSV, content=table).status_code)
        return label_to_file(*given, **named)

    monkeypatch.setattr(tables, "label_to_file", watched)
    table = "text\n好吃\n".encode()
    assert client.post(LABEL, params={"watch": "table-0001"}, headers=CSV, content=table).status_code == 200
    assert seen == [{"rows": 5}, 422]
    assert "no table is being labelled" in message(client.get("/v1/labelling/table-0001"), 404)
    assert "watch: " in message(client.post(LABEL, params={"watch": "a b"}, headers=CSV, content=table), 422)


def test_a_row_that_cannot_be_read_is_named_or_counted(client):
    table = "text,label2\n好吃,1\n多,一,列\n难看,2\n".encode()
    said = message(client.post(LABEL, headers=CSV, content=table), 422)
    assert "line 3" in said and "zhpipe-" not in said
    reply = client.post(LABEL, params={"strict": "false"}, headers=CSV, content=table)
    assert len(pd.read_csv(io.BytesIO(reply.content))) == 2
    assert (reply.headers["zhpipe-rows"], reply.headers["zhpipe-rejected"]) == ("3", "1")


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"texts": []}, 422, "texts: list should have at least 1 item after validation, not 0"),
        ({"texts": "好吃"}, 422, "texts: input should be a valid list"),
        ({"texts": ["好", None]}, 422, "texts.1: input should be a valid string"),
        ({"texts": ["好"], "threshold": 1}, 422, "threshold: extra inputs are not permitted"),
        ({"texts": ["好"] * 6}, 422, "6 texts: at most 5 are answered at a time"),
        ({"texts": ["好" * 101]}, 422, "a text has 101 characters: at most 100 are read"),
        ({"texts": ["好" * 1000]}, 413, "the body has more than 2,000 bytes: send less at a time"),
    ],
)
def test_what_is_refused(client, body, status, expected):
    assert message(client.post(PREDICT, json=body), status) == expected


def test_half_a_surrogate_pair(client):
    reply = client.post(PREDICT, content=b'{"texts": ["\\ud83e"]}', headers={"Content-Type": "application/json"})
    assert message(reply, 422) == "texts.0: character 1 is half of a surrogate pair"


def test_other_refusals(client):
    assert "no such model" in message(client.post("/v1/models/x/predict", json={"texts": ["好"]}), 404)
    assert message(client.get("/nowhere"), 404) == "Not Found"
    assert message(client.get(PREDICT), 405) == "Method Not Allowed"
    assert "application/json" in message(
        client.post(PREDICT, content="{}", headers={"Content-Type": "text/plain"}), 415
    )
    assert "text/csv" in message(client.post(LABEL, content="a,b"), 415)
    assert 'no column "text"' in message(client.post(LABEL, content="a,b\n1,2\n", headers=CSV), 422)
    assert "5,000 bytes" in message(client.post(LABEL, content=b"x" * 6000, headers=CSV), 413)
    pieces = (b"x" * 1000 for _ in range(9))  # without a length
    assert "5,000 bytes" in message(client.post(LABEL, content=pieces, headers=CSV), 413)
    pieces = (b" " * 1000 for _ in range(9))
    assert "2,000 bytes" in message(
        client.post(PREDICT, content=pieces, headers={"Content-Type": "application/json"}), 413
    )


KEYS = st.sampled_from(["texts", "probabilities", "dictionary", "prompt", "seed", "temperature", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        JSON.map(lambda value: json.dumps(value).encode()),
        st.builds(lambda texts: json.dumps({"texts": texts}).encode(), st.lists(st.text(), max_size=5)),
        st.binary(max_size=60),
    ),
    st.sampled_from([PREDICT, "/v1/models/entities/predict", "/v1/models/mail/continue", LABEL]),
    st.sampled_from(["application/json", "text/csv", "application/jsonl", "text/tab-separated-values", ""]),
)
def test_nothing_that_comes_makes_it_fail(client, body, route, kind):
    reply = client.post(route, content=body, headers={"Content-Type": kind})
    assert reply.status_code < 500
    if reply.status_code != 200:
        assert message(reply, reply.status_code)


def test_a_token(folder):
    models = named_models([str(folder / "mail")])
    with TestClient(application(models, token="0123456789abcdef")) as client:
        assert client.get("/healthz").status_code == 200
        for headers in ({}, {"Authorization": "Bearer 0123456789abcdee"}, {"Authorization": "0123456789abcdef"}):
            assert "a token is needed" in message(client.get("/v1/models", headers=headers), 401)
            assert client.get("/", headers=headers).status_code == 401
        assert client.get("/v1/models", headers={"Authorization": "Bearer 0123456789abcdef"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("LOCALHOST", 200),
        ("[::1]:8000", 200),
        ("evil.example", 421),
        ("localhost.evil:80", 421),
    ],
)
def test_other_names_are_refused(folder, host, status):
    app = application(named_models([str(folder / "mail")]), hosts={"localhost", "::1"})
    with TestClient(app) as client:
        assert client.get("/v1/models", headers={"Host": host}).status_code == status


def test_the_page_loads_only_its_own_files(client):
    page = client.get("/")
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert "access-control-allow-origin" not in client.get("/", headers={"Origin": "https://evil.example"}).headers
    for name in ("page/page.css", "page/page.js"):
        assert name in page.text and client.get(f"/{name}").status_code == 200
    assert "http" not in page.text
    assert client.get("/page/..%2fapp.py").status_code == 404


def test_the_log_has_nothing_of_a_request(client, caplog):
    with caplog.at_level(logging.INFO, "zhpipe.serve"):
        client.post(PREDICT, json={"texts": ["秘密"]}, headers={"X-Secret": "秘密".encode()})
        client.get("/秘密?a=秘密")
    lines = [record.getMessage() for record in caplog.records if record.name == "zhpipe.serve"]
    assert len(lines) == 2 and "POST /v1/models/{name}/predict 200" in lines[0] and "GET unknown 404" in lines[1]
    assert "秘密" not in caplog.text and "%E7" not in caplog.text


def test_metrics(client):
    before = client.get("/metrics").text
    client.post(PREDICT, json={"texts": TEXTS})
    after = client.get("/metrics").text

    def texts(page):
        return float(page.split('zhpipe_texts_total{model="mail"} ')[1].split("\n")[0])

    assert texts(after) == texts(before) + len(TEXTS)
    assert 'zhpipe_waiting_texts{model="mail"} 0.0' in after


def test_the_interface_describes_itself(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert {
        "/v1/models",
        "/v1/models/{name}/predict",
        "/v1/models/{name}/continue",
        "/v1/models/{name}/label",
        "/v1/labelling/{watch}",
        "/healthz",
        "/metrics",
    } == set(paths)
    assert {"200", "422", "429"} <= set(paths["/v1/models/{name}/predict"]["post"]["responses"])


def test_a_changed_folder_is_loaded_and_a_damaged_one_is_not(tmp_path):
    make_model(tmp_path / "mail")
    model = ServedModel("mail", tmp_path / "mail")
    before = model.model
    assert not model.reload() and model.model is before
    shutil.rmtree(tmp_path / "mail")
    make_model(tmp_path / "mail", labels=("甲", "乙"))
    assert model.reload() and list(model.model.labels.names) == ["甲", "乙"]
    assert model.described["version"] != ""
    sound = model.model
    (tmp_path / "mail" / "labels.txt").write_text("丙\n丁\n", encoding="utf-8")
    (tmp_path / "mail" / "SHA256SUMS").write_text("damaged", encoding="utf-8")
    with pytest.raises(ValueError, match="SHA256SUMS"):
        model.reload()
    shutil.rmtree(tmp_path / "mail")
    with pytest.raises(ValueError, match="mail"):
        model.reload()
    assert model.model is sound and model.predict(["好"])[0].value in ("甲", "乙")


def test_names(folder):
    shutil.copytree(folder / "mail", folder / "run" / "model", dirs_exist_ok=True)
    run, mail = str(folder / "run"), str(folder / "mail")
    assert list(named_models([run, f"b={mail}", mail])) == ["run", "b", "mail"]
    assert list(named_models([f"{run}/model"])) == ["run"]
    with pytest.raises(ValueError, match=r"there is a model 'mail' already: name this one, as in NAME="):
        named_models([mail, mail])
    for name in ("a/b", "..", "a?b", ""):
        with pytest.raises(ValueError, match="can't stand in an address"):
            named_models([f"{name}={mail}"])


def test_memory_of_what_was_uploaded_is_given_back(client, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    client.post(LABEL, headers=CSV, content="text\n好吃\n".encode())
    client.post(LABEL, headers=CSV, content=b"x\n1\n")
    client.post(LABEL, headers=CSV, content=b"x" * 6000)
    deadline = time.monotonic() + 5
    while list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list(tmp_path.iterdir())


def test_scores_that_are_not_finite(folder, monkeypatch):
    models = named_models([str(folder / "mail")])
    found = Model.predict

    def spoilt(self, texts):
        if "坏" in texts:
            from pipeline.errors import NotFinite

            raise NotFinite(self.network.path, texts.index("坏"))
        return found(self, texts)

    monkeypatch.setattr(Model, "predict", spoilt)
    with TestClient(application(models)) as client:
        assert message(client.post(PREDICT, json={"texts": ["好", "坏"]}), 500) == (
            "the model gives text 2 scores that are not finite"
        )
        assert client.post(PREDICT, json={"texts": ["好"]}).status_code == 200


def test_several_labels_are_joined_as_label_joins_them(remarked):
    with TestClient(application(named_models([str(remarked)]))) as made:
        [about] = made.get("/v1/models").json()["models"]
        assert (about["task"], about["label_separator"]) == ("multilabel", "|")
        body = {"texts": ["快递太贵", "还没拆开", " "], "probabilities": True}
        both, none, blank = made.post("/v1/models/remarks/predict", json=body).json()["predictions"]
    assert (both["label"], none["label"], blank["label"]) == ("价格|物流", "", None)
    assert both["p:价格"] > both["p:服务"] and blank["confidence"] is None
