"""What only a browser can tell of a preview: that a letter asks for nothing, and how it looks."""

import dataclasses
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from nurture.rendering.shapes import Written
from tests.web.conftest import signed_in
from tests.web.test_in_a_browser import CONTRAST, watch

AXE = Path(__file__).parent / "vendor/axe/axe.min.js"
INVITE = "/preview?template=interview-prep/confirmation&candidate=sample-01"
VIEWS = ("letter", "phone", "dark", "text", "links", "headers", "calendar", "source")

#: Everything by which a mail has ever asked for something when it was opened.
HOSTILE = """<!DOCTYPE html><html><head>
<meta http-equiv="refresh" content="0;url=EVIL/refresh">
<base href="EVIL/base/">
<link rel="stylesheet" href="EVIL/sheet.css"><link rel="preload" as="image" href="EVIL/pre.png">
<link rel="icon" href="EVIL/icon.png"><link rel="prefetch" href="EVIL/prefetch">
<style>@import url(EVIL/import.css); body { background: url(EVIL/css.png) }
@font-face { font-family: f; src: url(EVIL/font.woff) } p { font-family: f }</style>
<script src="EVIL/script.js"></script>
<script>fetch('EVIL/fetch');
new Image().src = 'EVIL/pixel'; top.location = 'EVIL/top'</script>
</head><body background="EVIL/background.png" onload="fetch('EVIL/onload')">
<p id="words">The words of the letter</p>
<img src="EVIL/open.gif" width="1" height="1"><img src="relative.png"><img src="/u/own-token">
<img srcset="EVIL/set.png 2x" onerror="fetch('EVIL/onerror')" src="x:">
<picture><source srcset="EVIL/source.png"><img src="EVIL/picture.png"></picture>
<iframe src="EVIL/frame"></iframe><object data="EVIL/object"></object><embed src="EVIL/embed">
<video poster="EVIL/poster.png" src="EVIL/video.mp4" autoplay></video>
<audio src="EVIL/audio.mp3" autoplay></audio>
<svg><image href="EVIL/svg.png"/><use href="EVIL/use.svg#x"/></svg>
<table background="EVIL/table.png"><tr><td>cell</td></tr></table>
<form id="f" method="post" action="EVIL/form"><input name="q" autofocus></form>
<script>document.getElementById('f').submit()</script>
</body></html>"""


@dataclasses.dataclass
class Elsewhere:
    """Another web server, which writes down what it is asked for."""

    address: str
    asked: list[str]

    def letter(self) -> str:
        return HOSTILE.replace("EVIL", self.address)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    asked: list[str] = []

    class Listening(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = pages.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listening)
    pages: dict[str, str] = {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    elsewhere = Elsewhere(f"http://127.0.0.1:{server.server_port}", asked)
    pages["/letter"] = elsewhere.letter()
    pages["/framed"] = '<!doctype html><iframe sandbox src="/letter"></iframe>'
    yield elsewhere
    server.shutdown()
    server.server_close()


def test_a_hostile_letter_asks_for_nothing_when_it_is_previewed(
    page, client, populated, elsewhere, monkeypatch
) -> None:
    written = type(populated.letters).preview

    def hostile(letters: Any, *given: Any, **more: Any) -> Any:
        letter = written(letters, *given, **more)
        rendered = dataclasses.replace(letter.rendered, html_part=Written(elsewhere.letter()))
        return dataclasses.replace(letter, rendered=rendered)

    monkeypatch.setattr(type(populated.letters), "preview", hostile)
    answered = watch(page)
    base = str(client.base_url).rstrip("/")
    framed = {"letter": 1, "dark": 1, "phone": 2, "text": 0, "links": 0, "headers": 0, "source": 0}
    for view, how_often in framed.items():
        page.goto(f"{base}/preview?template=status/received&view={view}", wait_until="networkidle")
        frames = page.locator("iframe")
        assert frames.count() == how_often
        for number in range(how_often):
            words = frames.nth(number).content_frame.locator("#words")
            assert words.inner_text() == "The words of the letter"
    assert elsewhere.asked == []
    assert {urlsplit(url).path for url in answered} <= {
        "/preview",
        "/preview/html",
        "/static/nurture.css",
        "/static/brand.css",
        "/static/icon.svg",
        "/static/vendor/htmx/htmx.min.js",
    }
    assert page.url.startswith(f"{base}/preview?")


def test_the_same_letter_in_a_sandbox_without_our_policy_asks_for_a_great_deal(
    page, elsewhere
) -> None:
    """That the letter above is hostile indeed: else its test would prove nothing."""
    page.goto(f"{elsewhere.address}/framed", wait_until="networkidle")
    assert len(set(elsewhere.asked) - {"/framed", "/letter", "/favicon.ico"}) >= 8


def test_dark_is_dark_and_light_is_light_whatever_the_machine_prefers(page, site) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{str(site.base_url).rstrip('/')}{INVITE}&view=phone", wait_until="networkidle")
        light, dark = (
            frame.locator(".letter").evaluate("one => getComputedStyle(one).backgroundColor")
            for frame in page.frames[1:]
        )
        assert (light, dark) == ("rgb(255, 255, 255)", "rgb(33, 31, 28)")


def test_a_phone_is_as_wide_as_phones_are(page, site) -> None:
    page.goto(f"{str(site.base_url).rstrip('/')}{INVITE}&view=phone", wait_until="networkidle")
    assert {frame.evaluate("innerWidth") for frame in page.frames[1:]} == {320}
    assert {f.evaluate("document.documentElement.scrollWidth") for f in page.frames[1:]} == {320}


def test_a_long_subject_is_cut_as_a_phone_cuts_it(page, site) -> None:
    page.goto(f"{str(site.base_url).rstrip('/')}{INVITE}&view=phone")
    subject = page.locator(".screen .subject").first
    assert subject.evaluate("one => one.scrollWidth > one.clientWidth")
    assert subject.evaluate("one => getComputedStyle(one).textOverflow") == "ellipsis"


@pytest.mark.parametrize(
    ("scheme", "views"),
    [("light", ("letter", "phone", "links", "headers")), ("dark", ("phone", "links"))],
)
def test_every_view_fits_a_phone_and_can_be_read_by_anybody(
    browser, site, standing, scheme, views
) -> None:
    context = browser.new_context(
        bypass_csp=True, color_scheme=scheme, viewport={"width": 320, "height": 640}
    )
    signed_in(context, standing)
    page = context.new_page()
    for view in views:
        page.goto(f"{str(site.base_url).rstrip('/')}{INVITE}&view={view}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, view
        assert page.evaluate(CONTRAST) == [], view
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run({ iframes: false })")["violations"]
        serious = [
            (each["id"], [node["target"] for node in each["nodes"]])
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], view
    context.close()


def test_a_preview_is_gone_through_by_keyboard_and_without_a_script(
    browser, site, standing
) -> None:
    context = browser.new_context(java_script_enabled=False)
    signed_in(context, standing)
    page = context.new_page()
    page.goto(f"{str(site.base_url).rstrip('/')}/preview?template=status/received")
    page.get_by_role("searchbox").fill("sample-02")
    page.get_by_role("searchbox").press("Enter")
    assert page.get_by_role("link", name="Jörg Müller").is_visible()
    page.get_by_role("link", name="Text", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**view=text")
    assert page.locator("pre.text").is_visible()
    context.close()
