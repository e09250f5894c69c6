"""Reports of the three tasks, whose texts and labels try to be markup, and their pages."""

from dataclasses import replace

import numpy as np
from random_tagger import make_task

from pipeline.encoding.encoder import Tokenised
from pipeline.evaluation.metrics import calibration, slices, spans
from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.perplexity import interval, perplexity, surprises
from pipeline.evaluation.metrics.scores import classification
from pipeline.evaluation.metrics.significance import against, intervals
from pipeline.evaluation.metrics.spans import tagging
from pipeline.evaluation.report import likelihood, page, tagged
from pipeline.evaluation.report.report import Report

HOSTILE = ["<script>document.title='x'</script>", "</script><img src=x onerror=alert(1)>", "\"'&{{ 7*7 }}"]


def hostile_report(count, texts=HOSTILE, labels=HOSTILE):
    """A report of as many rows, a quarter of them wrong, with labels and texts that try to be markup."""
    outcomes = [
        Outcome(
            number,
            f"{texts[number % len(texts)]} 第{number}行 " + "很长的文本" * 20,
            labels[number % 3],
            labels[(number + (number % 4 == 0)) % 3],
            0.5 + number % 50 / 100,
            tuple(float(place == (number + (number % 4 == 0)) % 3) for place in range(3)),
            tokens=number % 90,
        )
        for number in range(1, count + 1)
    ]
    scores = classification(outcomes, labels)
    extra = {"majority": {"test": scores, "seconds": 0.1}}
    majority = {"majority": against(outcomes, [labels[0]] * count)}
    return outcomes, Report(
        task="classify",
        model={"cell": "gru"},
        counts={"scored": count},
        test=scores,
        baselines=extra,
        against=majority,
        intervals={"test": intervals(outcomes, labels)},
        made={"name": labels[0]},
    )


TYPES = ("地名", "<b>人</b>")


def tagged_report(folder, count=90, locale="en"):
    """A tagger's report over texts of five tokens, some of which try to be markup, with every kind of mistake."""
    place, person = (f"B-{name} E-{name}".split() for name in TYPES)
    gold = [*place, "O", *person]
    answers = [gold, ["O", "O", "O", *person], [*place, f"S-{TYPES[0]}", *person], [*place, "O", *place]]
    answers += [[f"S-{TYPES[0]}", "O", "O", *person]]
    outcomes, others = [], []
    for number in range(1, count + 1):
        tokens = ("昆", "明", HOSTILE[number % 3], "张", str(number))
        said = answers[number % len(answers)]
        confidence = 0.5 + number % 50 / 100
        outcome = Outcome.of_tags(number, Tokenised("".join(tokens), tokens), gold, said, confidence)
        found = len(stretches(" ".join(said)))
        sure = tuple(round((number * 7 + place * 13) % 60 / 60, 4) for place in range(found))
        outcome = replace(outcome, sure=sure, unscaled=tuple(round(value**0.5, 4) for value in sure), length=5)
        outcome = replace(outcome, unknown=number % 3, slices=(("东", "西")[number % 2],))
        outcomes.append(replace(outcome, leaked=number % 10 == 0))
        others.append(answers[number % 2])
    counted = {"scored": count, "skipped": 0}
    theirs = [replace(one, predicted_tags=tuple(said)) for one, said in zip(outcomes, others, strict=True)]
    points = [calibration.Point(0.0, 300, 200, 0.6), calibration.Point(0.7, 100, 96, 0.91)]
    sure = tagged.scored_claims(spans.judged(outcomes, "BMES"))
    task = make_task("entities")
    written = Report(
        task="tag",
        model={"cell": "gru", "labels": 8},
        confidence=calibration.measured({"test": sure}, 1.5, points),
        slices=slices.scored(outcomes, task.judge.slice_score, ["方向"]),
        counts=counted,
        test=tagging(outcomes, "BMES"),
        test_without_leaked=tagging([one for one in outcomes if not one.leaked], "BMES"),
        baselines={"crfsuite": {"test": tagging(theirs, "BMES"), "seconds": 1.5}},
        made={"name": HOSTILE[0]},
    )
    tagged.write(
        folder, written, {"test": outcomes}, "BMES", answers={"crfsuite": others}, columns=["方向"], locale=locale
    )
    return (folder / "report.html").read_text(encoding="utf-8")


def stretches(tags):
    """Spans of a line of BMES tags: (start, end, type)."""
    found, start = [], 0
    for place, tag in enumerate(tags.split(" ")):
        start = place if tag[0] in "BS" else start
        if tag[0] in "ES":
            found.append((start, place + 1, tag[2:]))
    return set(found)


def outcome(row, text, *nats, leaked=False):
    """A text of characters, and minus the logarithms of their probabilities and of the end's."""
    logs = tuple(-value for value in nats)
    return Outcome(row, text, "", "", 1.0, logs, leaked=leaked, tokens=tuple(text))


def some(count, seed=1):
    generator = np.random.default_rng(seed)
    sizes = generator.integers(0, 30, count)
    return [outcome(row, "好" * size, *generator.exponential(4, size + 1)) for row, size in enumerate(sizes, start=1)]


def document(test, baselines=None):
    found = {"task": "language", "model": {"cell": "gru"}, "counts": {}, "test": perplexity(test, {"好": 1}.get)}
    return {**found, "intervals": {"test": {"perplexity": interval(test)}}, "baselines": baselines or {}}


def language_page(found, test, locale="en"):
    listed = sorted(surprises(test), key=lambda one: -one.bits)
    return likelihood.render(found, test, listed, locale)


def of_classifier(folder, locale="en"):
    """The page of a classifier's report."""
    outcomes, made = hostile_report(60)
    return page.render(made.as_dict(), {"test": outcomes}, HOSTILE, locale=locale)


def of_language_model(folder, locale="en"):
    """The page of a language model's report; one text is one token, and leaked."""
    texts = [outcome(row, text, *[2.0] * (len(text) + 1)) for row, text in enumerate(HOSTILE, start=1)]
    whole = Outcome(9, HOSTILE[1], "", "", 1.0, (-30.0, -1.0), tokens=(HOSTILE[1],), leaked=True)
    other = {**perplexity(texts, {}.get), "perplexity": 1e6}
    found = document([*texts, whole], {"kneser_ney": {"test": other, "dev": other}})
    history = [{"epoch": 1, "loss": 3.0, "dev_perplexity": 9.0}]
    return language_page({**found, "history": history, "made": {"name": HOSTILE[0]}}, [*texts, whole], locale)


PAGES = {"classify": of_classifier, "tag": tagged_report, "language": of_language_model}
