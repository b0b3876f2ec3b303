"""Every template that is shipped, as the mail it becomes: its bytes are sound whatever people are
called."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from letters import NOW, facts, row
from test_wire_bytes import CONTROL, NASTY, sound

from nurture.config import Config, load_config
from nurture.core.model import Facts, Job, Person, Promise, Subject
from nurture.rendering.context import context
from nurture.rendering.errors import RenderError
from nurture.rendering.headers import address, address_header
from nurture.rendering.invitation import invitation
from nurture.rendering.links import Signer
from nurture.rendering.mime import message, recipient, sender_of
from nurture.rendering.renderer import Renderer
from nurture.rendering.templates import load_templates
from tests.shelf import with_content

ROOT = Path(__file__).parents[2]
TEMPLATES, _ = load_templates(ROOT)
#: Translations have the branches and the layout of their default one: one stands for all.
SHIPPED = sorted(
    key
    for key, each in TEMPLATES.items()
    if each.locale is None or key == "interview-prep/confirmation.fr"
)
IDENTITY = """
company: {name: Ribeira, address: "12 Rua do Ouro, Lisbon", site: https://ribeira.example}
sender: {name: Ribeira Talent Team, email: talent@ribeira.example}
web: {public_url: https://careers.ribeira.example}
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Config:
    path = tmp_path_factory.mktemp("company") / "config.yaml"
    path.write_text(IDENTITY)
    return load_config(path, {})


@pytest.fixture(scope="module")
def renderer(config) -> Renderer:
    layouts = {path.stem: path.read_text() for path in (ROOT / "templates/layouts").glob("*.html")}
    return Renderer(TEMPLATES, config, Signer([b"k" * 32]), layouts)


def known(name: str = "Ana", job: str = "Data Engineer") -> Facts:
    found = facts(first_name=name)
    application = replace(
        found.applications["a-9"],
        stage="interviewing",
        applied_at=NOW - timedelta(days=9),
        stage_since=NOW - timedelta(days=2),
        rejected_at=NOW,
    )
    interview = replace(found.interviews["i-3"], ends_at=found.interviews["i-3"].starts_at)
    return replace(
        found,
        applications={"a-9": application},
        interviews={"i-3": replace(interview, ends_at=None, booked_at=NOW)},
        jobs={"j-1": Job(ref="j-1", title=job)},
        people={"ida@example.com": Person(email="ida@example.com", name=name, phone="+351 210")},
    )


def written(renderer: Renderer, config: Config, template: str, about: Facts) -> bytes:
    promise = Promise(
        ref="p",
        candidate_id=7,
        application="a-9",
        what="an answer",
        made_at=NOW,
        due_at=NOW + timedelta(days=5),
    )
    subject = Subject(application="a-9", interview="i-3")
    words = context(about, subject, enrollment=None, config=config, now=NOW, promise=promise)
    with_content(words, template, about, subject, renderer, config, NOW)
    shipped = TEMPLATES[template]
    mail = row(category=shipped.category)
    entry = None
    if shipped.calendar == "request":
        entry = invitation(
            "request",
            about.interviews["i-3"],
            about,
            organizer=sender_of(mail, about, config),
            attendee=recipient(about),
            context=words,
            config=config,
            locale="en",
            at=NOW,
        )
        assert entry is not None
    return message(
        renderer.render(template, words, candidate_id=7, locale="en"),
        message=mail,
        facts=about,
        category=config.categories[shipped.category],
        config=config,
        at=NOW,
        invitation=entry,
    )


@pytest.mark.parametrize("template", SHIPPED)
def test_a_shipped_mail_is_sound_whatever_people_and_jobs_are_called(renderer, config, template):
    for name in NASTY:
        if CONTROL.search(" ".join(name.split())):  # no subject can show it: a stated outcome
            continue
        raw = written(renderer, config, template, known(name=name, job=name))
        found = sound(raw)
        assert found["To"].endswith("<ana@example.com>") or found["To"] == "ana@example.com"
        assert not {"Bcc", "Cc"} & found.keys()


@pytest.mark.parametrize("template", ["interview-prep/confirmation", "culture/meet-the-team"])
def test_a_value_of_megabytes_is_refused_and_told(renderer, config, template):
    huge = "x" * 10_000_000
    with pytest.raises(RenderError, match=r"is longer than \d+ characters|grew too long"):
        written(renderer, config, template, known(name=huge, job=huge))


def test_a_name_of_megabytes_costs_a_header_nothing():
    assert len(address_header(address("x " * 5_000_000, "ana@example.com"))) < 500
