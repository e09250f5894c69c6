"""Preview: the first rows of a table in aligned columns, each row on a line of the terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pipeline.commands.escapes import escaped

WIDEST = 40  # characters of a cell, unless it is JSON
_ENTITY = {"text", "type"}  # keys that an entity has


def preview(rows: Sequence[Sequence[object]]) -> list[str]:
    """The rows as lines. Long texts are cut; JSON never is, and entities are shown as `text/type`.

    >>> preview([["id", "entities"], [1, '[{"text": "昆明", "type": "地名"}]']])
    ['id  entities', '1   昆明/地名']
    """
    from corpora.card import columns_wide

    shown = [[_shown(cell) for cell in row] for row in rows]
    widths = [max(columns_wide(cell) for cell in column) for column in zip(*shown, strict=True)]
    return [
        "  ".join(cell + " " * (width - columns_wide(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    ]


def _shown(cell: object) -> str:
    """A cell as text, as CSV has it, on one line."""
    text = str(cell).lower() if isinstance(cell, bool) else "" if cell is None else str(cell)
    if (values := _json(text)) is not None:
        entities = [
            f"{each['text']}/{each['type']}" for each in values if isinstance(each, dict) and set(each) >= _ENTITY
        ]
        return escaped(" ".join(entities) if entities else text)
    plain = escaped(text.replace("\n", " "))
    return plain if len(plain) <= WIDEST else f"{plain[: WIDEST - 1]}…"


def _json(text: str) -> list[object] | None:
    """The list that a cell holds as JSON, if it does."""
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, list) else None
