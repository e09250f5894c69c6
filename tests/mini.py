"""A tiny labelled corpus, its config, and how tests write and read their files."""

import csv
import os
import random
import subprocess
import sys
from pathlib import Path

WORDS = {
    "垃圾邮件": ["恭喜", "中奖", "点击", "链接", "领取", "免费", "红包", "优惠", "贷款"],
    "正常邮件": ["会议", "明天", "项目", "报告", "附件", "同事", "讨论", "周五", "进度"],
}
# All rows in one batch: Keras compiles one shape of batch.
CONFIG = """name = "mini"
[corpus]
train = "mini.csv"
text = "正文"
label = "类别"
[segment]
workers = 1
[embed]
vector_size = 6
min_count = 1
epochs = 2
[network]
cell = "gru"
units = 5
[network.wide]
characters = 2
[train]
learning_rate = 0.01
epochs = 2
batch_size = 64
"""


def mails(count=40, seed=1):
    """(label, text) rows, half of each label."""
    generator = random.Random(seed)
    labels = list(WORDS)
    return [
        (labels[index % 2], "".join(generator.choices(WORDS[labels[index % 2]], k=generator.randint(3, 7))) + "。")
        for index in range(count)
    ]


def write_csv(path, rows, header=("类别", "正文"), encoding="utf-8"):
    """A CSV file of rows."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read_csv(path, encoding="utf-8"):
    """The rows of a CSV file, its header first."""
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.reader(file))


def write_config(folder, text=CONFIG, name="mini.toml"):
    """A config in a folder."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def python(*arguments, folder, timeout=300):
    """A finished Python process, in a folder, that finds the packages under test."""
    root = str(Path(__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": root, "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=timeout)
