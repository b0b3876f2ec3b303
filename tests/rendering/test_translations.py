"""What the shipped letters promise to who reads German or French, as Sie or du, vous or tu."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from nurture.authoring.content_file import read_content
from nurture.authoring.trial import everything_known
from nurture.config import Config, load_config
from nurture.core.content import Brought, Situation
from nurture.rendering import because, letter_words, times, words
from nurture.rendering.content import WORD
from nurture.rendering.languages import is_informal, language
from nurture.rendering.links import Signer
from nurture.rendering.renderer import Asked, Draft, Renderer
from nurture.rendering.templates import Template, load_templates
from tests.conftest import REPOSITORY

TAGS = ("de", "de-informal", "fr", "fr-informal")
GOLDEN = Path(__file__).parent / "golden"
FOLDERS = ("accommodations", "interview-prep", "status")
TEMPLATES, PROBLEMS = load_templates(REPOSITORY)
DEFAULTS = [
    each
    for each in TEMPLATES.values()
    if each.locale is None and each.name.partition("/")[0] in FOLDERS
]
TRANSLATIONS = [each for each in TEMPLATES.values() if each.locale in TAGS]
QUESTIONS = {
    tongue: read_content((REPOSITORY / "content" / name).read_bytes(), name, {}).items
    for tongue, name in (
        ("en", "questions.yaml"),
        ("de", "questions.de.yaml"),
        ("fr", "questions.fr.yaml"),
    )
}

KINDS = ("phone", "video", "technical", "panel", "case", "onsite", "final")
#: Who is greeted how is the language's matter; a promise is named by each in its own words.
OF_LANGUAGE = {"candidate.first_name", "candidate.last_name", "candidate.full_name", "promise.what"}
ENGLISH = re.compile(
    r"\b(the|you|your|and|with|we|this|that|reply|hello|are|have|if|from|is|of|our|what|when|who"
    r"|by|to|it|be|can|how|not|yes)\b",
    re.IGNORECASE,
)
#: What would be said to somebody who is addressed the other way.
OTHER_ADDRESS = {
    "de": re.compile(r"\b(du|dir|dich|dein\w*|euch|euer\w*)\b", re.IGNORECASE),
    "de-informal": re.compile(r"\b(Sie|Ihnen|Ihr|Ihre[mnrs]?)\b"),
    "fr": re.compile(r"\b(tu|te|toi|ton|ta|tes|t’\w+)\b", re.IGNORECASE),
    "fr-informal": re.compile(r"\b(vous|votre|vos|\w+ez)\b", re.IGNORECASE),
}
NO_ADDRESS = re.compile(r"https?://\S+|rendez-vous|\bassez\b|\bchez\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(REPOSITORY / "config.yaml", {})


@pytest.fixture(scope="module")
def renderer(config: Config) -> Renderer:
    return Renderer(TEMPLATES, config, Signer([b"only to look at it" * 2]))


def known(config: Config, **fields: Any) -> dict[str, Any]:
    """Everything of one person, in words that no language has; `interview__kind="phone"` is what
    else is known, and None what is not."""
    person = everything_known(config)
    told = {
        "candidate__first_name": "Ana",
        "candidate__last_name": "Silva",
        "candidate__full_name": "Ana Silva",
        "candidate__discreet": None,
        "candidate__confided": None,
        "job__title": "Data Engineer",
        "job__team": "X7-Daten",
        "job__location": "Lisboa",
        "interview__kind": "video",
        "interview__location": "Rua Augusta 1, Lisboa",
        "interview__interviewers": [{"name": "Rui Costa", "role": "CTO"}, {"name": "Mei Lin"}],
        "interview__agenda": None,
        "interview__moved_from": None,
        "recruiter__name": "Ida Berg",
        "recruiter__title": None,
        "coordinator__name": "Tomás Vale",
        "application__broad_reason": None,
        "application__advocate_line": None,
        "why_others": None,
        **fields,
    }
    for name, value in told.items():
        thing, _, field = name.partition("__")
        if not field:
            person.pop(thing, None)
        elif value is None:
            person[thing] = {k: v for k, v in person[thing].items() if k != field}
        else:
            person[thing] = {**person[thing], field: value}
    return person


def people_for(template: Template, config: Config) -> Iterator[dict[str, Any]]:
    kinds = KINDS if "interview.kind" in template.source else KINDS[:1]
    yield from (known(config, interview__kind=kind) for kind in kinds)
    stages = ("screening", "interviewing", "on_hold")
    if "application.stage" in template.source:
        yield from (known(config, application__stage=stage) for stage in stages)
    yield from circumstances(config)


def circumstances(config: Config) -> Iterator[dict[str, Any]]:
    """People for whom letters take other branches."""
    soon = everything_known(config)["interview"]["starts_at"]
    yield known(config, application__next_date_at=soon, interview__moved_from=soon)
    yield known(
        config,
        candidate__confided=True,
        interview__kind="panel",
        interview__reschedule_url=None,
        interview__agenda=[{"starts_at": soon, "title": "Demo", "with": "Rui Costa"}],
    )
    yield known(
        config,
        interview__url=None,
        interview__phone=None,
        interview__location=None,
        interview__interviewers=None,
        recruiter=None,
        coordinator=None,
        job=None,
        candidate__full_name=None,
        candidate__first_name=None,
        promise__due=soon,
    )
    yield known(
        config,
        application__broad_reason="R1",
        application__advocate_line="L1",
        interview__starts_at=datetime.fromisoformat("2026-09-14T09:00:00+00:00"),
    )


def asked(template: Template) -> Asked:
    return {
        each.id: (
            each.text,
            [(label, f"https://ask.invalid/{key}") for key, label in each.options.items()],
        )
        for each in template.ask
    }


def drafted(renderer: Renderer, template: Template, person: Mapping[str, Any]) -> Draft:
    items = QUESTIONS[language(template.locale or "en")]
    nobody = Situation(None, None, None, None)

    def bring(_kind: str, most: int) -> list[Brought]:
        return [Brought(each, (), nobody) for each in items[::6][:most]]  # one of each type

    draft = renderer.draft(template, {**person, WORD: bring}, asked=asked(template))
    assert draft.missing == (), template.path
    assert not re.search(r"[\]\[{}]|\*\*", draft.text), template.path  # all of it was read as marks
    return draft


def told(draft: Draft, person: Mapping[str, Any], locale: str) -> tuple[set[str], Counter[str]]:
    """Which of the facts a letter says, by their names, and where its links lead."""
    text, facts = f"{draft.subject}\n{draft.text}", set()
    for thing, fields in person.items():
        if thing.startswith("_") or not isinstance(fields, dict) or thing == "links":
            continue
        for field, value in fields.items():
            name = f"{thing}.{field}"
            if isinstance(value, datetime | date):
                said = times.day(value, person["_zone"], locale) in text
                if isinstance(value, datetime):
                    said = said or times.clock(value, person["_zone"], locale) in text
            else:
                said = isinstance(value, str) and len(value) > 3 and value in text
            if said and name not in OF_LANGUAGE and field not in ("kind", "stage", "status"):
                facts.add(name)
    return facts, Counter(re.findall(r"https?://[^\s>)]+", text))


def test_every_letter_of_preparation_and_status_is_there_in_both_languages_and_addresses() -> None:
    assert PROBLEMS == []
    there = {(each.name, each.locale) for each in TRANSLATIONS}
    assert there >= {(each.name, tag) for each in DEFAULTS for tag in TAGS}


def test_each_says_the_facts_the_links_and_the_questions_of_the_default(
    renderer: Renderer, config: Config
) -> None:
    for default in DEFAULTS:
        for person in people_for(default, config):
            said = told(drafted(renderer, default, person), person, "en")
            for tag in TAGS:
                draft = drafted(renderer, TEMPLATES[f"{default.name}.{tag}"], person)
                assert told(draft, person, tag) == said, (default.name, tag, person["interview"])
                assert bool(draft.preheader) == bool(default.preheader), (default.name, tag)


@pytest.mark.acceptance("A8.4")
def test_none_says_anything_in_english_or_in_the_other_address(
    renderer: Renderer, config: Config
) -> None:
    person = known(config, recruiter__phone="+351 1", interview__agenda=None)
    for template in TRANSLATIONS:
        draft = drafted(renderer, template, person)
        text = "\n".join((draft.subject, draft.preheader, draft.text))
        text = NO_ADDRESS.sub("", text)
        assert template.locale is not None
        assert ENGLISH.findall(text) == [], template.path
        assert OTHER_ADDRESS[template.locale].findall(text) == [], template.path


@pytest.mark.parametrize("tag", TAGS)
def test_the_footer_speaks_the_language_and_the_address(
    renderer: Renderer, config: Config, tag: str
) -> None:
    rendered = renderer.render("status/received", known(config), candidate_id=7, locale=tag)
    footer = rendered.text.rpartition("\n--\n")[2].partition("\n")[2]
    assert footer
    assert ENGLISH.findall(footer) == []
    assert OTHER_ADDRESS[tag].findall(NO_ADDRESS.sub("", footer)) == []
    assert (f'<html lang="{language(tag)}"', rendered.locale) == (
        re.search(r'<html lang="\w+"', rendered.html)[0],  # type: ignore[index]
        language(tag),
    )


@pytest.mark.parametrize("ours", [words._WORDS, letter_words._WORDS, because._WORDS])
def test_no_word_of_ours_lacks_a_language_or_a_value(ours: Mapping[str, Mapping[str, str]]) -> None:
    english = ours["en"]
    assert {"de", "fr"} <= ours.keys()
    for tag, own in ours.items():
        if is_informal(tag):
            assert own.keys() < ours[language(tag)].keys(), tag
        else:
            assert own.keys() == english.keys(), tag
        for key, text in own.items():
            values = re.findall(r"\{\w+\}", text)
            assert sorted(values) == sorted(re.findall(r"\{\w+\}", english[key])), (tag, key)


@pytest.mark.parametrize("tongue", ["de", "fr"])
def test_every_sample_question_is_there_in_each_language_and_talks_to_nobody(tongue: str) -> None:
    """So that it can stand in a letter with either form of address."""
    default = {each.id: each for each in QUESTIONS["en"]}
    own = {each.id.removesuffix(f"-{tongue}"): each for each in QUESTIONS[tongue]}
    assert own.keys() == default.keys()
    for id_, each in own.items():
        text = f"{each.title} {each.text} {each.listens_for}"
        assert each.locale == tongue
        assert [what for what, _ in each.named] == [what for what, _ in default[id_].named]
        assert each.interview == default[id_].interview
        assert ENGLISH.findall(text) == [], id_
        for tag in (tongue, f"{tongue}-informal"):
            assert OTHER_ADDRESS[tag].findall(NO_ADDRESS.sub("", text)) == [], id_
        assert tongue != "fr" or not re.search(r"[ \w][?!;]|[ \w]:", text), id_


def test_quotes_and_spaces_are_those_of_the_language() -> None:
    for template in TRANSLATIONS:
        assert template.locale is not None
        asking = " ".join(" ".join((each.text, *each.options.values())) for each in template.ask)
        body = re.sub(r"\{[{%#].*?[}%#]\}", "X", template.body, flags=re.DOTALL)
        text = "\n".join((body, template.preheader, asking))
        assert '"' not in text, template.path
        assert "'" not in text, template.path
        if language(template.locale) == "de":
            assert text.count("„") == text.count("“"), template.path
        else:
            breaking = re.compile(r"\w[:;?!](?=\s|$)|[ \n][;?!»]|[ \n]:(?=\s|$)|«[^\u00a0]")
            assert breaking.findall(body) == [], template.path


@pytest.mark.parametrize("tag", TAGS)
def test_each_letter_reads_as_it_did_when_a_person_last_read_it(
    renderer: Renderer, config: Config, tag: str
) -> None:
    """After a change: WRITE_GOLDEN=1 pytest THIS_FILE, and read what changed before it is kept."""
    person, letters = known(config), []
    for template in sorted(TRANSLATIONS, key=lambda each: each.name):
        if template.locale == tag:
            draft = drafted(renderer, template, person)
            heads = (f"=== {template.name}", draft.subject, draft.preheader)
            letters.append("\n".join((*heads, "", draft.text.strip(), "")))
    path = GOLDEN / f"letters.{tag}.txt"
    written = "\n".join(letters)
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(written, encoding="utf-8")
    assert written == path.read_text(encoding="utf-8")
