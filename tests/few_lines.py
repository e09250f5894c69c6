"""A handful of lines, the config of a tiny language model of them, and what makes it one of characters or words."""

CONFIG = """name = "mini"
task = "language"
[corpus]
train = "mini.txt"
[segment]
workers = 1
[embed]
vector_size = 6
epochs = 1
[network]
units = 7
[language]
bptt_steps = 5
ngram_order = 3
[train]
learning_rate = 0.01
epochs = 2
batch_size = 4
"""
CHARACTERS = ("segment.unit=char", "network.cell=gru", "network.layers=2")
WORDS = ("network.cell=lstm", "language.tied=true")
# Written for this test: short and long lines, white space inside, characters that come once.
LINES = """今天 天气 很好
我们去河边走走。
河边的风很大，我们没有走远。
他说：“今天不去了。”
hello world，你好
天气好的时候，河边有很多人在走，有人看书，有人唱歌，也有人什么都不做。
书店开门了
好
我们明天再去，明天的天气也很好。
唱歌的人走了，河边很静。
你好，今天去河边吗？
不去了，风大。
看书的人还在，天黑了也不走。
""".splitlines()
