"""Who shows best what a template looks like? For each one somebody whose facts satisfy it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from nurture.core.model import Candidate, Condition, Facts, Step, Subject
from nurture.engine.letters import Preview, likely_subject
from nurture.engine.project import Project
from nurture.errors import NurtureError
from nurture.rendering.context import context
from nurture.rendering.languages import INFORMAL, plain
from nurture.rendering.templates import Template, chosen_for

#: A locale that nobody reads: whoever has it gets the default template.
_NOBODYS = "und"


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """A template for somebody, or why there is nobody to show it for."""

    template: Template
    candidate: Candidate | None = None
    preview: Preview | None = None
    why_not: str = ""


def fittings(project: Project, people: Sequence[Facts]) -> Iterator[Fitting]:
    """Every template in each of its languages, by name, each for the first who fits best: whom a
    campaign would send it to now, else who is in such a campaign, else anybody it can be written
    for; among equals somebody who reads that language."""
    for key in sorted(project.library.templates):
        yield _fitting(project, project.library.templates[key], people)


def _fitting(project: Project, template: Template, people: Sequence[Facts]) -> Fitting:
    why_not = "there are no candidates"
    for facts, subject in _occasions(project, template, people):
        readers = _reading(project, template, facts)
        if readers is None:
            why_not = "another language of it is always chosen"
            continue
        try:
            preview = project.letters.preview(template.name, readers, subject)
        except NurtureError as error:
            why_not = str(error)
            continue
        return Fitting(template=template, candidate=facts.candidate, preview=preview)
    return Fitting(template=template, why_not=why_not)


def _occasions(
    project: Project, template: Template, people: Sequence[Facts]
) -> list[tuple[Facts, Subject]]:
    """What it could be about, the most fitting first."""
    ranked: list[tuple[tuple[int, bool], Facts, Subject]] = []
    for facts in people:
        foreign = _chosen(project, template, facts) is not template
        for subject, rank in _subjects(project, template, facts):
            ranked.append(((rank, foreign), facts, subject))
    ranked.sort(key=lambda each: each[0])  # people of one rank stay in their order
    return [(facts, subject) for _, facts, subject in ranked]


def _subjects(project: Project, template: Template, facts: Facts) -> Iterator[tuple[Subject, int]]:
    for enrollment in facts.enrollments:
        campaign = project.library.campaigns.get(enrollment.campaign)
        steps = campaign.every_step() if campaign is not None else ()
        sending = [step for step in steps if step.send == template.name]
        if sending:
            words = context(
                facts,
                enrollment.subject,
                enrollment=enrollment,
                config=project.config,
                now=project.clock.now(),
            )
            wanted = any(_holds(step, words) for step in sending)
            yield enrollment.subject, 0 if wanted else 1
    yield likely_subject(facts), 2
    for interview in facts.interviews.values():
        yield Subject(application=interview.application, interview=interview.ref), 3
    for offer in facts.offers.values():
        yield Subject(application=offer.application, offer=offer.ref), 3
    for ref in facts.applications:
        yield Subject(application=ref), 3


def _holds(step: Step, words: dict[str, object]) -> bool:
    condition: Condition | None = step.condition
    return condition is None or condition(words).value


def _chosen(project: Project, template: Template, facts: Facts) -> Template | None:
    templates = project.library.templates
    return chosen_for(templates, template.name, facts.candidate, project.config)


def _reading(project: Project, template: Template, facts: Facts) -> Facts | None:
    """The same person, in the language and the address of this template where theirs would choose
    another."""
    if _chosen(project, template, facts) is template:
        return facts
    candidate, own = facts.candidate, template.locale and plain(template.locale)
    for locale, formality in product(
        (candidate.locale, own, project.config.locale, _NOBODYS), ("formal", INFORMAL)
    ):
        fields = {**candidate.fields, "formality": formality}
        reader = replace(facts, candidate=replace(candidate, locale=locale, fields=fields))
        if _chosen(project, template, reader) is template:
            return reader
    return None
