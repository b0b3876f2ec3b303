"""Promises of how problems are told: the line, the spot, why, what to try; and to machines."""

import json

import pytest

from nurture.authoring.telling import LINE_MAX, end_of, excerpt, format_problems
from nurture.errors import Problem


@pytest.fixture
def shown(project):
    """What people see of one problem in a file of one's own, without its margin."""

    def shown(text: str, line: int, column: int, **more: str) -> list[str]:
        project.write("campaigns/x.yaml", text)
        said = {"code": "unknown-key", "message": '"att"', **more}
        problem = Problem(file="campaigns/x.yaml", line=line, column=column, **said)
        return format_problems([problem]).splitlines()

    return shown


def test_people_see_the_line_the_spot_why_it_matters_and_what_to_try(shown):
    assert shown("a: 1\n    att: 50%\n", 2, 5, hint='did you mean "at"?') == [
        'error[unknown-key]: unknown key "att"',
        " --> campaigns/x.yaml:2:5",
        "  |",
        "2 |     att: 50%",
        "  |     ^^^",
        (
            "  = why: A misspelt `until` that was ignored would let a reminder arrive after the "
            "interview."
        ),
        '  = try: did you mean "at"?',
        "",
        "1 error in 1 file; `nurture check --explain unknown-key` says more",
    ]


def test_why_is_said_once_a_code_and_the_last_line_counts(project):
    project.write("campaigns/x.yaml", "a: 1\nb: 2\n")
    some = [
        Problem(file="campaigns/x.yaml", line=line, code="yaml", message="m", severity=severity)
        for line, severity in ((1, "warning"), (2, "error"), (2, "error"))
    ]
    lines = format_problems(some).splitlines()
    assert sum("= why: " in line for line in lines) == 1
    assert lines[0] == "warning[yaml]: m"
    assert lines[-1].startswith("2 errors, 1 warning in 1 file; ")


@pytest.mark.parametrize(
    ("line", "column", "message", "marked"),
    [
        ("if: interview.knd == 'x'", 5, 'there is no "interview.knd"', "interview.knd"),
        ("  at: 2 day befor x  # soon", 7, "?", "2 day befor x"),
        ("- {send: a, at: 2 days before x, until: y}", 17, "?", "2 days before x"),
        ("  untill: x", 3, "?", "untill"),
        ("- {send: a, untill: y}", 13, "?", "untill"),
        ('name: "a b" c', 7, "?", '"a b"'),
        ("Hello {{ candidate.nme }}!", 7, "?", "{{ candidate.nme }}"),
        ("Hello {{ candidate.nme }}!", 10, "?", "candidate.nme"),
        ("steps:", 1, "?", "steps"),
        ("", 1, "?", " "),
        ("a", 9, "?", " "),
    ],
)
def test_the_mark_is_as_long_as_what_is_meant(line, column, message, marked):
    assert end_of(line, column, message) - column == len(marked)


@pytest.mark.parametrize(
    ("line", "column", "before"),
    [
        ("\tname: x", 2, 4),  # a tab is shown as four spaces
        ("名前: x", 5, 6),  # wide characters take two columns
        ("e\u0301t: x", 4, 2),  # what combines takes none
        ("a\u00a0b: x", 3, 2),
        ("a\x1b[31mb: x", 7, 6),  # nothing steers the terminal
    ],
)
def test_the_caret_stands_below_the_character(line, column, before):
    seen = excerpt(line, column, column + 1)
    assert seen.start == before
    assert "\x1b" not in seen.text


def test_a_space_that_is_none_can_be_seen():
    assert excerpt("a:\u00a0b", 3, 4).text == "a:␣b"


@pytest.mark.parametrize("column", [1, 60, 250, 499])
def test_a_long_line_is_cut_around_the_spot(column):
    line = "".join(chr(ord("a") + number % 26) for number in range(500))
    seen = excerpt(line, column, column + 3)
    assert len(seen.text) <= LINE_MAX + 2
    assert seen.text[seen.start] == line[column - 1]


def test_machines_get_the_end_of_the_spot_where_it_is_known(project):
    project.write("campaigns/x.yaml", "steps:\n  - att: 1\n")
    here = Problem(
        file="campaigns/x.yaml", line=2, column=5, code="unknown-key", message='"att"', hint="at"
    )
    gone = Problem(file="campaigns/gone.yaml", line=2, column=5, code="yaml", message="100% x")
    first, second = [json.loads(line) for line in format_problems([here, gone], "json").split("\n")]
    assert (first["line"], first["column"], first["end_line"], first["end_column"]) == (2, 5, 2, 8)
    assert (second["end_line"], second["end_column"]) == (None, None)
    assert format_problems([here, gone], "github").split("\n") == [
        (
            "::error file=campaigns/x.yaml,line=2,col=5,endLine=2,endColumn=7,title=unknown-key::"
            'unknown key "att" (at)'
        ),
        "::error file=campaigns/gone.yaml,line=2,col=5,title=yaml::100%25 x",
    ]
