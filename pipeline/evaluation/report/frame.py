"""The frame that all pages share: the values and filters of their templates."""

import base64
import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any

from corpora.guards import visible
from pipeline.config.corpus import CorpusSettings
from pipeline.config.load import dumps
from pipeline.config.settings import Settings
from pipeline.evaluation.report import charts, headline, score_section, trust
from pipeline.evaluation.report.facts import facts
from pipeline.evaluation.report.summary import (
    compact,
    compared_part,
    count,
    judged_part,
    lead,
    model_title,
    p_value,
    percent,
    percentage,
    signed,
)
from pipeline.evaluation.report.translations import Locale, Translate, translator

if TYPE_CHECKING:
    from jinja2 import Environment, Template

TEXT_SHOWN = 400
_SECTIONS: dict[str, Any] = {
    "counts": {},
    "model": {},
    "history": [],
    "corpus": {},
    "made": {},
    "baselines": {},
    "confidence": {},
    "intervals": {},
    "against": {},
    "slices": [],
    "words": {},
    "suspects": {},
}


def render(
    name: str, document: Mapping[str, Any], locale: Locale = "en", *, scripts: Sequence[str] = (), **values: Any
) -> str:
    """A report's page, from the template `name`, which extends frame.html.

    `document`: a report as `Report.as_dict` returns it. `values`: those of the template; `sentences`, the result, is
    required; `verdict` and `mistakes`, the id of the section that shows them, are optional. `scripts`: files of this
    package that run after the one of all pages; the page allows no other script.
    """
    from markupsafe import Markup

    _ = translator(locale)
    part = judged_part(document)
    found: dict[str, Any] = {
        "document": _SECTIONS | dict(document),
        "part": part,
        "compared": compared_part(document),
        "title": title(document, _),
        "verdict": "",
        "mistakes": "",
        "tiles": headline.tiles(document, _),
        "standing": headline.standing(document),
        "next_step": headline.next_step(document, _),
        "problems": headline.problems(document, _),
        "score_chart": Markup(score_section.drawn(document, _)),
        "confidence_notes": trust.notes(document, _),
        "out_of_reach": trust.out_of_reach(document, _),
        "changed": dict(headline.changed_settings(document.get("made", {}).get("config", {}), default_settings())),
        "charts": [Markup(chart) for chart in charts.learning_curve(document.get("history", []), _)],
        **script(*scripts),
    }
    return template(name, locale).render(found | values)


def script(*names: str) -> dict[str, str]:
    """The script of a page, `everywhere.js` and the files named, as the two values of its template."""
    from markupsafe import Markup

    source = "".join(resource(name) for name in ("everywhere.js", *names))
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return {"script": Markup(source), "script_hash": digest}


@cache
def default_settings() -> dict[str, Any]:
    """The settings of a config that names nothing but itself."""
    return tomllib.loads(dumps(Settings(name="defaults", corpus=CorpusSettings(train="-"))))


def template(name: str, locale: Locale = "en") -> "Template":
    """A template of this package, which escapes its values, and whose `_` translates to `locale`."""
    return _environment(locale).get_template(name)


@cache
def _environment(locale: Locale) -> "Environment":
    """What compiles the templates, each once."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(resource),
        extensions=["jinja2.ext.i18n"],
    )
    _ = translator(locale)
    # "newstyle" would take each per cent sign for a placeholder.
    environment.install_gettext_callables(_, _.plural, newstyle=False)  # type: ignore[attr-defined]
    environment.globals["locale"] = locale
    environment.filters |= {
        "percent": percent,
        "percentage": percentage,
        "lead": lead,
        "signed": signed,
        "p_value": p_value,
        "count": count,
        "facts": facts,
        "compact": compact,
        "clip": clip,
        "sentence": lambda text: text[:1].upper() + text[1:],
        "numbered": lambda names: list(enumerate(names)),
        "by_part": lambda rows: groupby(rows, key=lambda row: row.part),
    }
    return environment


def title(document: Mapping[str, Any], _: Translate) -> str:
    """The title of the page: the name of the run, if it has one, and the model."""
    name, model = document.get("made", {}).get("name"), model_title(document, _)
    return _("{name}: {model}", name=name, model=model) if name else _("Evaluation of the {model}", model=model)


def clip(text: str, length: int = TEXT_SHOWN) -> str:
    """`text`, cut to `length` characters and an ellipsis if it is longer."""
    return text if len(text) <= length else text[:length] + "…"


def resource(name: str) -> str:
    """The text of a file of this package."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
