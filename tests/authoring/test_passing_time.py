"""Law of comparisons with the time: they say when they change, not when they might."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from nurture.authoring.expressions import Scope, compile_condition
from nurture.config import Config
from nurture.core.model import Candidate, Enrollment, Facts, Subject, Truth
from nurture.rendering.context import context, supplied
from nurture.rendering.functions import FUNCTIONS

ZONES = ["Europe/Lisbon", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia"]
SCOPE = Scope(
    {"candidate": {"on": "date", "at": "instant"}}, FUNCTIONS, supplied("candidate", None)
)
CONFIG = Config.model_validate(
    {"root": Path(), "candidate_fields": {"on": "date", "at": "instant"}}
)
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31))  # noqa: DTZ001 - made aware below
LITTLE = timedelta(microseconds=1)


def asked(source: str, zone: str, now: datetime, **fields: Any) -> Truth:
    condition, wrong = compile_condition(source, SCOPE)
    assert condition is not None, wrong
    ana = Candidate(id=1, ref="c1", timezone=zone, fields=fields)
    new = Enrollment(
        id=-1, candidate_id=1, campaign="x", subject=Subject(), about="candidate:1", entered_at=now
    )
    facts = Facts(candidate=ana)
    return condition(context(facts, new.subject, enrollment=new, config=CONFIG, now=now))


@given(
    st.sampled_from(["days_since", "hours_since"]),
    st.sampled_from(["on", "at"]),
    st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    st.integers(-500, 500) | st.sampled_from([0.5, -2.5, 30.0]),
    st.booleans(),
    st.sampled_from(ZONES),
    TIMES,
    TIMES,
)
def test_a_comparison_says_the_instant_at_which_it_changes(
    function: str,
    field: str,
    op: str,
    limit: float,
    swapped: bool,
    zone: str,
    told: datetime,
    now: datetime,
) -> None:
    call = f"{function}(candidate.{field})"
    source = f"{limit} {op} {call}" if swapped else f"{call} {op} {limit}"
    at = told.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    fields = {"on": told.date().isoformat(), "at": at.isoformat()}
    now = now.replace(tzinfo=UTC)
    truth = asked(source, zone, now, **fields)
    if truth.changes_at is None:
        for days in (1, 400, 4_000):
            assert asked(source, zone, now + timedelta(days=days), **fields).value == truth.value
    else:
        assert truth.changes_at > now
        assert asked(source, zone, truth.changes_at - LITTLE, **fields).value == truth.value
        assert asked(source, zone, truth.changes_at, **fields).value != truth.value


def test_what_is_beyond_the_end_of_time_changes_never() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    truth = asked("days_since(candidate.on) > 9999999", "UTC", now, on=str(date(2026, 1, 1)))
    assert truth == Truth(value=False, changes_at=None)
