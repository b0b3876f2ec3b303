"""A letter filled in after its CSS was inlined is the letter inlined by itself."""

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from letters import NOW, facts

from nurture.config import Config
from nurture.core.model import Person, Promise, Subject
from nurture.rendering import renderer as renderer_module
from nurture.rendering.context import context
from nurture.rendering.inline import inline
from nurture.rendering.links import Signer
from nurture.rendering.renderer import Renderer
from nurture.rendering.templates import load_templates

ROOT = Path(__file__).parents[2]
TEMPLATES, _ = load_templates(ROOT)


class Events(HTMLParser):
    """What an HTML reader sees, without how quotes and spaces in CSS were written."""

    def __init__(self, html):
        super().__init__()
        self.seen = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        styled = {name: re.sub(r"\s+", "", value or "") for name, value in attrs}
        self.seen.append((tag, styled))

    def handle_endtag(self, tag):
        self.seen.append(tag)

    def handle_data(self, data):
        text = " ".join(data.split())
        if text:
            self.seen.append(text)


def everything_known(name):
    known = facts(first_name=name, last_name="Silva", fields={"phone": "+351 1"})
    interview = known.interviews["i-3"]
    more = {"location": "1 <b>Example</b> Street", "phone": "+351 2", "notes": "Line\nline & more"}
    application = replace(
        known.applications["a-9"],
        stage="interviewing",
        coordinator="co@example.com",
        hiring_manager="co@example.com",
        applied_at=NOW - timedelta(days=9),
        stage_since=NOW - timedelta(days=2),
    )
    people = {
        email: Person(email=email, name="Ida & Co", phone="+351 3", title="Recruiter")
        for email in ("ida@example.com", "co@example.com")
    }
    return replace(
        known,
        people=people,
        applications={"a-9": application},
        interviews={"i-3": replace(interview, fields={**interview.fields, **more})},
        promises={
            "p-1": Promise(
                ref="p-1",
                candidate_id=7,
                application="a-9",
                what="a <decision>",
                owner="ida@example.com",
                made_at=NOW,
                due_at=NOW + timedelta(days=3),
            )
        },
    )


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_each_shipped_letter_is_the_same_either_way(name, monkeypatch):
    config = Config(root=ROOT)
    subject = Subject(application="a-9", interview="i-3")

    def letters():
        letter = Renderer(TEMPLATES, config, Signer([b"k" * 32]))
        for who in ("Ana", 'O\'Brien <b> & "Co" **x**', "日本 ü"):
            words = context(everything_known(who), subject, enrollment=None, config=config, now=NOW)
            yield letter.render(name, words, candidate_id=7, locale=None).html

    fast = list(letters())
    monkeypatch.setattr(renderer_module, "inline", lambda page: page)
    slow = [inline(page) for page in letters()]
    assert [Events(page).seen for page in fast] == [Events(page).seen for page in slow]
    assert len(Events(fast[0]).seen) > 40
