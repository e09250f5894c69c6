"""Language: the phrases of the page in Chinese; in English they stand where they are used."""

from collections.abc import Callable
from typing import Literal

Language = Literal["en", "zh"]
Translate = Callable[..., str]

CHINESE = {
    "{name}: {model}": "{name}：{model}",
    "Evaluation of the {model}": "{model}的评测",
    "{cell} model": "{cell} 模型",
    "test": "测试集",
    "dev": "开发集",
    "train": "训练集",
    "test without leaked rows": "测试集（去掉泄漏的行）",
    "dev without leaked rows": "开发集（去掉泄漏的行）",
    "majority class": "最常见类别",
    "TF-IDF words + LinearSVC": "TF-IDF（词）+ LinearSVC",
    "TF-IDF characters + LinearSVC": "TF-IDF（字）+ LinearSVC",
    "TF-IDF words + logistic regression": "TF-IDF（词）+ 逻辑回归",
    "TF-IDF characters + logistic regression": "TF-IDF（字）+ 逻辑回归",
    "No row with a label was scored.": "没有带标签的行可供评分。",
    "On {rows} {part} rows the {model} gets {accuracy}% right (macro F1 {macro_f1}).": (
        "在{part}的 {rows} 行上，{model}答对 {accuracy}%（宏平均 F1 {macro_f1}）。"
    ),
    "That is {comparisons}.": "{comparisons}。",
    "level with {who} ({accuracy}%)": "与{who}（{accuracy}%）持平",
    "{points} point {side} {who} ({accuracy}%)": "{side}{who}（{accuracy}%）{points} 个百分点",
    "{points} points {side} {who} ({accuracy}%)": "{side}{who}（{accuracy}%）{points} 个百分点",
    "above": "高于",
    "below": "低于",
    "Without the {rows} row whose text was also trained on, accuracy is {score}%.": (
        "去掉 {rows} 行训练时见过的文本，准确率为 {score}%。"
    ),
    "Without the {rows} rows whose texts were also trained on, accuracy is {score}%.": (
        "去掉 {rows} 行训练时见过的文本，准确率为 {score}%。"
    ),
    "Without the {rows} row whose text was also trained on, F1 is {score}.": (
        "去掉 {rows} 行训练时见过的文本，F1 为 {score}。"
    ),
    "Without the {rows} rows whose texts were also trained on, F1 is {score}.": (
        "去掉 {rows} 行训练时见过的文本，F1 为 {score}。"
    ),
    "No row with tags was scored.": "没有带标注的行可供评分。",
    "On {rows} {part} rows the {model} gets F1 {f1} (precision {precision}, recall {recall}; {accuracy}% of the "
    "tokens right).": (
        "在{part}的 {rows} 行上，{model}的 F1 为 {f1}（精确率 {precision}，召回率 {recall}；词元答对 {accuracy}%）。"
    ),
    "python-crfsuite": "python-crfsuite",
    "No baseline was trained, so whether the network earned its cost is open.": (
        "没有训练基线，因此无从判断网络是否值得其开销。"
    ),
    "The network earned its cost: it is {points} points better than the best baseline, {who}, which chance "
    "hardly explains (p {p}).": "网络值得其开销：比最好的基线 {who} 高 {points} 个百分点，很难说是偶然（p {p}）。",
    "The network did not earn its cost: {who}, trained in {seconds} s, is {points} points better (p {p}).": (
        "网络不值得其开销：{who} 只训练 {seconds} 秒，却高出 {points} 个百分点（p {p}）。"
    ),
    "The network has not proved its worth: on {rows} rows it cannot be told apart from {who} ({points} points, "
    "p {p}), which trains in {seconds} s.": (
        "网络尚未证明其价值：在 {rows} 行上与 {who} 分不出高下（{points} 个百分点，p {p}），后者训练只需 {seconds} 秒。"
    ),
    "Contents": "目录",
    "Counts": "计数",
    "Model": "模型",
    "bits": "比特",
    "row": "行",
    "Scores": "得分",
    "Confidence": "置信度",
    "By label": "各类别",
    "Confusion": "混淆",
    "Texts": "文本",
    "Slices": "分片",
    "Learning curve": "学习曲线",
    "Doubtful labels": "可疑标签",
    "Words": "词语",
    "Data": "数据",
    "How it was made": "制作过程",
    "accuracy": "准确率",
    "macro F1": "宏平均 F1",
    "weighted F1": "加权 F1",
    "Matthews": "马修斯系数",
    "ROC-AUC": "ROC-AUC",
    "average precision": "平均精确率",
    "scored": "已评分",
    "scored dev": "开发集已评分",
    "skipped": "已跳过",
    "truncated": "被截断",
    "truncated train": "训练集被截断",
    "leaked": "泄漏",
    "leaked dev": "开发集泄漏",
    "rows": "行数",
    "seconds": "秒",
    "weights": "参数",
    "against the model": "与模型相比",
    "{points}, p {p}": "{points}，p {p}",
    ", ": "，",
    "In per cent; the brackets are 95% bootstrap intervals. Macro averages count every label that occurs alike. The "
    "last column is the model's lead over a baseline on the same rows, with McNemar's exact test.": (
        "单位为百分比；方括号内为 95% 自助法区间。宏平均对出现的每个类别一视同仁。"
        "最后一列是模型在相同行上对基线的领先，附 McNemar 精确检验。"
    ),
    "On {rows} {part} rows the mean confidence is {confidence}% and {right}% are right. The expected calibration error "
    "is {after}%; without temperature scaling (T = {temperature}, fitted on dev) it would be {before}%.": (
        "在{part}的 {rows} 行上，平均置信度为 {confidence}%，答对 {right}%。期望校准误差为 {after}%；"
        "若不做温度缩放（T = {temperature}，在开发集上拟合），则为 {before}%。"
    ),
    "Accept rows with a confidence of {threshold} or more: {coverage}% of the {part} rows are labelled, and "
    "{precision}% of these labels are right.": (
        "接受置信度不低于 {threshold} 的行：{part}有 {coverage}% 的行得到标签，其中 {precision}% 正确。"
    ),
    "A threshold promises a precision where dev supports it with a probability of 90% (Clopper and Pearson). It is "
    "taken from dev and checked on test.": (
        "若开发集以 90% 的概率支持某精确率（Clopper–Pearson），则阈值承诺该精确率。阈值取自开发集，并在测试集上检验。"
    ),
    "promised precision": "承诺的精确率",
    "confidence from": "置信度下限",
    "rows labelled, dev": "开发集覆盖率",
    "right, dev": "开发集精确率",
    "rows labelled, test": "测试集覆盖率",
    "right, test": "测试集精确率",
    "out of reach": "达不到",
    "confidence": "置信度",
    "share of right rows": "正确行的比例",
    "calibrated": "校准后",
    "uncalibrated": "校准前",
    "reliability on {part}": "可靠性图（{part}）",
    "The mean confidence of the {rows} spans that are predicted on {part} is {confidence}%, and {right}% of them are "
    "right. The expected calibration error is {after}%; without temperature scaling (T = {temperature}, fitted on dev) "
    "it would be {before}%. What was missed has no confidence: see recall.": (
        "{part}上预测的 {rows} 个片段平均置信度为 {confidence}%，其中 {right}% 正确。期望校准误差为 {after}%；"
        "若不做温度缩放（T = {temperature}，在开发集上拟合），则为 {before}%。遗漏的片段没有置信度：见召回率。"
    ),
    "Accept spans with a confidence of {threshold} or more: {coverage}% of the predicted {part} spans are accepted, "
    "and {precision}% of these are right.": (
        "接受置信度不低于 {threshold} 的片段：{part}上预测的片段有 {coverage}% 被接受，其中 {precision}% 正确。"
    ),
    "spans accepted, dev": "开发集接受比例",
    "spans accepted, test": "测试集接受比例",
    "share of right spans": "正确片段的比例",
    "share of spans accepted": "被接受的片段的比例",
    "F1 on {part} of parts of the rows, with 95% bootstrap intervals: where is it weak?": (
        "{part}各部分行的 F1，附 95% 自助法区间：弱在哪里？"
    ),
    "Perplexity on {part} of parts of the texts, with 95% bootstrap intervals: where is it weak?": (
        "{part}各部分文本的困惑度，附 95% 自助法区间：弱在哪里？"
    ),
    "precision against coverage": "精确率与覆盖率",
    "share of rows accepted": "被接受的行的比例",
    "epoch": "轮次",
    "loss": "损失",
    "score on dev": "开发集得分",
    "label": "类别",
    "precision": "精确率",
    "recall": "召回率",
    "F1": "F1",
    "support": "支持数",
    "On {part}, in per cent, with 95% bootstrap intervals. Support is the number of rows with the label.": (
        "在{part}上，单位为百分比，附 95% 自助法区间。支持数指带该标签的行数。"
    ),
    "On {part}: rows are gold labels, columns predicted ones; below each count its share of the row. Choose a cell "
    "to see its texts.": "在{part}上：行为真实标签，列为预测标签；计数下方是占该行的比例。点一格可看其文本。",
    "The matrix of {labels} labels is in confusion.csv; these are the pairs most often confused.": (
        "{labels} 个类别的矩阵见 confusion.csv；以下是最常混淆的类别对。"
    ),
    "Most often confused": "最常混淆",
    "gold": "真实",
    "predicted": "预测",
    "{count} of {all} {part} rows of this label": "占{part}该类别 {all} 行中的 {count} 行",
    "{shown} of {all} wrong {part} rows, the surest first, and a few of every cell of the confusion matrix; all of "
    "them are in predictions.csv.": (
        "{part}全部 {all} 行错误中的 {shown} 行，最确信的在前，另有混淆矩阵每格的少数几行；全部见 predictions.csv。"
    ),
    "The shading shows what moved the answer: words without which it would be less probable, and words without which "
    "it would be more probable.": "底色显示左右了答案的词：去掉后答案概率降低的词，以及去掉后概率升高的词。",
    "speaks for the answer": "支持该答案",
    "speaks against it": "反对该答案",
    "By type": "各类型",
    "type": "类型",
    "words F1": "词 F1",
    "token accuracy": "词元准确率",
    "unknown words": "未登录词",
    "known words": "登录词",
    "whole texts": "整条全对",
    "spans": "片段数",
    "In per cent, of exact spans, words or tags; the brackets are 95% bootstrap intervals over texts. Macro F1 counts "
    "every type that occurs alike. The last column is the model's lead in F1 over a baseline on the same texts, with "
    "the paired bootstrap test.": (
        "单位为百分比，按完全一致的片段、词或标注计；方括号内为按文本重抽样的 95% 自助法区间。"
        "宏平均 F1 对出现的每个类型一视同仁。"
        "最后一列是模型在相同文本上对基线的 F1 领先，附配对自助法检验。"
    ),
    "On {part}, in per cent, with 95% bootstrap intervals. Support is the number of gold spans of the type.": (
        "在{part}上，单位为百分比，附 95% 自助法区间。支持数指该类型的真实片段数。"
    ),
    "On {part}, in per cent, with 95% bootstrap intervals. Support is the number of words with the tag.": (
        "在{part}上，单位为百分比，附 95% 自助法区间。支持数指带该标注的词数。"
    ),
    "Kinds of mistakes": "错误类型",
    "kind": "种类",
    "count": "数量",
    "missed": "遗漏",
    "invented": "臆造",
    "wrong type": "类型错误",
    "wrong border": "边界错误",
    "right": "正确",
    "a gold span where nothing was said": "真实片段处没有任何预测",
    "a predicted span where there is none": "没有真实片段处却有预测",
    "the right place, another type": "位置正确，类型不同",
    "a gold span that is overlapped, but not exactly": "与真实片段有重叠，但边界不一致",
    "Of {spans} gold spans {right} were found exactly. Choose a kind to see its texts.": (
        "{spans} 个真实片段中有 {right} 个完全正确。点一种可看其文本。"
    ),
    "Tokens of {part}: rows are gold types, columns predicted ones; below each count its share of the row. Choose a "
    "cell to see its texts.": "{part}的词元：行为真实类型，列为预测类型；计数下方是占该行的比例。点一格可看其文本。",
    "{count} of {all} {part} tokens of this type": "占{part}该类型 {all} 个词元中的 {count} 个",
    "Mistakes": "错误",
    "confused": "混淆",
    "{shown} of {all} {part} rows with a mistake, the surest first, and a few of every kind; all of them are in "
    "errors.csv.": (
        "{part}全部 {all} 行有错的行中的 {shown} 行，最确信的在前，另有每种错误的少数几行；全部见 errors.csv。"
    ),
    "confidence {confidence}%": "置信度 {confidence}%",
    "{name}: a search for better settings": "{name}：寻找更好的设置",
    "After {done} of {wanted} trials, {pruned} of them stopped early, trial {number} is the best: {metric} on "
    "dev is {value}.": (
        "{wanted} 次试验已完成 {done} 次，其中 {pruned} 次提前停止；第 {number} 次最好：开发集 {metric} 为 {value}。"
    ),
    "The config as it stands has {value} ({difference}).": "原配置为 {value}（{difference}）。",
    "On test, which was looked at once, at the end: {scores}.": "最后在测试集上评测一次：{scores}。",
    "Test has not been looked at.": "尚未看过测试集。",
    "Settings": "设置",
    "History": "历程",
    "Trials": "试验",
    "What each setting explains of what tells good trials from poor ones (PED-ANOVA). Few trials tell little.": (
        "各设置在多大程度上解释了试验的好坏（PED-ANOVA）。试验少则说明不了多少。"
    ),
    "setting": "设置",
    "as configured": "原配置",
    "best": "最好",
    "importance": "重要性",
    "{metric} on dev, of the best epoch; of a trial that was stopped early, of the last.": (
        "开发集上的 {metric}，取最好的一轮；提前停止的试验取最后一轮。"
    ),
    "trial": "试验",
    "trials": "各次试验",
    "state": "状态",
    "epochs": "轮数",
    "complete": "完成",
    "pruned": "提前停止",
    "running": "进行中",
    "best so far": "迄今最好",
    "Search": "搜索",
    "all": "全部",
    "wrong rows": "答错的行",
    "right rows": "答对的行",
    "Show": "显示",
    "Clear": "清除",
    "shown": "已显示",
    "Nothing matches.": "没有匹配的行。",
    "{predicted} at {confidence}%": "{predicted}，{confidence}%",
    "row {row}": "第 {row} 行",
    "Accuracy on {part} of parts of the rows, with 95% bootstrap intervals: where is it weak?": (
        "{part}各部分行的准确率，附 95% 自助法区间：弱在哪里？"
    ),
    "by length (tokens)": "按长度（词元数）",
    "by share of unknown tokens": "按未知词元的比例",
    "by {column}": "按 {column}",
    "none": "无",
    "up to 10%": "不超过 10%",
    "over 10 to 25%": "10% 至 25%",
    "over 25%": "超过 25%",
    "Best epoch {best} of {epochs} after {seconds} s; it stopped because of this: {stopped}.": (
        "共 {epochs} 轮，用时 {seconds} 秒，第 {best} 轮最好；停止原因：{stopped}。"
    ),
    "no better dev metric": "开发集指标不再提高",
    "all epochs done": "所有轮次已完成",
    "Every epoch in numbers": "每轮的数字",
    "{count} rows may have a wrong label: models trained on the other rows expect another one. They are in "
    "suspects.csv, the most doubtful first; here are some.": (
        "{count} 行的标签可能有误：在其余行上训练的模型预期另一标签。见 suspects.csv，最可疑的在前；以下是其中一部分。"
    ),
    "No row looks as if it had a wrong label.": "没有哪一行的标签看起来有误。",
    "given {given}, expected {expected}": "标注为 {given}，预期为 {expected}",
    "Vectors of {words} words cover {types}% of the words of train and {tokens}% of their occurrences.": (
        "{words} 个词的词向量覆盖训练集 {types}% 的词，按出现次数为 {tokens}%。"
    ),
    "The words that tell most of each label in train (chi-squared), and their nearest neighbours by cosine.": (
        "训练集中最能说明各类别的词（卡方检验），及其余弦最近邻。"
    ),
    "Where these words and their neighbours lie: the two principal components of their vectors. What is near here may "
    "be apart in all dimensions.": "这些词及其近邻的位置：词向量的两个主成分。图上相近的词在全部维度上可能相距甚远。",
    "map of words": "词语地图",
    "neighbour": "近邻",
    "axis": "轴",
    "word": "词",
    "nearest neighbours": "最近邻",
    "no vector": "没有向量",
    "tokens a text": "每条文本的词元数",
    "shortest": "最短",
    "median": "中位",
    "95% up to": "95% 不超过",
    "longest": "最长",
    "{rows} rows of train repeat another one.": "训练集有 {rows} 行与其他行重复。",
    "{texts} texts carry more than one label.": "有 {texts} 条文本带有不止一个标签。",
    "{first} and {second} share {texts} texts ({rows} rows of {second}).": (
        "{first}与{second}共有 {texts} 条相同文本（{second}中 {rows} 行）。"
    ),
    "No text is in two parts, none twice in train, none with two labels.": (
        "没有文本同时出现在两部分中，没有重复的训练文本，也没有带两个标签的文本。"
    ),
    "No text was scored.": "没有文本可供评分。",
    "On {rows} {part} texts ({tokens} tokens, ends counted) the {model} has perplexity {perplexity}: {token} bits "
    "a token, {character} a character.": (
        "在{part}的 {rows} 条文本上（{tokens} 个词元，含结尾），{model}的困惑度为 {perplexity}："
        "每词元 {token} 比特，每字 {character} 比特。"
    ),
    "{share}% below {who} ({perplexity})": "比{who}（{perplexity}）低 {share}%",
    "{share}% above {who} ({perplexity})": "比{who}（{perplexity}）高 {share}%",
    "unigram": "一元模型",
    "Kneser-Ney n-grams": "Kneser-Ney n 元模型",
    "The network has not proved its worth: the perplexity of {who} is inside its 95% interval.": (
        "网络尚未证明其价值：{who}的困惑度落在它的 95% 区间之内。"
    ),
    "The network earned its cost: its perplexity is {share}% below that of {who}.": (
        "网络值得其开销：困惑度比{who}低 {share}%。"
    ),
    "The network did not earn its cost: its perplexity is {share}% above that of {who}.": (
        "网络不值得其开销：困惑度比{who}高 {share}%。"
    ),
    "By length and rank": "按长度和频次",
    "Most surprising tokens": "最意外的词元",
    "Likeliest and unlikeliest texts": "最可能与最不可能的文本",
    "Perplexity is the inverse of the geometric mean of the probabilities of all tokens, ends of texts counted; the "
    "brackets are its 95% bootstrap interval over texts. Unknown tokens are spelt, so that models with any vocabulary "
    "can be compared; bits a character do not depend on how texts are cut. The last column is how far the model's "
    "perplexity is from that of the n-grams.": (
        "困惑度是词元概率几何平均的倒数，文本结尾也计入；方括号内为按文本自助抽样的 95% 区间。未知词元逐字拼写，"
        "因此词表不同的模型也可比较；每字比特数与切分方式无关。最后一列是模型困惑度与 n 元模型的差距。"
    ),
    "texts": "文本数",
    "tokens": "词元数",
    "perplexity": "困惑度",
    "bits a token": "每词元比特",
    "bits a character": "每字比特",
    "the model's perplexity": "模型的困惑度",
    "Bits a token on {part}. The rank is the token's by frequency in train, 1 the most frequent; ends of texts have "
    "none.": "在{part}上的每词元比特数。名次按词元在训练集中的频次，1 为最常见；文本结尾没有名次。",
    "by length (characters)": "按长度（字数）",
    "by rank in train": "按训练集频次名次",
    "model": "模型",
    "unknown": "未知",
    "The most surprising tokens of {part}, each with what stands around it, a text once; all of the first 1,000 are in "
    "surprises.csv. The darker a token, the more bits it has, given all that stands before it:": (
        "{part}中最意外的词元及其上下文，每条文本只出现一次；前 1,000 个全部见 surprises.csv。"
        "颜色越深，该词元在其前文之后的比特数越高："
    ),
    "{bits} bits": "{bits} 比特",
    "end": "结尾",
    "Lowest perplexity": "困惑度最低",
    "Highest perplexity": "困惑度最高",
    "perplexity on dev": "开发集困惑度",
}


def translator(language: Language) -> Translate:
    """`_("{n} rows", n=3)` in the language: the phrase, or its translation, with the values in.

    >>> translator("zh")("row {row}", row=7)
    '第 7 行'
    """
    phrases = CHINESE if language == "zh" else {}

    def translate(phrase: str, **values: object) -> str:
        found = phrases.get(phrase, phrase)
        return found.format(**values) if values else found

    return translate


ENGLISH = translator("en")
