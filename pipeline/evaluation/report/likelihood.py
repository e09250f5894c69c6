"""The page of a language model's report: perplexities, and texts with tokens shaded by their surprisal."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.evaluation.metrics.outcome import Outcome
from pipeline.evaluation.metrics.perplexity import LN2, Surprise, exp, relative
from pipeline.evaluation.report import charts, frame, headline
from pipeline.evaluation.report.summary import (
    BASELINE_TITLES,
    PARTS,
    all_leaked,
    compact,
    count,
    judged_part,
    leaked_sentence,
    leaked_verdict,
    model_title,
    number,
    percentage,
)
from pipeline.evaluation.report.translations import ENGLISH, N_, Locale, Translate, translator

SHOWN = 40  # texts with one of the most surprising tokens
EXTREMES = 10  # likeliest texts, and unlikeliest texts
AROUND = 60  # characters shown on each side of a surprising token
FULL = 20.0  # bits from which a token has the darkest colour
LEGEND = (2, 5, 10, 15, 20)  # bits


class Line(NamedTuple):
    """A line of the table of scores, as shown: of the model if `name` is "", of n-grams otherwise."""

    part: str
    name: str
    who: str
    rows: str
    tokens: str
    perplexity: str
    interval: str
    bits_per_token: str
    bits_per_character: str
    seconds: str
    weights: str
    ahead: str


class Group(NamedTuple):
    """Texts of similar length or tokens of similar rank, as shown.

    `bits`: for the model, then each n-gram model, the bits per token and the length of a bar, 0 to 1.
    """

    name: str
    tokens: str
    perplexity: str
    bits: list[tuple[str, float]]


class Piece(NamedTuple):
    """A token, its bits (None for an ellipsis), its shade, 0 to 1, and whether the text is shown because of it."""

    text: str
    bits: float | None
    shade: float
    is_meant: bool = False


class Shown(NamedTuple):
    """A text on the page, or the part around its most surprising token."""

    outcome: Outcome
    pieces: list[Piece]
    perplexity: str
    token: str = ""
    bits: float = 0.0


def render(
    document: Mapping[str, Any],
    judged: Sequence[Outcome],
    listed: Sequence[Surprise],
    locale: Locale = "en",
    *,
    generated: Sequence[str] = (),
) -> str:
    """The page of `document`, a report as `Report.as_dict` returns it; `judged`: the outcomes of its `judged_part`.

    `listed`: their most surprising tokens, in order; `generated`: texts that the model wrote. No text is shown twice.
    Texts are escaped: none of them can become markup.
    """
    from markupsafe import Markup

    _ = translator(locale)
    scores = document.get(judged_part(document)) or {}
    drawn = charts.learning_curve(document.get("history", []), _)
    extremes = _extremes(judged)
    above = {one.outcome.text for side in extremes.values() for one in side}
    return frame.render(
        "likelihood.html",
        document,
        locale,
        verdict=verdict(document, _),
        sentences=sentences(document, _),
        charts=[Markup(chart) for chart in (*drawn, *_perplexities(document, _))],
        lines=list(_lines(document, _)),
        compared=[_(BASELINE_TITLES.get(name, name)) for name in _with_groups(document)],
        groups={
            key: _groups(document, key, scores.get(key, {})) for key in ("by_length", "by_rank") if scores.get(key)
        },
        generated=generated,
        surprising=_surprising(judged, listed, above),
        extremes=extremes,
        number=number,
        legend=[Piece("", bits, _shade(bits)) for bits in LEGEND],
    )


def verdict(document: Mapping[str, Any], _: Translate = ENGLISH) -> str:
    """Whether the network is better than the best n-grams; "" without any.

    It counts as proven where their perplexity is outside of the 95 % interval of the network's.
    """
    part = judged_part(document)
    if all_leaked(document, part):
        return leaked_verdict(part, _)
    lead = headline.ngram_lead(document)
    if lead is None:
        return ""
    who = _(BASELINE_TITLES.get(lead.name, lead.name))
    if lead.interval[0] <= lead.theirs <= lead.interval[1]:
        return _(
            "A simpler model, {who}, may be as good: its perplexity is inside the {level} interval of this one.",
            who=who,
            level="95%",
        )
    share = percentage(abs(1 - lead.ours / lead.theirs))
    if lead.ours < lead.theirs:
        return _("The network earned its cost: its perplexity is {share} below that of {who}.", share=share, who=who)
    return _("The network did not earn its cost: its perplexity is {share} above that of {who}.", share=share, who=who)


def sentences(document: Mapping[str, Any], _: Translate = ENGLISH) -> list[str]:
    """The result in two sentences: the perplexity, and its distance from that of each n-gram model."""
    part = judged_part(document)
    scores = document.get(part) or {}
    if not scores.get("perplexity"):
        return [_("No text was scored.")]
    first = [
        _.plural(
            "On {rows} {part} text ({tokens} tokens, ends included) the {model} has perplexity {perplexity}: "
            "{token} bits per token, {character} per character.",
            "On {rows} {part} texts ({tokens} tokens, ends included) the {model} has perplexity {perplexity}: "
            "{token} bits per token, {character} per character.",
            scores["rows"],
            rows=count(scores["rows"]),
            part=_(part),
            tokens=count(scores["tokens"]),
            model=model_title(document, _),
            perplexity=number(scores["perplexity"]),
            token=bits(scores["bits_per_token"]),
            character=bits(scores["bits_per_character"]),
        )
    ]
    if all_leaked(document, part):
        return [*first, leaked_sentence(document, part, _)]
    against = [
        _(
            N_("{share} below {who} ({perplexity})") if share >= 0 else N_("{share} above {who} ({perplexity})"),
            share=percentage(abs(share)),
            who=_(BASELINE_TITLES.get(name, name)),
            perplexity=number(found[part]["perplexity"]),
        )
        for name, found in document.get("baselines", {}).items()
        if part in found and (share := relative(scores, found[part])) is not None
    ]
    return [*first, _("That is {comparisons}.", comparisons=_(", ").join(against))] if against else first


def bits(value: float | None) -> str:
    """Bits as text; a dash for None."""
    return "–" if value is None else f"{value:.3f}"


def _lead(share: float, _: Translate) -> str:
    """How far the model's perplexity is below that of n-grams, as a share of the latter, or above it."""
    away = percentage(abs(share))
    return _("{share} lower", share=away) if share >= 0 else _("{share} higher", share=away)


def _lines(document: Mapping[str, Any], _: Translate) -> Iterator[Line]:
    """For each part the line of the model and then those of the n-gram models."""
    scored = [("", model_title(document, _), document)]
    scored += [
        (name, _(BASELINE_TITLES.get(name, name)), found) for name, found in document.get("baselines", {}).items()
    ]
    for part, title in PARTS.items():
        for name, who, parts in scored:
            found = parts.get(part)
            if not found or not found["rows"]:
                continue
            is_told = name and not all_leaked(document, part.removesuffix("_without_leaked"))
            share = relative(document.get(part) or {}, found) if is_told else None
            cost = parts if name else parts.get("model", {})
            around = [] if name else document.get("intervals", {}).get(part, {}).get("perplexity", [])
            yield Line(
                part=_(title),
                name=name,
                who=who,
                rows=f"{found['rows']:,}",
                tokens=f"{found['tokens']:,}",
                perplexity=number(found["perplexity"]),
                interval=f"[{', '.join(map(number, around))}]" if around else "",
                bits_per_token=bits(found["bits_per_token"]),
                bits_per_character=bits(found["bits_per_character"]),
                seconds="–" if cost.get("seconds") is None else f"{cost['seconds']:.1f}",
                weights="–" if cost.get("weights") is None else compact(cost["weights"]),
                ahead="" if share is None else _lead(share, _),
            )


def _with_groups(document: Mapping[str, Any]) -> list[str]:
    """The n-gram models with scores by length and rank, without the unigram."""
    part, others = judged_part(document), document.get("baselines", {})
    return [name for name, found in others.items() if name != "unigram" and (found.get(part) or {}).get("by_rank")]


def _groups(document: Mapping[str, Any], key: str, groups: Mapping[str, Mapping[str, Any]]) -> list[Group]:
    part = judged_part(document)
    others = [document["baselines"][name][part].get(key, {}) for name in _with_groups(document)]
    found = []
    for name, scores in groups.items():
        values = [scores["bits_per_token"], *(other.get(name, {}).get("bits_per_token") for other in others)]
        shown = [(bits(value), min(1.0, (value or 0) / FULL)) for value in values]
        found.append(Group(name, f"{scores['tokens']:,}", number(scores["perplexity"]), shown))
    return found


def _perplexities(document: Mapping[str, Any], _: Translate) -> Iterator[str]:
    """An SVG of the perplexity on dev after each epoch, with those of the n-gram models as level lines."""
    history = [epoch for epoch in document.get("history", []) if epoch.get("dev_perplexity")]
    if not history:
        return
    epochs = [float(epoch["epoch"]) for epoch in history]
    series = {model_title(document, _): (epochs, [float(epoch["dev_perplexity"]) for epoch in history])}
    for name, found in document.get("baselines", {}).items():
        if name != "unigram" and (level := (found.get("dev") or {}).get("perplexity")):
            series[_(BASELINE_TITLES.get(name, name))] = (epochs, [float(level)] * len(epochs))
    yield charts.lines(_("perplexity on dev"), series, (_("epoch"), ""), _, whole_numbers=True)


def _surprising(judged: Sequence[Outcome], listed: Iterable[Surprise], elsewhere: Collection[str]) -> list[Shown]:
    """The most surprising tokens in their texts; each text once, and none that is shown `elsewhere`."""
    rows = {outcome.row: outcome for outcome in judged}
    found: dict[str, Shown] = {}
    for one in listed:
        outcome = rows[one.row]
        if len(found) == SHOWN:
            break
        if outcome.text not in found and outcome.text not in elsewhere:
            pieces = _pieces(outcome, around=(one.start, one.end))
            found[outcome.text] = Shown(outcome, pieces, number(_perplexity(outcome)), one.token, one.bits)
    return list(found.values())


def _extremes(judged: Sequence[Outcome]) -> dict[str, list[Shown]]:
    """The texts with the lowest and the highest perplexity, each once."""
    order = sorted((outcome for outcome in judged if outcome.tokens), key=lambda one: (_perplexity(one), one.row))
    order = list({outcome.text: outcome for outcome in reversed(order)}.values())[::-1]
    few = min(EXTREMES, len(order) // 4)  # the others are left to the most surprising tokens
    sides = {"likeliest": order[:few], "unlikeliest": order[len(order) - few :][::-1]}
    return {
        name: [Shown(outcome, _pieces(outcome), number(_perplexity(outcome))) for outcome in side]
        for name, side in sides.items()
        if side
    }


def _perplexity(outcome: Outcome) -> float:
    return exp(-math.fsum(outcome.probabilities) / len(outcome.probabilities))


def _pieces(outcome: Outcome, around: tuple[int, int] | None = None) -> list[Piece]:
    """The tokens of a text as pieces; `around`: show only those near these characters, and mark the token there."""
    first, last = (0, 2 * AROUND) if around is None else (around[0] - AROUND, around[1] + AROUND)
    found, start = [], 0
    for token, log in zip((*outcome.tokens, ""), outcome.probabilities, strict=True):
        end, value = start + len(token), -log / LN2
        if end > first and start < last and (token or around == (start, end)):
            found.append(Piece(token, value, _shade(value), (start, end) == around))
        start = end
    before, behind = [Piece("…", None, 0.0)] * (first > 0), [Piece("…", None, 0.0)] * (last < start)
    return [*before, *found, *behind]


def _shade(value: float) -> float:
    return round(min(1.0, value / FULL), 1)
