"""What a reader sees: the renderer's promises."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from letters import facts

from nurture.rendering.errors import RenderError
from nurture.rendering.inline import inline
from nurture.rendering.layout import colours, contrast
from nurture.rendering.links import PREFERENCES, UNSUBSCRIBE, Signer

BODY = """Hello {{ candidate.first_name }},

you are invited for **{{ job.title }}** on {{ interview.starts_at | when }}. You will meet

{% for person in interview.interviewers %}
- {{ person.name }}{% if person.role %}, {{ person.role }}{% endif %}
{% endfor %}

Read [about us]({{ company.site }}/team?for={{ job.title }}) first, or open {{ interview.url }}.

{{ button("Choose another time", interview.reschedule_url) }}

{{ recruiter.name }}
"""
MACRO = "{% macro m(x) %}[{{ x }}](https://a.test){% endmacro %}"
HTML_BODY = """<h1>Hello {{ candidate.first_name }}</h1>
<p>See <a href="{{ interview.url }}">the room</a>.</p>
<ul>{% for person in interview.interviewers %}<li>{{ person.name }}</li>{% endfor %}</ul>
<p>{{ button("Choose another time", interview.reschedule_url) }}</p>
"""


class Page(HTMLParser):
    """The tags and words of a page, read by someone else's parser."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.links, self.words = [], [], []
        self.shown = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.shown = self.shown or tag == "body"
        if tag == "a":
            self.links.append(dict(attrs)["href"])

    def handle_data(self, data):
        if self.shown:
            self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())


def test_the_text_part_reads_as_a_person_would_have_typed_it(project):
    text = project.render(BODY).text
    assert text.startswith(
        """Hello Ana,

you are invited for Data Engineer on Thursday, 3 December 2026, 10:00
(Lisbon time). You will meet

- Rui Costa, Team lead
- Mei

Read about us <https://example.com/team?for=Data%20Engineer> first, or
open https://meet.example.com/a_b_c?x=1&y=2.

Choose another time: https://book.example.com/r/42

Ida Berg

--
Example Ltd, 1 Example Street, Lisbon
"""
    )


def test_an_html_letter_has_a_text_part_as_well(project):
    rendered = project.render(HTML_BODY, suffix="html")
    assert rendered.text.startswith("Hello Ana\n\nSee the room <https://meet.example.com/a_b_c?")
    assert "- Rui Costa\n- Mei\n" in rendered.text
    assert "Choose another time <https://book.example.com/r/42>" in rendered.text


def test_links_lead_where_the_facts_say(project):
    page = Page(project.render(BODY).html)
    assert page.links == [
        "https://example.com/team?for=Data%20Engineer",
        "https://meet.example.com/a_b_c?x=1&y=2",
        "https://book.example.com/r/42",
    ]


NASTY = [
    "**x** <b>y</b>",
    "[a](javascript:alert(1))",
    "<script>alert(1)</script>",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "    code",
    "`code` ~~~",
    "&amp; &#106;",
    "![i](https://evil.test/x.png)",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }} {% raw %}",
    "qzv0001vzq qzu0001uzq QZV0001VZQ",
    "a_b_c *d* __e__",
    "<!-- x --> ]]> </td></table>",
    "\\*not\\* \\<b>",
    'O\'Brien & "Söhne"',
]


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("suffix", ["md", "html"])
def test_no_value_acts_as_markdown_or_html(project, name, suffix):
    body = BODY if suffix == "md" else HTML_BODY
    plain = Page(project.render(body, suffix=suffix).html)
    rendered = project.render(body, suffix=suffix, candidate={"first_name": name})
    page = Page(rendered.html)
    assert page.tags == plain.tags
    assert page.links == plain.links
    assert f"Hello {' '.join(name.split())}" in page.text
    assert f"Hello {name}" in rendered.text


@pytest.mark.parametrize(
    "body",
    [
        MACRO + "{{ m('a') ~ candidate.first_name }}",
        MACRO + "{{ m('a') + candidate.first_name }}",
        "{% set x %}**{{ candidate.first_name }}**{% endset %}{{ x }} [a](https://a.test)",
    ],
)
def test_macros_and_blocks_do_not_let_values_act_either(project, body):
    name = "[b](https://evil.test) <i>x</i>"
    page = Page(project.render(body, candidate={"first_name": name}).html)
    assert page.links == ["https://a.test"]
    assert "i" not in page.tags
    assert name in page.text


@given(
    first=st.text(min_size=1).filter(lambda name: name.strip()),
    count=st.integers(1, 4),
    role=st.one_of(st.none(), st.text(min_size=1)),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_letter_filled_into_a_known_shape_is_the_letter_laid_out_anew(shaped, first, count, role):
    project, warm = shaped
    known = facts(first_name=first)
    people = [{"name": f"P{number}", "role": role} for number in range(count)]
    interview = replace(
        known.interviews["i-3"], fields={**known.interviews["i-3"].fields, "interviewers": people}
    )
    words = project.context(replace(known, interviews={"i-3": interview}))
    anew = project.renderer().render("topic/letter", words, candidate_id=7, locale=None)
    assert warm.render("topic/letter", words, candidate_id=7, locale=None) == anew


@pytest.fixture(scope="module")
def shaped(tmp_path_factory):
    from letters import Project

    project = Project(tmp_path_factory.mktemp("project")).write("topic/letter.md", BODY)
    return project, project.renderer()


# --- what cannot be written ----------------------------------------------------------------------


def refused(project, body, **options):
    with pytest.raises(RenderError) as caught:
        project.render(body, **options)
    return caught.value


def test_a_missing_fact_is_told_with_file_line_and_name(project):
    error = refused(project, "Hello\n\nat {{ interview.location }}\n")
    assert error.variable == "interview.location"
    assert error.line == 7
    assert str(error).endswith("letter.md:7: interview.location is missing for this person")


@pytest.mark.parametrize(
    "body",
    [
        "{{ offer.expires_at | when }}",
        "{{ interview.location | upper }}",
        "{% for x in offer.lines %}{{ x }}{% endfor %}",
        "{{ 'at ' ~ interview.location }}",
        "{{ interview.location + '!' }}",
        "{{ [interview.location] }}",
        "{{ button('x', interview.notes) }}",
        "[map]({{ interview.notes }})",
        "{{ candidate.frist_name }}",
        "{{ days_since(offer.sent_at) }}",
    ],
)
def test_a_missing_fact_never_leaves_a_blank(project, body):
    assert refused(project, body).variable is not None


def test_a_missing_fact_may_be_asked_for(project):
    body = "{% if interview.location %}at {{ interview.location }}{% else %}online{% endif %}"
    assert project.render(body).text.startswith("online\n")
    assert project.render('{{ interview.location | default("soon") }}').text.startswith("soon\n")


@pytest.mark.parametrize("part", ["subject", "preheader", "facts"])
def test_front_matter_is_held_to_the_same(project, part):
    value = "'{{ offer.expires_at }}'" if part != "facts" else "['{{ offer.expires_at }}']"
    error = refused(project, "Hello", **{part: value})
    assert error.variable == "offer"
    assert error.line is not None
    assert error.line < 6


def test_what_facts_promises_must_be_in_the_text(project):
    promise = "['{{ interview.starts_at | when }}']"
    assert project.render("At {{ interview.starts_at | when }}.", facts=promise)
    assert "promises" in str(refused(project, "Soon.", facts=promise))


@pytest.mark.parametrize(
    "body",
    [
        "{{ 'a' * 10**9 }}",
        "{{ 10**10**8 }}",
        "{{ 'a'.center(10**9) }}",
        "{{ 'a'.ljust(1000000000) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ range(10**9) | list }}",
        "{% for a in range(900) %}{% for b in range(900) %}x{% endfor %}{% endfor %}",
        "{% macro m(x) %}{{ m(x ~ x) }}{% endmacro %}{{ m('aaaaaaaaaaaaaaaaaaaaaaaa') }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ candidate.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ sent.__globals__ }}",
        "{{ candidate.update({'a': 1}) }}",
        "{{ self.__init__ }}",
        "{{ interview.starts_at.hour }}",
        "{{ interview.starts_at.strftime('%H') }}",
        "{{ 9999999999 * 9999999999 }}",
    ],
)
def test_a_template_cannot_harm_the_machine_or_read_times_in_the_wrong_zone(project, body):
    refused(project, body)


@pytest.mark.parametrize(
    "body",
    [
        '<p style="color:{{ candidate.first_name }}">x</p>',
        '<p class="{{ candidate.first_name }}">x</p>',
        '<p onclick="{{ candidate.first_name }}">x</p>',
        "<style>p { color: {{ candidate.first_name }} }</style>",
        "<!-- {{ candidate.first_name }} -->",
        '<a href="{{ candidate.first_name }}">x</a>',
        "{{ true }}",
        "{{ candidate }}",
        "{{ candidate.get }}",
    ],
)
def test_a_value_where_no_escaping_makes_it_safe_is_refused(project, body):
    refused(project, body, suffix="html", candidate={"first_name": "javascript:alert(1)"})


@pytest.mark.parametrize(
    ("given", "href"),
    [
        ("meet.example.com/x", "https://meet.example.com/x"),
        ("HTTPS://example.com/ü b?x='\"", "HTTPS://example.com/%C3%BC%20b?x='%22"),
        ("mailto:ida@example.com", "mailto:ida@example.com"),
    ],
)
def test_a_link_that_people_would_understand_works(project, given, href):
    body = "[open]({{ candidate.first_name }})"
    assert Page(project.render(body, candidate={"first_name": given}).html).links == [href]


# --- times, languages, footer --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "timezone", "expected"),
    [
        ("en", "Europe/Lisbon", "Thursday, 3 December 2026, 10:00 (Lisbon time)"),
        ("en", "America/New_York", "Thursday, 3 December 2026, 05:00 (New York time)"),
        ("en", "Asia/Kolkata", "Thursday, 3 December 2026, 15:30 (Kolkata time)"),
        ("en", None, "Thursday, 3 December 2026, 10:00 (Lisbon time)"),
        ("de", "Europe/Berlin", "Donnerstag, 3. Dezember 2026, 11:00 (Ortszeit Berlin)"),
        ("de-AT", "Europe/Vienna", "Donnerstag, 3. Dezember 2026, 11:00 (Ortszeit Wien)"),
        ("fr", "Europe/Paris", "Thursday, 3 December 2026, 11:00 (Paris time)"),
    ],
)
def test_times_are_told_in_the_readers_zone_and_the_letters_language(
    project, locale, timezone, expected
):
    project.write("topic/letter.de.md", "{{ interview.starts_at }}", category=None)
    rendered = project.render(
        "{{ interview.starts_at }}", locale=locale, candidate={"timezone": timezone}
    )
    assert rendered.text.splitlines()[0] == expected
    assert f'lang="{rendered.locale}"' in rendered.html


def test_day_and_clock(project):
    body = "{{ interview.starts_at | day }} / {{ interview.starts_at | clock }}"
    text = project.render(body).text
    assert text.startswith("Thursday, 3 December 2026 / 10:00 (Lisbon time)\n")


@pytest.mark.parametrize(
    ("category", "unsubscribe"), [("prep", False), ("culture", True), ("privacy", False)]
)
def test_the_footer_says_who_we_are_why_and_how_to_stop(project, category, unsubscribe):
    rendered = project.render("Hello", category=category)
    for part in (rendered.text, Page(rendered.html).text):
        assert "1 Example Street, Lisbon" in part
        assert "You are receiving this because" in part
    assert (rendered.unsubscribe_url in rendered.text) is unsubscribe
    assert (rendered.unsubscribe_url in Page(rendered.html).links) is unsubscribe


def test_a_message_made_nurture_by_its_step_gets_the_link_all_the_same(project):
    project.write("topic/letter.md", "Hello")
    rendered = project.renderer().render(
        "topic/letter",
        project.context(),
        candidate_id=7,
        locale=None,
        category=project.config.categories["culture"],
    )
    assert rendered.unsubscribe_url in rendered.text


def test_a_nurture_letter_in_a_layout_without_the_link_is_refused(project):
    (project.root / "templates/layouts/bare.html").write_text(
        "<html><body>{{ body }}</body></html>"
    )
    assert project.render("Hello", layout="bare").text
    assert "unsubscribe" in str(refused(project, "Hello", layout="bare", category="culture"))


def test_the_links_of_a_reader_are_theirs(project):
    text = project.render("{{ links.preferences_url }} {{ links.unsubscribe_url }} {{ why }}").text
    preferences, unsubscribe = text.split()[:2]
    signer = Signer([b"k" * 32])
    assert signer.read(PREFERENCES, preferences.rpartition("/p/")[2]) == 7
    assert signer.read(UNSUBSCRIBE, unsubscribe.rpartition("/u/")[2]) == 7
    assert len(f"<{unsubscribe}>") <= 76


def test_the_subject_is_one_line(project):
    rendered = project.render(
        "Hello",
        subject='"{{ candidate.first_name }} -  {{ job.title }}"',
        candidate={"first_name": "Ana\r\nBcc: x@evil.test\x00"},
    )
    assert rendered.subject == "Ana Bcc: x@evil.test - Data Engineer"


def test_the_preheader_is_the_first_thing_to_be_read_and_visible(project):
    rendered = project.render("Hello", preheader="A kit for Thursday")
    assert Page(rendered.html).text.startswith("A kit for Thursday")
    assert "display:none" not in rendered.html.replace(" ", "")


@pytest.mark.parametrize("accent", ["#1f6f5c", "#ffff00", "#000000", "#ffffff", "#ff8800"])
def test_whatever_the_accent_is_words_can_be_read(accent):
    chosen = colours(accent)
    assert contrast(chosen["link"], "#ffffff") >= 4.5
    assert contrast(chosen["night_link"], "#211f1c") >= 4.5
    assert contrast(chosen["on_accent"], accent) >= 4.5


def test_a_lower_case_doctype_survives_inlining_and_so_do_media_queries():
    page = inline(
        "<!doctype html><html><head><style>p{color:red}"
        "@media (max-width:3px){p{color:blue!important}}</style></head><body><p>x</p></body></html>"
    )
    assert page.startswith("<!DOCTYPE html>\n<html")
    assert '<p style="color:red">' in page
    assert "@media (max-width:3px){p{color:blue!important}}" in page


def test_a_task_line_is_rendered_with_the_same_words(project):
    project.write("topic/letter.md", "x")
    renderer = project.renderer()
    line = renderer.line("Call **{{ candidate.first_name }}**\nsoon", project.context())
    assert line == "Call **Ana** soon"
    with pytest.raises(RenderError):
        renderer.line("Call {{ candidate.phone }}", project.context())
