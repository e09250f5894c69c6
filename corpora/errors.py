"""The error of this package: one sentence about a file or a corpus that cannot be used."""


class CorpusError(ValueError):
    """Names the place, what was expected, what came, and the way out."""


def shown(name: str, longest: int = 80) -> str:
    r"""A name from a file, fit for a message of one line: control characters escaped, long names cut.

    >>> shown("文\n本"), shown("长" * 5, longest=3)
    ('文\\n本', '长长长…')
    """
    plain = "".join(character if character.isprintable() else repr(character)[1:-1] for character in name[:longest])
    return plain + "…" * (len(name) > longest)


def excerpt(text: object, longest: int = 80) -> str:
    r"""A text or a value from a file as Python writes it, cut to fit a message of one line.

    >>> excerpt("文\t本"), excerpt("长" * 50, longest=3)
    ("'文\\t本'", "'长长长'…")
    """
    if isinstance(text, str):
        return repr(text[:longest]) + "…" * (len(text) > longest)
    return shown(repr(text), longest)
