"""What does a browser say of the mails we ship? That they fit a phone and can be read, by day and
by night, and look the same once their CSS is on each element."""

import re
from collections.abc import Iterator

import pytest
from judged import Judged, Mail, judged
from playwright.sync_api import Browser, Page

from tests.web.test_in_a_browser import CONTRAST
from tests.web.test_preview_in_a_browser import AXE

SAME = 0.999  #: of all elements look the same inlined
AT_ONCE = 60  #: mails in one page, each in a frame of its own

#: What is wrong within each frame: wider than a phone, or text that is too faint. Also tables that
#: are wider than they may be, which the frame would scroll.
WITHIN = f"""(names) => [...document.querySelectorAll('iframe')].flatMap((frame, number) => {{
  const inner = frame.contentWindow, page = inner.document, wrong = [];
  const look = inner.eval({CONTRAST!r});
  if (page.documentElement.scrollWidth > 320)
    wrong.push(`${{names[number]}}: ${{page.documentElement.scrollWidth}} px wide`);
  return wrong.concat(look().map((said) => `${{names[number]}}: ${{said}}`));
}})"""
STYLES = """() => [...document.body.querySelectorAll('*')].map((each) => {
  const look = getComputedStyle(each);
  return [...look].map((name) => name + ':' + look.getPropertyValue(name)).join(';');
})"""


@pytest.fixture(scope="session")
def all_mails(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return judged(tmp_path_factory)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def covering(mails: list[Mail]) -> list[Mail]:
    """A few that have every layout and every kind of block that there is in all of them."""
    kinds = {
        number: {each.layout, *re.findall(r'<\w+|class="[^"]*"', each.html)}
        for number, each in enumerate(mails)
    }
    left, chosen = set().union(*kinds.values()), []
    while left:
        best = max(kinds, key=lambda number: (len(kinds[number] & left), -number))
        chosen.append(mails[best])
        left -= kinds[best]
    return chosen


def test_every_mail_fits_a_phone_and_can_be_read_by_day_and_by_night(page, all_mails) -> None:
    wrong: set[str] = set()
    # The longest names, in every language.
    mails = [each for each in all_mails.mails if each.sitter == "long"]
    assert len(mails) > 50
    for start in range(0, len(mails), AT_ONCE):
        some = mails[start : start + AT_ONCE]
        page.set_content("<!doctype html>" + "<iframe width=320 height=400></iframe>" * len(some))
        page.evaluate(
            "pages => Promise.all([...document.querySelectorAll('iframe')].map((frame, number) =>"
            " new Promise((done) => { frame.onload = done; frame.srcdoc = pages[number]; })))",
            [each.html for each in some],
        )
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            wrong |= {f"{scheme}, {said}" for said in page.evaluate(WITHIN, [*map(str, some)])}
    assert sorted(wrong) == []
    page.set_content(
        "<!doctype html><iframe width=320 srcdoc='<p style=\"width:900px;color:#bbb\">x'>"
    )
    page.wait_for_timeout(50)
    assert len(page.evaluate(WITHIN, ["bad"])) == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_kind_of_block(page, all_mails, scheme) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 320, "height": 640})
    wrong = []
    for mail in covering(list(all_mails.mails)):
        page.set_content(mail.html)
        page.add_script_tag(path=AXE)
        wrong += [
            (str(mail), each["id"], [node["target"] for node in each["nodes"]])
            for each in page.evaluate("axe.run()")["violations"]
            if each["impact"] in ("serious", "critical")
        ]
    assert wrong == []


def test_a_mail_looks_the_same_once_its_css_is_on_each_element(page, all_mails) -> None:
    alike = elements = 0
    unlike = []
    page.set_viewport_size({"width": 800, "height": 600})
    kept = [each for each in all_mails.mails if each.loose]
    for mail in {str(each): each for each in [*covering(kept), *kept[::6]]}.values():
        looks = []
        for html in (mail.loose, mail.html):
            page.set_content(html)
            assert page.evaluate("document.compatMode") == "CSS1Compat"
            looks.append(page.evaluate(STYLES))
        before, after = looks
        assert len(before) == len(after), mail
        for one, other in zip(before, after, strict=True):
            elements += 1
            alike += one == other
            if one != other:
                unlike.append((str(mail), sorted(set(other.split(";")) ^ set(one.split(";")))[:6]))
    assert elements > 200
    assert alike >= SAME * elements, unlike[:5]
