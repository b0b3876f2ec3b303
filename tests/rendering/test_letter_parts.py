"""The parts that letters have in common say what is known, in whatever a letter is written."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from letters import NOW, facts
from test_shapes import VALUES, Checked

from nurture.core.model import Application, Job, Person, Promise
from nurture.rendering.errors import RenderError
from nurture.rendering.letter_parts import LETTER_PARTS
from nurture.rendering.letter_words import _WORDS
from nurture.rendering.naming import named_in
from nurture.rendering.renderer import Part
from nurture.rendering.talking_points import talking_points

IDA = "ida@example.com"
CALLS = {
    "details": "details()",
    "agenda": "agenda(interview.agenda)",
    "people": "people(interview.interviewers)",
    "promise_line": "promise_line()",
    "next_steps": "next_steps()",
    "signature": "signature()",
}
FORMS = ("md", "html")
YOU = {
    "en": "you|your",
    "de": r"Sie|Ihr\w*|du|dich|dir|dein\w*",
    "fr": "vous|votre|vos|tu|te|ton|ta|tes",
    "es": "usted|su|sus|tú|tu|tus",
    "pt": "você|seu|sua|tu|teu|tua",
}


def body_of(*names, suffix="md"):
    if suffix == "md":
        return "\n\n".join(f"{{{{ {CALLS[name]} }}}}" for name in names) + "\n"
    within = {"promise_line", "signature"}
    return "".join(
        f"<p>{{{{ {CALLS[name]} }}}}</p>" if name in within else f"{{{{ {CALLS[name]} }}}}"
        for name in names
    )


def known(*, stage="interviewing", promised=True, person=None, interview=None, **changes):
    about = facts(**changes)
    one = about.interviews["i-3"]
    application = replace(about.applications["a-9"], stage=stage)
    promise = Promise(
        ref="p-1",
        candidate_id=7,
        application="a-9",
        what="a decision",
        made_at=NOW,
        due_at=NOW + timedelta(days=9),
    )
    return replace(
        about,
        applications={"a-9": application},
        promises={"p-1": promise} if promised else {},
        people={IDA: person or Person(email=IDA, name="Ida Berg", title="Talent Partner")},
        interviews={"i-3": replace(one, fields={**one.fields, **(interview or {})})},
    )


def said(project, name, about, *, suffix="md"):
    """What the text part says, without what stands below every mail."""
    path = project.root / f"templates/topic/letter.{suffix}"
    project.write(f"topic/letter.{suffix}", body_of(name, suffix=suffix))
    renderer = project.renderer()
    path.unlink()
    words = project.context(about)
    return renderer.draft(renderer.templates["topic/letter"], words).text.strip()


AGENDA = [
    {"starts_at": "2026-12-03T10:00:00+00:00", "title": "Welcome", "with": "Rui Costa"},
    {"starts_at": "2026-12-03T12:30:00+00:00", "title": "Lunch"},
    {"starts_at": "2026-12-04T09:00:00+00:00", "title": "Pairing", "with": ["Mei", "Sam"]},
]


@pytest.mark.parametrize("suffix", FORMS)
def test_what_they_say_in_the_text_part(project, suffix):
    about = known(
        interview={
            "location": "1 Rua | Augusta",
            "agenda": AGENDA,
            "interviewers": [
                {"name": "Rui Costa", "role": "Team lead", "about": "Asks about your work."},
                {"name": "Mei"},
            ],
        }
    )
    found = {name: said(project, name, about, suffix=suffix) for name in CALLS}
    assert found["details"] == (
        "When: Thursday, 3 December 2026, 10:00 (Lisbon time)\n"
        "How long: about 60 minutes\n"
        "Online: https://meet.example.com/a_b_c?x=1&y=2\n"
        "Where: 1 Rua | Augusta\n"
        "Who: Rui Costa (Team lead), Mei"
    )
    assert found["agenda"] == (
        "Thursday, 3 December 2026 (Lisbon time)\n\n10:00 – Welcome – Rui Costa\n12:30 – Lunch\n\n"
        "Friday, 4 December 2026 (Lisbon time)\n\n09:00 – Pairing – Mei, Sam"
    )
    assert re.sub(r"\n +", "\n", found["people"]) == (
        "- Rui Costa, Team lead\nAsks about your work.\n- Mei"
    )
    assert found["promise_line"] == (
        "We will be in touch by Tuesday, 1 December 2026, whatever the answer is."
    )
    assert found["next_steps"] == (
        "Where things stand:\n\n1. Application (done)\n2. First conversation (done)\n"
        "3. Interviews (now)\n4. Decision (next)\n5. Offer"
    )
    assert found["signature"] == "Ida Berg\nTalent Partner, Example Ltd"


def test_each_is_tried_here_and_known_by_its_number_of_arguments():
    assert CALLS.keys() == LETTER_PARTS.keys()
    for name, call in CALLS.items():
        assert LETTER_PARTS[name].arguments == (0 if call.endswith("()") else 1)


def test_a_row_without_a_value_is_left_out(project):
    about = known(interview={"url": None, "interviewers": [], "reschedule_url": None})
    assert said(project, "details", about).splitlines() == [
        "When: Thursday, 3 December 2026, 10:00 (Lisbon time)",
        "How long: about 60 minutes",
    ]


def test_whoever_is_rung_reads_at_which_number(project):
    about = known(fields={"phone": "+351 912"}, interview={"url": None})
    ring = replace(about.interviews["i-3"], kind="phone")
    about = replace(about, interviews={"i-3": ring})
    assert "Phone: we ring +351 912\n" in said(project, "details", about)
    own = replace(ring, fields={**ring.fields, "phone": "+351 210"})
    about = replace(about, interviews={"i-3": own})
    assert "Phone: +351 210\n" in said(project, "details", about)


@pytest.mark.parametrize(
    ("hours", "length"),
    [(1.5, "about 90 minutes"), (2, "about 2 hours"), (6.75, "about 6 hours 45 minutes")],
)
def test_a_long_visit_is_told_in_hours(project, hours, length):
    about = known()
    one = about.interviews["i-3"]
    ends_at = one.starts_at + timedelta(hours=hours)
    about = replace(about, interviews={"i-3": replace(one, ends_at=ends_at)})
    assert f"How long: {length}\n" in said(project, "details", about)


def test_who_signs_where_no_recruiter_is_known(project):
    nobody = Person(email=IDA)
    assert said(project, "signature", known(person=nobody)) == "The hiring team, Example Ltd"
    plain = Person(email=IDA, name="Ida Berg")
    assert said(project, "signature", known(person=plain)) == "Ida Berg, Example Ltd"


def test_without_a_promise_the_next_date_is_named_and_without_any_none(project):
    about = known(promised=False)
    assert said(project, "promise_line", about) == ("The next date is Thursday, 3 December 2026.")
    off = replace(about.interviews["i-3"], status="cancelled")
    about = replace(about, interviews={"i-3": off})
    assert "as soon as there is news" in said(project, "promise_line", about)
    kept = {"p-1": replace(known().promises["p-1"], status="kept")}
    assert "1 December" not in said(project, "promise_line", replace(known(), promises=kept))


def test_the_way_shows_where_one_is_and_nothing_to_who_is_on_none(project):
    assert "1. Application (now)\n2. First conversation (next)\n3. Interviews\n" in said(
        project, "next_steps", known(stage="applied")
    )
    assert "3. Sample of work (now)\n4. Interviews (next)" in said(
        project, "next_steps", known(stage="assessment")
    )
    for stage in ("rejected", "withdrawn", "on_hold", "hired", None):
        assert said(project, "next_steps", known(stage=stage)) == ""
    gone = known(stage="final")
    gone = replace(
        gone, applications={"a-9": replace(gone.applications["a-9"], status="withdrawn")}
    )
    assert said(project, "next_steps", gone) == ""


@pytest.mark.parametrize(("locale", "label"), [("de", "Wann"), ("fr-CA", "Quand"), ("xx", "When")])
def test_the_words_are_in_the_reader_s_language(project, locale, label):
    project.write("topic/letter.md", "x")
    project.write(f"topic/letter.{locale}.md", body_of("details"), category=None)
    words = project.context(known())
    letter = project.renderer().render("topic/letter", words, candidate_id=7, locale=locale)
    assert f"{label}: " in letter.text


def test_every_language_has_every_word_and_says_you_to_nobody():
    for language, words in _WORDS.items():
        assert words.keys() == _WORDS["en"].keys()
        for key, text in words.items():
            assert set(re.findall(r"\{\w+\}", text)) == set(
                re.findall(r"\{\w+\}", _WORDS["en"][key])
            )
            assert not set("&<>|*_`[]\\\"'") & set(re.sub(r"\{\w+\}", "", text)), (language, key)
            assert not re.search(rf"\b({YOU[language]})\b", text), (language, key)


@pytest.mark.parametrize("suffix", FORMS)
def test_filled_in_is_the_same_as_inlined_alone(project, suffix):
    """Whatever values are made of, and whichever rows there are."""
    random = Random(7)
    project.write(f"topic/letter.{suffix}", body_of(*CALLS, suffix=suffix))
    letters = Checked(project.renderer())
    for _ in range(8):
        fields = {
            name: random.choice([None, *VALUES]) for name in ("phone", "location", "notes", "url")
        }
        fields["url"] = random.choice([None, "https://example.com/ü b?a=1&b=<2>"])
        fields["agenda"] = [
            {**each, "title": random.choice(VALUES), "with": random.choice([None, *VALUES])}
            for each in random.sample(AGENDA, random.randrange(1, 4))
        ]
        fields["interviewers"] = [
            {"name": random.choice(VALUES), "role": random.choice([None, *VALUES])}
            for _ in range(random.randrange(1, 4))
        ]
        person = Person(email=IDA, name=random.choice(VALUES), title=random.choice([None, *VALUES]))
        stage = random.choice(["applied", "assessment", "final", "rejected", None])
        about = known(
            interview={key: value for key, value in fields.items() if value is not None},
            person=person,
            stage=stage,
            promised=random.random() < 0.5,
        )
        letter = letters.render("topic/letter", project.context(about))
        read = html.unescape(re.sub(r"<[^>]*>", " ", letter.html))
        assert " ".join(fields["agenda"][0]["title"].split())[:20] in " ".join(read.split())
        assert "<script>" not in letter.html
        assert "qz" not in letter.html
        assert "|" not in re.sub(r"<!--.*?-->|<style.*?</style>", "", letter.html, flags=re.DOTALL)
    assert letters.quick > 4


def test_two_letters_of_one_mail_are_signed_once(project):
    body = f"Hello,\n\n{{{{ {CALLS['details']} }}}}\n\n{{{{ {CALLS['signature']} }}}}\n"
    project.write("topic/one.md", body, subject="One").write("topic/two.md", body, subject="Two")
    words = project.context(known())
    parts = [Part(template=f"topic/{name}", context=words) for name in ("one", "two")]
    text = project.renderer().bundle(parts, candidate_id=7, locale="en").text
    assert text.count("Talent Partner, Example Ltd") == 1
    assert text.count("When: Thursday") == 2


def test_a_call_has_the_same_facts_to_tell(project):
    project.write("topic/letter.md", body_of(*CALLS))
    points = talking_points(
        project.renderer(),
        "topic/letter",
        project.context(known(interview={"agenda": AGENDA})),
        locale="en",
    )
    assert "When: Thursday, 3 December 2026, 10:00 (Lisbon time)\n" in points
    assert "<" not in points


@pytest.mark.parametrize("name", ["details", "next_steps"])
def test_what_it_is_about_has_to_be_there(project, name):
    project.write("topic/letter.md", "Hello,\n\n" + body_of(name))
    words = {key: value for key, value in project.context(known()).items() if key != "interview"}
    words.pop("application", None)
    with pytest.raises(RenderError, match="is missing for this person") as refused:
        project.renderer().render("topic/letter", words, candidate_id=7, locale="en")
    assert refused.value.line == 7


@pytest.mark.parametrize("name", ["agenda", "people"])
def test_a_list_that_is_unknown_or_none_is_refused(project, name):
    about = known(interview={"agenda": None, "interviewers": None})
    with pytest.raises(RenderError, match=r"interview\.\w+ is missing for this person"):
        said(project, name, about)
    with pytest.raises(RenderError, match="takes a list such as"):
        project.render(f"{{{{ {name}('Rui') }}}}", words=project.context(about))


def test_a_sentence_may_stand_in_a_subject_and_a_table_may_not(project):
    letter = project.render(
        "x", words=project.context(known()), subject="'{{ promise_line() }} {{ signature() }}'"
    )
    assert letter.subject.endswith("answer is. Ida Berg, Talent Partner, Example Ltd")
    with pytest.raises(RenderError, match="in the body"):
        project.render("x", words=project.context(known()), subject="'{{ details() }}'")


def test_what_they_say_is_worked_out_for_them(project):
    project.write("topic/letter.md", body_of("promise_line", "next_steps"))
    named = named_in(project.renderer().templates["topic/letter"])
    assert {"next_date_at", "stage", "status"} <= set(named["application"])
    assert {"due", "status"} <= set(named["promise"])


def test_a_table_of_an_author_reads_as_one(project):
    rows = "| Day | Lunch |\n|-----|------:|\n| Monday | Soup |\n"
    letter = project.render(f"Hello\n\n{rows}\nBye", words=project.context(known()))
    assert "Hello\n\nDay – Lunch\nMonday – Soup\n\nBye" in letter.text
    assert '<th scope="col"' in letter.html


def test_an_agenda_with_odd_entries_has_only_what_can_be_read(project):
    odd = [{"title": "Coffee", "starts_at": "soon"}, {"starts_at": None}, "lunch", {"title": 5}]
    about = known(interview={"agenda": odd})
    assert project.context(about)["interview"]["agenda"] == [{"title": "Coffee"}]
    assert said(project, "agenda", about) == "Coffee"


def test_a_person_without_a_role_is_named_by_the_title(project):
    application = Application(
        ref="a-9", candidate_id=7, job="j-1", recruiter=IDA, stage="interviewing"
    )
    about = replace(known(), applications={"a-9": application}, jobs={"j-1": Job(ref="j-1")})
    letter = project.render("{{ people([recruiter]) }}", words=project.context(about))
    assert "- Ida Berg, Talent Partner" in letter.text
