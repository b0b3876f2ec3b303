"""What only a real browser can tell: what it asks for, what fits on a phone, what can be read."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from nurture.rendering.links import PREFERENCES, UNSUBSCRIBE

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
