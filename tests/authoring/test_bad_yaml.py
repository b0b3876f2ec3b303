"""Promises about broken files: each is told at its line, and the last good version goes on."""

import os
import time
from pathlib import Path

import pytest

from nurture.authoring.check import check

GOOD = """\
name: One
enter: {on: interview.scheduled}
steps:
  - send: prep/kit
    at: 1 day before interview.starts_at
"""
BAD = "name: Two\n"

#: Texts that are no YAML, or not the YAML that anybody means. What a line breaks is said before it.
NOT_YAML = [
    # brackets and braces
    "steps: [\n",
    "steps: [a, b\n",
    "steps: [a, b\nname: x\n",
    "steps: a]\n",
    "steps: ]\n",
    "enter: {on: x\n",
    "enter: {on: x\nname: y\n",
    "enter: on: x}\n",
    "enter: }\n",
    "enter: {on: [a, b}\n",
    "enter: {on: a]]\n",
    "steps: [{send: a], {send: b}]\n",
    "steps: [a, b] c\n",
    "enter: {on: x} y\n",
    "steps: [a b: c: d]\n",
    "enter: {on: a: b}\n",
    "enter: {{on: x}}\n",
    "{a: b}: {c: d}\n",
    "[a, b]: c\n",
    "steps: [,]\n",
    "steps: [a,, b]\n",
    "enter: {,}\n",
    "enter: {on: x,, if: y}\n",
    "steps:\n- [a\n- b]\n",
    "steps: [\n# only a comment\n",
    # quotes
    'name: "x\n',
    "name: 'x\n",
    'name: "x" y\n',
    "name: 'x' y\n",
    'name: "x"y: z\n',
    "name: 'it's'\n",
    'name: "a "b" c"\n',
    'name: "\\q"\n',
    'name: "\\x4"\n',
    'name: "\\u12"\n',
    'name: "a\n---\nb"\n',
    "name: 'a\n...\nb'\n",
    '"name: x\n',
    "'name': 'x\n",
    # indentation and tabs
    "name: x\n\tabout: y\n",
    "enter:\n\ton: x\n",
    "steps:\n\t- send: a\n",
    "steps:\n  - send: a\n\t  at: b\n",
    "enter:\n  on: x\n if: y\n",
    "enter:\n    on: x\n  if: y\n",
    " name: x\nabout: y\n",
    "steps:\n  - send: a\n - send: b\n",
    "steps:\n  - send: a\n   at: b\n",
    "steps:\n  - send: a\n     at: b\n",
    "steps:\n  - a\n  b: c\n",
    "steps:\n- a\nb\n",
    "name: x\n  about: y\n",
    "name: x\n - a\n",
    "steps:\n  send: a\n  - send: b\n",
    "steps: - send: a\n",
    "steps: - a\n       - b\n",
    "- name: x\nabout: y\n",
    # colons and keys
    "name: a: b\n",
    "name: x y: z\n",
    "about: Note: this\n",
    "name\n",
    "name x\nabout: y\n",
    "name:x\nabout: y\n",
    "name: x\nabout\nowner: y\n",
    "name: x\nabout y\n",
    ": x\n: y\n",
    "? [a]\n: b\n",
    "name: x\nname: y\n",
    "enter: {on: a, on: b}\n",
    "a\nb: c\n",
    "name: - x\n",
    # characters that begin something else
    "name: @team\n",
    "name: `code`\n",
    "name: %x\n%y: z\n",
    "name: *nobody\n",
    "name: **bold**\n",
    "name: &\n",
    "name: & x\n",
    "about: !important\n",
    "about: !<x\n",
    "name: |x\n  y\n",
    "name: >5 days\n",
    "name: | y\n  z\n",
    "name: |0\n  x\n",
    "name: >-+\n  x\n",
    "name: ]x\n",
    "%TAG ! x\n---\nname: y\n",
    "%YAML 3.0\n---\nname: x\n",
    "%YAML 1.2\nname: x\n",
    # documents and other structures
    "name: x\n---\nname: y\n",
    "--- x\n--- y\n",
    "name: x\n...\nname: y\n",
    "a: &a [*a]\n",
    "a: &a {b: *a}\n",
    "x: &x &y z\n",
    "x: *a b\n",
    "{\n",
    "[\n",
    "- - - -\n- a: b: c\n",
    "name: x\n} \n",
    "name: \x07bell\n",
    "name: \ud800\n",
    "name: x\x00y\n",
    # braces of Jinja
    "name: {{ x }}\n",
    "name: {{ x }} y\n",
    "name: {% if x %}\n",
    "steps: [{task: {text: {{ candidate.first_name }} }}]\n",
]


class Watched:
    """A library with a good campaign, and what it says of what is put in its place."""

    def __init__(self, project) -> None:
        project.template("prep/kit")
        self.project = project
        self.path: Path = project.write("campaigns/prep.yaml", GOOD)
        self.library = project.library()
        assert self.library.problems == ()

    def told(self) -> list:
        """Problems after the next look, which ends: the bound tells a bomb from a slow machine."""
        began = time.process_time()
        self.library.reload()
        assert time.process_time() - began < 30
        assert self.library.campaigns["prep"].title == "One"
        assert self.library.campaigns["prep"].steps[0].send == "prep/kit"
        assert "prep/kit" in self.library.templates
        return [one for one in self.library.problems if one.severity == "error"]


@pytest.fixture
def watched(project) -> Watched:
    return Watched(project)


@pytest.mark.parametrize("text", NOT_YAML)
def test_what_is_not_yaml_is_told_and_the_good_version_goes_on(watched, text):
    watched.path.write_bytes(text.encode("utf-8", "surrogatepass"))
    problems = watched.told()
    assert problems
    lines = text.count("\n") + 1
    assert all(1 <= one.line <= lines and one.column >= 1 for one in problems)
    assert all(one.file == "campaigns/prep.yaml" and one.message for one in problems)
    watched.path.write_text(GOOD.replace("One", "Three"))
    watched.library.reload()
    assert (watched.library.campaigns["prep"].title, watched.library.problems) == ("Three", ())


# --- the traps of the first hour -----------------------------------------------------------------

HEAD = "name: x\nenter: {on: interview.scheduled}\nsteps:\n"
TRAPS = {
    "a comma that splits a moment": (
        HEAD + "  - {send: prep/kit, at: 2 days before interview.starts_at, at 09:00}\n",
        (4, 61, "comma-in-value", "at: 2 days before interview.starts_at at 09:00"),
    ),
    "a comma in a task's text": (
        HEAD + "  - task: {text: Call her, please}\n",
        (4, 28, "comma-in-value", 'text: "Call her, please"'),
    ),
    "a colon in text": ("name: a: b\n" + HEAD[8:], (1, 8, "colon-in-text", 'name: "a: b"')),
    "a colon in a task between braces": (
        HEAD + "  - task: {text: Call: now}\n",
        (4, 22, "colon-in-text", "quotes"),
    ),
    "braces as a value": (
        HEAD + "  - task:\n      text: {{ candidate.first_name }} waits\n",
        (5, 13, "braces", 'text: "{{ candidate.first_name }} waits"'),
    ),
    "braces alone": (
        HEAD + "  - task:\n      text: {{ candidate.first_name }}\n",
        (5, 13, "braces", '"{{ candidate.first_name }}"'),
    ),
    "a word without quotes": (
        HEAD + "  - send: prep/kit\n    if: interview.kind == video\n",
        (5, 27, "unquoted-word", '"video"'),
    ),
    "words in a list without quotes": (
        HEAD + '  - send: prep/kit\n    if: interview.kind in ("phone", video)\n',
        (5, 37, "unquoted-word", '"video"'),
    ),
    "a tab": (HEAD + "  - send: prep/kit\n\tat: interview.starts_at\n", (5, 1, "tab", "spaces")),
    "a key twice": (
        HEAD + "  - send: prep/kit\n    send: prep/kit\n",
        (5, 5, "duplicate-key", '"- send: ..."'),
    ),
    "yes for true": (
        HEAD + "  - send: prep/kit\n    again_if_moved: yes\n",
        (5, 21, "wrong-type", "write true"),
    ),
    "off for false": (
        HEAD + "  - send: prep/kit\n    again_if_moved: off\n",
        (5, 21, "wrong-type", "write false"),
    ),
    "before, misspelt": (
        HEAD + "  - send: prep/kit\n    at: 2 day befor interview.starts_at\n",
        (5, 9, "moment", "before"),
    ),
    "an anchor, misspelt": (
        HEAD + "  - send: prep/kit\n    at: 2 day before interview.start_at\n",
        (5, 9, "moment", "interview.starts_at"),
    ),
    "no dash at all": (
        HEAD + "  send: prep/kit\n  at: interview.starts_at\n",
        (4, 3, "wrong-type", '"- send: ..."'),
    ),
    "no dash at the second": (
        HEAD + "  - send: prep/kit\n  send: prep/kit\n",
        (5, 3, "yaml", '"- send: prep/kit"'),
    ),
    "no space after the dash": (
        HEAD + "  -send: prep/kit\n",
        (4, 3, "wrong-type", '"- send: ..."'),
    ),
    "the template's suffix": (
        HEAD + "  - send: prep/kit.md\n",
        (4, 11, "unknown-template", "prep/kit"),
    ),
    "typographic quotes around a name": (
        HEAD + "  - send: “prep/kit”\n",
        (4, 11, "smart-quotes", '"prep/kit"'),
    ),
    "typographic quotes in a condition": (
        HEAD + "  - send: prep/kit\n    if: interview.kind == “video”\n",
        (5, 27, "expression", "straight quotes"),
    ),
    "a space that is none after a colon": (
        HEAD + "  - send: prep/kit\n    at:\u00a0interview.starts_at\n",
        (5, 8, "odd-space", "type a space"),
    ),
    "a space that is none before a key": (
        HEAD + "  - send: prep/kit\n\u00a0\u00a0\u00a0\u00a0at: interview.starts_at\n",
        (5, 1, "odd-space", "type a space"),
    ),
    "no space after a colon": (
        "name:x\n" + HEAD[8:] + "  - send: prep/kit\n",
        (1, 5, "yaml", "name: x"),
    ),
    "no colon": ("name x\n" + HEAD[8:] + "  - send: prep/kit\n", (1, 1, "yaml", "name: x")),
    "a quote left open": (
        'name: "x\n' + HEAD[8:] + "  - send: prep/kit\n",
        (1, 7, "yaml", "close it"),
    ),
    "a quote left open before others": (
        'name: "x\nabout: "y"\n' + HEAD[8:] + "  - send: prep/kit\n",
        (1, 7, "yaml", "end it"),
    ),
    "a bracket left open": (
        "leave:\n  - on: [offer.accepted\n" + HEAD + "  - send: prep/kit\n",
        (2, 9, "yaml", "end it with ]"),
    ),
    "an exclamation mark": ("name: !Hurry\n" + HEAD[8:], (1, 7, "yaml", "quotes")),
    "bold text": ("name: **New** roles\n" + HEAD[8:], (1, 7, "yaml", '"**New** roles"')),
    "a key of a step outside": (
        HEAD + "  - send: prep/kit\nat: interview.starts_at\n",
        (5, 1, "unknown-key", "steps:"),
    ),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_of_the_first_hour_is_told_with_what_to_type_instead(watched, trap):
    text, (line, column, code, remedy) = TRAPS[trap]
    watched.path.write_text(text)
    problems = watched.told()
    first = next((one for one in problems if one.code == code), None)
    assert first is not None, problems
    assert (first.line, first.column) == (line, column)
    assert remedy in f"{first.message} {first.hint}"


def test_a_text_cut_short_by_a_hash_is_a_warning_and_a_comment_is_none(project, told):
    project.template("prep/kit", subject="Prize #1 is yours")
    text = GOOD.replace("name: One", "name: Band #7  # our best\nabout: fine  # said twice")
    project.write("campaigns/prep.yaml", text)
    problems = [one for one in check(project.config) if one.code == "comment-in-text"]
    assert told(problems) == ["prep.yaml:1:12 comment-in-text", "kit.md:2:16 comment-in-text"]
    assert {one.severity for one in problems} == {"warning"}
    assert '"Prize #1 is yours"' in problems[1].hint


def test_a_hash_within_a_longer_text_or_in_quotes_is_no_trap(project):
    project.template("prep/kit", subject='"Prize #1"')
    text = GOOD.replace("name: One", "name: One\nabout: |\n  text: ticket #7\n  owner: room #8")
    project.write("campaigns/prep.yaml", text)
    assert check(project.config) == []


@pytest.mark.parametrize(
    "raw", [b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n").encode()]
)
def test_files_as_windows_writes_them_are_as_good(project, raw):
    project.template("prep/kit")
    project.write("campaigns/prep.yaml", raw)
    project.write("config.yaml", b"\xef\xbb\xbflocale: en\r\n")
    template = (project.root / "templates/prep/kit.md").read_bytes()
    project.write("templates/prep/kit.md", b"\xef\xbb\xbf" + template.replace(b"\n", b"\r\n"))
    assert check(project.config) == []


# --- files that are none, or too much ------------------------------------------------------------


def replaced_by_a_folder(path: Path) -> None:
    path.mkdir()


def replaced_by_a_pipe(path: Path) -> None:
    os.mkfifo(path)


def replaced_by_a_link_to_nothing(path: Path) -> None:
    path.symlink_to("nowhere.yaml")


def replaced_by_a_link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def replaced_by_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


FILES = {
    "a folder": (replaced_by_a_folder, "unreadable"),
    "a pipe": (replaced_by_a_pipe, "unreadable"),
    "a link to nothing": (replaced_by_a_link_to_nothing, "unreadable"),
    "a link to itself": (replaced_by_a_link_to_itself, "unreadable"),
    "a device": (replaced_by_a_device, "unreadable"),
    "Latin-1": (b"name: Jos\xe9\n", "encoding"),
    "UTF-16": ("name: x\n".encode("utf-16"), "encoding"),
    "NUL bytes": (b"\x00" * 100, "encoding"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "encoding"),
    "10 MB of steps": (b"  - send: prep/kit\n" * 550_000, "too-large"),
    "10 MB on one line": (b"name: " + b"x" * 10_000_000, "too-large"),
    "brackets 10,000 deep": (b"a: " + b"[" * 10_000, "yaml"),
    "braces 10,000 deep": (b"{a: " * 10_000, "yaml"),
    "dashes 10,000 deep": (b"- " * 10_000, "yaml"),
    "keys 500 deep": ("\n".join(" " * n + "a:" for n in range(500)).encode(), "yaml"),
    "a billion laughs": (
        "\n".join(
            ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
            + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
        ).encode(),
        "yaml",
    ),
    "merged a billion times": (
        "\n".join(
            ["a0: &a0 {k: v}"]
            + [f"a{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}}}" for n in range(1, 40)]
        ).encode(),
        "yaml",
    ),
    "thousands of unknown keys": (
        ("\n".join(f"key{n}: {n}" for n in range(5_000))).encode(),
        "unknown-key",
    ),
    "an endless number": (b"status: " + b"9" * 100_000, "invalid-value"),
    "nothing": (b"", "missing-key"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_none_or_too_much_is_told_and_the_good_one_goes_on(watched, kind):
    bad, code = FILES[kind]
    watched.path.unlink()
    if isinstance(bad, bytes):
        watched.path.write_bytes(bad)
    else:
        bad(watched.path)
    problems = watched.told()
    assert code in {one.code for one in problems}
    assert len(problems) <= 120
    watched.library.keep()


def test_a_template_that_is_no_file_is_told_and_the_good_one_goes_on(watched):
    path = watched.project.root / "templates/prep/kit.md"
    for bad, code in FILES.values():
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
        if isinstance(bad, bytes):
            path.write_bytes(b"---\n" + bad if code == "yaml" else bad)
        else:
            bad(path)
        assert watched.told()


def test_a_file_nobody_may_read_is_told(watched, monkeypatch):
    real = os.open

    def refused(path, *rest, **more):
        if str(path).endswith("prep.yaml"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **more)

    watched.path.write_text(BAD)
    monkeypatch.setattr(os, "open", refused)
    [problem] = watched.told()
    assert (problem.code, problem.message) == ("unreadable", "cannot be read: Permission denied")
