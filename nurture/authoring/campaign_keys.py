"""Which keys does a campaign file have? Its shape, its events, and the words still to come."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from nurture.core.model import CampaignStatus
from nurture.errors import Problem, Problems
from nurture.positions import Place, Positions, validate

EVENTS = frozenset(
    f"{thing}.{happened}"
    for thing, words in {
        "candidate": "upserted merged erased do_not_contact replied unsubscribed paused resumed "
        "preferences",
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

#: Words of the campaign language that this version does not know yet, and what to do meanwhile.
NOT_YET: Mapping[str, str] = {
    "then": "put an `if:` on each step instead",
    "else": "put an `if:` on each step instead",
    "wait_for": "let a second campaign begin with that event",
    "up_to": "let a second campaign begin with that event",
    "repeat": "write the step as often as it should happen",
    "again": "use `once_per:` to say how often a person may enter",
    "was": "keep the `id:` that the step had",
    "if_expired": "add a `task:` step that asks a person to look",
    "promise": "add a `task:` step that reminds the recruiter",
    "ask": "put a link into the mail, or ask for a reply",
}


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _zero(value: Any) -> Any:
    return "0" if value == 0 and not isinstance(value, bool) else value


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class EnterKeys(_Keys):
    on: str | None = Field(None, description="The event with which a person enters")
    if_: str | None = Field(None, alias="if", description="Only when this condition is true")
    once_per: Literal["candidate", "application", "interview", "offer", "event"] | None = Field(
        None, description="How often a person may enter; default: what the event is about"
    )


class LeaveKeys(_Keys):
    on: Annotated[list[str], BeforeValidator(_one_or_more)] = Field(
        [], description="An event, or a list of events, with which a person leaves"
    )
    if_: str | None = Field(None, alias="if", description="Leave as soon as this is true")


class TaskKeys(_Keys):
    text: str = Field(min_length=1, description="What to do, with {{ ... }} like a template")
    to: Literal["recruiter", "coordinator", "hiring_manager", "manager"] = Field(
        "recruiter", description="Whose task it is"
    )
    due: str = Field("1 business day", description="How long they have")


class StepKeys(_Keys):
    send: str | None = Field(None, description="A template's path below templates/, no suffix")
    task: TaskKeys | None = Field(None, description="Something for a person to do")
    at: str | None = Field(None, description="A moment: 2 days before interview.starts_at")
    after: Annotated[str, BeforeValidator(_zero)] | None = Field(
        None, description="How long after the step above is settled"
    )
    if_: str | None = Field(None, alias="if", description="Only when this condition is true then")
    until: str | None = Field(None, description="The moment after which it is too late")
    if_late: Literal["skip", "send"] = Field(
        "skip", description="What to do when its moment had passed already"
    )
    again_if_moved: bool | None = Field(
        None, description="Send again when its anchor moved by 30 minutes or more"
    )
    category: str | None = Field(None, description="A more restrained category than the template's")
    id: str | None = Field(None, description="The step's name for ever; default: the template's")


class CampaignKeys(_Keys):
    name: str = Field(min_length=1, description="What people call this campaign")
    about: str = Field("", description="What it is for")
    owner: str = Field("", description="Who answers for it")
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
    problems = _take_out_not_yet(data, positions, file)
    try:
        return validate(CampaignKeys, data, positions, file), problems
    except Problems as found:
        wrong = found.problems
    for problem in wrong:
        _leave_out(data, problem, positions)
    if isinstance(data, dict):
        data.setdefault("name", "-")
    try:
        return validate(CampaignKeys, data, positions, file), [*problems, *wrong]
    except Problems:
        raise Problems([*problems, *wrong]) from None


def _take_out_not_yet(data: Any, positions: Positions, file: str) -> list[Problem]:
    """Complain of words that are only planned, and go on as if they were not there."""
    if not isinstance(data, dict):
        return []
    places: list[tuple[Place, Any]] = [((), data), (("enter",), data.get("enter"))]
    steps = data.get("steps")
    if isinstance(steps, list):
        places += [(("steps", index), step) for index, step in enumerate(steps)]
    problems = []
    for path, keys in places:
        for word in [word for word in NOT_YET if isinstance(keys, dict) and word in keys]:
            line, column = positions.key((*path, word))
            problems.append(
                Problem(
                    file=file,
                    line=line,
                    column=column,
                    code="not-yet",
                    message=f'"{word}" is not in this version',
                    hint=NOT_YET[word],
                )
            )
            del keys[word]
            if path[:1] == ("steps",) and not {"send", "task"} & keys.keys():
                keys["task"] = {"text": f"{word} {path[-1]}"}  # one complaint a step is enough
    return problems


def _leave_out(data: Any, problem: Problem, positions: Positions) -> None:
    """Take out of `data` what `problem` complains of."""
    nodes = positions.keys if problem.code == "unknown-key" else positions.values
    at = (problem.line, problem.column)
    paths = [path for path, node in nodes.items() if positions.spot(node.start_mark.index) == at]
    path = max(paths, key=len, default=())
    if not path or problem.code == "missing-key":
        return
    try:
        for part in path[:-1]:
            data = data[part]
    except (KeyError, IndexError, TypeError):  # something around it is left out already
        return
    last = path[-1]
    if isinstance(data, list) and isinstance(last, int):
        # Its place is kept, because positions go by number.
        data[last] = {"task": {"text": f"step {last}"}} if path[0] == "steps" else {}
    elif isinstance(data, dict):
        data.pop(last, None)
        if last in ("send", "task"):
            data["task"] = {"text": f"{last} {path[-2]}"}
