"""Who is addressed as du and who as Sie, in every word of a mail."""

from zoneinfo import ZoneInfo

import pytest
from letters import Project, facts

from nurture.core.content import Brought, Content, Match, Situation
from nurture.core.model import Candidate, Tone
from nurture.rendering.because import because
from nurture.rendering.languages import reading, reads
from nurture.rendering.templates import chosen_for, load_templates
from nurture.rendering.words import words_for

ALL = ("", ".de", ".de-informal", ".de-AT", ".pt")


def reader(locale=None, formality=None):
    fields = {} if formality is None else {"formality": formality}
    return Candidate(id=7, ref="c-17", locale=locale, fields=fields)


def started(tmp_path, config="", files=ALL):
    project = Project(tmp_path, config)
    for mark in files:
        project.write(
            f"t{mark}.md", "x", subject=f"file{mark}", category="prep" if not mark else None
        )
    return project


@pytest.mark.acceptance("A8.4")
@pytest.mark.parametrize(
    ("locale", "formality", "company", "chosen"),
    [
        ("de", None, "formal", ".de"),
        ("de", None, "informal", ".de-informal"),
        ("de", "formal", "informal", ".de"),
        ("de", "informal", "formal", ".de-informal"),
        ("de", "rude", "formal", ".de"),
        ("de-AT", "formal", "formal", ".de-AT"),
        ("de-AT", "informal", "formal", ".de-informal"),  # the address goes before the country
        ("de_at", "formal", "formal", ".de-AT"),
        ("pt", "informal", "formal", ".pt"),  # no informal one: the formal one of their language
        ("fr", "informal", "formal", ""),
        (None, "informal", "informal", ""),
    ],
)
def test_a_reader_gets_their_address_their_country_their_language_or_the_default(
    tmp_path, locale, formality, company, chosen
):
    project = started(tmp_path, f"formality: {company}\n")
    templates, _ = load_templates(project.root)
    found = chosen_for(templates, "t", reader(locale, formality), project.config)
    assert found.subject == f"file{chosen}"


@pytest.mark.parametrize(("formality", "chosen"), [(None, ""), ("informal", ""), ("formal", ".de")])
def test_a_company_whose_own_texts_say_du_writes_sie_beside_them(tmp_path, formality, chosen):
    project = started(tmp_path, "locale: de\nformality: informal\n", ("", ".de", ".en"))
    templates, _ = load_templates(project.root)
    found = chosen_for(templates, "t", reader("de-CH", formality), project.config)
    assert found.subject == f"file{chosen}"


def test_an_informal_translation_takes_the_rest_from_the_default_as_any_other(tmp_path):
    project = Project(tmp_path).write("t.md", "x", tone="grave", topic="news")
    project.write("t.de-informal.md", "y", category=None)
    template = load_templates(project.root)[0]["t.de-informal"]
    assert (template.tone, template.topic, template.category) == (Tone.GRAVE, "news", "prep")


@pytest.mark.parametrize("name", ["t.de-infromal.md", "t.informal.md", "t.de-informal-AT.md"])
def test_a_mark_that_nobody_would_ever_be_chosen_by_is_refused(tmp_path, name):
    project = Project(tmp_path).write("t.md", "x").write(name, "x")
    assert [problem.code for problem in load_templates(project.root)[1]] == ["template-name"]


def mail(project, about):
    return project.renderer().render(
        "t", project.context(about), candidate_id=7, locale=reads(about.candidate, project.config)
    )


@pytest.mark.parametrize(
    ("formality", "why"),
    [
        ("formal", "Sie erhalten diese Nachricht wegen Ihrer Bewerbung als Data Engineer"),
        ("informal", "Du erhältst diese Nachricht wegen deiner Bewerbung als Data Engineer"),
    ],
)
def test_the_words_around_a_letter_are_in_its_address_and_the_world_is_told_the_language(
    tmp_path, formality, why
):
    project = Project(tmp_path)
    body = "{{ interview.starts_at | when }}"
    project.write("t.md", body, category="culture")
    project.write("t.de.md", body, category=None).write("t.de-informal.md", body, category=None)
    about = facts(locale="de-AT", fields={"formality": formality})
    rendered = mail(project, about)
    assert rendered.locale == "de-AT"
    assert '<html lang="de-AT"' in rendered.html
    assert "Donnerstag, 3. Dezember 2026, 10:00 (Ortszeit Lissabon)" in rendered.text
    assert words_for(f"de-{formality}")["preferences"] in rendered.text
    project.write("t.md", body)
    assert why in mail(project, about).text


def test_a_text_that_is_there_in_one_address_only_is_in_that_one_with_all_around_it(tmp_path):
    project = Project(tmp_path, "formality: informal\n")
    project.write("t.md", "x").write("t.de.md", "y", category=None)
    project.write("t.fr-informal.md", "z", category=None)
    assert "Sie erhalten" in mail(project, facts(locale="de")).text
    formal = mail(project, facts(locale="fr", fields={"formality": "formal"}))
    assert (formal.locale, "You are receiving" in formal.text) == ("en", True)
    assert "Tu reçois" in mail(project, facts(locale="fr")).text


@pytest.mark.parametrize(
    ("words", "reader", "both"),
    [
        ("pt", "pt-BR", "pt-BR"),
        ("en", "de", "en"),
        ("de-informal", "de-AT-informal", "de-AT-informal"),
        ("de", "de-AT-informal", "de-AT"),
        ("de-informal", "fr", "de-informal"),
        ("en-informal", "en-GB", "en-GB-informal"),
    ],
)
def test_dates_and_address_follow_the_words(words, reader, both):
    assert reading(words, reader) == both


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("de", "Sie mit dem Team Data arbeiten würden und weil uns Ihre Bewerbung vorliegt"),
        ("de-CH-informal", "du mit dem Team Data arbeiten würdest und weil uns deine Bewerbung"),
        ("fr", "vous travailleriez avec l’équipe Data et que nous avons votre candidature"),
        ("fr-informal", "tu travaillerais avec l’équipe Data et que nous avons ta candidature"),
        ("sv-informal", "you would work with the Data team, and we have your application"),
    ],
)
def test_why_something_fits_is_said_in_the_language_and_the_address(tag, reason):
    item = Content(id="x", kind="question", title="X", text="x")
    met = (Match("team", "Data"), Match("stage", "applied"))
    said = because(Brought(item, met, Situation(None, "applied", None, None)), tag, ZoneInfo("UTC"))
    assert said.startswith(reason)
