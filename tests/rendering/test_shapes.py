"""A letter filled in after its CSS was inlined is the letter inlined by itself."""

import html
import quopri
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from letters import NOW, facts
from markupsafe import Markup

from nurture.config import Config
from nurture.core.model import Person, Promise, Subject
from nurture.rendering import inline as inline_module
from nurture.rendering import pages as pages_module
from nurture.rendering import shapes
from nurture.rendering.context import context
from nurture.rendering.errors import RenderError
from nurture.rendering.inline import inline
from nurture.rendering.links import Signer
from nurture.rendering.renderer import Renderer
from nurture.rendering.shapes import Filled, Kept, Written, same
from nurture.rendering.templates import load_templates
from tests.shelf import with_content

ROOT = Path(__file__).parents[2]
TEMPLATES, _ = load_templates(ROOT)
#: Translations take the branches of their default one: one stands for all.
SHIPPED = sorted(
    key
    for key, each in TEMPLATES.items()
    if each.locale is None or key == "interview-prep/confirmation.fr"
)
CONFIG = Config(root=ROOT)

VALUES = [
    "Ana",
    'O\'Brien <b> & "Co" **x**',
    "日本 ü",
    "x" * 300,
    "Line\nline & more\n\nlast",
    "https://example.com/ü b?a=1&b=<2>",
    "https://example.com/a_b?x=1&y='2'",
    "&amp; &#106; &copy",
    "]]> --> </td></table> <!-- x",
    "{{ 7 * 7 }} {% raw %}",
    " Ana  Maria ",
    "a\u00a0b\u200bc\u00adé👩🏽‍💻",
    "From me. .dot =20=",
    "\ufdd0\U0001fffe",
    "javascript:alert(1)",
    "<script>alert('x')</script>",
    "# h\n- li\n1. x\n> q",
    "سلام",
    "İß𝒜",
]


def decoded(part: bytes) -> str:
    """As a mail program reads it; what a line of a mail must not be is looked at too."""
    assert b"\n" not in part.replace(b"\r\n", b"")
    for line in part.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))
    assert part.endswith(b"\r\n")
    return quopri.decodestring(part).decode().replace("\r\n", "\n")


class Checked:
    """A renderer whose every letter is compared with that letter inlined by itself."""

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer
        self.quick = 0

    def render(self, name, words, **more):
        given = {"candidate_id": 7, "locale": None, **more}
        letter = self.renderer.render(name, words, **given)
        slow = by_itself(self.renderer, name, words, **given)
        assert same(letter.html, slow.html)
        assert letter.text == slow.text
        assert decoded(letter.encoded_html).rstrip("\n") == letter.html.rstrip("\n")
        assert decoded(letter.encoded_text) == letter.text
        self.quick += isinstance(letter.html_part, Filled)
        return letter


def by_itself(renderer, name, words, **more):
    """The letter with nothing kept and nothing filled in afterwards."""
    keeping = renderer._pages._html
    try:
        renderer._pages._html = lambda page, _, values, *__: Written(page.by_itself(values))
        return renderer.render(name, words, **more)
    finally:
        renderer._pages._html = keeping


def known_of(random: Random):
    """A person of whom some things are known."""

    def some(*, of=VALUES):
        return random.choice([None, *of])

    known = facts(first_name=some(), last_name=some(), fields={"phone": some()})
    interview = known.interviews["i-3"]
    interviewers = [{"name": some() or "Mei", "role": some()} for _ in range(random.randrange(4))]
    fields = {
        "url": some(of=VALUES[5:7]),
        "reschedule_url": some(of=VALUES[5:7]),
        "interviewers": interviewers,
        **{name: some() for name in ("location", "phone", "notes")},
    }
    fields = {name: value for name, value in fields.items() if value is not None}
    application = replace(
        known.applications["a-9"],
        stage=random.choice(["interviewing", "applied", "decision"]),
        coordinator="co@example.com",
        hiring_manager="co@example.com",
        applied_at=NOW - timedelta(days=9),
        stage_since=NOW - timedelta(days=2),
    )
    people = {
        email: Person(email=email, name=some() or "Ida", phone=some(), title=some())
        for email in ("ida@example.com", "co@example.com")
    }
    kind = random.choice(["phone", "video", "onsite"])
    return replace(
        known,
        people=people,
        jobs={"j-1": replace(known.jobs["j-1"], title=some() or "Engineer")},
        applications={"a-9": application},
        interviews={"i-3": replace(interview, kind=kind, fields=fields)},
        promises={
            "p-1": Promise(
                ref="p-1",
                candidate_id=7,
                application="a-9",
                what=some() or "a <decision>",
                owner="ida@example.com",
                made_at=NOW,
                due_at=NOW + timedelta(days=3),
            )
        },
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_each_shipped_letter_is_the_same_either_way(name):
    renderer = Renderer(TEMPLATES, CONFIG, Signer([b"k" * 32]))
    letters = Checked(renderer)
    random = Random(name)
    subject = Subject(application="a-9", interview="i-3")
    written = 0
    for _ in range(5):
        known = known_of(random)
        words = context(known, subject, enrollment=None, config=CONFIG, now=NOW)
        with_content(words, name, known, subject, renderer, CONFIG, NOW)
        try:
            letters.render(name, words)
        except RenderError:  # a fact is wanting
            continue
        written += 1
    assert written
    assert letters.quick == written


def test_a_shipped_letter_is_what_inlining_its_raw_page_gives(monkeypatch):
    """With nothing of this but premailer: values put into the page that the layout wrote."""
    raw = []

    def noted(page):
        raw.append(page)
        return inline_module.normalised(page)

    monkeypatch.setattr(pages_module, "normalised", noted)
    subject = Subject(application="a-9", interview="i-3")
    for value in VALUES[:4]:
        known = facts(first_name=value, last_name="Silva")
        renderer = Renderer(TEMPLATES, CONFIG, Signer([b"k" * 32]))
        words = context(known, subject, enrollment=None, config=CONFIG, now=NOW)
        letter = renderer.render("interview-prep/confirmation", words, candidate_id=7, locale=None)
        values = letter.html_part.values

        def filled(found, values=values):
            return html.escape(values[int(found[1])])

        page = re.sub(r"qz[a-z]{8}v(\d{4})zq", filled, raw.pop())
        assert same(letter.html, inline(page))


# --- the torture set -----------------------------------------------------------------------------

STRUCTURAL = """<style>
p:first-child { color: #111111 } p + p { margin: 1px } li:nth-child(2) { color: #222222 }
p:empty { color: #333333 } a[href^="https:"] { color: #444444 } [title~="Ana"] { color: #555555 }
[lang|="pt"] { color: #666666 } td[width="40"] { color: #777777 } br + b { color: #888888 }
.late { color: #999999; height: 9px } #one { color: #aaaaaa } a { font-weight: bold }
</style>"""
BARE = "<html><head><title>{{ fixed.subject }}</title></head><body>{{ body }}</body></html>"
NAME = "{{ candidate.first_name }}"
IRI = '<a href="https://x.example/ü b?q={{ "ü &" }}">x</a>'
SET = "{% set x %}<b>{{ candidate.first_name }}</b>{% endset %}"
MACRO = "{% macro m(y) %}<b>{{ y }}</b>{% endmacro %}"
TORTURE = {
    "text": f"<p>{NAME}</p><p>{NAME}x</p>",
    "only text": f"{NAME}",
    "empty": "<p>{{ '' }}</p><p>x{{ candidate.last_name | default('') }}</p>",
    "blank": f"<p>{{{{ ' ' }}}}</p>{NAME}",
    "overwritten": '<table><tr><td class="late" height="{{ 40 }}">' + NAME + "</td></tr></table>",
    "first and next": "{% for one in interview.interviewers %}<p>{{ one.name }}</p>{% endfor %}",
    "rows": "<ul>{% for one in interview.interviewers %}<li>{{ one.name }}</li>{% endfor %}</ul>",
    "in a table": f"<table>{NAME}<tr><td>{NAME}</td></tr></table>",
    "after a line end": f"<p>{NAME}<b>x</b></p>",
    "attribute": f'<p title="{NAME}">x</p><img src="https://example.com/x.png" alt=\'{NAME}\'>',
    "asked attribute": f'<p title="Maria {NAME}">x</p><p lang="{NAME}">x</p>',
    "no quotes": "<p title={{ candidate.first_name }}>x</p>",
    "width": '<table><tr><td width="{{ 40 }}" style="width:50px">x</td></tr></table>',
    "boolean": '<input checked="{{ candidate.first_name }}">',
    "link": '<a href="{{ interview.url }}">x</a>' + IRI,
    "link in a link": f'<a href="https://example.com/">{NAME}</a>',
    "anchor": f'<a name="{NAME}">x</a>',
    "class": "<p class=\"{{ 'late' if interview.kind == 'video' else '' }}\" id=\"{{ 'one' }}\">",
    "style": '<p style="color: {{ \'#123456\' }}">x</p>',
    "unbalanced": f"<div><p>{{% if interview.url %}}<b>{NAME}</div>{{% else %}}</p>{{% endif %}}",
    "for Outlook": '<!--[if mso]><v:x href="{{ interview.url }}">' + NAME + "</v:x><![endif]-->"
    "<!--[if !mso]><!--><b>" + NAME + "</b><!--<![endif]-->",
    "half an entity": f"<p>&{NAME}; &am{NAME} &copy{NAME} a & {NAME}</p>",
    "filter block": f"{{% filter upper %}}<b>hello</b> {NAME}{{% endfilter %}}",
    "title block": f"{{% filter title %}}hello {NAME} x{{% endfilter %}}",
    "set and filter": SET + "{{ x | upper }} {{ x }}{{ x }}",
    "set with filter": f"{{% set x | trim %}} <b>{NAME}</b> {{% endset %}}{{{{ x }}}}",
    "macro and filter": MACRO + "{{ m('a') | upper }}{{ m(candidate.first_name) | lower }}",
    "macro and length": MACRO + "{{ m(candidate.first_name) | length }}",
    "macro and branch": "{% macro m() %}{{ candidate.first_name }}{% endmacro %}"
    "{% if m() == 'Ana' %}<p>A</p>{% elif m() %}<i>B</i>{% endif %}{{ m()[:2] }}",
    "call": "{% macro m() %}<div>{{ caller() }}</div>{% endmacro %}{% call m() %}"
    + NAME
    + "{% endcall %}",
    "join": SET + "{{ [x, candidate.first_name] | join(', ') }}",
    "pre": f"<pre>\n{NAME}\n  {NAME}</pre>",
    "title": f"<title>{NAME}</title>",
}  # fmt: skip


@pytest.mark.parametrize("case", TORTURE)
def test_a_tortured_letter_is_the_same_either_way(project, case):
    body = TORTURE[case]
    (project.root / "templates/layouts/bare.html").write_text(BARE)  # premailer is quick with it
    project.write("topic/letter.html", STRUCTURAL + body, layout="bare")
    letters = Checked(project.renderer())
    random = Random(case)
    for value in [*VALUES, "Ana", Markup("<em>Ana</em>"), "\n", " ", "40"]:
        known = known_of(random)
        fields = {"url": VALUES[5], **known.interviews["i-3"].fields}
        interviews = {"i-3": replace(known.interviews["i-3"], fields=fields)}
        words = project.context(replace(known, interviews=interviews))
        words["candidate"]["first_name"] = value
        words["interview"].setdefault("interviewers", [])
        letter = letters.render("topic/letter", words)
        assert "qz" not in letter.html.casefold().replace("qzx", "")
        assert "<script>" not in letter.html
        assert "<SCRIPT>" not in letter.html


@pytest.mark.parametrize(
    "case",
    ["{% filter upper %}hello **{{ candidate.first_name }}**{% endfilter %}",
     "{% set x %}[see {{ candidate.first_name }}](https://example.com){% endset %}{{ x | title }}",
     "{% macro m() %}*{{ candidate.first_name }}*{% endmacro %}{{ m() | lower }} {{ m() }}",
     "{% set x %}{{ candidate.first_name }}{% endset %}{{ [x, candidate.first_name] | join }}"],
)  # fmt: skip
def test_a_filter_over_rendered_markdown_never_makes_markup_of_a_value(project, case):
    project.write("topic/letter.md", case)
    letters = Checked(project.renderer())
    plain = None
    for value in ["Ana", "**Ana**", "_a_ `b` <b>x</b> [y](https://evil.test)", "# x", "1. x"]:
        words = project.context(first_name=value)
        letter = letters.render("topic/letter", words)
        tags = re.findall(r"<[a-z0-9]+", letter.html)
        plain = plain or tags
        assert tags == plain
        read = html.unescape(re.sub(r"<[^>]*>", "", letter.html)).casefold()
        assert value.casefold() in read
        assert value.casefold() in letter.text.casefold()


def test_what_a_filter_makes_of_rendered_text_is_what_it_reads(project):
    body = "{% filter upper %}Hello {{ candidate.first_name }}{% endfilter %}"
    rendered = project.render(body, candidate={"first_name": "O'Brien & ß"})
    assert rendered.text.startswith("HELLO O'BRIEN & SS\n")
    assert "HELLO O'BRIEN &amp; SS" in rendered.html.replace("&#x27;", "'")


@pytest.mark.parametrize(
    "body",
    ['{% filter lower %}<a href="{{ candidate.first_name }}">x</a>{% endfilter %}',
     '<p style="{{ candidate.first_name }}">x</p>', '<p class="{{ candidate.first_name }}">x</p>',
     '<!--[if mso]><a href="{{ candidate.first_name }}">x</a><![endif]-->',
     '<p title="a > b" onclick="{{ candidate.first_name }}">x</p>',
     '<a title="a > b" href="{{ candidate.first_name }}">x</a>'],
)  # fmt: skip
def test_a_place_that_no_escaping_makes_safe_is_refused_whichever_way(project, body):
    project.write("topic/letter.html", body)
    words = project.context(first_name="javascript:alert(1)")
    with pytest.raises(RenderError):
        project.renderer().render("topic/letter", words, candidate_id=7, locale=None)


# --- what is kept --------------------------------------------------------------------------------


def test_values_that_decide_on_looks_have_shapes_of_their_own(project, monkeypatch):
    project.write("topic/letter.html", '<p class="{{ interview.kind }}">{{ job.title }}</p>')
    renderer = project.renderer()
    inlined = []
    monkeypatch.setattr(shapes, "inline", lambda page: inlined.append(page) or inline(page))
    shapes._inlined.cache_clear()
    for kind in ("video", "phone", "video", "phone"):
        words = project.context()
        words["interview"]["kind"] = kind
        letter = renderer.render("topic/letter", words, candidate_id=7, locale=None)
        assert f'<p class="{kind}"' in letter.html
    assert len(inlined) == 2


def test_what_is_kept_has_a_bound_in_number_and_in_bytes():
    kept = Kept(3, 100)
    for number in range(5):
        kept.put(number, f"v{number}", 10)
    assert [kept.get(number) for number in range(5)] == [None, None, "v2", "v3", "v4"]
    kept.get(2)
    kept.put(5, "v5", 10)
    assert kept.get(3) is None  # the one least lately used
    assert kept.get(2) == "v2"
    kept.put(6, "v6", 95)
    assert [kept.get(number) for number in (2, 4, 5, 6)] == [None, None, None, "v6"]
    kept.put(6, "v6", 10)
    kept.put(7, "v7", 10)
    assert len(kept) == 2


# --- in production -------------------------------------------------------------------------------


def planted(renderer, project, **more):
    """The letter's shape is made and proven, and then says something else."""
    renderer.render("topic/letter", project.context(), candidate_id=7, locale=None, **more)
    ((_, (shape, _)),) = renderer._pages._shapes._kept.items()
    wrong = tuple(
        each.replace("Hello", "Goodbye") if isinstance(each, str) else each
        for each in shape.mould.pieces
    )
    shape.mould = type(shape.mould)(wrong)
    return shape


def test_the_first_mail_of_a_shape_is_compared_and_a_wrong_shape_is_never_used_again(
    project, caplog
):
    project.write("topic/letter.md", "Hello {{ candidate.first_name }}, first.")
    renderer = project.renderer()
    planted(renderer, project)
    for number in (1, 2):
        words = project.context(first_name="Zuzana")
        letter = renderer.render(
            "topic/letter", words, candidate_id=7, locale=None, message_id=number
        )
        assert "Hello Zuzana" in letter.html
        assert b"Hello" in letter.encoded_html
    assert len(renderer.pinned) == 1
    assert len(caplog.records) == 1
    assert "Zuzana" not in caplog.text
    assert "topic/letter" in str(vars(caplog.records[0]))
    after = Renderer(renderer.templates, project.config, Signer([b"k" * 32]), None, renderer.pinned)
    assert isinstance(
        after.render("topic/letter", words, candidate_id=7, locale=None).html_part, Written
    )
    project.write("topic/letter.md", "Hello {{ candidate.first_name }}, edited.")
    edited, _ = load_templates(project.root)
    mended = Renderer(edited, project.config, Signer([b"k" * 32]), None, renderer.pinned)
    assert isinstance(
        mended.render("topic/letter", words, candidate_id=7, locale=None).html_part, Filled
    )


def test_one_mail_in_a_thousand_is_compared_whatever_its_shape_was(project):
    project.write("topic/letter.md", "Hello {{ candidate.first_name }}, tried.")
    renderer = project.renderer()
    planted(renderer, project, message_id=1)
    tried = [number for number in range(1, 100_000) if shapes.chosen_to_be_tried(number)]
    assert 50 < len(tried) < 150
    seen = [
        renderer.render(
            "topic/letter", project.context(), candidate_id=7, locale=None, message_id=number
        ).html
        for number in (tried[0] - 1, tried[0], tried[0] + 1)
    ]
    assert ["Hello Ana" in each for each in seen] == [False, True, True]
