"""What questions in templates promise to authors and to readers."""

import re

import pytest

from nurture.core.model import Duration
from nurture.errors import Problem
from nurture.rendering.links import Answer, Signer
from nurture.rendering.questions import Then, sets_problems
from nurture.rendering.templates import load_templates

COMING = """\
  - id: coming
    text: Will you be there?
    options: {yes: "Yes, I will", no: "No, sorry"}
"""
SIGNER = Signer([b"k" * 32])


def template(ask: str = COMING, body: str = '{{ ask("coming") }}', category: str = "prep") -> str:
    return f"---\nsubject: Hi\ncategory: {category}\nask:\n{ask}---\n{body}\n"


def read(project, text: str, name: str = "letter.md"):
    (project.root / "templates" / name).write_text(text, encoding="utf-8")
    return load_templates(project.root)


def problem_in(project, text: str) -> Problem:
    (found,) = read(project, text)[1]
    return found


def links(text: str) -> list[str]:
    return re.findall(r"http\S*/a/([A-Za-z0-9_-]+)", text)


@pytest.mark.parametrize("suffix", ["md", "html"])
def test_each_option_is_a_button_and_a_line_of_the_plain_text(project, suffix) -> None:
    project.write("letter." + suffix, 'Hello.\n\n{{ ask("coming") }}\n', ask="\n" + COMING.rstrip())
    rendered = project.renderer().render(
        "letter", project.context(), candidate_id=7, locale=None, message_id=31
    )
    assert "Will you be there?" in rendered.text
    assert re.search(r"^Yes, I will:? <?http", rendered.text, re.MULTILINE)
    assert re.search(r"^No, sorry:? <?http", rendered.text, re.MULTILINE)
    assert "{" not in rendered.text
    expected = [Answer(7, 31, "coming", "yes"), Answer(7, 31, "coming", "no")]
    assert [SIGNER.read_answer(token) for token in links(rendered.text)] == expected
    buttons = re.findall(r'<a [^>]*href="[^"]*/a/([\w-]+)"[^>]*>([^<]+)</a>', rendered.html)
    assert [SIGNER.read_answer(token) for token, _ in buttons] == expected
    assert [label for _, label in buttons] == ["Yes, I will", "No, sorry"]


def test_links_of_one_shape_are_each_readers_own(project) -> None:
    project.write("letter.md", '{{ ask("coming") }}\n', ask="\n" + COMING.rstrip())
    renderer = project.renderer()
    for who in (7, 8):
        rendered = renderer.render(
            "letter", project.context(), candidate_id=who, locale=None, message_id=who + 100
        )
        told = [SIGNER.read_answer(token) for token in links(rendered.text)]
        assert {(each.candidate_id, each.message_id) for each in told} == {(who, who + 100)}


def test_words_of_a_question_never_act_as_markup(project) -> None:
    ask = "\n  - id: coming\n    text: '**Now** or <b>later</b>?'\n    options: {yes: '[x](http://evil)'}"
    project.write("letter.md", '{{ ask("coming") }}\n', ask=ask)
    rendered = project.renderer().render(
        "letter", project.context(), candidate_id=7, locale=None, message_id=1
    )
    assert "**Now** or &lt;b&gt;later&lt;/b&gt;?" in rendered.html
    assert 'href="http://evil' not in rendered.html


def test_what_follows_is_for_every_option_or_for_each_its_own(project) -> None:
    every, problems = read(project, template(COMING + "    then: task\n"))
    assert problems == []
    assert every["letter"].ask[0].then == {"yes": Then(kind="task"), "no": Then(kind="task")}
    own = COMING + "    then: {no: pause 3 months}\n"
    some, problems = read(project, template(own))
    assert problems == []
    pause = Then(kind="pause", length=Duration(amount=3, unit="months"))
    assert some["letter"].ask[0].then == {"no": pause}
    assert str(pause) == "pause 3 months"


def test_an_answer_can_make_a_promise(project) -> None:
    said = "promise the feedback note within 5 business days"
    found, problems = read(project, template(COMING + f"    then: {{yes: {said}}}\n"))
    assert problems == []
    then = found["letter"].ask[0].then["yes"]
    within = Duration(amount=5, unit="business days")
    assert then == Then(kind="promise", what="the feedback note", length=within)
    assert str(then) == said


@pytest.mark.parametrize(
    ("ask", "place", "code", "said"),
    [
        (COMING + "    set: x\n", (8, 5), "unknown-key", "sets"),
        ("  - id: coming\n    options: {yes: x}\n", (5, 5), "missing-key", "text"),
        (COMING.replace("coming", "com ing"), (5, 9), "invalid-value", "com ing"),
        (COMING.replace("yes:", "y.s:"), (7, 15), "invalid-value", "y.s"),
        (COMING.replace("Yes, I will", "{{ x }}"), (7, 20), "invalid-value", "everybody"),
        (COMING + COMING, (8, 9), "duplicate-id", "line 5"),
        (COMING + "    then: leav\n", (8, 11), "invalid-value", "leave"),
        (COMING + "    then: pause\n", (8, 11), "duration", "how long"),
        (COMING + "    then: pause 3 moons\n", (8, 11), "duration", "pause 3 months"),
        (COMING + "    then: keep\n", (8, 11), "duration", "keep 12 months"),
        (COMING + "    then: promise feedback\n", (8, 11), "duration", "within 5 business days"),
        (COMING + "    then: {nope: leave}\n", (8, 12), "unknown-key", "nope"),
        (COMING + "    then: {no: leave it}\n", (8, 16), "invalid-value", "leave it"),
    ],
)
def test_what_is_wrong_with_a_question_is_said_at_its_place(
    project, ask, place, code, said
) -> None:
    placed = re.search("id: (.*)", ask)[1]
    found = problem_in(project, template(ask, f'{{{{ ask("{placed}") }}}}'))
    assert ((found.line, found.column), found.code) == (place, code)
    assert said in str(found)


def test_a_question_that_stands_nowhere_is_a_problem(project) -> None:
    found = problem_in(project, template(body="See you."))
    assert (found.line, found.column, found.code) == (5, 9, "unplaced-question")
    assert 'ask("coming")' in found.hint


def test_a_question_that_is_not_asked_cannot_be_placed(project) -> None:
    body = 'Hello.\n\nSo: {{ ask("comming") }} {{ ask("coming") }}'
    found = problem_in(project, template(body=body))
    assert (found.line, found.column, found.code) == (11, 8, "unknown-question")
    assert "coming" in found.hint


def test_a_question_is_not_asked_in_a_subject(project) -> None:
    text = template().replace("subject: Hi", "subject: '{{ ask(\"coming\") }}'")
    assert problem_in(project, text).code == "template-syntax"


@pytest.mark.parametrize(
    ("sets", "options", "codes"),
    [
        ("candidate.notice_period", {"one-month": "One month"}, []),
        ("candidate.available_from", {"2027-01-01": "January"}, []),
        ("candidate.available_from", {"soon": "Soon"}, ["unknown-value"]),
        ("candidate.channel", {"email": "By mail", "phone": "By phone"}, []),
        ("candidate.channel", {"fax": "By fax"}, ["unknown-value"]),
        ("candidate.notise_period", {"a": "A"}, ["unknown-name"]),
        ("candidate.email", {"a": "A"}, ["unknown-name"]),
        ("application.stage", {"hired": "Hire me"}, ["unknown-name"]),
        ("application.source", {"friend": "A friend"}, []),
    ],
)
def test_an_answer_sets_only_what_answers_may_set(project, sets, options, codes) -> None:
    listed = ", ".join(f"{key}: {label}" for key, label in options.items())
    ask = f"  - id: coming\n    text: When?\n    options: {{{listed}}}\n    sets: {sets}\n"
    templates, problems = read(project, template(ask))
    assert problems == []
    (question,) = templates["letter"].ask
    found = list(sets_problems(question, project.config.candidate_fields))
    assert [code for _, code, _, _ in found] == codes
    assert all(place == (8, 11) for place, *_ in found)


def test_did_you_mean_for_what_an_answer_sets(project) -> None:
    ask = COMING + "    sets: candidate.notise_period\n"
    (question,) = read(project, template(ask))[0]["letter"].ask
    ((_, _, _, hint),) = sets_problems(question, project.config.candidate_fields)
    assert "candidate.notice_period" in hint


def test_two_templates_cannot_mean_different_things_by_one_question(project) -> None:
    read(project, template(), "a.md")
    templates, (found,) = read(project, template(COMING.replace("no:", "later:")), "b.md")
    assert (found.code, found.file.endswith("b.md")) == ("question-differs", True)
    assert list(templates) == ["a"]
    templates, problems = read(project, template(COMING.replace("Will", "So, will")), "b.md")
    assert problems == []
    assert sorted(templates) == ["a", "b"]


def test_a_translation_asks_the_same_in_its_own_words(project) -> None:
    read(project, template(COMING + "    then: {no: withdraw}\n"))
    german = COMING.replace("Will you be there?", "Kommen Sie?").replace("Yes, I will", "Ja")
    templates, problems = read(project, template(german), "letter.de.md")
    assert problems == []
    (question,) = templates["letter.de"].ask
    assert (question.text, question.options["yes"]) == ("Kommen Sie?", "Ja")
    assert question.then == {"no": Then(kind="withdraw")}
    other = german.replace("no:", "nein:")
    (found,) = read(project, template(other), "letter.de.md")[1]
    assert found.code == "translation-differs"


@pytest.mark.parametrize("change", [0, 1, 20, -1])
def test_an_answers_token_is_whole_or_nothing(change) -> None:
    answer = Answer(7, 31, "coming", "no")
    token = SIGNER.answer_token(answer)
    assert len(token) < 60
    assert SIGNER.read_answer(token) == answer
    other = "A" if token[change] != "A" else "B"
    position = change % len(token)
    assert SIGNER.read_answer(token[:position] + other + token[position + 1 :]) is None
    assert SIGNER.read_answer(token[:-1]) is None
    assert SIGNER.read_answer(token + "A") is None
    assert Signer([b"x" * 32]).read_answer(token) is None
    assert Signer([b"x" * 32, b"k" * 32]).read_answer(token) == answer
    assert SIGNER.read("answer", token) is None


def test_a_token_of_another_purpose_is_no_answer() -> None:
    for purpose in ("unsubscribe", "preferences", "answer"):
        assert SIGNER.read_answer(SIGNER.token(purpose, 7)) is None
