"""Three pages around a letter: each is readable by day, by night, on a phone and in Outlook."""

import re
from itertools import product
from pathlib import Path

import pytest
from letters import LAYOUTS, Project
from test_letter_parts import AGENDA, CALLS, body_of, known

from nurture.config import load_config
from nurture.errors import Problems
from nurture.rendering.layout import colours, contrast

NAMES = sorted(path.stem for path in LAYOUTS.glob("*.html"))
#: What Outlook or Gmail cannot do.
NEVER = re.compile(
    r"display:\s*(?:inline-)?(?:flex|grid)|position\s*:|background-image|float\s*:|@import|@font-face"
    r"|url\(|<link|<script|<button|<form|var\(|calc\(|:has\(|opacity",
    re.IGNORECASE,
)
SOURCES = {name: (LAYOUTS / f"{name}.html").read_text("utf-8") for name in NAMES}


def page(project, layout, *, suffix="md", category="prep", locale="en"):
    about = known(interview={"agenda": AGENDA, "location": "1 Rua Augusta"})
    body = "Hello,\n\n## What\n\n> Said.\n\n{{ button('Move it', interview.reschedule_url) }}\n\n"
    letter = project.render(
        body + body_of(*CALLS),
        suffix=suffix,
        words=project.context(about),
        layout=layout,
        category=category,
        preheader="What counts now.",
        locale=locale,
    )
    return letter.html


def rules(css: str) -> dict[str, dict[str, str]]:
    """By selector what it says, outside of media queries."""
    found: dict[str, dict[str, str]] = {}
    for selectors, said in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        for selector in selectors.split(","):
            pairs = (each.partition(":") for each in said.split(";") if each.strip())
            told = {name.strip(): value.strip() for name, _, value in pairs}
            found.setdefault(selector.strip(), {}).update(told)
    return found


def css_of(html: str) -> tuple[str, str]:
    """By day, and what the dark scheme adds."""
    style = re.search(r"<style[^>]*>(.*?)</style>", html, re.DOTALL)[1]
    day = style.partition("@media")[0]
    night = re.search(r"prefers-color-scheme: dark\) \{(.*)\}", style, re.DOTALL)[1]
    return day, night.replace(" !important", "")


def test_there_are_three():
    assert NAMES == ["digest", "letter", "notice"]


@pytest.mark.parametrize("layout", NAMES)
def test_a_layout_has_what_outlook_and_gmail_need_and_nothing_they_cannot_do(project, layout):
    html = page(project, layout)
    source = SOURCES[layout]
    assert not NEVER.search(source)
    assert len(html.encode()) < 30_000
    assert source.count("<!--[if mso]>") == 3 == source.count("<![endif]-->")
    wide = re.search(r'<table role="presentation" width="(\d+)"', source)[1]
    assert f"max-width: {wide}px" in source
    # What only a style sheet says is about phones and the dark: Gmail may drop it.
    body = re.sub(r"<!--.*?-->", "", html[html.index("<body") :], flags=re.DOTALL)
    for opened in re.findall(r"<(?:p|td|th|h2|li|ul|ol|blockquote|a)\b[^>]*>", body):
        assert "style=" in opened, opened
    for table in re.findall(r"<table\b[^>]*>", body):
        assert 'cellpadding="0"' in table
        assert "presentation" in table or re.search(r'class="(facts|rows)"', table)


@pytest.mark.parametrize("layout", NAMES)
def test_a_button_is_a_cell_for_outlook_and_on_a_phone_as_wide_as_the_mail(project, layout):
    html = page(project, layout)
    cell = re.search(r'<td class="push"[^>]*>\s*<a [^>]*class="button"', html)
    assert cell is not None
    assert "mso-padding-alt" in cell[0]
    assert 'bgcolor="' in cell[0]
    assert ".letter .action table { width: 100% !important; }" in html


@pytest.mark.parametrize("layout", NAMES)
def test_the_first_words_are_the_preheader(project, layout):
    body = page(project, layout).partition("<body")[2]
    text = re.sub(r"<!--.*?-->|<[^>]*>", " ", body.partition(">")[2], flags=re.DOTALL)
    assert text.split()[:3] == ["What", "counts", "now."]


@pytest.mark.parametrize(("layout", "category"), list(product(NAMES, ["prep", "culture"])))
def test_every_page_has_the_address_and_nurture_mail_the_way_out(project, layout, category):
    html = page(project, layout, category=category)
    assert "1 Example Street" in html
    assert "You are receiving this because" in html
    assert ("/u/" in html) == (category == "culture")
    assert ("/p/" in html) == (category == "culture")


@pytest.mark.parametrize("layout", NAMES)
def test_words_can_be_read_by_day_and_by_night_whatever_the_accent_is(tmp_path, layout):
    project = Project(tmp_path)
    day, night = map(rules, css_of(page(project, layout)))
    grounds = {
        "letter": (day[".letter"]["background-color"], night[".letter"]["background-color"]),
        "page": (day["body"]["background-color"], night["body"]["background-color"]),
    }
    cells = day.get(".letter .facts td", {}).get("background-color")
    for selector, said in day.items():
        if "color" not in said or selector in ("body", ".letter a", ".letter a.button"):
            continue
        on, dark = grounds["letter" if selector.startswith(".letter") else "page"]
        assert contrast(said["color"], on) >= 4.5, selector
        assert not cells or contrast(said["color"], cells) >= 4.5, selector
        by_night = night.get(selector, {}).get("color")
        assert by_night, f"{selector} is as by day in the dark"
        assert contrast(by_night, dark) >= 4.5, selector
    deepest = day.get(".letter .facts td", {}).get("background-color", "#ffffff")
    lightest = night.get(".letter .facts td", {}).get("background-color", "#211f1c")
    for accent in ("#1f6f5c", "#ffff00", "#000000", "#ffffff", "#ff8800", "#8a8a8a", "#00a2ff"):
        found = colours(accent)
        assert contrast(found["link"], deepest) >= 4.5, accent
        assert contrast(found["night_link"], lightest) >= 4.5, accent
        assert contrast(found["on_accent"], found["button"]) >= 4.5, accent


@pytest.mark.parametrize("layout", NAMES)
def test_it_is_mirrored_for_who_reads_from_right_to_left(project, layout):
    project.write("topic/letter.ar.md", "مرحبا\n", category=None, layout=layout)
    html = page(project, layout, locale="ar")
    assert 'dir="rtl"' in html
    assert 'align="right"' in html
    assert 'align="left"' not in html


def branded(folder: Path, fonts: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(f"company:\n  brand:\n    fonts: {{{fonts}}}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("layout", NAMES)
def test_the_house_s_fonts_are_those_of_its_mail(tmp_path, layout):
    fonts = "body: \"'Source Serif', Cambria, serif\", heading: 'Verdana, sans-serif'"
    branded(tmp_path, fonts)
    project = Project(tmp_path, (tmp_path / "config.yaml").read_text())
    html = page(project, layout)
    used = set(re.findall(r"font-family:\s*([^;'}]*(?:'[^']*'[^;'}]*)*)", css_of(html)[0]))
    wanted = {"Verdana, sans-serif", "'Source Serif', Cambria, serif"}
    assert used == (wanted if layout != "notice" else {"Verdana, sans-serif"})
    assert "font-family:Verdana, sans-serif" in html
    assert "&#39;" not in css_of(html)[0]


@pytest.mark.parametrize(
    "stack",
    [
        "Georgia",
        "Georgia, serif; color: red",
        "Georgia</style>, serif",
        '"Georgia", serif',
        "url(https://evil.test), serif",
        "'Georgia, serif",
        "expression(1), serif",
        "Georgia\\, serif",
        "serif",
        "a, " * 200 + "serif",
    ],
)
def test_a_font_that_could_do_more_than_be_a_font_is_refused(tmp_path, stack):
    path = tmp_path / "config.yaml"
    quoted = stack.replace("'", "''")
    path.write_text(f"company:\n  brand:\n    fonts:\n      body: '{quoted}'\n", encoding="utf-8")
    with pytest.raises(Problems) as refused:
        load_config(path, {})
    assert [problem.line for problem in refused.value.problems] == [4]
