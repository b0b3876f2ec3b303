"""Promises about what people here call a letter."""

import pytest

from nurture.rendering.titles import title_of


@pytest.mark.parametrize(
    ("subject", "title"),
    [
        ("Our decision on your application", "Our decision on your application"),
        ("Your interview on {{ interview.starts_at | day }}", "Your interview on …"),
        ("{{ candidate.first_name }}{{ job.title }}: a date", "…: a date"),
        ("{% if candidate.discreet %}A date{% else %}Your interview{% endif %}", "Your interview"),
        ("{% if job.title %}{{ job.title }}: {% endif %}a date", "…: a date"),
        ("{% for one in interview.interviewers %}{{ one }}{% endfor %} and you", "… and you"),
        ("{{ job.title }}!", ""),
        ("{% if %}", ""),
        ("", ""),
    ],
)
def test_a_letter_is_called_by_what_its_subject_says_to_all(subject, title):
    assert title_of(subject) == title
