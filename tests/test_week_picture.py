"""The picture in docs/agenda.md is what the engine does."""

import xml.etree.ElementTree as ET
from pathlib import Path

from tools.week_picture import svg, week

ROOT = Path(__file__).parents[1]


def test_the_kept_picture_is_drawn_from_what_the_simulation_says() -> None:
    mails = week()
    assert (ROOT / "docs/week.svg").read_text(encoding="utf-8") == svg(mails), (
        "python -m tools.week_picture > docs/week.svg"
    )
    assert ET.fromstring(svg(mails)).tag.endswith("svg")
    page = " ".join((ROOT / "docs/agenda.md").read_text(encoding="utf-8").split())
    for mail in mails:
        assert f"*{mail.title}*" in page
        if mail.wanted_at != mail.sent_at:
            assert f"**{mail.sent_at:%A}" in page
