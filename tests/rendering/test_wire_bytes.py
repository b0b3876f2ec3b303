"""What goes over the wire, read from the raw bytes and never with Python's own mail parser, which
decodes its writer's mistakes."""

import base64
import html
import os
import quopri
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from letters import NOW, Project, facts, row

from nurture.core.lines import Lines
from nurture.core.model import Person
from nurture.rendering.errors import RenderError
from nurture.rendering.headers import address, address_header, header
from nurture.rendering.mime import message, message_id_for
from nurture.rendering.renderer import Rendered
from nurture.rendering.shapes import Written

GOLDEN = Path(__file__).parent / "golden"
URL = "https://mail.example.com/u/" + "A" * 32

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
NASTY = [
    "Zoë <b@evil.test>, x", "Keller, Zoë", "b@evil.test", "<b@evil.test>", 'a" <b@evil.test>, "c',
    "a\\", 'a\\" <b@evil.test>', "(comment", "comment)", "a;b:c", "Group: x@evil.test;", ",", ";",
    "a, b, c", "=?utf-8?q?=3Cb=40evil=2Etest=3E?=", "=?utf-8?b?PGJAZXZpbC50ZXN0Pg==?=", "=?", "?=",
    "Ana\r\nBcc: b@evil.test", "Ana\nBcc: b@evil.test", "Ana\rBcc: x", "Ana\x00x", "\x1b[31mred",
    "Ana\u2028Bcc: x", "Ana\u0085Bcc: x", "\u202egnp.exe", "é" * 200, "x" * 300, "日本語" * 40,
    "𝒜𝓃𝒶", "👩🏽‍💻 Ana", "O'Brien", "D'Arcy-Smith", "Jean  Luc", " Ana ", "\tAna", "a" * 78,
    "a" * 77 + "@", "word " * 40, "é word, " * 20, "Ana (Maria)", "Dr. Ana", "Ana, Ph.D.", "ﷺ" * 30,
    "İstanbul", "ß", "Ω", "null", "undefined", "None", "1;DROP TABLE", "../../etc/passwd",
    "{{ 7*7 }}", "%s%n", "<script>alert(1)</script>", "[x]", "x@", "@x", '"', '""', "'", "`", "\\",
    "\ud800half", "a\u200bb", "\ufeffAna", "-", ".", "..", "~", "Ana\u00a0Silva", "=20=", "_ana_",
]  # fmt: skip


def wire(known=None, *, subject="Hello", category="prep", config=None, project=None, **more):
    config = config or project.config
    rendered = Rendered(
        subject=subject,
        preheader="",
        html_part=Written(more.get("html", "<p>Hello Zoë</p>")),
        text_part=Written(more.get("text", "Hello Zoë\n.dot\nFrom me\ntrailing \n")),
        locale="en",
        link=lambda: more.get("url", URL),
    )
    return message(
        rendered,
        message=row(category=category, **more.get("row", {})),
        facts=known or facts(),
        category=config.categories[category],
        config=config,
        at=NOW,
    )


def headers(raw):
    """Unfolded, by name; every name once."""
    head = raw.partition(b"\r\n\r\n")[0]
    lines = re.sub(rb"\r\n[ ]", b" ", head).split(b"\r\n")
    pairs = [line.partition(b": ")[::2] for line in lines]
    assert len({name.lower() for name, _ in pairs}) == len(pairs)
    return {name.decode(): value.decode("ascii") for name, value in pairs}


def mailbox(value):
    """RFC 5322: one mailbox, as (name, address). A strict reader of its own."""
    found = re.fullmatch(
        r'(?:(?:"((?:[^"\\]|\\.)*)"|([^"<>,;:()@\[\]\\]*?)) )?<?([^<>\s"]+)>?', value
    )
    assert found, value
    quoted, plain, spec = found.groups()
    assert spec.count("@") == 1
    name = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else decoded(plain or "")
    return name, spec


def decoded(text):
    """RFC 2047, encoded-words next to each other joined."""
    text = re.sub(r"\?= +=\?", "?==?", text)
    return re.sub(
        r"=\?utf-8\?b\?([A-Za-z0-9+/=]*)\?=",
        lambda match: base64.b64decode(match[1]).decode("utf-8"),
        text,
    )


def sound(raw):
    """What every message must be (RFC 5322 2.1.1, RFC 2047 2, RFC 5321 2.3.8)."""
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\0" not in raw
    raw.decode("ascii")
    if isinstance(raw, Lines):  # then whoever hands it over believes that
        assert raw.endswith(b"\r\n")
        assert not raw.startswith(b".")
        assert b"\r\n." not in raw
    for line in raw.split(b"\r\n"):
        whole = re.fullmatch(rb"[\w-]+: <[^ ]+>", line)  # a link or an id, which nothing may cut
        assert len(line) <= (998 if whole else 78)
    for word in re.findall(rb"=\?[^ \r\n]*\?=", raw.partition(b"\r\n\r\n")[0]):
        assert len(word) <= 75
    return headers(raw)


def tidy(name, at_most=200):
    shown = CONTROL.sub(" ", TURNS.sub("", name))
    return " ".join(shown.encode("utf-8", "ignore").decode().split())[:at_most]


@pytest.mark.parametrize("name", NASTY)
def test_a_name_is_never_more_than_a_name(project, name):
    known = facts(first_name=name)
    people = {"ida@example.com": Person(email="ida@example.com", name=name)}
    found = sound(wire(replace(known, people=people), project=project))
    assert mailbox(found["To"]) == (tidy(name), "ana@example.com")
    assert mailbox(found["Reply-To"]) == (tidy(name), "ida@example.com")
    assert mailbox(found["From"]) == (tidy(f"{name} (Example Ltd)"), "talent@example.com")
    assert "Bcc" not in found


@given(st.text(max_size=120))
@example("a" * 64 + '"')
def test_any_name_comes_back_as_it_was(name):
    value = header("To", address_header(address(name, "ana@example.com")))
    unfolded = value.replace("\r\n ", " ").removeprefix("To: ")
    assert mailbox(unfolded) == (tidy(name), "ana@example.com")
    assert max(map(len, value.split("\r\n"))) <= 78


@pytest.mark.parametrize("subject", [s for s in NASTY if not CONTROL.search(s)])
def test_a_subject_is_read_as_it_was_written(project, subject):
    found = sound(wire(subject=subject, project=project))
    assert decoded(found["Subject"]) == tidy(subject, 998)


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@evil.test", "a\nb", "a\x00b", "a\u2028b", "\x7f"])
def test_a_subject_with_a_line_break_is_refused(project, subject):
    with pytest.raises(RenderError, match="line break"):
        wire(subject=subject, project=project)


@pytest.mark.parametrize("length", [40, 75, 76, 77, 78, 79, 200])
def test_long_links_and_ids_are_never_encoded_or_cut(project, length):
    url = "https://mail.example.com/u/" + "x" * (length - 29)
    raw = wire(url=url, category="culture", project=project)
    assert f"List-Unsubscribe: <{url}>\r\n".encode() in raw
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    assert b"=?" not in raw.partition(b"\r\n\r\n")[0]


def test_a_real_unsubscribe_link_fits_one_line(tmp_path):
    config = "web: {public_url: https://careers.some-company.example}\n"
    project = Project(tmp_path, config)
    rendered = project.render("Hello", category="culture")
    assert len(f"<{rendered.unsubscribe_url}>") <= 76


@pytest.mark.parametrize(
    ("category", "expected"), [("prep", False), ("culture", True), ("privacy", False)]
)
def test_only_nurture_mail_carries_the_unsubscribe_headers(project, category, expected):
    found = sound(wire(category=category, project=project))
    assert ("List-Unsubscribe" in found) is expected
    assert ("List-Unsubscribe-Post" in found) is expected
    assert ("Feedback-ID" in found) is (category != "privacy")
    assert "Auto-Submitted" not in found


def test_the_headers_say_who_when_and_what(project):
    found = sound(wire(category="culture", project=project))
    assert found == {
        "From": '"Ida Berg (Example Ltd)" <talent@example.com>',
        "Reply-To": "Ida Berg <ida@example.com>",
        "To": "Ana <ana@example.com>",
        "Subject": "Hello",
        "Date": "Sun, 22 Nov 2026 09:00:00 +0000",
        "Message-ID": "<n1.abc@example.com>",
        "List-Unsubscribe": f"<{URL}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": "interview-prep:culture:nurture:nurture",
        "Content-Language": "en",
        "MIME-Version": "1.0",
        "Content-Type": found["Content-Type"],
    }


def test_a_team_writes_as_the_team_and_answers_still_reach_the_recruiter(tmp_path):
    project = Project(tmp_path, "sender: {name: Talent Team, email: jobs@example.com, as: team}\n")
    found = sound(wire(project=project))
    assert found["From"] == "Talent Team <jobs@example.com>"
    assert found["Reply-To"] == "Ida Berg <ida@example.com>"
    nobody = replace(facts(), applications={})
    assert "Reply-To" not in sound(wire(nobody, project=project))


def test_the_text_comes_first_and_both_parts_are_whole(project):
    text = "Hello Zoë\n.dot\nFrom me\ntrailing \n" + "långt " * 60 + "\n"
    raw = wire(text=text, html="<p>" + "ö" * 3000 + "</p>", project=project)
    sound(raw)
    boundary = re.search(rb'boundary="([^"]+)"', raw)[1]
    _, plain, html, end = raw.partition(b"\r\n\r\n")[2].split(b"--" + boundary)
    assert end == b"--\r\n"
    for part, kind, wanted in (
        (plain, b"text/plain", text),
        (html, b"text/html", "<p>" + "ö" * 3000 + "</p>"),
    ):
        head, _, body = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        assert b"Content-Type: " + kind + b"; charset=utf-8" in head
        assert b"Content-Transfer-Encoding: quoted-printable" in head
        read = quopri.decodestring(body).decode().replace("\r\n", "\n")
        assert read.rstrip("\n") == wanted.rstrip("\n")
        assert not re.search(rb"[ \t]\r\n", body)


@pytest.mark.parametrize(
    ("email", "spec"),
    [
        ("ana@münchen.example", "ana@xn--mnchen-3ya.example"),
        ("ana@EXAMPLE.com", "ana@example.com"),
        ("a.b+c@example.co.uk", "a.b+c@example.co.uk"),
    ],
)
def test_domains_are_written_in_ascii(project, email, spec):
    found = sound(wire(facts(email=email), project=project))
    assert mailbox(found["To"])[1] == spec


@pytest.mark.parametrize(
    "email",
    [None, "", "ana", "a@b@c", "a b@example.com", "a@example.com\r\nBcc: x",
     "ana@example.com, b@evil.test", "<ana@example.com>", "ana@exa mple.com", "a\x00@example.com"],
)  # fmt: skip
def test_an_address_that_cannot_be_reached_is_told_as_that(project, email):
    with pytest.raises(RenderError, match="undeliverable address") as caught:
        wire(facts(email=email), project=project)
    assert "@" not in str(caught.value)


def test_a_message_id_is_short_and_always_the_same():
    one = message_id_for(12, "kit", "2026-12-03T10:00:00Z", "example.com")
    assert one == message_id_for(12, "kit", "2026-12-03T10:00:00Z", "example.com")
    assert re.fullmatch(r"<n12\.[a-z2-7]{24}@example\.com>", one)
    others = {
        message_id_for(13, "kit", "2026-12-03T10:00:00Z", "example.com"),
        message_id_for(12, "kit2", "026-12-03T10:00:00Z", "example.com"),
        message_id_for(12, "kit", "1", "example.com"),
    }
    assert one not in others
    assert len(others) == 3


@given(
    st.integers(0, 2**63),
    st.text(),
    st.text(),
    st.lists(st.from_regex(r"[a-z0-9]{1,63}", fullmatch=True), min_size=1, max_size=4),
)
def test_a_message_id_fits_a_line_whatever_the_domain(enrollment_id, step, occurrence, labels):
    found = message_id_for(enrollment_id, step, occurrence, ".".join(labels))
    assert len(found) <= 76
    assert re.fullmatch(r"<[a-z0-9.]+@[a-z0-9.-]+>", found)


LETTER = """Hello {{ candidate.first_name }},

you are invited for **{{ job.title }}** on {{ interview.starts_at | when }}.

{{ button("Choose another time", interview.reschedule_url) }}

{{ recruiter.name }}
"""
PAGE = """<h1>Hello {{ candidate.first_name }}</h1>
<p>Two stories from the team, and <a href="{{ company.site }}/blog?a=1&amp;b=2">the rest</a>.</p>
"""


@pytest.mark.parametrize(
    ("suffix", "body", "category"), [("md", LETTER, "prep"), ("html", PAGE, "culture")]
)
def test_the_bytes_of_a_letter_are_those_looked_at_once(project, suffix, body, category):
    """After a meant change: UPDATE_GOLDEN=1 pytest, and read the difference."""
    rendered = project.render(
        body,
        suffix=suffix,
        category=category,
        subject='"Hello {{ candidate.first_name }}: {{ job.title }}"',
        preheader="What comes next",
        candidate={"first_name": "Zoë"},
    )
    raw = message(
        rendered,
        message=row(category=category),
        facts=facts(first_name="Zoë"),
        category=project.config.categories[category],
        config=project.config,
        at=datetime(2026, 11, 22, 9, tzinfo=UTC),
    )
    sound(raw)
    path = GOLDEN / f"{suffix}.eml"
    if "UPDATE_GOLDEN" in os.environ:
        path.write_bytes(raw)
    assert raw == path.read_bytes()


@pytest.mark.parametrize("name", NASTY)
def test_a_letter_is_lines_that_may_go_as_they_are_whatever_stands_in_it(project, name):
    known = facts(first_name=name)
    text = f".{name}\n..\nFrom {name}\n.\r\n\r.{name}"
    raw = wire(known, project=project, text=text, html=f"<p>{html.escape(text)}</p>")
    assert isinstance(raw, Lines)
    sound(raw)
