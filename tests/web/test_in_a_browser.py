"""What only a real browser can tell: what it asks for, what fits on a phone, what can be read."""

import dataclasses
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from nurture.rendering.links import PREFERENCES, UNSUBSCRIBE
from nurture.rendering.shapes import Written

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

#: Contrast of each piece of text with what lies behind it: WCAG 2.2, 1.4.3.
CONTRAST = """() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const found = rgb(getComputedStyle(at).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !node.checkVisibility()) continue;
    if (node.closest('[aria-hidden]')) continue;
    const pair = [light(rgb(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${walk.currentNode.textContent.trim()}`);
  }
  return faint;
}"""

PAGES = [
    "/",
    "/campaigns",
    "/campaigns/interview-preparation",
    "/candidates",
    "/candidates/sample-02",
    "/preview?template=interview-prep/confirmation&candidate=sample-01",
    "/preview?template=interview-prep/confirmation&candidate=sample-01&view=text",
    "/preview?template=interview-prep/confirmation&candidate=sample-01&view=source",
    "/nowhere",
]


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


def pages_of(standing: Any) -> list[str]:
    signer = standing.signer
    return [
        *PAGES,
        f"/u/{signer.token(UNSUBSCRIBE, 1)}",
        f"/p/{signer.token(PREFERENCES, 1)}",
    ]


def watch(page: Page) -> list[str]:
    """The address of everything that some server answers the browser, from now on. (What a policy
    forbids is announced as a request too, but never leaves the browser.)
    """
    asked: list[str] = []
    page.context.on("response", lambda response: asked.append(response.url))
    return asked


def test_a_hostile_letter_asks_for_nothing_when_it_is_previewed(
    page, client, populated, elsewhere, monkeypatch
) -> None:
    written = populated.letters.preview

    def hostile(*given: Any) -> Any:
        letter = written(*given)
        rendered = dataclasses.replace(letter.rendered, html_part=Written(elsewhere.letter()))
        return dataclasses.replace(letter, rendered=rendered)

    monkeypatch.setattr(populated.letters, "preview", hostile)
    answered = watch(page)
    base = str(client.base_url).rstrip("/")
    page.goto(f"{base}/preview?template=status/received", wait_until="networkidle")
    shown = page.frame_locator(".desktop iframe").locator("#words")
    assert shown.inner_text() == "The words of the letter"
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


def test_no_page_has_a_console_error_or_asks_for_anything_elsewhere(page, site, standing) -> None:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    asked = watch(page)
    base = str(site.base_url).rstrip("/")
    for path in pages_of(standing):
        page.goto(base + path, wait_until="networkidle")
        if path == "/nowhere":  # the browser itself tells of the 404
            wrong = [said for said in wrong if "404" not in said]
        assert wrong == [], path
    assert [url for url in asked if not url.startswith(base)] == []


def test_every_page_fits_a_phone(page, site, standing) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    for path in pages_of(standing):
        page.goto(str(site.base_url).rstrip("/") + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read_by_day_and_by_night(page, site, standing, scheme) -> None:
    page.emulate_media(color_scheme=scheme)
    for path in pages_of(standing):
        page.goto(str(site.base_url).rstrip("/") + path)
        assert page.evaluate(CONTRAST) == [], path


def test_every_page_can_be_used_by_keyboard_alone(page, site) -> None:
    page.goto(str(site.base_url).rstrip("/") + "/candidates")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    for _ in range(5):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"


def test_a_candidate_can_unsubscribe_and_come_back_without_any_script(
    browser, client, populated
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{client.base_url}/u/{populated.signer.token(UNSUBSCRIBE, 1)}".replace("//u", "/u"))
    page.get_by_role("button", name="Unsubscribe").click()
    assert page.get_by_role("heading").inner_text() == "You are unsubscribed"
    populated.clock.advance(timedelta(minutes=1))
    page.get_by_role("button", name="That was a mistake").click()
    assert page.get_by_role("heading").inner_text() == "Welcome back"
    context.close()
