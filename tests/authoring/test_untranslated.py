"""What the check says of letters that are not in the language of their campaign."""

import pytest

from nurture.authoring.check import check
from nurture.config import Config

STEPS = """
    name: Interview preparation
    enter: {on: interview.scheduled}
    steps:
      - send: prep/kit
      - send: prep/thanks
"""


def untranslated(project, config: Config | None = None) -> list[tuple[str, str]]:
    return [
        (each.file.rpartition("/")[2], each.hint)
        for each in check(config or project.config)
        if each.code == "untranslated"
    ]


def written(project, *names: str) -> None:
    project.campaign(STEPS)
    for name in ("kit", "thanks", *names):
        project.template(f"prep/{name}")


def test_a_campaign_in_one_language_lacks_nothing(project):
    written(project)
    assert untranslated(project) == []


@pytest.mark.acceptance("A8.4")
def test_each_letter_of_a_campaign_is_in_every_language_and_address_of_it(project):
    written(project, "kit.de", "kit.de-informal", "thanks.fr")
    found = untranslated(project)
    assert [file for file, _ in found] == ["kit.md", "thanks.md", "thanks.md"]
    assert [hint.partition(";")[0] for _, hint in found] == [
        "write prep/kit.fr.md",
        "write prep/thanks.de.md",
        "write prep/thanks.de-informal.md",
    ]
    project.template("prep/thanks.de")
    assert (
        "thanks.md",
        "write prep/thanks.de-informal.md; until there is one, its readers get prep/thanks.de.md",
    ) in untranslated(project)


def test_a_country_s_own_wording_is_no_language_and_the_own_one_needs_no_translation(project):
    written(project, "kit.de-AT", "kit.de", "kit.pt", "thanks.pt-BR", "thanks.pt")
    assert untranslated(project) == [
        (
            "thanks.md",
            "write prep/thanks.de.md; until there is one, its readers get prep/thanks.md",
        )
    ]
    german = Config(root=project.root, locale="de")
    assert untranslated(project, german) == []


def test_a_language_greets_by_the_name_that_it_greets_by(project):
    project.template("prep/kit", "Hello {{ candidate.first_name | default('there') }},")
    project.template("prep/kit.de", "Guten Tag {{ candidate.full_name | default('zusammen') }},")
    assert check(project.config) == []
    project.template("prep/kit.de", "Guten Tag,")
    assert [problem.code for problem in check(project.config)] == ["translation-lacks"]
