"""Promises of nurture.positions: every complaint has its place, no text crashes the reader."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from nurture.errors import Problems
from nurture.positions import did_you_mean, read_yaml, validate


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    from_: str = Field("", alias="from")
    size: int = 0


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    inner: Inner = Inner()
    many: list[Inner] = []


def problems_of(text: str, first_line: int = 1) -> list[tuple[int, int, str, str]]:
    try:
        data, positions = read_yaml(text, "f.yaml", first_line)
        validate(Outer, data, positions, "f.yaml")
    except Problems as found:
        return [(p.line, p.column, p.code, f"{p.message} {p.hint}") for p in found.problems]
    return []


def test_words_stay_words_as_yaml_1_2_has_it():
    text = "on: no\nat: 9:00\nday: 2026-01-01\ncode: 0123\nyes: y\n"
    assert read_yaml(text, "f")[0] == {
        "on": "no",
        "at": "9:00",
        "day": "2026-01-01",
        "code": 123,
        "yes": "y",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: x\nnmae: y\n", (2, 1, "unknown-key", 'did you mean "name"?')),
        ("inner: {}\n", (1, 1, "missing-key", '"name" is missing')),
        ("name: x\ninner:\n  size: big\n", (3, 9, "wrong-type", "a whole number")),
        ("name: x\nmany:\n  - from: a\n  - form: b\n", (4, 5, "unknown-key", '"from"')),
        ("name: x\nmany: [{from: 3}]\n", (2, 15, "wrong-type", "put it in quotes")),
        ("name: [\n", (1, 7, "yaml", "end it with ]")),
        ("name: x\n\tinner: y\n", (2, 1, "tab", "not with tabs")),
        ("name: x\nname: y\n", (2, 1, "duplicate-key", "line 1")),
        ("name: a: b\n", (1, 8, "colon-in-text", 'name: "a: b"')),
        ("name: {{ x }} y\n", (1, 7, "braces", 'name: "{{ x }} y"')),
        ("name: {{ x }}\n", (1, 7, "braces", 'name: "{{ x }}"')),
        ("- 1\n", (1, 1, "wrong-type", "keys with values")),
        ("name: x\n---\nname: y\n", (2, 1, "yaml", "remove the second")),
    ],
)
def test_a_complaint_names_line_column_and_remedy(text, expected):
    [(line, column, code, said)] = problems_of(text)
    assert (line, column, code) == expected[:3]
    assert expected[3] in said


def test_all_complaints_are_given_at_once():
    assert [p[0] for p in problems_of("name: 1\ninner: {size: x, z: 1}\nmore: 2\n")] == [1, 2, 2, 3]


def test_the_name_of_a_field_in_python_is_no_key_of_the_file():
    assert problems_of("name: x\ninner: {from_: a}\n")[0][2] == "unknown-key"


def test_lines_count_from_where_the_text_begins_in_its_file():
    assert problems_of("name: 1\n", first_line=7)[0][:2] == (7, 7)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: one TWO\n", (1, 8)),
        ('a: "one TWO"\n', (1, 9)),
        ("a: 'it''s TWO'\n", (1, 11)),
        ("a: |\n  one\n    TWO\n", (3, 5)),
        ("a: >-   # folded\n  one\n\n  TWO three\n", (4, 3)),
        ("a: one\n  plain\n  TWO\n", (3, 3)),
        ('a: "caf\\u00e9 TWO"\n', (1, 15)),
        ("\ufeffa: TWO\r\n", (1, 4)),
    ],
)
def test_a_character_inside_a_value_is_found_in_the_file(text, expected):
    data, positions = read_yaml(text, "f")
    assert positions.inside(("a",), data["a"].index("TWO")) == expected


def test_a_file_of_aliases_does_not_unfold_without_end():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(Problems) as found:
        read_yaml("\n".join(lines), "f")
    assert [p.code for p in found.value.problems] == ["yaml"]


@pytest.mark.parametrize("text", ["&a [*a]", "[" * 5000, "a: " + "{a: " * 3000, "%YAML 9.9\n--- x"])
def test_endless_or_deep_files_are_complaints(text):
    with pytest.raises(Problems):
        read_yaml(text, "f")


def test_nothing_near_means_no_suggestion():
    assert did_you_mean("zebra", ["name"]) == ""


YAML_TEXT = st.text(st.sampled_from("ab:-? {}[],&*#|>'\"%@!~0123\n\t\r\\<=.\u00e9\x00\x85\ufeff"))


@settings(max_examples=400, deadline=None)
@given(YAML_TEXT | st.text())
def test_any_text_is_read_or_complained_about(text):
    for problem in problems_of(text):
        assert problem[0] >= 1
        assert problem[1] >= 1
