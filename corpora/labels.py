"""Labels and tags as they are compared: without white space and invisible characters at their ends."""

from __future__ import annotations

import re
from functools import lru_cache

# Control characters, soft hyphen, zero-width and bidirectional marks, fillers, the byte order mark (Unicode,
# DerivedCoreProperties.txt, Default_Ignorable_Code_Point, without the variation selectors and tags of emoji).
INVISIBLE = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb"
)
_ENDS = re.compile(rf"\A[\s{INVISIBLE}]+|[\s{INVISIBLE}]+\Z")
# A zero-width joiner between two symbols makes one emoji of them.
_INSIDE = re.compile(rf"(?!\u200d)[{INVISIBLE}]|(?<=\w)\u200d|\u200d(?=\w)")
_PREFIX = re.compile(rf"\A([A-Z])[\s{INVISIBLE}]*-[\s{INVISIBLE}]*(?=.)", re.DOTALL)


@lru_cache(maxsize=4096)
def bare(label: str) -> str:
    r"""The label without white space and invisible characters at its ends.

    >>> bare("\ufeff好评\u200b "), bare("外 卖")
    ('好评', '外 卖')
    """
    return _ENDS.sub("", label)


@lru_cache(maxsize=4096)
def bare_tag(tag: str) -> str:
    r"""The tag likewise, and also around the hyphen behind the letter of a tag scheme.

    >>> bare_tag("B-人名\u3000"), bare_tag("B- 人名"), bare_tag("B-")
    ('B-人名', 'B-人名', 'B-')
    """
    return _PREFIX.sub(r"\1-", bare(tag))


@lru_cache(maxsize=4096)
def is_deceptive(label: str) -> bool:
    r"""Whether an invisible character stands inside, so that two labels that look equal may differ.

    >>> is_deceptive("好\u200b评"), is_deceptive("👩\u200d🚀"), is_deceptive("外 卖")
    (True, False, False)
    """
    return _INSIDE.search(label) is not None
