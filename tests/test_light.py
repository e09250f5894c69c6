"""The light installation: it labels and evaluates; whatever needs more names the extra, in one sentence."""

import ast
import shutil

import pytest
from light import ROOT, absent, installed_by, requirements, run_light
from mini import mails, write_config, write_csv

from pipeline.extras import EXTRAS

CONLL = "去\tB-人\n滨\tB-地\n江\tI-地\n\n我\tB-人\n爱\tO\n"
NEEDS = 'needs {}, which is not installed: pip install "zhpipe[{}]"\n'


@pytest.fixture(scope="module")
def folder(trained, sample, tmp_path_factory):
    """The runs of a classifier, a tagger and a language model, and something for each to read."""
    made = tmp_path_factory.mktemp("light")
    shutil.copytree(trained("gru"), made / "runs" / "mini")
    write_csv(made / "mini.csv", mails())
    write_config(made)
    shutil.copytree(sample("ner"), made / "runs" / "ner")
    shutil.copytree(sample("language"), made / "runs" / "language")
    (made / "ner.conll").write_text(CONLL, encoding="utf-8")
    (made / "lines.txt").write_text("去滨江步道\n我爱北京\n" * 5, encoding="utf-8")
    return made


WORKS = [
    "--version",
    "label runs/mini mini.csv out.csv --text 正文 --probabilities --target-precision 0.3",
    "label runs/mini mini.csv out.jsonl --text 正文 --prefix my_",
    "label runs/mini mini.csv out.xlsx --text 正文 --prefix my_",
    "label runs/mini mini.csv out.csv.gz --text 正文",
    "label runs/ner mini.csv tagged.csv --text 正文",
    "label runs/ner mini.csv tagged.conll --text 正文 --layout conll",
    "try runs/mini 恭喜中奖",
    "try runs/language 今天下雨",
    "generate runs/language --prompt 今天",
    "next runs/language 今天",
    "evaluate runs/mini --corpus mini.csv --text 正文 --label 类别 --out scored",
    "evaluate runs/language --corpus lines.txt --format lines --out scored-language",
    "evaluate runs/ner --corpus ner.conll --out scored-tagger",
    "report runs/mini --language zh",
    "compare runs/mini runs/mini --out compared",
    "segment lines.txt cut.txt",
    "segment mini.toml",
    "inspect mini.csv",
    "inspect ner.conll",
    "init mini.csv --out new.toml",
    "neighbours 明天 --vectors runs/mini -n 2",
    "config",
]
NEEDS_MORE = {
    "train mini.csv --out runs/new": ("a run", "keras", "train"),
    "run mini.toml": ("a run", "keras", "train"),
    "train mini.toml": ("a run", "keras", "train"),
    "embed mini.toml": ("a run", "keras", "train"),
    "evaluate mini.toml": ("a run", "keras", "train"),
    "tune mini.toml": ("a run", "keras", "train"),
    "embed lines.txt --out words --min-count 1": ("this command", "gensim", "train"),
    "serve runs/mini": ("this command", "fastapi", "serve"),
    "label runs/mini mini.csv out.parquet --text 正文": ("{}/out.parquet: Parquet", "pyarrow", "parquet"),
    "label runs/mini in.parquet new.csv --text 正文": ("in.parquet: Parquet", "pyarrow", "parquet"),
    "label runs/mini in.csv.zst new.csv --text 正文": ("in.csv.zst: zstd (.zst)", "pyarrow", "parquet"),
}


def test_it_labels_and_evaluates(folder):
    for arguments, (code, _, err) in zip(WORKS, run_light(folder, *map(str.split, WORKS)), strict=True):
        assert code == 0, f"zhpipe {arguments}: {err}"
    assert (folder / "out.csv").is_file() and (folder / "tagged.conll").is_file()
    page = (folder / "runs" / "mini" / "evaluate" / "report.html").read_text(encoding="utf-8")
    assert page.count("未安装 Matplotlib，图未画出") == page.count("<figcaption") > 2
    page = (folder / "scored" / "report.html").read_text(encoding="utf-8")
    assert "precision against coverage: not drawn, as Matplotlib is not installed" in page


def test_what_needs_more_names_the_extra(folder):
    for name in ("in.parquet", "in.csv.zst"):
        (folder / name).write_bytes(b"PAR1")
    before = sorted(folder.rglob("*"))
    found = run_light(folder, *map(str.split, NEEDS_MORE))
    for (arguments, (what, library, extra)), (code, out, err) in zip(NEEDS_MORE.items(), found, strict=True):
        expected = f"zhpipe: {what.format(folder)} {NEEDS.format(library, extra)}"
        assert (code, out, err) == (2, "", expected), arguments
    assert sorted(folder.rglob("*")) == before, "nothing is left behind"


def test_the_extras_hold_what_they_are_said_to():
    imported = {"scikit-learn": "sklearn", "prometheus-client": "prometheus_client"}
    for extra in set(EXTRAS.values()):
        named = {imported.get(one.name, one.name) for one in requirements(extra)}
        missing = {library for library, owner in EXTRAS.items() if owner == extra} - named
        assert not missing, f"zhpipe[{extra}] lacks {missing}"
    assert not set(EXTRAS) & installed_by(requirements())
    assert {"keras", "tensorflow", "gensim", "sklearn", "pandas", "pyarrow", "ray"} <= set(absent())


def test_every_library_has_a_place_in_setup_cfg():
    """Each import of the source belongs to the light installation, to the extras, or is guarded by a sentence."""
    optional = {"ray", "optuna", "sqlalchemy", "mlflow", "opencc", "pycrfsuite", "pandas", "torch", "starlette"}
    found = set()
    for room in ("pipeline", "corpora", "embeddings"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    found.add((node.module or "").partition(".")[0])
    assert found & set(absent()) <= optional | set(EXTRAS)
