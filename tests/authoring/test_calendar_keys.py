"""What files say about calendars, and how long a cancellation waits, is checked in its place."""

from datetime import timedelta

import pytest

from nurture.authoring.check import check
from nurture.config import Config
from nurture.core.model import Duration

SENDS = "name: x\nenter: {{on: {on}}}\nsteps:\n  - send: kit\n"


def kit(project, calendar: str, name: str = "kit") -> None:
    front = f"subject: Hi\ncategory: prep\ncalendar: {calendar}\n"
    project.write(f"templates/{name}.md", f"---\n{front}---\nHello.\n")


@pytest.mark.parametrize("asks", ["request", "cancel"])
def test_a_template_says_what_it_tells_calendars_and_so_goes_alone(project, asks):
    kit(project, asks)
    project.campaign(SENDS.format(on="interview.scheduled"))
    library = project.library()
    assert library.problems == ()
    assert library.templates["kit"].calendar == asks
    [step] = library.campaigns["prep"].steps
    assert step.alone


def test_a_campaign_without_an_interview_cannot_send_it(project, told):
    kit(project, "request")
    project.campaign(SENDS.format(on="candidate.upserted"))
    assert told(check(project.config)) == ["prep.yaml:4:11 not-supplied"]


def test_other_words_than_the_two_are_refused_where_they_stand(project, told):
    kit(project, "invite")
    assert told(check(project.config)) == ["kit.md:4:11 invalid-value"]


def test_a_translation_tells_calendars_the_same(project, told):
    kit(project, "request")
    project.write("templates/kit.pt.md", "---\nsubject: Olá\n---\nOlá.\n")
    assert project.library().templates["kit.pt"].calendar == "request"
    kit(project, "cancel", "kit.de")
    assert told(check(project.config)) == ["kit.de.md:4:11 translation-differs"]


def test_a_step_may_wait_as_long_as_the_configuration_holds_cancellations(project):
    project.template("kit")
    project.campaign(SENDS.format(on="interview.cancelled") + "    after: cancel_hold\n")
    [step] = project.library().campaigns["prep"].steps
    assert step.after == Duration(amount=10, unit="minutes")
    assert Config(root=project.root).cancel_hold == timedelta(minutes=10)


def test_only_a_wait_knows_that_word(project, told):
    project.campaign(
        "name: x\nenter: {on: interview.cancelled}\n"
        "steps:\n  - task: {text: Call them, due: cancel_hold}\n"
    )
    assert told(check(project.config)) == ["prep.yaml:4:34 duration"]
