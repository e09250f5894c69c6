"""Shipped: the configs that come with zhpipe, found by name."""

from pathlib import Path


def find_config(name: str) -> Path:
    """The path itself if it is a file, or else the config of that name that comes with zhpipe."""
    shipped = Path(__file__).parents[2] / "configs"
    path = Path(name)
    for candidate in (shipped / path.name, shipped / f"{path.name}.toml"):
        if not path.is_file() and path.parent == Path() and candidate.is_file():
            return candidate
    return path
