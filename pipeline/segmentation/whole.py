"""What stays whole: runs of Latin letters and digits, which nothing cuts, and patterns, which are one token each.

A run ends where another kind of character begins: `2010` of `2010年`, `iPhone15`. The patterns are:

- URLs that begin with `http://`, `https://`, `ftp://` or `www.`, and e-mail addresses;
- `@name`, in letters, digits, `_` and `-`; a name with other letters, such as Chinese ones, ends only before white
  space, a colon, a bracket or the end of the text, since nothing else tells where it ends;
- `#topic#`, without white space, of up to 60 characters;
- times of day, `9:30` and `09:30:15`, with colons of either width;
- emoji of several code points (Unicode Technical Standard 51): joined ones, flags, keycaps, those with a skin tone or a
  variation selector.
"""

from __future__ import annotations

import re

Place = tuple[int, int]  # start and end in characters, half-open

_ALPHANUMERIC = "0-9A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
RUN = re.compile(f"([{_ALPHANUMERIC}]+)")
_LONG_RUN = re.compile(f"[{_ALPHANUMERIC}]{{2}}")
_CUT_RUN = re.compile(f"\x00(?<=[{_ALPHANUMERIC}]\x00)[{_ALPHANUMERIC}]")  # in tokens joined by \x00

_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
)
_FLAG = "\U0001f1e6-\U0001f1ff"  # two regional indicators
_LOCAL = r"A-Za-z0-9._%+\-"  # of the local part of an address
_COLON = ":\uff1a"
# A text without any of these signs holds no pattern.
_SIGNS = re.compile(f"[@#\u200d\ufe0e\ufe0f\u20e3{_FLAG}\U0001f3fb-\U0001f3ff\U000e007f]")
_ADDRESSES, _CLOCK = ("://", "www."), re.compile(f"[0-9][{_COLON}][0-5]")

_FIRST, _AFTER = f"(?<![{_ALPHANUMERIC}].)", f"(?![{_ALPHANUMERIC}])"
_SHOWN = "[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
# Each alternative begins after the first character of a pattern, so that a search skips all others quickly.
_PATTERN = re.compile(
    f"[{_LOCAL}@#*{_FLAG}{_EMOJI}](?:"
    + "|".join(
        (
            rf"(?<=[hfw]){_FIRST}(?:(?<=h)ttps?://|(?<=f)tp://|(?<=w)ww\.)[!#-;=?-Z\\\]_a-z~]*[#%&+\-/0-9=?-Z_a-z~]{_AFTER}",
            rf"(?<=[{_LOCAL}])(?<![{_ALPHANUMERIC}._%+\-].)[{_LOCAL}]*@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+{_AFTER}",
            rf"(?<=@){_FIRST}[\w\-]{{1,30}}(?=[\s{_COLON}()\uff08\uff09]|\Z)",
            rf"(?<=@){_FIRST}[A-Za-z0-9_\-]{{1,30}}(?![{_ALPHANUMERIC}_\-])",
            rf"(?<=\#){_FIRST}[^#\s]{{1,60}}\#",
            rf"(?<=[0-9])(?<![{_ALPHANUMERIC}.{_COLON}].)(?:(?<=[01])[0-9]|(?<=2)[0-4])?(?:[{_COLON}][0-5][0-9]){{1,2}}"
            rf"(?![{_ALPHANUMERIC}{_COLON}])",
            rf"(?<=[0-9#*]){_FIRST}\ufe0f?\u20e3",
            rf"(?<=[{_FLAG}])[{_FLAG}]",
            rf"(?<=[{_EMOJI}]){_SHOWN}(?:\u200d[{_EMOJI}]{_SHOWN})*",
        )
    )
    + ")"
)


def patterns(text: str) -> list[Place]:
    """The patterns in a text, from left to right, without overlap; each has two characters or more.

    >>> [text[start:end] for text in ["@小明 9:30见，发到ming@example.com"] for start, end in patterns(text)]
    ['@小明', '9:30', 'ming@example.com']
    """
    if not (_SIGNS.search(text) or _CLOCK.search(text) or any(sign in text for sign in _ADDRESSES)):
        return []
    return [found.span() for found in _PATTERN.finditer(text) if found.end() - found.start() > 1]


def has_runs(text: str) -> bool:
    """Whether a text has a run that can be cut."""
    return _LONG_RUN.search(text) is not None


def cut_runs(text: str, tokens: list[str]) -> list[Place]:
    """The runs of a text inside which one of its tokens ends; the tokens joined are the text."""
    if not _CUT_RUN.search("\x00".join(tokens)):
        return []
    edges, end = set[int](), 0
    for token in tokens:
        edges.add(end := end + len(token))
    runs = (run.span() for run in RUN.finditer(text))
    return [(start, end) for start, end in runs if not edges.isdisjoint(range(start + 1, end))]
