"""When the workers of a labelling job start: at once for a large file, never for one that is soon done."""

import pytest
from random_model import make_model

from pipeline.jobs import workers
from pipeline.jobs.label import label_file
from pipeline.jobs.limits import Limits


@pytest.mark.parametrize(
    ("limits", "start"),
    [
        (Limits(chunk_rows=10, large_bytes=1), True),
        (Limits(chunk_rows=10), False),
        (Limits(chunk_rows=10, solo_seconds=0.0), True),
    ],
)
def test_the_size_of_a_file_decides_when_workers_start(tmp_path, monkeypatch, limits, start):
    given = []

    def recorded(function, items, *, here, **others):
        for item in items:
            given.append(item)
            yield here(item)

    monkeypatch.setattr(workers, "map_ordered", recorded)
    model = make_model(tmp_path / "model")
    texts = [f"今天天气{'很好' * (number % 7)}" for number in range(40)]
    (tmp_path / "in.csv").write_text("\n".join(["text", *texts, ""]), encoding="utf-8")
    done = label_file(model, tmp_path / "in.csv", tmp_path / "out.csv", workers=2, limits=limits)
    assert done.rows == 40
    assert [text for part in given for text in part] == (texts if start else [])
