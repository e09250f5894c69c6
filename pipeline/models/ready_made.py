"""Ready-made models: those that come with zhpipe, by name, with what their cards say."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ModelError
from pipeline.models.files import NETWORKS

FOLDER = Path(__file__).parent / "ready"
FIGURES = FOLDER / "figures.toml"  # by model: what was measured after it was trained


@dataclass(frozen=True)
class Card:
    """What a ready-made model says of itself.

    `told`: the table `card` of its model.toml (`pipeline.config.card`). `figures`: what was measured, by what was
    measured. `networks`: the size of each network by its precision, in megabytes (10 ** 6 bytes).
    """

    name: str
    told: Mapping[str, str]
    figures: Mapping[str, str]
    networks: Mapping[str, float]


def names() -> list[str]:
    """The names of all ready-made models, sorted."""
    return sorted(path.parent.name for path in FOLDER.glob("*/model.toml"))


def folder_of(name: str) -> Path | None:
    """The model folder of a ready-made model; None if there is no model of this name.

    So a folder of one's own that has such a name must be written as a path, `./zh-entities`.
    """
    return FOLDER / name if name in names() else None


def card(name: str) -> Card:
    """The card of a ready-made model. Raises ModelError if there is no model of this name."""
    folder = folder_of(name)
    if folder is None:
        raise ModelError(f"{name}: there is no ready-made model of this name: expected {' or '.join(names())}")
    about = tomllib.loads((folder / "model.toml").read_text(encoding="utf-8"))
    figures = tomllib.loads(FIGURES.read_text(encoding="utf-8"))
    networks = {precision: folder / network for precision, network in NETWORKS.items()}
    sizes = {precision: path.stat().st_size / 1e6 for precision, path in networks.items() if path.exists()}
    return Card(name, about["card"], figures[name], sizes)
