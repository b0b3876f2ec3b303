"""How does `nurture gallery` show templates: all of them, as they would go out, loading nothing?"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nurture.cli import main
from nurture.cli.project import Given
from nurture.clock import SetClock
from nurture.rendering.templates import load_templates
from tests.conftest import MONDAY, REPOSITORY

Run = Callable[..., Result]
START = ("--from", "2026-11-23T10:00")
KEPT = ("interview-prep/confirmation.md", "culture/meet-the-team.md", "status/received.md")


@pytest.fixture
def run(folder: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Run:
    """In a project with few templates: each is laid out, which takes its time."""
    monkeypatch.chdir(folder)
    shutil.rmtree(folder / "campaigns")
    (folder / "campaigns").mkdir()
    for path in sorted((folder / "templates").rglob("*.md")):
        if path.relative_to(folder / "templates").as_posix() not in KEPT:
            path.unlink()

    def typed(*words: str) -> Result:
        return CliRunner().invoke(main, list(words), obj=Given(clock=clock, env={}))

    return typed


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gallery of what is shipped."""
    folder = tmp_path_factory.mktemp("shipped")
    for name in ("campaigns", "templates", "content"):
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, folder / name)
    config = shutil.copy(REPOSITORY / "config.yaml", folder)
    words = ["gallery", "--config", str(config), "--out", str(folder / "out"), "--json"]
    result = CliRunner().invoke(main, words, obj=Given(clock=SetClock(MONDAY), env={}))
    assert result.exit_code == 0, result.output
    (folder / "out/told.json").write_text(result.stdout)
    return folder / "out"


def test_every_template_has_a_card_and_a_page_with_each_of_its_files(shipped: Path) -> None:
    templates, _ = load_templates(REPOSITORY)
    told = json.loads((shipped / "told.json").read_text())
    names = {each.name for each in templates.values()}
    index = (shipped / "index.html").read_text(encoding="utf-8")
    assert (told["templates"], told["versions"]) == (len(names), len(templates))
    assert told["mails"] + told["missing"] == 3 * len(templates)
    for name in names:
        page = f"{name.replace('/', '-')}.html"
        assert f'<a href="{page}">' in index
        whole = (shipped / page).read_text(encoding="utf-8")
        for key in (key for key, each in templates.items() if each.name == name):
            for scheme in ("html", "dark.html"):
                file = f"mails/{key}.known.{scheme}"
                assert (shipped / file).is_file(), file
                shown = re.findall(rf'src="{file}"[^>]* width="(\d+)"[^>]* sandbox', whole)
                assert shown == ["640", "320"]
            assert (shipped / f"mails/{key}.known.txt").is_file()


def test_every_shipped_template_can_be_written_for_all_three(shipped: Path) -> None:
    told = json.loads((shipped / "told.json").read_text())
    pages = "".join(path.read_text(encoding="utf-8") for path in shipped.glob("*.html"))
    assert re.findall(r"It cannot be written for them\.</b> ([^<]+)", pages) == []
    assert told["missing"] == 0


def test_it_is_self_contained_and_loads_nothing(shipped: Path) -> None:
    pages = [path for path in shipped.rglob("*.html") if "mails" not in path.parts]
    for path in pages:
        page = path.read_text(encoding="utf-8")
        for load in ("<script", "<link", "<img", "url(", "@import", "http:", "https:", "//"):
            assert load not in re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL), load
        for target in re.findall(r'(?:src|href)="([^"#]+)"', page):
            assert (shipped / target).is_file(), target
    for path in (shipped / "mails").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert text.index("default-src 'none'") < text.index("<body")


def test_what_a_campaign_sends_only_to_some_is_about_them(shipped: Path) -> None:
    def text(name: str) -> str:
        return (shipped / f"mails/{name}.known.txt").read_text(encoding="utf-8")

    assert "onsite" not in text("interview-prep/technical-kit")
    assert "is booked" in text("interview-prep/confirmation")
    assert "12 Rua do Ouro" in text("interview-prep/onsite-day")


def test_links_are_nobodys(run: Run, folder: Path) -> None:
    assert run("run", "--once").exit_code == 0
    assert run("gallery", "--out", "out", "--candidate", "sample-01").exit_code == 0
    shown = (folder / "out/mails/culture/meet-the-team.own.txt").read_text()
    real = run("preview", "culture/meet-the-team", "--candidate", "sample-01", "--json").stdout
    assert "Hello Ana" in shown
    links = set(re.findall(r"/u/([\w-]+)", shown))
    assert links
    assert not links & set(re.findall(r"/u/([\w-]+)", real))


def test_a_translation_stands_beside_its_default_for_who_reads_it(run: Run, folder: Path) -> None:
    default = (folder / "templates/status/received.md").read_text(encoding="utf-8")
    body = default.split("---\n", 2)[2]
    (folder / "templates/status/received.pt.md").write_text(
        f"---\nsubject: A sua candidatura chegou\npreheader: Obrigado\n---\n{body}",
        encoding="utf-8",
    )
    told = json.loads(run("gallery", "--out", "out", "--json").stdout)
    assert told["versions"] == told["templates"] + 1 == len(KEPT) + 1
    page = (folder / "out/status-received.html").read_text(encoding="utf-8")
    assert page.count("A sua candidatura chegou") == 3
    assert "pt: Ana" in page


def test_what_cannot_be_written_says_why(run: Run, folder: Path) -> None:
    (folder / "templates/status/payslip.md").write_text(
        "---\nsubject: Your pay\ncategory: receipt\n---\nAs {{ interview.notes }} says, well.\n"
    )
    told = json.loads(run("gallery", "--out", "out", "--json").stdout)
    assert told["missing"] == 2
    page = (folder / "out/status-payslip.html").read_text(encoding="utf-8")
    assert page.count("interview.notes is missing") == 2


def test_the_same_files_and_instant_give_the_same_bytes(run: Run, folder: Path) -> None:
    def digests() -> dict[str, str]:
        files = sorted(path for path in (folder / "out").rglob("*") if path.is_file())
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    assert run("gallery", "--out", "out", *START).exit_code == 0
    once = digests()
    (folder / "var/secret").unlink()
    assert run("gallery", "--out", "out", *START).exit_code == 0
    assert digests() == once != {}


def test_nobody_is_written_to_and_nothing_is_kept(run: Run, folder: Path) -> None:
    assert run("gallery", "--out", "out").exit_code == 0
    (status,) = [json.loads(line) for line in run("status", "--json").stdout.splitlines()]
    assert status["candidates"] == 0
    assert not (folder / "var/outbox").exists()


def test_what_cannot_be_is_told_in_one_line(run: Run, folder: Path) -> None:
    (folder / "file").write_text("")
    for words, code in (
        (("gallery",), 2),
        (("gallery", "--out", "file/below"), 3),
        (("gallery", "--out", "out", "--candidate", "nobody"), 1),
    ):
        result = run(*words)
        assert (result.exit_code, len(result.stderr.splitlines())) == (code, 1), words
