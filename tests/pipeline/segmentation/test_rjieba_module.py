"""rjieba's extension module: found without the package, and the same as with it."""

import subprocess
import sys

from pipeline.segmentation import rjieba_module

ALONE = """
import sys
from pipeline.segmentation.segmenter import Segmenter
print(Segmenter().split("我们都是中国人"), "rjieba" in sys.modules)
import rjieba
print(rjieba.Jieba is sys.modules["rjieba.rjieba"].Jieba, rjieba.cut("我们都是中国人"))
"""


def test_a_segmenter_loads_no_second_dictionary_and_leaves_rjieba_importable():
    said = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", ALONE], capture_output=True, check=True, encoding="utf-8"
    ).stdout
    assert said.splitlines() == ["['我们', '都', '是', '中国', '人'] False", "True ['我们', '都', '是', '中国', '人']"]


def test_after_the_package_it_is_the_one_that_the_package_has():
    import rjieba

    assert rjieba_module.load().Jieba is rjieba.Jieba


def test_threads_load_it_once():
    code = "from concurrent.futures import ThreadPoolExecutor as Pool; from pipeline.segmentation import rjieba_module"
    code += "; print(len({id(found) for found in Pool(8).map(lambda _: rjieba_module.load(), range(64))}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"1"


def test_where_the_package_keeps_it_elsewhere_the_package_is_taken(monkeypatch):
    import rjieba

    monkeypatch.delitem(sys.modules, rjieba_module.NAME)
    monkeypatch.setattr(rjieba_module.PathFinder, "find_spec", lambda *_: None)
    assert rjieba_module.load() is rjieba
