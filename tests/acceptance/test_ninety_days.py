"""Ninety days of people of mixed fates with the starter campaigns: what does each of them get?

Fewer people than in docs/relationship/ninety-days.md, and the same checkers, which read what the
mail server accepted and the list of tasks. That each of them sees what it is there for is shown
here too, by spoiling the past that they read.
"""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from datetime import timedelta

import pytest

from nurture.config import Config, load_config
from tests.conftest import made_once
from tools.ninety_days.checks import CHECKERS, check, stretches
from tools.ninety_days.figures import figures
from tools.ninety_days.house import ROOT, House
from tools.ninety_days.past import Mail, Past, Told
from tools.ninety_days.people import FATES
from tools.ninety_days.report import HOLDS, page, svg
from tools.ninety_days.stories import lives

PEOPLE = 20
SEED = 153


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(ROOT / "config.yaml", {})


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    lived: Past = made_once(
        tmp_path_factory,
        "ninety-days",
        lambda: House(SEED, PEOPLE, tmp_path_factory.mktemp("house")).run(),
    )
    return lived


@pytest.mark.acceptance("A1.1")
@pytest.mark.acceptance("A10.1")
@pytest.mark.parametrize("name", CHECKERS)
def test_in_ninety_days_nobody_is_treated_otherwise_than_the_house_says(
    past: Past, config: Config, name: str
) -> None:
    found = check(past, config)[name]
    assert found.looked_at
    assert found.wrong == ()


def test_the_middle_of_an_interview_week_and_of_a_silver_medalist_is_sane(
    past: Past, config: Config
) -> None:
    counted = figures(past, config)
    assert counted.interview_week.of > 10
    assert 3 <= counted.interview_week.median <= 7
    assert counted.silver_medalist.median <= 1
    assert all(fate.fullest_week.median <= 12 for fate in counted.fates)
    assert {fate.name for fate in counted.fates if fate.people} == set(FATES)


def test_the_report_has_every_rule_and_the_picture_can_be_read(past: Past, config: Config) -> None:
    counted = figures(past, config)
    text = page(SEED, 1, check(past, config), counted, "ninety-days.svg")
    assert all(rule in text for rule in HOLDS.values())
    assert f"--seed {SEED} --people {PEOPLE}" in text
    picture = ET.fromstring(svg(counted))
    said = " ".join(picture.itertext())
    assert all(fate in said for fate in FATES)


# --- the checkers see what they are there for -----------------------------------------------------


def somebody(past: Past, **sent: str) -> tuple[str, list[Mail]]:
    """Who got a mail of that category or tone, and all their mails."""
    for ref, mails in past.mails.items():
        for mail in mails:
            category, tone = past.kinds[mail.first]
            if sent in ({"category": category}, {"tone": tone}):
                return ref, mails
    raise AssertionError(f"nobody got {sent}")


def nobody_wrote(past: Past, _: Config) -> None:
    past.mails = {}
    past.tasks = {}


def a_cap_is_full(past: Past, _: Config) -> None:
    ref, mails = somebody(past, category="help")
    mail = next(each for each in mails if past.kinds[each.first][0] == "help")
    more = [replace(mail, message_id=f"<{n}@x>", at=mail.at - timedelta(hours=n)) for n in (1, 2)]
    past.mails[ref] = sorted([*mails, *more], key=lambda each: each.at)


def too_often(past: Past, _config: Config) -> None:
    ref, _ = somebody(past, category="help")
    past.lives[ref] = replace(past.lives[ref], traits=frozenset({"only what matters"}))


def cheer_after_a_no(past: Past, _: Config) -> None:
    past.kinds = dict.fromkeys(past.kinds, ("prep", "cheerful"))


def mail_to_who_wants_none(past: Past, _: Config) -> None:
    ref, mails = next(iter(past.mails.items()))
    told = Told(mails[0].at - timedelta(minutes=5), {"type": "candidate.do_not_contact"})
    past.told[ref] = [told, *past.told[ref]]


def a_no_twice(past: Past, _: Config) -> None:
    ref, mails = somebody(past, category="decision")
    no = next(each for each in mails if past.kinds[each.first][0] == "decision")
    past.mails[ref] = [*mails, replace(no, message_id="<again@x>")]


def a_message_twice(past: Past, _: Config) -> None:
    ref, mails = next(iter(past.mails.items()))
    past.mails[ref] = [*mails, mails[-1]]


SPOILT: dict[str, Callable[[Past, Config], None]] = {
    "silence": nobody_wrote,
    "caps": a_cap_is_full,
    "pace": too_often,
    "tone": cheer_after_a_no,
    "unwanted": mail_to_who_wants_none,
    "afterwards": a_no_twice,
    "once": a_message_twice,
}


@pytest.mark.parametrize("name", CHECKERS)
def test_a_checker_sees_what_is_wrong(past: Past, config: Config, name: str) -> None:
    other = copy(past)
    other.lives, other.mails, other.told = dict(past.lives), dict(past.mails), dict(past.told)
    SPOILT[name](other, config)
    assert [each for each in CHECKERS[name](other, config) if each]


def test_whose_silence_is_watched_is_everybody_in_process(past: Past, config: Config) -> None:
    seen = {each.of for each in stretches(past, config)}
    unwatched = {ref for ref, life in past.lives.items() if "wants no contact" in life.traits}
    assert seen == set(past.lives) - unwatched


def test_a_seed_gives_the_same_lives_each_time() -> None:
    assert lives(SEED, 20) == lives(SEED, 20)
    assert lives(SEED, 20) != lives(SEED + 1, 20)
