"""Which mails a mail says it follows, and whom it is from when things are not as they should be."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from letters import NOW, facts, row
from test_wire_bytes import sound, wire

from nurture.core.model import Contact, MessageClass, Person, Section
from nurture.rendering.errors import RenderError
from nurture.rendering.headers import TEXT_MAX
from nurture.rendering.mime import BODY_MAX, envelope_recipient, thread


def mail(number, application="a-9", klass=MessageClass.SERVICE, **more):
    return Contact(
        at=NOW - timedelta(days=30 - number),
        klass=klass,
        application=application,
        header=f"<n{number}.abc@example.com>",
        **more,
    )


def about(*contacts):
    return replace(facts(), contacts=contacts)


def section(application):
    return Section(
        enrollment_id=1,
        step="x",
        occurrence="1",
        campaign="c",
        template="t",
        category="prep",
        application=application,
    )


def test_the_first_mail_of_an_application_follows_none(project):
    found = sound(wire(about(), project=project))
    assert not {"In-Reply-To", "References"} & found.keys()


def test_a_mail_follows_the_earlier_ones_of_its_application_the_first_and_the_last_few(project):
    earlier = [mail(number) for number in range(2, 12)]
    raw = wire(about(*earlier), project=project)
    found = sound(raw)
    ids = [f"<n{number}.abc@example.com>" for number in (2, 9, 10, 11)]
    assert found["References"].split() == ids
    assert found["In-Reply-To"] == ids[-1]
    assert raw == wire(about(*earlier), project=project)
    assert b"Subject: Hello\r\n" in raw


@pytest.mark.parametrize(
    "other",
    [
        mail(3, application="a-10"),
        mail(3, application=None),
        mail(3, klass=MessageClass.NURTURE),
        mail(3, arrived=False),
        mail(3, sections=(section("a-9"), section("a-10"))),
        Contact(at=NOW, application="a-9", human=True),
        replace(mail(3), header="<n1.abc@example.com>"),  # itself, tried before
    ],
)
def test_no_thread_leads_to_anything_else(project, other):
    assert thread(row(), about(other), project.config.categories["prep"]) == []


def test_a_bundle_about_one_application_is_in_its_thread_and_one_about_two_in_none(project):
    service = project.config.categories["prep"]
    same = replace(row(), sections=(section("a-9"), section("a-9")))
    both = replace(row(), sections=(section("a-9"), section("a-10")))
    assert thread(same, about(mail(2)), service) == ["<n2.abc@example.com>"]
    assert thread(both, about(mail(2)), service) == []


def test_nurture_mail_is_in_no_thread(project):
    assert thread(row(), about(mail(2)), project.config.categories["culture"]) == []


def test_the_longest_ids_are_folded_one_a_line(project):
    ids = [f"<{'n' * 60}{number}@example.com>" for number in range(4)]
    contacts = [replace(mail(number + 2), header=id_) for number, id_ in enumerate(ids)]
    raw = wire(about(*contacts), project=project)
    lines = re.search(rb"References: (?:[^\r]|\r\n )*", raw)[0].split(b"\r\n ")
    assert len(lines) == 4


def test_an_address_beyond_ascii_stands_in_its_header_as_it_is(project):
    known = facts(email="zoë@münchen.example", first_name="Zoë")
    raw = wire(known, project=project)
    assert "<zoë@xn--mnchen-3ya.example>\r\n".encode() in raw
    head = raw.partition(b"\r\n\r\n")[0]
    odd = [line for line in head.split(b"\r\n") if not line.isascii()]
    assert len(odd) == 1, "only that one header needs it"
    assert odd[0].startswith(b"To: =?utf-8?b?")
    assert envelope_recipient(known) == "zoë@xn--mnchen-3ya.example"


@pytest.mark.parametrize("email", ["ida@", "idä@example.com", "ida@example.com\r\nBcc: x", ""])
def test_a_recruiters_unusable_address_costs_the_candidate_nothing(project, email):
    known = facts()
    application = replace(known.applications["a-9"], recruiter=email or None)
    people = {email: Person(email=email, name="Ida Berg")}
    known = replace(known, applications={"a-9": application}, people=people)
    found = sound(wire(known, project=project))
    assert "Reply-To" not in found
    assert found["From"].endswith("<talent@example.com>")


def test_whom_it_is_from_is_asked_when_it_is_sent(project):
    known = facts()
    other = replace(known.applications["a-9"], recruiter="rui@example.com")
    people = {"rui@example.com": Person(email="rui@example.com", name="Rui Alves")}
    found = sound(wire(replace(known, applications={"a-9": other}, people=people), project=project))
    assert found["From"] == '"Rui Alves (Example Ltd)" <talent@example.com>'
    assert found["Reply-To"] == "Rui Alves <rui@example.com>"


def test_a_subject_without_end_is_refused_with_its_bound(project):
    assert wire(subject="é" * TEXT_MAX, project=project)
    with pytest.raises(RenderError, match=r"10,000,000 characters long; at most 500"):
        wire(subject="x" * 10_000_000, project=project)


def test_a_mail_without_end_is_refused_with_its_bound(project):
    with pytest.raises(RenderError, match=rf"characters long; at most {BODY_MAX:,}"):
        wire(html="<p>" + "x" * BODY_MAX + "</p>", project=project)
