"""What only a real browser can tell of a campaign's page: that its chart is drawn, and its table
stands without one."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.web.conftest import signed_in

AXE = Path(__file__).parent / "vendor/axe/axe.min.js"
PAGE = "/campaigns/interview-preparation"


def test_the_chart_is_drawn_from_its_table_which_folds_away(page: Page, site) -> None:
    page.goto(str(site.base_url).rstrip("/") + PAGE)
    page.wait_for_selector("figure.chart canvas")
    assert page.locator("table.days").is_hidden()
    page.locator("figure.chart .u-over").hover()
    page.wait_for_function("document.querySelector('figure.chart output').textContent")
    assert "sent" in page.locator("figure.chart output").inner_text()
    page.get_by_text("As a table").click()
    assert page.locator("table.days tbody tr").count() == 45


def test_without_a_script_the_table_stands_open(browser: Browser, site, standing) -> None:
    context = browser.new_context(java_script_enabled=False)
    signed_in(context, standing)
    page = context.new_page()
    page.goto(str(site.base_url).rstrip("/") + PAGE)
    assert page.locator("table.days").is_visible()
    assert page.locator("figure.chart").is_hidden()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, site, standing, scheme: str) -> None:
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)
    signed_in(context, standing)
    page = context.new_page()
    for path in ("/campaigns", PAGE) if scheme == "light" else (PAGE,):
        page.goto(str(site.base_url).rstrip("/") + path)
        page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true })")
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious = [
            (each["id"], each["nodes"][0]["html"])
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], path
    context.close()
