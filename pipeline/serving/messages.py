"""Messages: the bodies of requests and replies, as the description of the interface has them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _written(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"character {error.start + 1} is half of a surrogate pair") from None
    return text


Part = Annotated[list[int], Field(min_length=2, max_length=2)]
Written = Annotated[str, AfterValidator(_written)]


class Refusal(BaseModel):
    """Why a request was refused."""

    message: str
    request: str


class Refused(BaseModel):
    """The body of every response that is not a success."""

    error: Refusal


class Texts(BaseModel):
    """What a prediction is asked for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    texts: list[Written] = Field(min_length=1)
    probabilities: bool = Field(default=False, description="Answer the detailed columns too.")
    dictionary: bool = Field(
        default=False, description="Of a tagger: say which parts of each text obey the words of its dictionary."
    )


class Predicted(BaseModel):
    """What a model answers: for each text the columns that `zhpipe label` adds, as in its JSON lines.

    `dictionary`: if asked for, the parts of each text that obey the dictionary: [start, end], in characters, half-open.
    """

    model: str
    predictions: list[dict[str, Any]]
    dictionary: list[list[Part]] | None = None


class Beginning(BaseModel):
    """A text that a language model is to continue, and how, as of `zhpipe generate`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: Written = ""
    count: int = Field(default=1, ge=1, description="Number of continuations.")
    length: int = Field(default=100, ge=1, description="Maximum of tokens of each.")
    temperature: float = Field(default=1.0, ge=0, le=100, description="0 always takes the likeliest token.")
    top_k: int = Field(default=0, ge=0, le=1_000_000, description="Draw from so many likely tokens; 0: from all.")
    top_p: float = Field(default=1.0, gt=0, le=1, description="Draw from tokens of this probability together.")
    seed: int = Field(default=1, ge=0, le=2**53 - 1, description="The same seed gives the same texts.")


class Continuation(BaseModel):
    """What follows a prompt.

    `finish`: why it ends: the model said so ("end"), it has as many tokens as were asked for ("length"), or the time
    was over ("time").
    """

    text: str
    tokens: int
    finish: Literal["end", "length", "time"]


class Continued(BaseModel):
    """What a language model writes after a prompt, in the order of its seeds."""

    model: str
    continuations: list[Continuation]


class About(BaseModel):
    """A model of the service.

    `generates`: whether it continues texts; `label_separator`: joins the labels of a text, if it may have several;
    `columns`: all that a prediction can have; `version`: changes when the model does.
    """

    name: str
    task: str
    labels: list[str]
    generates: bool
    label_separator: str | None
    columns: list[str]
    precision: str
    version: str


class Models(BaseModel):
    """The models of the service."""

    models: list[About]


class Labelling(BaseModel):
    """How many rows of a table have been labelled."""

    rows: int


class Health(BaseModel):
    """That the service answers."""

    status: str
