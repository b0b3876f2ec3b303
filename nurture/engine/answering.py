"""What does the link of an answer mean today, and what happens when its button is pressed?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from nurture.core import timing
from nurture.core.model import Candidate, Duration
from nurture.engine.confiding import Confidant, confidant_of, confide
from nurture.engine.project import Project
from nurture.engine.promising import due_at
from nurture.intake.answers import Promised, Reply, Task, take_reply
from nurture.rendering.languages import plain
from nurture.rendering.links import Answer
from nurture.rendering.questions import Question, Then
from nurture.rendering.templates import Template, chosen_for
from nurture.store import requests
from nurture.store.asked import Asked, find_asked
from nurture.store.facts import find_number

_TASK_DUE = Duration(amount=1, unit="business days")
#: What nothing takes back when the answer becomes another one, and how a person is told so.
_STANDS = {
    "leave": "a campaign ended",
    "withdraw": "their application was withdrawn",
    "promise": "something was promised to them",
}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One option of a question, as its reader sees it."""

    answer: Answer
    candidate: Candidate
    asked: Asked | None  #: None: the link came from a preview
    question: Question
    locale: str  #: of the question's words
    given: str | None  #: the option they have chosen by now

    @property
    def label(self) -> str:
        return self.question.options[self.answer.option]

    @property
    def then(self) -> Then | None:
        return self.question.then.get(self.answer.option)


def choice_of(project: Project, token: str) -> Choice | None:
    """What the link says; None for what is no link of ours, and for a question or an option that
    is not asked any more."""
    answer = project.signer.read_answer(token)
    if answer is None:
        return None
    with project.database.read() as connection:
        candidate = find_number(connection, answer.candidate_id)
        asked = find_asked(connection, answer.message_id)
    if candidate is None or (not asked and answer.message_id):
        return None
    found = _asking(project, answer, asked, candidate)
    if found is None:
        return None
    template, section = found
    question = next(each for each in template.ask if each.id == answer.question)
    if answer.option not in question.options:
        return None
    answers = candidate.fields.get("answers")
    given = answers.get(answer.question) if isinstance(answers, dict) else None
    return Choice(
        answer=answer,
        candidate=candidate,
        asked=section,
        question=question,
        locale=plain(template.locale or project.config.locale),
        given=given if isinstance(given, str) and given in question.options else None,
    )


def give(project: Project, choice: Choice) -> None:
    """Record the choice, with all that follows from it, in one transaction. Giving the same answer
    to the same mail again changes nothing; another one takes its place."""
    asked = choice.asked
    if asked is None:
        return
    now = project.clock.now()
    if choice.question.confidential:
        said = f"{choice.question.text} {choice.label}"
        about = {"application": asked.application, "question": choice.question.id}
        confide(project, choice.candidate, said, **about)
        return
    then = choice.then
    reply = Reply(
        candidate=choice.candidate.ref,
        question=choice.question.id,
        value=choice.answer.option,
        message=asked.message_id,
        enrollment=asked.enrollment,
        step=asked.step,
        campaign=asked.campaign,
        application=asked.application,
        sets=choice.question.sets if _can_set(choice) else None,
        set_to=_value(project, choice),
        then=str(then) if then else "",
        leaves=[asked.enrollment] if then and then.kind == "leave" else (),
        pause_until=until(project, choice, now) if _is(then, "pause") else None,
        resume=_resumes(choice, now),
        withdraw=_is(then, "withdraw"),
        news=_news(choice),
        keep_until=_day(project, choice, now) if _is(then, "keep") else None,
        promise=_promised(project, choice, now),
        tasks=_tasks(project, choice, now),
    )
    with project.database.write() as connection:  # twice is once, so nothing is lost in between
        if _is(then, "delete"):
            requests.ask(connection, choice.candidate.id, requests.DELETION, now)
        elif _is(_before(choice), "delete"):
            requests.take_back(connection, choice.candidate.id, requests.DELETION, now)
    take_reply(project.database, reply, now)


def confidant(project: Project, choice: Choice) -> Confidant:
    """For whom the answer to a question that is asked in confidence is."""
    application = choice.asked.application if choice.asked is not None else None
    now = project.clock.now()
    with project.database.read() as connection:
        return confidant_of(connection, project.config, choice.candidate, now, application)


def until(project: Project, choice: Choice, now: datetime) -> datetime | None:
    """Until when this answer pauses news or lets us keep what we hold, or by when it makes us owe
    something; None where it does nothing of that."""
    if choice.then is None or choice.then.length is None:
        return None
    calendar = project.planner.calendars.of(choice.candidate)
    if choice.then.kind == "promise":
        return due_at(choice.then.length, now, calendar)
    return timing.shift(now, choice.then.length, calendar)


def _is(then: Then | None, kind: str) -> bool:
    return then is not None and then.kind == kind


def _news(choice: Choice) -> bool | None:
    """Whether they want news from now on: who wants all deleted wants none. None: as before."""
    ends = ("unsubscribe", "delete")
    if choice.then is not None and choice.then.kind in ends:
        return False
    before = _before(choice)
    return True if before is not None and before.kind in ends else None


def _promised(project: Project, choice: Choice, now: datetime) -> Promised | None:
    due = _day(project, choice, now)
    if due is None or choice.then is None or choice.then.kind != "promise":
        return None
    return Promised(what=choice.then.what, due=due, team=project.config.sender.email)


def _day(project: Project, choice: Choice, now: datetime) -> date | None:
    """The same, as the day that it is where they are."""
    at = until(project, choice, now)
    return None if at is None else project.planner.calendars.of(choice.candidate).local(at).date()


def _asking(
    project: Project, answer: Answer, asked: Sequence[Asked], candidate: Candidate
) -> tuple[Template, Asked | None] | None:
    """The template that asked, in the reader's language, and the section of the mail that it was;
    if it asks that no more, another one that does."""
    templates, config = project.library.templates, project.config

    def asks(template: Template | None) -> bool:
        return template is not None and any(each.id == answer.question for each in template.ask)

    for section in asked:
        own = chosen_for(templates, section.template, candidate, config)
        if own is not None and asks(own):
            return own, section
    other = next((each.name for each in templates.values() if asks(each)), "")
    chosen = chosen_for(templates, other, candidate, config)
    if chosen is None or not asks(chosen):
        return None
    return chosen, asked[0] if asked else None


def _can_set(choice: Choice) -> bool:
    of_application = (choice.question.sets or "").startswith("application.")
    return not of_application or (choice.asked is not None and choice.asked.application is not None)


def _value(project: Project, choice: Choice) -> Any:
    """What is set: the option's key, in a list where the field is one."""
    _, _, name = (choice.question.sets or "").partition(".")
    if project.config.candidate_fields.get(name) == "list":
        return [choice.answer.option]
    return choice.answer.option


def _before(choice: Choice) -> Then | None:
    """What followed from the answer that this one takes the place of."""
    if choice.given is None or choice.given == choice.answer.option:
        return None
    return choice.question.then.get(choice.given)


def _resumes(choice: Choice, now: datetime) -> bool:
    before, until = _before(choice), choice.candidate.paused_until
    return before is not None and before.kind == "pause" and until is not None and until > now


def _tasks(project: Project, choice: Choice, now: datetime) -> list[Task]:
    """What a person has to see to: what the question says, and what no machine can take back."""
    question, candidate, before = choice.question, choice.candidate, _before(choice)
    names = (candidate.first_name, candidate.last_name)
    who = " ".join(name for name in names if name) or candidate.ref
    texts = []
    if choice.then is not None and choice.then.kind == "task":
        texts.append(f'{who} answered "{question.text}": {choice.label}')
    if before is not None and before.kind in _STANDS:
        former = question.options[choice.given or ""]
        texts.append(
            f'{who} changed the answer to "{question.text}" from "{former}" to "{choice.label}":'
            f" {_STANDS[before.kind]} after the first, and nothing undoes that by itself"
        )
    calendar = project.planner.calendars.of(candidate)
    due_at = timing.shift(now, _TASK_DUE, calendar)
    return [Task(text=text, due_at=due_at) for text in texts]
