"""How does every template look? Each in each of its languages, for three people unlike each other.

The words, the facts and the page are those of the send path: a portrait is a preview.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nurture.core.model import Campaign, Condition, Facts, Step, Subject
from nurture.engine.letters import Preview
from nurture.engine.project import Project
from nurture.engine.sitters import Sitter
from nurture.errors import NurtureError
from nurture.rendering.context import context
from nurture.rendering.templates import Template

#: A language that nobody reads: whoever has it gets the default template.
_NOBODYS = "und"
#: How the language of a file ends whose readers are addressed as friends: `de-informal`.
_INFORMAL = "-informal"


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """A template for one of the sitters, or why it cannot be written for them."""

    template: Template
    sitter: Sitter
    preview: Preview | None = None
    why_not: str = ""


def by_name(project: Project) -> dict[str, list[Template]]:
    """Each template with its translations, the default one first."""
    found: dict[str, list[Template]] = {}
    for key in sorted(project.library.templates):
        template = project.library.templates[key]
        found.setdefault(template.name, []).append(template)
    return found


def portraits(
    project: Project, template: Template, sitters: Sequence[Sitter]
) -> Iterator[Portrait]:
    """The template for each of them. Its links lead nowhere."""
    for sitter in sitters:
        yield portrait(project, template, sitter)


def portrait(project: Project, template: Template, sitter: Sitter) -> Portrait:
    """About what a campaign would send it for; else about anything it can be written for."""
    letters, why_not = project.letters.inert(), ""
    facts = _reader(project, template, sitter.facts)
    if facts is None:
        why_not = "another file is always chosen for its readers"
        return Portrait(template=template, sitter=sitter, why_not=why_not)
    for subject in _ranked(project, template, facts, list(sitter.subjects())):
        try:
            preview = letters.preview(template.name, facts, subject)
        except NurtureError as error:
            why_not = why_not or str(error)
            continue
        return Portrait(template=template, sitter=sitter, preview=preview)
    return Portrait(template=template, sitter=sitter, why_not=why_not)


def senders(project: Project, name: str) -> dict[str, Campaign]:
    """The campaigns that send it, by name."""
    return {
        campaign.name: campaign
        for campaign in project.library.campaigns.values()
        if any(step.send == name for step in campaign.every_step())
    }


def _reader(project: Project, template: Template, facts: Facts) -> Facts | None:
    """The same person as somebody who reads this one."""
    candidate, own = facts.candidate, template.locale
    fields = dict(candidate.fields)
    if own is not None:
        fields["formality"] = "informal" if own.endswith(_INFORMAL) else "formal"
    for tag in (own or project.config.locale, _NOBODYS):
        chosen = project.letters.renderer.template(template.name, tag)
        if chosen is not None and chosen.key == template.key:
            locale = tag.removesuffix(_INFORMAL)
            return replace(facts, candidate=replace(candidate, locale=locale, fields=fields))
    return None


# --- what it is about -----------------------------------------------------------------------------


def _ranked(
    project: Project, template: Template, facts: Facts, subjects: Sequence[Subject]
) -> list[Subject]:
    """What a campaign would rather send it for comes first; among equals, the usual."""
    ways = [
        (campaign, conditions)
        for campaign in senders(project, template.name).values()
        for step, conditions in _steps(campaign.steps, ())
        if step.send == template.name
    ]
    scores = []
    for number, subject in enumerate(subjects):
        words: Mapping[str, Any] = context(
            facts,
            subject,
            enrollment=None,
            config=project.config,
            now=project.clock.now(),
        )
        against = [_against(*way, subject, words) for way in ways]
        scores.append((min(against, default=0), number))
    return [subjects[number] for _, number in sorted(scores)]


#: A condition, and whether it has to hold.
_Asked = tuple[Condition, bool]


def _against(
    campaign: Campaign,
    conditions: Sequence[_Asked],
    subject: Subject,
    words: Mapping[str, Any],
) -> int:
    """How much speaks against sending it for this subject by one way."""
    enter = campaign.enter
    about = (enter.on or "").partition(".")[0] if enter.once_per == "event" else enter.once_per
    wrong = 0 if _is_about(subject, about) else 4
    if enter.condition is not None and not enter.condition(words).value:
        wrong += 2
    ended = words.get("application", {}).get("status") in ("rejected", "withdrawn", "closed")
    told = {"application.rejected", "job.closed", "application.closed", "application.withdrawn"}
    if ended and enter.on not in told and about != "candidate":
        wrong += 2  # nothing else is sent any more
    if enter.on == "application.rejected" and not words.get("application", {}).get("rejected_at"):
        wrong += 2
    if enter.on == "interview.cancelled" and _status(words) != "cancelled":
        wrong += 2
    if enter.on != "interview.cancelled" and _status(words) == "cancelled":
        wrong += 2
    return wrong + sum(one(words).value is not wanted for one, wanted in conditions)


def _status(words: Mapping[str, Any]) -> str:
    return str(words.get("interview", {}).get("status", ""))


def _is_about(subject: Subject, thing: str) -> bool:
    if thing in ("interview", "offer", "promise"):
        return getattr(subject, thing) is not None
    if thing == "application":
        return subject.application is not None and not (
            subject.interview or subject.offer or subject.promise
        )
    return True


def _steps(
    steps: Sequence[Step], above: tuple[_Asked, ...]
) -> Iterator[tuple[Step, tuple[_Asked, ...]]]:
    """Each step with all that has to hold, its branches' conditions included."""
    for step in steps:
        own = (*above, (step.condition, True)) if step.condition is not None else above
        yield step, own
        if step.branch is not None:
            condition = step.branch.condition
            yield from _steps(step.branch.then, (*above, (condition, True)))
            yield from _steps(step.branch.otherwise, (*above, (condition, False)))
