"""What candidates read is whole in each language, and small."""

import re
from html.parser import HTMLParser
from string import Formatter

import httpx
import pytest
from playwright.sync_api import Browser

from nurture.engine.project import Project
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.rendering.links import CONFIDENCES, PREFERENCES, UNSUBSCRIBE
from nurture.store.facts import find_candidate
from nurture.web.looks import PAGES
from nurture.web.phrases import languages, phrases_for, spoken, texts_of
from tests.conftest import REPOSITORY

AXE = REPOSITORY / "tests/web/vendor/axe/axe.min.js"
OWN = ("unsubscribe", "choices", "held", "needs", "answer", "reader")
READERS = {"en": "sample-03", "de": "sample-02", "fr": "sample-23"}
#: The same word in both.
ALIKE = {"de": {"data.name"}, "fr": set[str]()}
MOST = 20_000  # bytes of a page with all that it loads


class Texts(HTMLParser):
    """The pieces of text of a page, each with its language."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, str]] = []
        self.found: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "input", "br"):
            last = self.tags[-1][1] if self.tags else ""
            self.tags.append((tag, dict(attrs).get("lang") or last))

    def handle_endtag(self, tag: str) -> None:
        while self.tags and self.tags.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.found.append((self.tags[-1][1], " ".join(data.split(" ")).strip()))


def links(project: Project, who: str) -> list[str]:
    with project.database.read() as connection:
        found = find_candidate(connection, who)
    assert found is not None
    token = {p: project.signer.token(p, found.id) for p in (UNSUBSCRIBE, PREFERENCES, CONFIDENCES)}
    mine = f"/p/{token[PREFERENCES]}"
    return [f"/u/{token[UNSUBSCRIBE]}", mine, f"{mine}/data", f"/p/needs/{token[CONFIDENCES]}"]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", [each for each in languages() if each != "en"])
def test_no_phrase_is_missing_and_none_is_untranslated(language) -> None:
    english, own = texts_of("en"), texts_of(language)
    assert list(own) == list(english)
    for name, text in own.items():
        assert text.strip() == text != "", name
        assert fields(text) == fields(english[name]), name
    assert {name for name in own if own[name] == english[name]} == ALIKE[language]


def test_there_are_the_languages_that_the_documents_name() -> None:
    assert languages() == ("de", "en", "fr")


def test_readers_are_addressed_formally() -> None:
    for text in texts_of("de").values():
        assert not re.search(r"\b(du|dich|dir|dein\w*|euch|euer\w*)\b", text, re.IGNORECASE), text
    for text in texts_of("fr").values():
        assert not re.search(r"\b(tu|toi|te|ton|ta|tes)\b", text, re.IGNORECASE), text
        assert not re.search(r"[^\u00a0\u202f][:;?!»]", text), text  # no line begins with these


@pytest.mark.parametrize("name", OWN)
def test_no_page_says_anything_but_phrases(name) -> None:
    source = (PAGES / f"{name}.html").read_text(encoding="utf-8")
    known = texts_of("en")
    for phrase in re.findall(r'say\("([^"]+)"[,)]', source):
        assert phrase in known
    bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", source, flags=re.DOTALL)
    assert not re.search(r"\b(alt|title|placeholder|aria-label)=", bare)
    assert not re.search(r"[^\W\d_]", re.sub(r"<[^>]*>", "", bare)), name


@pytest.mark.parametrize("language", READERS)
def test_each_page_is_in_its_readers_language_and_says_so(site, standing, language) -> None:
    foreign = {
        text
        for other in languages()
        if other != language
        for text in texts_of(other).values()
        if len(text) > 3 and text not in texts_of(language).values() and "{" not in text
    }
    for path in links(standing, READERS[language]):
        page = site.get(path).text
        assert f'<html lang="{language}">' in page
        said = {text for lang, text in Texts(page).found if lang == language}
        assert len(said) > 4
        assert not said & foreign, path


def test_who_reads_another_language_reads_english_and_the_page_says_so(site, standing) -> None:
    for path in links(standing, "sample-01"):  # Portuguese
        assert '<html lang="en">' in site.get(path).text


def test_a_link_that_is_nobodys_is_answered_in_a_language_the_browser_asks_for(site) -> None:
    for accepted, language in (("fr-CH, fr;q=0.9, en", "fr"), ("ja,de", "de"), ("ja", "en")):
        for path in ("/p/" + "A" * 32, "/a/x", "/u/x", "/p/x/y/z"):
            page = site.get(path, headers={"accept-language": accepted}).text
            assert f'<html lang="{language}">' in page


def test_the_language_of_a_header_is_one_of_ours_or_the_companys() -> None:
    assert spoken("de-AT;q=0.8, fr", "en") == "de-AT"
    for nonsense in ("", "*", "de_DE,<b>", "xx," * 9000, "\x00"):
        assert spoken(nonsense, "pt") == "pt"
    assert phrases_for("pt").language == "en"
    assert phrases_for("de-AT").locale == "de-AT"


@pytest.mark.parametrize("language", READERS)
def test_each_page_is_small_loads_its_two_sheets_and_has_no_script(
    site, standing, language
) -> None:
    for path in links(standing, READERS[language]):
        answer = site.get(path)
        loaded = re.findall(r'(?:src|<link[^>]* href)="([^"]+)"', answer.text)
        assert loaded == ["/static/icon.svg", "/static/public.css", "/static/brand.css"]
        sizes = [len(answer.content), *(len(site.get(each).content) for each in loaded)]
        assert sum(sizes) < MOST, (path, sizes)
        assert "<script" not in answer.text
        assert not re.search(r"\son\w+=|style=", answer.text)
        assert "set-cookie" not in answer.headers
        assert "script-src" not in answer.headers["content-security-policy"]


def test_a_long_history_still_fits(client, populated) -> None:
    now = populated.clock.now()
    for number in range(60):
        told = {
            "type": "promise.made",
            "id": f"p{number}",
            "historical": True,
            "occurred_at": now.isoformat(),
            "candidate": {"id": "sample-02"},
            "application": {"id": "sample-app-02"},
            "promise": {"id": f"p{number}", "what": "an answer", "due": "2026-12-04"},
        }
        apply(populated.database, parse_event(told), now)
    (_, _, held, _) = links(populated, "sample-02")
    assert len(client.get(held).content) < MOST - 8_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_candidates_pages_have_no_violation_on_the_smallest_phone(
    site: httpx.Client, standing: Project, browser: Browser, scheme: str
) -> None:
    look = {"width": 320, "height": 700}
    with browser.new_context(viewport=look, color_scheme=scheme, bypass_csp=True) as context:
        page = context.new_page()
        for language, who in READERS.items():
            for path in links(standing, who):
                page.goto(str(site.base_url.join(path)))
                page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, (language, path)
                page.add_script_tag(path=AXE)
                found = page.evaluate("axe.run().then(r => r.violations.map(v => v.id))")
                assert found == [], (language, path)
