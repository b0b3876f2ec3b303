"""What the vocabulary promises to templates and conditions."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from letters import NOW, facts

from nurture.config import Config
from nurture.core.model import Application, Contact, Enrollment, Interview, Offer, Subject
from nurture.rendering.context import VOCABULARY, context, supplied, vocabulary
from nurture.rendering.functions import FUNCTIONS


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return Config(root=tmp_path_factory.mktemp("project"))


def words(config, known=None, subject=None, now=NOW, enrollment=None):
    return context(
        known or facts(), subject or Subject(), enrollment=enrollment, config=config, now=now
    )


def test_every_field_in_a_context_is_in_the_vocabulary(config):
    known = facts(fields={"phone": "1", "github": "ana", "secret": "x"}, last_name="Silva")
    found = words(config, known, Subject(interview="i-3"))
    named = vocabulary(config)
    for name, value in found.items():
        if isinstance(value, dict):
            assert set(value) <= set(named[name]), name
        elif not name.startswith("_"):
            assert name in FUNCTIONS
    assert set(VOCABULARY) == set(named)


def test_a_field_without_a_value_is_absent(config):
    found = words(config, facts(first_name=None, last_name="", country=None))
    assert {"first_name", "last_name", "full_name", "country"}.isdisjoint(found["candidate"])


def test_a_mail_is_about_the_interview_it_was_entered_for(config):
    found = words(config, subject=Subject(interview="i-3"))
    assert found["interview"]["starts_at"] == datetime(2026, 12, 3, 10, tzinfo=UTC)
    assert found["interview"]["ends_at"] == datetime(2026, 12, 3, 11, tzinfo=UTC)
    assert found["interview"]["duration_minutes"] == 60
    assert found["job"]["title"] == "Data Engineer"
    assert found["recruiter"]["name"] == "Ida Berg"


def interview(ref, day, status="scheduled"):
    return Interview(
        ref=ref,
        candidate_id=7,
        application="a-9",
        status=status,
        starts_at=datetime(2026, 12, day, 10, tzinfo=UTC),
        fields={"location": ref},
    )


@pytest.mark.parametrize(
    ("now_day", "chosen"), [(1, "first"), (3, "second"), (7, "second"), (30, "second")]
)
def test_an_applications_interview_is_the_next_or_else_the_latest(config, now_day, chosen):
    rows = [interview("first", 2), interview("second", 5), interview("never", 9, "cancelled")]
    known = replace(facts(), interviews={row.ref: row for row in rows})
    found = words(
        config,
        known,
        Subject(application="a-9"),
        now=datetime(2026, 12, now_day, 12, tzinfo=UTC),
    )
    assert found["interview"]["location"] == chosen


def test_the_next_interview_says_when_another_becomes_the_next(config):
    rows = {row.ref: row for row in (interview("first", 2), interview("second", 5))}
    found = words(config, replace(facts(), interviews=rows), Subject(application="a-9"))
    assert found["_changes"] == [rows["first"].starts_at]


def test_a_candidate_with_two_open_applications_has_none_to_speak_of(config):
    other = Application(ref="a-10", candidate_id=7)
    known = replace(facts(), applications={**facts().applications, "a-10": other})
    assert "application" not in words(config, known)
    assert "application" in words(config)
    closed = replace(other, status="rejected")
    known = replace(known, applications={**known.applications, "a-10": closed})
    assert words(config, known)["job"]["title"] == "Data Engineer"


def test_a_colleague_known_only_by_address_has_nothing_but_that(config):
    known = replace(facts(), people={})
    assert words(config, known)["recruiter"] == {"email": "ida@example.com"}
    nobody = replace(facts().applications["a-9"], recruiter=None)
    known = replace(facts(), applications={"a-9": nobody})
    assert "recruiter" not in words(config, known)


def test_the_latest_offer_is_the_applications_offer(config):
    offers = {
        ref: Offer(ref=ref, candidate_id=7, application="a-9", status=ref, sent_at=at)
        for ref, at in (("sent", NOW), ("withdrawn", NOW - timedelta(days=3)))
    }
    assert words(config, replace(facts(), offers=offers))["offer"]["status"] == "sent"


def test_sent_knows_templates_and_steps_but_no_calls_of_a_recruiter(config):
    contacts = (
        Contact(at=NOW, category="prep", template="a/kit", step="kit"),
        Contact(at=NOW, human=True, step="call"),
    )
    found = words(config, replace(facts(), contacts=contacts))
    assert found["sent"]("a/kit")
    assert found["sent"]("kit")
    assert not found["sent"]("call")
    assert not found["sent"]("other")
    assert found["sent_count"]() == 1


def test_the_last_contact_is_about_this_application_and_counts(config):
    contacts = (
        Contact(at=NOW - timedelta(days=5), category="status", application="a-9"),
        Contact(at=NOW - timedelta(days=4), category="status", application="other"),
        Contact(at=NOW - timedelta(days=3), human=True),
        Contact(at=NOW - timedelta(days=1), category="status"),
    )
    found = words(config, replace(facts(), contacts=contacts))
    assert found["application"]["last_contact_at"] == NOW - timedelta(days=1)


def test_a_reply_counts_since_the_person_entered(config):
    known = replace(facts(), replied_at=NOW)
    entered = Enrollment(
        id=1,
        candidate_id=7,
        campaign="c",
        about="",
        subject=Subject(),
        entered_at=NOW + timedelta(hours=1),
    )
    assert words(config, known)["replied"]()
    assert not words(config, known, enrollment=entered)["replied"]()
    assert not words(config)["replied"]()


def test_answers_and_topics(config):
    known = facts(fields={"answers": {"coming": "no"}}, unsubscribed=frozenset({"culture"}))
    found = words(config, known)
    assert found["answered"]("coming") == "no"
    assert found["answered"]("other") is None
    assert not found["consents"]("culture")
    assert found["consents"]("digest")
    assert not words(config, facts(unsubscribed=frozenset({"all"})))["consents"]("digest")


def test_declared_fields_have_the_kind_that_was_declared(config):
    known = facts(
        fields={"available_from": "2027-01-05", "skills": "sql, python", "notice_period": ""}
    )
    found = words(config, known)["candidate"]
    assert found["available_from"] == date(2027, 1, 5)
    assert found["skills"] == ["sql", "python"]
    assert "notice_period" not in found
    nonsense = words(config, facts(fields={"available_from": "soon"}))
    assert "available_from" not in nonsense["candidate"]


INSTANTS = st.integers(0, 730 * 86_400_000).map(
    lambda milliseconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
)


@given(
    since=st.one_of(INSTANTS, st.dates(date(2026, 1, 1), date(2027, 12, 31))),
    now=INSTANTS,
    name=st.sampled_from(["hours_since", "days_since"]),
)
def test_a_count_of_time_is_constant_until_the_change_it_names(config, since, now, name):
    """Summer time included: the days are those of Lisbon."""

    def count(at):
        found = words(config, now=at)
        return found[name](since), found["_changes"]

    value, (changes_at,) = count(now)
    assert changes_at > now
    assert count(changes_at - timedelta(microseconds=1))[0] == value
    assert count(changes_at)[0] == value + 1


def test_a_trigger_supplies_what_its_object_leads_to():
    assert supplied("candidate", "candidate.upserted") == {"candidate", "company"}
    assert "recruiter" in supplied("application", None)
    assert "interview" in supplied("event", "interview.scheduled")
    assert "interview" not in supplied("event", "custom.visit")
    assert supplied("interview", "interview.scheduled") <= set(VOCABULARY)


def test_a_zone_that_is_none_falls_back_to_the_configured_one(config):
    for timezone in ("Nowhere/Land", "../etc/passwd", "", None):
        assert str(words(config, facts(timezone=timezone))["_zone"]) == config.timezone
