"""What people are told of a mail that was written, read from its bytes and its page."""

from nurture.rendering.anatomy import CLIPPED_AT, has_night, headers, in_scheme, links, pictures

OURS = "https://apply.example.com"
PAGE = f"""<html><head><meta name="color-scheme" content="light dark">
<style>p {{ color: red }} @import "https://cdn.example.com/a.css";
@media (prefers-color-scheme: dark) {{ p {{ color: white }} }}
@media screen and (prefers-color-scheme:light) {{ p {{ color: black }} }}</style></head>
<body background="https://cdn.example.com/paper.png">
<p>Read (prefers-color-scheme: dark) aloud.</p>
<a href="https://example.com/kit">The <b>kit</b>
</a><a href="mailto:ida@example.com"><img src="//cdn.example.com/ida.png" alt="Ida"></a>
<a href="http://example.com/old">old</a><a href="tel:+351210000000">ring</a>
<a href="{OURS}/u/AAAAAAAAAAEzLongTokenThatIsSecret00">Unsubscribe</a>
<a href="{OURS}.evil.example/u/x">not ours</a><a name="no">no link</a>
</body></html>"""


def test_each_link_is_told_with_its_label_and_where_it_leads() -> None:
    text = f"The kit: https://example.com/kit.\nLeave: {OURS}/u/AAAAAAAAAAEzLongTokenThatIsSecret00"
    found = links(PAGE, text, OURS)
    assert [(each.label, each.target, each.kind) for each in found] == [
        ("The kit", "https://example.com/kit", "web"),
        ("Ida", "mailto:ida@example.com", "mail"),
        ("old", "http://example.com/old", "plain"),
        ("ring", "tel:+351210000000", "phone"),
        ("Unsubscribe", f"{OURS}/u/…", "ours"),
        ("not ours", f"{OURS}.evil.example/u/x", "web"),
    ]
    assert found[4].purpose == "u"


def test_a_token_is_not_told() -> None:
    assert "Secret" not in str(links(PAGE, "", OURS))


def test_a_link_that_only_the_text_has_is_told_as_well() -> None:
    (found,) = links("<p>nothing</p>", "See https://example.com/a (really).", OURS)
    assert (found.target, found.in_html, found.in_text) == ("https://example.com/a", False, True)


def test_what_a_mail_program_would_load_is_told() -> None:
    assert pictures(PAGE) == [
        "https://cdn.example.com/paper.png",
        "//cdn.example.com/ida.png",
        "https://cdn.example.com/a.css",
    ]


def test_by_night_a_page_answers_its_own_question_and_no_word_of_it_changes() -> None:
    night = in_scheme(PAGE, "dark")
    assert "@media (min-width: 0) { p { color: white } }" in night
    assert "@media screen and (max-width: 0) { p { color: black } }" in night
    assert 'content="only dark"' in night
    assert "Read (prefers-color-scheme: dark) aloud." in night
    assert "@media (max-width: 0) { p { color: white } }" in in_scheme(PAGE, "light")
    assert has_night(PAGE)
    assert not has_night("<style>p { color: red }</style>(prefers-color-scheme: dark)")


def test_headers_are_told_decoded_and_as_they_go() -> None:
    raw = b"Subject: =?utf-8?q?Ol=C3=A1?=\r\n =?utf-8?q?_Ana?=\r\nX-One: a\r\n\r\nNot-A: header\r\n"
    subject, one = headers(raw)
    assert subject.said == "Olá Ana"
    assert subject.raw == "Subject: =?utf-8?q?Ol=C3=A1?=\n =?utf-8?q?_Ana?="
    assert (one.name, one.said) == ("X-One", "a")


def test_gmail_shows_so_much() -> None:
    assert CLIPPED_AT == 104_448
