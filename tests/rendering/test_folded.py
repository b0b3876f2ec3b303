"""The text part fits 72 columns, and says what it said before."""

import re

from hypothesis import given
from hypothesis import strategies as st

from nurture.rendering.folded import WIDTH, folded

WORDS = st.lists(
    st.one_of(
        st.text("abcdefghijklmnop.,äß漢", min_size=1, max_size=90),
        st.just("https://example.com/" + "x" * 60),
        st.just("<https://example.com/short>"),
    ),
    max_size=40,
)
LEADS = st.sampled_from(["", "- ", "12. ", "  ", "    - "])


@given(LEADS, WORDS)
def test_no_word_is_lost_and_no_line_is_too_long_but_for_one_word(lead, words) -> None:
    line = lead + " ".join(words)
    lines = folded(line).split("\n")
    assert " ".join(lines).split() == line.split()
    for each in lines:
        whole = re.sub(r"( ?<?https?://\S+)+$", "", each)
        assert len(whole) <= WIDTH or len(whole.lstrip("->. 0123456789").split()) == 1, each


def test_lists_go_on_below_their_first_word_and_an_address_stays_behind_its_label() -> None:
    text = f"""- Who: {"Rui Costa (Team lead), " * 4}Mei
Choose another time, if this one does not suit you: https://example.com/move/{"x" * 40}
"""
    assert (
        folded(text)
        == f"""- Who: Rui Costa (Team lead), Rui Costa (Team lead), Rui Costa (Team
  lead), Rui Costa (Team lead), Mei
Choose another time, if this one does not suit you: https://example.com/move/{"x" * 40}
"""
    )


def test_a_quotation_stays_one() -> None:
    lines = folded("> " + "word " * 40).split("\n")
    assert len(lines) == 3
    assert all(each.startswith("> word") for each in lines)


def test_short_lines_stay_as_they_are() -> None:
    text = "Hello Ana,\n\nTom\n--\nExample Ltd\n"
    assert folded(text) == text
