"""Promises of the live library: the last good version of everything, and quick when unchanged."""

import hashlib
from pathlib import Path

import pytest

from nurture.authoring import library as library_module

TEXT = """
    name: {title}
    enter: {{on: interview.scheduled}}
    steps:
      - send: prep/kit
        at: 1 day before interview.starts_at
"""


@pytest.fixture
def live(project):
    project.template("prep/kit")
    project.campaign(TEXT.format(title="One"))
    return project.library()


def test_a_change_is_in_force_after_the_next_look(project, live):
    project.campaign(TEXT.format(title="Two"))
    reloaded = live.reload()
    assert reloaded.campaigns == {"prep"}
    assert live.campaigns["prep"].title == "Two"


def test_a_broken_file_never_replaces_what_was_good(project, live, told):
    project.campaign(TEXT.format(title="Two") + "  - nonsense")
    reloaded = live.reload()
    assert reloaded.campaigns == frozenset()
    assert reloaded.problems == live.problems != ()
    assert live.campaigns["prep"].title == "One"
    project.campaign(TEXT.format(title="Three"))
    assert live.reload().problems == ()
    assert live.campaigns["prep"].title == "Three"


@pytest.mark.parametrize("part", range(0, 120, 7))
def test_a_file_being_written_does_no_harm(project, live, part):
    whole = project.campaign(TEXT.format(title="Two")).read_bytes()
    project.write("campaigns/prep.yaml", whole[:part])
    live.reload()
    assert live.campaigns["prep"].title in ("One", "Two")
    assert live.campaigns["prep"].steps[0].send == "prep/kit"
    project.write("campaigns/prep.yaml", whole)
    live.reload()
    assert (live.campaigns["prep"].title, live.problems) == ("Two", ())


def test_a_broken_template_goes_on_with_its_former_words(project, live):
    project.template("prep/kit", body="Hello {{ candidate.frst_name }}.")
    reloaded = live.reload()
    assert [problem.code for problem in reloaded.problems] == ["unknown-name"]
    assert live.templates["prep/kit"].body == "Hello.\n"
    assert live.campaigns["prep"].steps[0].category == "prep"
    project.template("prep/kit", body="Hello {{ candidate.first_name }}.")
    assert live.reload().templates == {"prep/kit"}


def test_a_template_that_is_gone_stays_while_a_campaign_sends_it(project, live):
    Path("templates/prep/kit.md").unlink()
    live.reload()
    assert "prep/kit" in live.templates
    Path("campaigns/prep.yaml").unlink()
    live.reload()
    project.template("other")
    live.reload()
    assert set(live.templates) == {"other"}


def test_a_new_campaign_with_a_broken_template_waits_until_it_is_whole(project, told):
    project.template("prep/kit", body="{{ nobody.knows }}")
    project.campaign(TEXT.format(title="One"))
    library = project.library()
    assert library.campaigns == {}
    assert told(library.problems) == ["prep.yaml:4:11 broken-template", "kit.md:5:4 unknown-name"]
    project.template("prep/kit")
    assert library.reload().campaigns == {"prep"}


def test_a_deleted_campaign_is_reported_as_missing_until_it_is_back(project, live):
    path = Path("campaigns/prep.yaml")
    raw = path.read_bytes()
    path.unlink()
    reloaded = live.reload()
    assert (reloaded.campaigns, reloaded.missing) == ({"prep"}, {"prep"})
    assert live.campaigns == {}
    assert live.reload().missing == {"prep"}
    path.write_bytes(raw)
    assert live.reload().missing == frozenset()
    assert "prep" in live.campaigns


def test_what_a_template_says_of_itself_reaches_the_steps_that_send_it(project, live):
    project.template("prep/kit", category="help")
    reloaded = live.reload()
    assert (reloaded.templates, reloaded.campaigns) == ({"prep/kit"}, {"prep"})
    assert live.campaigns["prep"].steps[0].category == "help"


def test_another_layout_is_a_change_of_every_template_in_it(project, live):
    project.write("templates/layouts/letter.html", "<html>{{ body }}</html>")
    assert live.reload().templates == {"prep/kit"}


def test_nothing_is_read_when_nothing_changed(project, live, monkeypatch):
    def read(*_: object) -> None:
        raise AssertionError("a file was read")

    monkeypatch.setattr(library_module, "load_templates", read)
    monkeypatch.setattr(library_module, "read_partly", read)
    assert not live.reload()


def test_a_file_saved_without_a_change_changes_nothing(project, live):
    project.campaign(TEXT.format(title="One"))
    assert not live.reload()


def test_a_project_without_campaigns_and_templates_is_empty_and_fine(tmp_path):
    library = library_module.Library(library_module.Config(root=tmp_path))
    assert (library.campaigns, library.templates, library.problems) == ({}, {}, ())


def test_a_file_with_the_other_suffix_is_pointed_out(project, live, told):
    project.write("campaigns/more.yml", "name: x\n")
    [problem] = live.reload().problems
    assert (problem.code, problem.severity) == ("file-name", "warning")


def test_every_file_in_force_can_be_kept_whole(project, live):
    project.write("templates/layouts/letter.html", "<html>{{ body }}</html>")
    good = project.template("prep/kit", body="Other words.").read_text()
    live.reload()
    project.template("prep/kit", body="{{ nobody.knows }}")
    project.campaign(TEXT.format(title="Broken") + "  - nonsense")
    live.reload()
    rows = {(row.kind, row.name): row for row in live.revisions()}
    assert set(rows) == {("campaign", "prep"), ("template", "prep/kit.md"), ("layout", "letter")}
    assert "name: One" in rows["campaign", "prep"].content
    assert rows["template", "prep/kit.md"].content == good
    assert rows["layout", "letter"].content == "<html>{{ body }}</html>"
    for row in rows.values():
        assert hashlib.sha256(row.content.encode()).hexdigest() == row.digest
