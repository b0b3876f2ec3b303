"""How does `nurture preview --all` show templates: all of them, fitting, and loading nothing?"""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nurture.cli import main
from nurture.cli.project import Given
from nurture.clock import SetClock

Run = Callable[..., Result]
ALL = ("preview", "--all", "--sample", "--out", "out")


@pytest.fixture
def run(folder: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(folder)

    def typed(*words: str) -> Result:
        return CliRunner().invoke(main, list(words), obj=Given(clock=clock, env={}))

    return typed


def index_of(folder: Path) -> str:
    return (folder / "out/index.html").read_text(encoding="utf-8")


def test_every_template_is_shown_in_two_widths_with_its_text(run: Run, folder: Path) -> None:
    result = run(*ALL, "--json")
    told = json.loads(result.stdout)
    names = sorted(
        path.relative_to(folder / "templates").with_suffix("").as_posix()
        for path in (folder / "templates").rglob("*.md")
    )
    assert (told["shown"], told["missing"]) == (len(names), 0)
    page = index_of(folder)
    for name in names:
        source = f"mails/{name}.html"
        assert (folder / "out" / source).is_file()
        assert re.findall(rf'src="{source}"[^>]* width="(\d+)"[^>]* sandbox', page) == [
            "640",
            "320",
        ]
        plain = (folder / f"out/mails/{name}.txt").read_text(encoding="utf-8")
        assert "Example Ltd, 1 Example Street" in plain


def test_whom_a_template_is_shown_for_is_somebody_it_fits(run: Run, folder: Path) -> None:
    assert run(*ALL).exit_code == 0
    page = index_of(folder)
    shown = dict(re.findall(r"<h2>([^<]+)</h2>.*?For [^(]+\(([^,]+),", page, re.DOTALL))
    assert shown["interview-prep/cancelled"] == "sample-09"  # whose interview is cancelled
    assert shown["interview-prep/changed"] == "sample-19"  # whose interview was moved
    assert shown["interview-prep/onsite-day"] == "sample-06"  # who comes to the office
    assert shown["interview-prep/technical-kit"] in ("sample-04", "sample-11")


def test_a_translation_is_shown_beside_its_default_and_for_who_reads_it(
    run: Run, folder: Path
) -> None:
    default = (folder / "templates/status/received.md").read_text(encoding="utf-8")
    body = default.split("---\n", 2)[2]
    (folder / "templates/status/received.de.md").write_text(
        f"---\nsubject: Ihre Bewerbung ist da\npreheader: Danke\n---\n{body}", encoding="utf-8"
    )
    assert run(*ALL).exit_code == 0
    page = index_of(folder)
    assert "Ihre Bewerbung ist da" in page
    assert (folder / "out/mails/status/received.html").is_file()
    assert (folder / "out/mails/status/received.de.html").is_file()
    german = re.search(r"<h2>status/received\.de</h2>.*?</section>", page, re.DOTALL)
    assert german is not None
    assert " in de." in german[0]


def test_a_template_that_fits_nobody_says_why(run: Run, folder: Path) -> None:
    (folder / "templates/status/offer.md").write_text(
        "---\nsubject: Your offer\npreheader: Until {{ offer.expires_at | day }}\n"
        "category: decision\n---\n\nHello, your offer is good until {{ offer.expires_at | day }}.\n"
    )
    told = json.loads(run(*ALL, "--json").stdout)
    assert told["missing"] == 1
    assert re.search(r"Nobody can be shown\.</b> .*offer.* is missing", index_of(folder))


def test_nothing_is_loaded_and_no_link_is_anybodys(run: Run, folder: Path) -> None:
    assert run("run", "--once").exit_code == 0
    assert run("preview", "--all", "--out", "out").exit_code == 0
    page = index_of(folder)
    for load in ("<script", "<link", "<img", "url(", "@import"):
        assert load not in page
    for mail in (folder / "out/mails").rglob("*.html"):
        text = mail.read_text(encoding="utf-8")
        rule = text.index("default-src 'none'")
        assert rule < text.index("<body")
    links = set(
        re.findall(r"/u/([\w-]+)", (folder / "out/mails/culture/meet-the-team.txt").read_text())
    )
    real = run("preview", "culture/meet-the-team", "--candidate", "sample-01", "--json").stdout
    assert links
    assert not links & set(re.findall(r"/u/([\w-]+)", real))


def test_the_same_people_files_and_instant_give_the_same_bytes(run: Run, folder: Path) -> None:
    def digests() -> dict[str, str]:
        files = sorted(path for path in (folder / "out").rglob("*") if path.is_file())
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    start = ("--from", "2026-11-23T10:00")
    assert run(*ALL, *start).exit_code == 0
    once = digests()
    (folder / "var/secret").unlink()
    assert run(*ALL, *start).exit_code == 0
    assert digests() == once != {}


def test_nobody_is_written_to_and_nothing_is_kept(run: Run, folder: Path) -> None:
    assert run(*ALL).exit_code == 0
    (status,) = [json.loads(line) for line in run("status", "--json").stdout.splitlines()]
    assert status["candidates"] == 0
    assert not (folder / "var/outbox").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("preview", "--all"),
        ("preview", "a/b", "--all", "--out", "out"),
        ("preview", "a/b", "--candidate", "sample-01", "--sample"),
        ("preview", "a/b"),
        ("preview",),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


def test_where_nobody_is_known_the_index_says_so(run: Run, folder: Path) -> None:
    told = json.loads(run("preview", "--all", "--out", "out", "--json").stdout)
    assert told["shown"] == 0
    assert "there are no candidates" in index_of(folder)
