"""Which keys does a campaign file have? Its shape, and the events there are."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from nurture.core.model import CampaignStatus
from nurture.errors import Problem, Problems
from nurture.positions import Positions, validate

EVENTS = frozenset(
    f"{thing}.{happened}"
    for thing, words in {
        "candidate": "upserted merged erased do_not_contact replied unsubscribed paused resumed "
        "preferences confided",
        "application": "created stage_changed rejected reopened withdrawn hired closed",
        "interview": "scheduled rescheduled cancelled completed",
        "offer": "sent accepted declined withdrawn",
        "job": "closed paused",
        "contact": "logged",
        "promise": "made kept broken",
        "answer": "given",
        "message": "bounced complained",
    }.items()
    for happened in words.split()
)

#: Keys whose value is a list of steps.
STEP_LISTS = ("steps", "then", "else")


_MOMENTS: list[Any] = [
    "1 day before interview.starts_at at 09:00",
    "3 hours after interview.ends_at",
    "5 business days after application.last_contact",
]


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _zero(value: Any) -> Any:
    return "0" if value == 0 and not isinstance(value, bool) else value


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class EnterKeys(_Keys):
    on: str | None = Field(
        None,
        description="The event with which a person enters",
        examples=["interview.scheduled", "application.created", "custom.open_day"],
    )
    if_: str | None = Field(
        None,
        alias="if",
        description="Only when this condition is true; without `on`, everybody for whom it is",
        examples=[
            'interview.kind in ("video", "panel", "onsite")',
            "days_since(candidate.last_contact_at) >= 270",
        ],
    )
    once_per: (
        Literal["candidate", "application", "interview", "offer", "promise", "event"] | None
    ) = Field(None, description="How often a person may enter; default: what the event is about")
    again: str | None = Field(
        None,
        description="When one may enter again: never, when_left, or a time such as 90 days",
        examples=["never", "when_left", "90 days"],
    )


class LeaveKeys(_Keys):
    on: Annotated[list[str], BeforeValidator(_one_or_more)] = Field(
        [],
        description="An event, or a list of events, with which a person leaves",
        examples=["offer.accepted", ["candidate.replied", "answer.given"]],
    )
    if_: str | None = Field(
        None,
        alias="if",
        description="Leave as soon as this is true",
        examples=['answered("coming") == "no"'],
    )


class TaskKeys(_Keys):
    text: str = Field(
        min_length=1,
        description="What to do, with {{ ... }} like a template",
        examples=["Call {{ candidate.first_name }} if nothing is decided"],
    )
    to: Literal["recruiter", "coordinator", "hiring_manager", "manager"] = Field(
        "recruiter", description="Whose task it is"
    )
    due: str = Field(
        "1 business day", description="How long they have", examples=["4 hours", "2 business days"]
    )


class RepeatKeys(_Keys):
    every: str | None = Field(
        None,
        description="How long between; without it, each time its anchor has moved on",
        examples=["1 week", "21 days", "1 month"],
    )
    at_most: int | None = Field(None, ge=1, description="How often at most", examples=[2])


class PromiseKeys(_Keys):
    what: str | None = Field(
        None,
        min_length=1,
        description="What is promised, as the mail says it; without it, in a campaign about a "
        "promise, the same again at a new date",
        examples=["a decision"],
    )
    within: str = Field(
        description="How long after the mail, in days at least", examples=["5 business days"]
    )
    kept_by: list[str] = Field(
        [],
        description="What keeps it: categories or templates of mail, or `contact`, any call or "
        "mail of a colleague. Without it, being told of a decision",
        examples=[["decision", "contact"]],
    )


class StepKeys(_Keys):
    send: str | None = Field(
        None,
        description="A template's path below templates/, no suffix",
        examples=["interview-prep/what-to-expect"],
    )
    task: TaskKeys | None = Field(None, description="Something for a person to do")
    wait_for: Annotated[list[str], BeforeValidator(_one_or_more), Field(min_length=1)] | None = (
        Field(
            None,
            description="What waits below waits for this event, or one of these",
            examples=["contact.logged", ["answer.given", "candidate.replied"]],
        )
    )
    up_to: Annotated[str, BeforeValidator(_zero)] | None = Field(
        None,
        description="How long to wait for it at most",
        examples=["5 business days", "2 weeks"],
    )
    since: Literal["entered"] | None = Field(
        None, description="Events since the person entered count, not only since the step above"
    )
    at: str | None = Field(
        None,
        description="When: so long before or after a fact; it waits for no other step",
        examples=_MOMENTS,
    )
    after: Annotated[str, BeforeValidator(_zero)] | None = Field(
        None,
        description="How long after the step above is settled; cancel_hold is that of config.yaml",
        examples=["3 business days", "2 hours", 0, "cancel_hold"],
    )
    if_: str | None = Field(
        None,
        alias="if",
        description="Only when this condition is true then; with `then:`, which way to go",
        examples=['interview.kind != "onsite"', 'not (answered("coming") == "yes")'],
    )
    then: list["StepKeys"] | None = Field(
        None,
        min_length=1,
        description="The steps for those of whom the condition is true",
        examples=[[{"send": "status/interviewed"}]],
    )
    else_: list["StepKeys"] | None = Field(
        None,
        alias="else",
        min_length=1,
        description="The steps for the others",
        examples=[[{"send": "status/screened", "after": "4 hours"}]],
    )
    until: str | None = Field(
        None, description="The moment after which it is too late", examples=_MOMENTS
    )
    if_late: Literal["skip", "send"] = Field(
        "skip", description="What to do when its moment had passed already"
    )
    if_expired: Literal["task"] | None = Field(
        None, description="task: a person is told when it could not go out in time"
    )
    again_if_moved: bool | None = Field(
        None, description="Send again when its anchor moved by 30 minutes or more"
    )
    repeat: RepeatKeys | None = Field(None, description="That it happens more than once")
    promise: PromiseKeys | None = Field(None, description="What this mail promises")
    category: str | None = Field(
        None,
        description="A more restrained category than the template's",
        examples=["help", "culture"],
    )
    id: str | None = Field(
        None,
        description="The step's name for ever; default: the template's",
        examples=["day-before"],
    )
    was: str | None = Field(
        None, description="The id it had before, which no step has now", examples=["reminder"]
    )


class CampaignKeys(_Keys):
    name: str = Field(
        min_length=1,
        description="What people call this campaign",
        examples=["Interview preparation"],
    )
    about: str = Field(
        "",
        description="What it is for",
        examples=["Everything a candidate needs before each interview"],
    )
    owner: str = Field("", description="Who answers for it", examples=["Talent Marketing"])
    status: CampaignStatus = Field(
        CampaignStatus.DRAFT, strict=False, description="What its authors want"
    )
    enter: EnterKeys = Field(description="How a person gets into this campaign")
    leave: list[LeaveKeys] = Field([], description="What ends it early, any one of these")
    steps: list[StepKeys] = Field(min_length=1, description="What happens, in order")


def read_keys(data: Any, positions: Positions, file: str) -> tuple[CampaignKeys, list[Problem]]:
    """The shape of a campaign file, and what is wrong with it.

    What has the wrong shape is left out, so that the rest can be checked in the same go. Raises
    Problems where too little is left for that.
    """
    try:
        return validate(CampaignKeys, data, positions, file), []
    except Problems as found:
        wrong = found.problems
    for problem in wrong:
        _leave_out(data, problem, positions)
    if isinstance(data, dict):
        data.setdefault("name", "-")
    try:
        return validate(CampaignKeys, data, positions, file), wrong
    except Problems:
        raise Problems(wrong) from None


#: Keys of which each step has one.
_KINDS = frozenset({"send", "task", "wait_for", "then", "else"})


def _leave_out(data: Any, problem: Problem, positions: Positions) -> None:
    """Take out of `data` what `problem` complains of."""
    nodes = positions.keys if problem.code == "unknown-key" else positions.values
    index = positions.index(problem.line, problem.column)
    paths = [path for path, node in nodes.items() if node.start_mark.index == index]
    paths += [path for path in positions.keys if positions.is_empty(path, index)]
    path = max(paths, key=len, default=())
    if not path or (problem.code == "missing-key" and path not in positions.keys):
        return
    try:
        for part in path[:-1]:
            data = data[part]
    except (KeyError, IndexError, TypeError):  # something around it is left out already
        return
    last, around = path[-1], path[-2] if len(path) > 1 else ""
    blank = {"task": {"text": "x".join(map(str, path))}}  # one complaint a step is enough
    if isinstance(data, list) and isinstance(last, int):
        # Its place is kept, because positions go by number.
        item: Any = {} if around == "leave" else "candidate.upserted"
        data[last] = blank if around in STEP_LISTS else item
    elif isinstance(data, dict):
        data.pop(last, None)
        if last in _KINDS and len(path) > 1 and not _KINDS & data.keys():
            data.update(blank)
