"""Several letters in one mail read as one letter of several parts."""

import re

import pytest
from letters import NOW, facts, row

from nurture.core.model import Subject
from nurture.rendering import shapes
from nurture.rendering.context import context
from nurture.rendering.errors import RenderError
from nurture.rendering.mime import message
from nurture.rendering.renderer import Part, Renderer

PREP = (
    "Hello {{ candidate.first_name }},\n\nWe meet {{ interview.starts_at | day }}.\n\nIda, Acme\n"
)
TEAM = "Hello {{ candidate.first_name }},\n\nThree people, *one* table.\n\nIda, Acme\n"
SURVEY = "Hi there,\n\n- Was it clear?\n- Was it kind?\n\nThe survey team\n"


@pytest.fixture
def bundle(project):
    project.write("prep.md", PREP, subject="Your day", category="prep", preheader="A kit")
    project.write("team.md", TEAM, subject="'Who & what: the team'", category="help")
    project.write("survey.md", SURVEY, subject="Two questions", category="status")
    return project


def parts(project, *names, **candidate):
    known = project.context(**candidate)
    return [Part(template=name, context=known) for name in names]


def rendered(project, *names, renderer: Renderer | None = None, **candidate):
    return (renderer or project.renderer()).bundle(
        parts(project, *names, **candidate), candidate_id=7, locale=None, message_id=5
    )


def test_a_bundle_of_one_is_the_letter_itself(bundle):
    alone = bundle.renderer().render("prep", bundle.context(), candidate_id=7, locale=None)
    assert rendered(bundle, "prep") == alone


def test_there_is_one_greeting_a_heading_over_each_and_a_shared_signature_once(bundle):
    mail = rendered(bundle, "prep", "team", "survey")
    assert mail.text.partition("\n\n--\n")[0].split("\n") == [
        "Hello Ana,",
        "",
        "— Your day —",
        "",
        "We meet Thursday, 3 December 2026.",
        "",
        "— Who & what: the team —",
        "",
        "Three people, one table.",
        "",
        "— Two questions —",
        "",
        "- Was it clear?",
        "- Was it kind?",
        "",
        "The survey team",
        "",
        "Ida, Acme",
    ]
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", mail.html)
    assert headings == ["Your day", "Who &amp; what: the team", "Two questions"]
    assert mail.html.count("Hello Ana") == mail.html.count("Ida, Acme") == 1


def test_different_signatures_stay_with_what_they_sign(bundle):
    text = rendered(bundle, "prep", "survey").text
    assert text.index("Ida, Acme") < text.index("— Two questions —") < text.index("The survey team")


def test_the_subject_is_the_first_ones_and_the_preheader_names_the_others(bundle):
    mail = rendered(bundle, "prep", "team", "survey")
    assert mail.subject == "Your day"
    assert mail.preheader == "Also in this mail: Who & what: the team; Two questions"


def test_the_footer_stands_once_and_lets_go_of_nurture_mail_alone(bundle):
    def raw(mail, category):
        known = {"facts": facts(), "category": bundle.config.categories[category], "at": NOW}
        return message(mail, message=row(), config=bundle.config, **known).replace(b"\r\n ", b" ")

    bundle.write("culture.md", TEAM, subject="'Who & what: the team'", category="culture")
    bundle.write("digest.md", SURVEY, subject="Two questions", category="digest")
    letting_go = rendered(bundle, "culture", "digest")
    assert letting_go.html.count(letting_go.unsubscribe_url) == 1
    sent = raw(letting_go, "culture")
    assert sent.count(b"List-Unsubscribe: <" + letting_go.unsubscribe_url.encode()) == 1
    service = rendered(bundle, "prep", "team")
    assert service.html.count("because of your application") == 1
    assert b"unsubscribe" not in raw(service, "prep").lower()
    assert "unsubscribe" not in service.html.casefold()
    for mail in (letting_go, service):
        assert mail.text.count("\n--\n") == 1


def test_letters_of_two_classes_are_never_one(bundle):
    bundle.write("culture.md", TEAM, subject="The team", category="culture")
    for names in (["prep", "team", "culture"], ["culture", "prep"]):
        with pytest.raises(RenderError, match="never joins") as caught:
            rendered(bundle, *names)
        assert caught.value.part == len(names) - 1


@pytest.mark.acceptance("A8.4")
def test_letters_in_two_languages_or_addresses_are_never_one(project):
    project.write("a.md", "Hello").write("a.de.md", "Guten Tag", category=None)
    project.write("b.md", "Hello").write("b.de-informal.md", "Hallo", category=None)
    parts = [Part(template=name, context=project.context()) for name in ("a", "b")]
    for locale in ("de", "de-informal"):
        with pytest.raises(RenderError, match="never joins") as caught:
            project.renderer().bundle(parts, candidate_id=7, locale=locale)
        assert caught.value.part == 1
    assert project.renderer().bundle(parts, candidate_id=7, locale="fr").locale == "en"


def test_a_shape_is_laid_out_once_for_all_who_take_the_same_branches(bundle, monkeypatch):
    renderer = bundle.renderer()
    first = rendered(bundle, "prep", "team", renderer=renderer)
    monkeypatch.setattr(shapes, "inline", None)
    second = rendered(bundle, "prep", "team", renderer=renderer, first_name="<Zoë> & *Co*")
    assert "Hello &lt;Zoë&gt; &amp; *Co*," in second.html
    assert second.html.replace("&lt;Zoë&gt; &amp; *Co*", "Ana") == first.html


def test_each_part_reads_its_own_subject_and_asks_its_own_questions(bundle):
    ask = "\n  - {id: fine, text: Fine?, options: {a: Yes, b: No}}"
    bundle.write("ask.md", 'Hello,\n\n{{ ask("fine") }}\n', subject="Ask", category="help", ask=ask)
    other = context(
        facts(), Subject(application="a-9"), enrollment=None, config=bundle.config, now=NOW
    )
    both = [Part(template="ask", context=other), *parts(bundle, "prep")]
    mail = bundle.renderer().bundle(both, candidate_id=7, locale=None, message_id=5)
    assert mail.text.count("/a/") == 2
    assert "We meet Thursday" in mail.text


def test_what_cannot_be_written_is_named_by_its_number_its_file_and_its_line(bundle):
    bundle.write("broken.md", "Hello,\n\nCall {{ interview.phone }}.\n", subject="Call")
    with pytest.raises(RenderError) as caught:
        rendered(bundle, "prep", "broken")
    assert caught.value.part == 1
    assert str(caught.value).endswith("broken.md:7: interview.phone is missing for this person")


def test_facts_are_required_of_every_part(bundle):
    bundle.write("kit.md", "Hello,\n\nA kit.\n", facts='["{{ interview.url }}"]', category="prep")
    with pytest.raises(RenderError) as caught:
        rendered(bundle, "prep", "kit")
    assert caught.value.part == 1
