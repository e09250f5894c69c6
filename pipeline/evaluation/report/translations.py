"""Translations of what a report says: the gettext catalogues in `locale/`, and English where they have no entry."""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from typing import Literal

Locale = Literal["en", "zh"]
DOMAIN = "zhpipe"


class Translate:
    """Phrases in the language of a catalogue, with values filled in. Its usual name is `_`, which extraction looks for.

    A phrase without a translation stays as it is. Values are filled in by `str.format`, if there are any.

    >>> _ = translator("zh")
    >>> _("row {row}", row=7)
    '第 7 行'
    """

    def __init__(self, catalogue: NullTranslations) -> None:
        self.catalogue = catalogue

    def __call__(self, phrase: str, /, **values: object) -> str:
        # The entry of the empty phrase is the header of the catalogue.
        found = self.catalogue.gettext(phrase) if phrase else phrase
        return found.format(**values) if values else found

    def plural(self, singular: str, plural: str, count: int, /, **values: object) -> str:
        """The form of a phrase for `count` things, which is no value by itself.

        >>> translator("en").plural("{n} row", "{n} rows", 2, n=2)
        '2 rows'
        """
        found = self.catalogue.ngettext(singular, plural, count)
        return found.format(**values) if values else found


@cache
def translator(locale: Locale) -> Translate:
    """The translation to `locale`."""
    if locale == "en":
        return ENGLISH
    with files(__package__).joinpath("locale", locale, "LC_MESSAGES", f"{DOMAIN}.mo").open("rb") as file:
        return Translate(GNUTranslations(file))


def N_(phrase: str) -> str:
    """`phrase`, marked for extraction: it is translated where it is shown."""
    return phrase


def plural(one: str, several: str) -> tuple[str, str]:
    """The two forms of a phrase, marked for extraction: `Translate.plural` takes them where they are shown."""
    return one, several


ENGLISH = Translate(NullTranslations())

# Words that a report holds as values. They are translated where they are shown, and listed here for extraction.
VALUES = (
    *(N_("train"), N_("dev"), N_("test"), N_("rows"), N_("texts"), N_("spans")),
    *(N_("scored"), N_("scored dev"), N_("skipped"), N_("truncated"), N_("truncated train"), N_("leaked")),
    N_("leaked dev"),
    *(N_("no better dev metric"), N_("all epochs done")),
    *(N_("none"), N_("up to 10%"), N_("over 10 to 25%"), N_("over 25%")),
    *(N_("missed"), N_("invented"), N_("wrong type"), N_("wrong border"), N_("right")),
    *(N_("complete"), N_("pruned"), N_("running")),
)
