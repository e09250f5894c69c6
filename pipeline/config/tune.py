"""Tune settings: how many trials a search has, and in which ranges."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, ValidationError, field_validator, model_validator

from pipeline.config.problems import expectation, nearest
from pipeline.config.section import Count, Section


class RangeSettings(Section):
    """A range of numbers to search; whole numbers if both ends are whole."""

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _check_ends(self) -> RangeSettings:
        if self.low >= self.high:
            raise ValueError(f"low = {self.low} is not below high = {self.high}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("log needs low above 0, and no step")
        return self

    @property
    def ends(self) -> tuple[int | float, int | float]:
        """The lowest and the highest value."""
        return self.low, self.high


class TuneSettings(Section):
    """What `zhpipe tune` searches (needs zhpipe[tune])."""

    table: ClassVar[str] = "tune"

    trials: Count = Field(20, description="Trainings in all; the first one is the config as it is.")
    ranges: dict[str, Any] = Field(
        {},
        description='What each setting may be: a list of values, such as "network.units" = [64, 128], or a range, such '
        'as "train.learning_rate" = {low = 1e-4, high = 1e-2, log = true}, which may also have a step.',
    )

    @field_validator("ranges")
    @classmethod
    def _read_ranges(cls, ranges: dict[str, Any]) -> dict[str, RangeSettings | tuple[Any, ...]]:
        return {key: _range(key, value) for key, value in ranges.items()}


def _range(key: str, value: Any) -> RangeSettings | tuple[Any, ...]:
    """The values or the range of a setting. Raises ValueError naming the setting if it is neither."""
    if isinstance(value, RangeSettings):
        return value
    if isinstance(value, list | tuple) and len(value) > 1:
        return tuple(value)
    if not isinstance(value, dict):
        raise ValueError(f'"{key}": expected {{low, high}} or a list of two values or more, received {value!r}')
    try:
        return RangeSettings.model_validate(value)
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(map(str, problem["loc"][:1]))
        expected = {"extra_forbidden": f"unknown key{nearest(name, list(RangeSettings.model_fields))}"}
        found = expected.get(problem["type"]) or expectation(problem).removeprefix("Value error, ")
        raise ValueError(f'"{key}": {name}{": " if name else ""}{found}') from None
