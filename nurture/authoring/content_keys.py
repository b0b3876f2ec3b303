"""Which keys does a file of the content library have?"""

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from nurture.rendering.templates import day_in

Stage = Literal[
    "lead",
    "applied",
    "screening",
    "assessment",
    "interviewing",
    "final",
    "decision",
    "offer",
    "hired",
    "rejected",
    "withdrawn",
    "on_hold",
]
Kind = Literal["phone", "video", "technical", "panel", "case", "onsite", "final"]

_JINJA = re.compile(r"\{[{%#]")
_PICTURE = re.compile(r"!\[")
_LANGUAGE = r"^[a-z]{2,3}(-\w+)*$"


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _words(text: object) -> object:
    """Words as they are read: an item says the same to everybody who gets it."""
    if not isinstance(text, str):
        return text
    if _JINJA.search(text):
        raise ValueError("an item says the same to everybody: what is theirs goes in the template")
    if _PICTURE.search(text):
        raise ValueError("a picture has no place in an item; link to a page")
    return text.strip()


Text = Annotated[str, BeforeValidator(_words)]
Line = Annotated[Text, Field(min_length=1, max_length=200, pattern=r"^[^\n]*$")]
Day = Annotated[date | None, BeforeValidator(day_in)]
Names = Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(_one_or_more)]


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ItemKeys(_Keys):
    id: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$",
        description="What it is known by, for ever: who had it once is not sent it again",
        examples=["written-decisions"],
    )
    kind: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9-]*$",
        description="What a template asks for: content('culture'); default: that of the file",
        examples=["culture", "question", "policy", "process", "team"],
    )
    title: Line = Field(
        description="A few words: a heading, or the question itself in short",
        examples=["Decisions are written down"],
    )
    text: Text = Field(
        min_length=1,
        max_length=4000,
        description="What the reader reads, in Markdown",
        examples=["Whatever costs another team's time is on one page before it is decided."],
    )
    url: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="Where there is more",
        examples=["https://example.com/how-we-work"],
    )
    minutes: int | None = Field(
        None, ge=1, le=240, description="How long that takes to read", examples=[3]
    )
    listens_for: Line | None = Field(
        None,
        description="Of a question: what we listen for, in one line",
        examples=["how you chose, and what you left undone"],
    )
    owner: Line | None = Field(
        None,
        description="Who keeps it true; default: that of the file",
        examples=["ida@example.com", "Talent Marketing"],
    )
    fresh_until: Day = Field(
        None,
        description="The last day on which it is true; after it nobody is sent it",
        examples=["2027-03-31"],
    )
    locale: str | None = Field(
        None,
        pattern=_LANGUAGE,
        description="Its language, where that is not the company's own; default: that of the file",
        examples=["de"],
    )
    team: Names = Field(
        [], description="Only for jobs of these teams or departments", examples=[["Data"]]
    )
    interview: Annotated[list[Kind], BeforeValidator(_one_or_more)] = Field(
        [], description="Only before interviews of these kinds", examples=[["technical", "case"]]
    )
    role_family: Names = Field(
        [],
        description="Only for jobs whose family, department, team or title has these words",
        examples=[["engineer", "developer", "data"]],
    )
    seniority: Names = Field(
        [],
        description="Only for jobs whose seniority or title has these words",
        examples=[["senior", "lead"]],
    )
    stage: Annotated[list[Stage], BeforeValidator(_one_or_more)] = Field(
        [], description="Only at these stages of the application", examples=[["interviewing"]]
    )
    country: Annotated[
        list[Annotated[str, Field(pattern=r"^[A-Z]{2}$")]], BeforeValidator(_one_or_more)
    ] = Field([], description="Only for people in these countries", examples=[["PT", "DE"]])

    @model_validator(mode="after")
    def _link_has_minutes(self) -> Self:
        if self.minutes is not None and self.url is None:
            raise ValueError("minutes say how long the page at `url` takes, and there is none")
        return self


class ContentKeys(_Keys):
    about: str = Field(
        "", description="What is in this file, for whoever edits it", examples=["Facts to check"]
    )
    kind: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9-]*$",
        description="The kind of all items that name none",
        examples=["culture", "question"],
    )
    owner: Line | None = Field(
        None,
        description="Who keeps all items true that name nobody else",
        examples=["Talent Marketing"],
    )
    locale: str | None = Field(
        None,
        pattern=_LANGUAGE,
        description="The language of all items that name none, where it is not the company's own",
        examples=["de"],
    )
    items: list[ItemKeys] = Field(min_length=1, description="One after the other, in any order")
