"""A promise in a campaign file is one that can be kept, or `check` says why not."""

from pathlib import Path

import pytest

from nurture.authoring.check import check
from nurture.config import load_config

FILE = """\
name: Thanks
enter: {on: ENTER}
steps:
  - send: interview-prep/cancelled
    promise: PROMISE
"""


@pytest.mark.parametrize(
    ("enter", "promise", "said"),
    [
        ("interview.completed", "{what: a call, within: 5 business days}", None),
        ("interview.completed", "{what: a call, within: 1 week, kept_by: [contact]}", None),
        ("interview.completed", "{what: a call, within: 4 hours}", "a day to come"),
        ("interview.completed", "{what: a call, within: 0 days}", "a day to come"),
        ("interview.completed", "{within: 5 business days}", "says not what is promised"),
        ("interview.completed", "{what: a call, within: 1 week, kept_by: [decisoin]}", "decision"),
        ("interview.completed", "{what: a call, within: 1 week, kept_by: [holding]}", "no news"),
    ],
)
def test_a_promise_is_for_a_day_to_come_and_something_keeps_it(
    folder: Path, enter: str, promise: str, said: str | None
) -> None:
    text = FILE.replace("ENTER", enter).replace("PROMISE", promise)
    (folder / "campaigns/thanks.yaml").write_text(text)
    found = [
        each for each in check(load_config(folder / "config.yaml", {})) if "thanks" in each.file
    ]
    told = [f"{each.message} {each.hint}" for each in found if each.code == "promise"]
    assert len(told) == (said is not None)
    assert said is None or said in told[0]
