"""Remarks about any of three subjects, or none, and the config of a tiny multi-label classifier of them."""

import random

SUBJECTS = {
    "价格": ["便宜", "太贵", "打折", "涨价", "划算"],
    "服务": ["客服", "退货", "态度", "售后", "耐心"],
    "物流": ["快递", "送货", "包裹", "发货", "签收"],
}
CONFIG = """name = "remarks"
[corpus]
train = "remarks.csv"
text = "评价"
label = "标签"
label_separator = "|"
dev_share = 0.25
test_share = 0.2
[segment]
workers = 1
[embed]
method = "none"
[network]
cell = "gru"
units = 5
inputs = "characters"
embedding = "random"
[network.wide]
characters = 2
min_count = 1
[train]
learning_rate = 0.03
epochs = 6
batch_size = 128
[evaluate]
baselines = ["majority", "tfidf_characters_svc"]
"""


def remarks(count=160, seed=1):
    """(labels, text) rows; a tenth of them have no label."""
    generator = random.Random(seed)
    rows = []
    for number in range(count):
        chosen = [] if number % 10 == 0 else generator.sample(sorted(SUBJECTS), generator.randint(1, 2))
        words = [generator.choice(SUBJECTS[name]) for name in chosen] or ["还没", "拆开"]
        rows.append(("|".join(sorted(chosen)), f"{'，'.join(words)}，第{number}次买。"))
    return rows
