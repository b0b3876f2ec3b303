"""Every template on pages, for three invented people: nobody's data, and nothing is loaded."""

import re
import shutil
from urllib.parse import unquote

from nurture.engine.gallery import by_name
from nurture.web.previews import LETTER_HEADERS
from tests.conftest import REPOSITORY
from tests.web.conftest import Client, enter
from tests.web.test_in_a_browser import CONTRAST

LETTER = "/gallery/html?template=interview-prep/confirmation&sitter=long&scheme="


def test_every_template_has_a_card_that_leads_to_its_page(site, standing) -> None:
    page = site.get("/gallery")
    assert page.status_code == 200
    cards = re.findall(r'<a href="/gallery/([^"]+)">', page.text)
    assert cards == list(by_name(standing))
    shown = site.get(f"/gallery/{cards[0]}").text
    assert shown.count("<iframe sandbox") == 4 * 3
    assert "<pre" in shown
    assert site.get("/gallery/nowhere/at-all").status_code == 404


def test_each_language_has_frames_of_its_own(folder, project, serve) -> None:
    for tag in ("de", "de-informal"):
        name = f"templates/interview-prep/confirmation.{tag}.md"
        shutil.copy(REPOSITORY / name, folder / name)
    project.reload()
    with serve(project) as address, Client(address, project, enter(project)) as client:
        for tag in ("", "de", "de-informal"):
            page = client.get(f"/gallery/interview-prep/confirmation?language={tag}").text
            key = f"interview-prep/confirmation{tag and '.'}{tag}"
            framed = {unquote(each) for each in re.findall(r"template=([^&]+)&amp;sitter", page)}
            assert framed == {key}
            assert re.findall(r"\?language=([\w-]+)", page) == ["de", "de-informal"]


def test_a_letter_of_the_gallery_is_as_it_would_go_and_loads_nothing(site) -> None:
    light, dark = site.get(f"{LETTER}light"), site.get(f"{LETTER}dark")
    for answer in (light, dark):
        assert "نور الهدى" in answer.text
        policy = answer.headers["content-security-policy"]
        assert policy == LETTER_HEADERS["content-security-policy"]
    assert "only light" in light.text
    assert "only dark" in dark.text
    assert site.get("/gallery/html?template=no/such&sitter=long").status_code == 404
    assert site.get(LETTER.replace("long", "nobody")).status_code == 404


def test_whoever_has_signed_in_may_look_and_nobody_else(client_of, stranger) -> None:
    for role in ("recruiter", "marketer", "admin"):
        assert client_of(role, f"{role}@example.com").get("/gallery").status_code == 200
    answer = stranger.get("/gallery", follow_redirects=False)
    assert answer.status_code in (303, 302, 307, 401)


def test_the_gallery_fits_a_phone_and_can_be_read(page, site) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    for path in ("/gallery", "/gallery/status/received"):
        page.goto(str(site.base_url).rstrip("/") + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        assert page.evaluate(CONTRAST) == [], path
