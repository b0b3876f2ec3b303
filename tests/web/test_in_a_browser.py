"""What only a real browser can tell: what it asks for, what fits on a phone, what can be read."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from playwright.sync_api import Page, expect

from nurture.rendering.links import CONFIDENCES, PREFERENCES, UNSUBSCRIBE, Answer
from nurture.web.app import create_app
from tests.web.conftest import signed_in

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

AXE = Path(__file__).parent / "vendor/axe/axe.min.js"
#: Of the addresses with something to fill in: at which the page is looked at.
FILLED = {
    "/campaigns/{name}": ["/campaigns/interview-preparation"],
    "/candidates/{ref:path}": ["/candidates/sample-02"],
    "/gallery/{name:path}": ["/gallery/interview-prep/confirmation"],
    "/preview": [
        f"/preview?template=interview-prep/confirmation&candidate=sample-01{view}"
        for view in ("", "&view=text", "&view=source")
    ],
    "/sign-in/{token}": ["/sign-in/used-already"],
}
PUBLIC = {
    "/u/{token}": UNSUBSCRIBE,
    "/p/{token}": PREFERENCES,
    "/p/{token}/data": PREFERENCES,
    "/p/needs/{token}": CONFIDENCES,
}
#: Letters, which have judges of their own, and what is no page.
NO_PAGES = {
    "/approvals/{id_}/letter",
    "/gallery/html",
    "/healthz",
    "/preview/html",
    "/static/brand.css",
}


def paths_of(routes: Iterable[object]) -> Iterator[str]:
    for route in routes:
        if isinstance(route, APIRoute) and "GET" in route.methods:
            yield route.path
        within = getattr(route, "original_router", None)
        if isinstance(within, APIRouter):
            yield from paths_of(within.routes)


def pages_of(standing: Any) -> list[str]:
    """Every page that there is, and one that there is not."""
    sign, found = standing.signer.token, ["/nowhere"]
    for path in sorted(set(paths_of(create_app(standing).routes)) - NO_PAGES):
        if path in PUBLIC:
            found.append(path.replace("{token}", sign(PUBLIC[path], 1)))
        elif path == "/a/{token}":
            token = standing.signer.answer_token(Answer(1, 0, "coming", "yes"))
            found.append(path.replace("{token}", token))
        else:
            found += FILLED.get(path, [path])
    assert [path for path in found if "{" in path] == []
    return found


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
        # The browser itself tells of the 404 of what is not there.
        wrong = [said for said in wrong if "404" not in said]
        assert wrong == [], path
    assert [url for url in asked if not url.startswith(base)] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_and_can_be_read_by_everybody(browser, site, standing, scheme) -> None:
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)  # for axe
    signed_in(context, standing)
    page = context.new_page()
    for path in pages_of(standing):
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(str(site.base_url).rstrip("/") + path)
        page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true })")
        for width in (1440, 320):
            page.set_viewport_size({"width": width, "height": 640})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (path, width)
        assert page.evaluate(CONTRAST) == [], path
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run({ iframes: false })")["violations"]
        wrong = [(path, each["id"], each["nodes"][0]["html"]) for each in found]
        assert wrong == []
    context.close()


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
    expect(page.get_by_role("heading")).to_have_text("You are unsubscribed")
    populated.clock.advance(timedelta(minutes=1))
    page.get_by_role("button", name="That was a mistake").click()
    expect(page.get_by_role("heading")).to_have_text("Welcome back")
    context.close()
