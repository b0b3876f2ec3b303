"""What reading template files promises."""

import pytest
from letters import Project

from nurture.core.model import Tone
from nurture.rendering.templates import choose, load_templates

GOOD = "---\nsubject: Hi\ncategory: prep\n---\nHello\n"


def problems_of(project, text, name="topic/letter.md"):
    path = project.root / "templates" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    templates, problems = load_templates(project.root)
    assert templates == {}
    return [(problem.line, problem.code) for problem in problems]


def test_a_template_is_named_by_its_path_and_knows_where_its_words_begin(project):
    project.write("topic/letter.md", "Hello\n", tone="grave", preheader="Soon")
    templates, problems = load_templates(project.root)
    assert problems == []
    template = templates["topic/letter"]
    assert template.first_line == 7
    assert template.tone is Tone.GRAVE
    assert (template.topic, template.layout, template.markdown) == ("prep", "letter", True)


def test_a_translation_takes_what_it_does_not_say_from_the_default(project):
    project.write("topic/letter.md", "Hello\n", tone="grave", topic="news")
    project.write("topic/letter.de.md", "Hallo\n", subject="Hallo", category=None)
    templates, problems = load_templates(project.root)
    assert problems == []
    german = templates["topic/letter.de"]
    assert (german.name, german.locale) == ("topic/letter", "de")
    assert (german.category, german.tone, german.topic) == ("prep", Tone.GRAVE, "news")


@pytest.mark.acceptance("A8.4")
@pytest.mark.parametrize(
    ("locale", "subject"),
    [
        ("pt-BR", "Brasil"),
        ("pt_BR", "Brasil"),
        ("pt-PT", "Portugal"),
        ("pt", "Portugal"),
        ("de", "Default"),
        (None, "Default"),
    ],
)
def test_a_reader_gets_their_locale_or_language_or_the_default(project, locale, subject):
    project.write("t.md", "x", subject="Default")
    project.write("t.pt.md", "x", subject="Portugal", category=None)
    project.write("t.pt-BR.md", "x", subject="Brasil", category=None)
    templates, _ = load_templates(project.root)
    assert choose(templates, "t", locale or "en", "en").subject == subject


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello\n", [(1, "front-matter")]),
        ("---\nsubject: Hi\n", [(1, "front-matter")]),
        ("---\nsubject: Hi\ncategory: prep\nasks: x\n---\n", [(4, "unknown-key")]),
        ("---\nsubject: Hi\n---\nHello\n", [(1, "missing-key")]),
        ("---\ncategory: prep\n---\nHello\n", [(2, "missing-key")]),
        ("---\nsubject: Hi\ncategory: prep\ntone: funny\n---\n", [(4, "invalid-value")]),
        ("---\nsubject: [a\n---\n", [(2, "yaml")]),
        ("---\nsubject: Hi\ncategory: prep\nlayout: none\n---\n", [(4, "unknown-layout")]),
        ("---\nsubject: Hi\ncategory: prep\n---\n\n{% if %}\n", [(6, "template-syntax")]),
        ("---\nsubject: 'Hi {{'\ncategory: prep\n---\n", [(2, "template-syntax")]),
        (b"---\nsubject: Hi\ncategory: prep\n---\n\xff\n", [(5, "encoding")]),
    ],
)
def test_what_is_wrong_is_said_with_its_line(project, text, expected):
    assert problems_of(project, text) == expected


@pytest.mark.parametrize("key", ["talking_points", "promise"])
def test_keys_that_do_not_work_yet_are_refused_and_not_ignored(project, key):
    text = f"---\nsubject: Hi\ncategory: prep\n{key}: interview\n---\nHello\n"
    assert problems_of(project, text) == [(4, "not-yet")]


def test_every_problem_of_every_file_is_told(project):
    project.write("a.md", "x", tone="funny", layuot="x")
    project.write("b.md", "{% if %}", preheader="'{{ x'")
    project.write("good.md", "x")
    templates, problems = load_templates(project.root)
    assert sorted(templates) == ["good"]
    assert len(problems) == 4
    assert any("layout" in problem.hint for problem in problems)


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["a.md", "a.html"], "duplicate-template"),
        (["a.de.md"], "no-default"),
        (["a b.md"], "template-name"),
        (["a.GERMAN.md"], "template-name"),
    ],
)
def test_names_that_cannot_be_meant_are_refused(project, names, code):
    for name in names:
        project.write(name, "x")
    assert [problem.code for problem in load_templates(project.root)[1]] == [code]


def test_a_translation_of_another_category_is_refused(project):
    project.write("a.md", "x", category="prep").write("a.de.md", "x", category="culture")
    assert [problem.code for problem in load_templates(project.root)[1]] == ["translation-differs"]


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path):
    project = Project(tmp_path)
    (tmp_path / "templates" / "a.md").write_bytes(
        b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    )
    templates, problems = load_templates(project.root)
    assert problems == []
    assert templates["a"].body == "Hello\n"


def test_a_project_without_templates_has_none(tmp_path):
    assert load_templates(tmp_path) == ({}, [])
