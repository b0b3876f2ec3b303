"""The lines of a campaign file that are about one step."""

import pytest

from nurture.authoring.passages import lines_of_steps

FILE = """\
name: Welcome
enter: {on: application.created}
steps:
  - send: notes/hello

  # A week later.
  - id: second
    was: old
    send: notes/second
    if: >-
      candidate.first_name

      == "Ana"
    after: 7 days   # not sooner
    # nor later

  - if: candidate.phone
    then:
      - task: {text: Call them}
      - send: notes/call
        at: 1 day after entered

    else:
      - {send: notes/write, after: 2 days}
  - {send: notes/third,
     after: 3 days}   # the end
"""


@pytest.mark.parametrize(
    ("step", "lines"),
    [
        ("hello", (4, 4)),
        ("second", (7, 14)),
        ("call", (20, 21)),
        ("write", (24, 24)),
        ("third", (25, 26)),
        ("old", None),
        ("nothing", None),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_the_lines_of_a_step_are_found(step: str, lines: tuple[int, int] | None, ends: str) -> None:
    found = lines_of_steps("\ufeff" + FILE.replace("\n", ends)).get(step)
    assert (found and found[:2]) == lines


def test_the_lines_of_a_step_are_read_as_they_are_written() -> None:
    text = "\ufeff" + FILE.replace("\n", "\r\n")
    assert lines_of_steps(text)["third"].of(text) == (
        "  - {send: notes/third,\n     after: 3 days}   # the end"
    )


def test_a_step_says_what_it_was_called_before() -> None:
    found = lines_of_steps(FILE)
    assert (found["second"].was, found["hello"].was) == ("old", None)


@pytest.mark.parametrize(
    "content",
    ["", "steps: 3\n", "steps:\n  - 3\n", "steps:\n  - then: x\n", "name: [", "a: &a [*a]"],
)
def test_a_text_that_is_no_campaign_has_no_steps(content: str) -> None:
    assert lines_of_steps(content) == {}
