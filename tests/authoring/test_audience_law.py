"""Laws of what a database is asked of an audience: it forgets nobody, and says what it can exactly.

Generated conditions, over generated people of whom much is missing or of an odd kind, on both
databases, against the compiled condition and all of a person's facts.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from nurture.authoring.expressions import Scope, compile_condition
from nurture.authoring.narrowing import narrow
from nurture.config import Config, load_config
from nurture.core.audience import Fact, is_exact, possible
from nurture.core.model import Enrollment, Subject
from nurture.rendering.context import context, supplied, vocabulary
from nurture.rendering.functions import FUNCTIONS
from nurture.rendering.glance import Glance, Row, readable
from nurture.store import audience, tables
from nurture.store.database import Connection, Database
from nurture.store.reading import load

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
FIELDS = "{github: text, years: number, available_from: date, skills: list}"
MISSING = object()


def of(**values: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with one of these values for each key, or without it."""
    keys = {name: st.sampled_from([MISSING, *each]) for name, each in values.items()}
    return st.fixed_dictionaries(keys).map(
        lambda found: {name: value for name, value in found.items() if value is not MISSING}
    )


DATA = of(
    first_name=["Ana", ""],
    country=["PT", "ES", "", None],
    timezone=["Europe/Lisbon", "Asia/Kolkata"],
    phone=["+351", ""],
    github=["ana", "", 5, True],
    years=[0, 3, 2.5, "3", "many", True, 10**30],
    available_from=["2026-11-20", "2026-12-24", "soon"],
    skills=["", "python, go", ["python"], [], ["Größe", "python 3"]],
    consent_until=["2026-11-01", "2027-01-31"],
    answers=[{"coming": "no"}, {"coming": ""}, {"coming": 3}, "none"],
)
PEOPLE = st.fixed_dictionaries(
    {
        "data": DATA,
        "email": st.sampled_from([None, "", "ana@example.com"]),
        "unsubscribed": st.sampled_from([[], ["all"], ["culture"], ["culture", "digest"]]),
    }
)
APPLICATIONS = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["active", "rejected"]),
        "job": st.sampled_from([None, "j-1", "j-unknown"]),
        "data": of(
            stage=["applied", "final", None],
            source=["referral", ""],
            applied_at=["2026-11-01T09:00:00.000000Z"],
            rejected_at=["2026-11-22T09:30:00+01:00"],
        ),
    }
)
TEXTS = ["candidate.country", "candidate.github", "candidate.email", "candidate.full_name"]
TEXTS += ["candidate.phone", 'answered("coming")', "candidate.first_name"]
OF_APPLICATIONS = ["application.stage", "application.status", "application.source", "job.status"]
OF_APPLICATIONS += ["job.department", "application.last_contact_at"]
WORDS = {"candidate.country": ["PT", "ES"], 'answered("coming")': ["no", ""]}
WORDS |= {"application.stage": ["applied", "final"], "application.status": ["active", "rejected"]}
WORDS |= {"job.status": ["open", "closed"], "application.last_contact_at": []}
TIMES = ["candidate.consent_until", "candidate.available_from"]
TIMES_OF_APPLICATIONS = ["application.applied_at", "application.rejected_at"]
MORE = ["candidate.years", "candidate.skills", 'consents("culture")', "sent_count() == 0"]
MORE += ['"python" in candidate.skills', '"python" not in candidate.skills', "true", "replied()"]
MORE += ['"n" in candidate.github', "candidate.skills | length > 0", "0 < candidate.years < 3"]
MORE += ['"PT" == candidate.country', '"E" in candidate.country', "candidate.years != 3"]
MORE += ["candidate.available_from < candidate.consent_until", 'candidate.github != "x"']


@st.composite
def atoms(draw: st.DrawFn, applications: bool) -> str:
    fact = draw(st.sampled_from(TEXTS + OF_APPLICATIONS * applications))
    words = WORDS.get(fact, ["ana", "Ana", "", "ana@example.com", "referral", "Engineering"])
    kinds = ["defined", "bare", "number", "time", "more"] + ["equal", "among"] * bool(words)
    match draw(st.sampled_from(kinds)):
        case "equal":
            return f'{fact} {draw(st.sampled_from(["==", "!="]))} "{draw(st.sampled_from(words))}"'
        case "among":
            some = "".join(f'"{word}", ' for word in draw(st.lists(st.sampled_from(words))))
            return f"{fact} {draw(st.sampled_from(['in', 'not in']))} ({some})"
        case "defined":
            fields = [fact, *TIMES, "candidate.years", "candidate.skills"]
            how = draw(st.sampled_from(["is defined", "is undefined", "is not defined"]))
            return f"{draw(st.sampled_from(fields))} {how}"
        case "number":
            op = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
            return f"candidate.years {op} {draw(st.sampled_from(['0', '2.5', '3', '-1']))}"
        case "time":
            since = draw(st.sampled_from(TIMES + TIMES_OF_APPLICATIONS * applications))
            how = draw(st.sampled_from(["days_since", "hours_since"]))
            op = draw(st.sampled_from([">", "<=", "=="]))
            return f"{how}({since}) {op} {draw(st.integers(-30, 30))}"
        case "more":
            return draw(st.sampled_from(MORE))
    return fact


def conditions(applications: bool) -> st.SearchStrategy[str]:
    return st.recursive(
        atoms(applications),
        lambda inner: st.one_of(
            st.tuples(inner, inner).map("({0[0]} and {0[1]})".format),
            st.tuples(inner, inner).map("({0[0]} or {0[1]})".format),
            inner.map("not ({})".format),
        ),
        max_leaves=6,
    )


CASES = st.booleans().flatmap(
    lambda applications: st.tuples(
        conditions(applications),
        st.lists(st.tuples(PEOPLE, APPLICATIONS), min_size=1, max_size=6),
        st.just(applications),
    )
)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(CASES)
@example(('not (candidate.country == "PT")', [], False))
def test_a_database_forgets_nobody_whom_the_condition_admits(
    database: Database, tmp_path: Path, case: tuple[str, list[Any], bool]
) -> None:
    source, people, of_applications = case
    (tmp_path / "config.yaml").write_text(f"candidate_fields: {FIELDS}\n")
    config = load_config(tmp_path / "config.yaml", {})
    once_per = "application" if of_applications else "candidate"
    scope = Scope(vocabulary(config), FUNCTIONS, supplied(once_per, None))
    condition, wrong = compile_condition(source, scope)
    assert condition is not None, wrong
    narrowed = narrow(condition, vocabulary(config))
    whom = audience.Whom(campaign="any", tree=narrowed.tree, of_applications=of_applications)
    with database.engine.connect() as connection, connection.begin() as transaction:
        people_in(connection, people)
        stretch, many = audience.stretch(connection, 0, 100)
        assert many == len(people)
        chosen = {row.id for row in audience.newcomers(connection, whom, stretch, rows=False)}
        everyone = [
            row.id for row in audience.newcomers(connection, _all(whom), stretch, rows=False)
        ]
        rows = audience.newcomers(connection, _all(whom), stretch, rows=True)
        facts = load(connection, everyone)
        transaction.rollback()
    assert len(everyone) == len(people)
    for row in rows:
        reference = f"a-{row.id}" if of_applications else None
        for now in (NOW, NOW + timedelta(days=20), NOW + timedelta(days=400)):
            new = Enrollment(
                id=-1,
                candidate_id=row.id,
                campaign="any",
                subject=Subject(application=reference),
                about="any",
                entered_at=now,
            )
            words = context(facts[row.id], new.subject, enrollment=new, config=config, now=now)
            truth = condition(words)
            assert row.id in chosen or not truth.value, "the database forgot somebody"
            if is_exact(narrowed.tree):
                assert (row.id in chosen) == truth.value
                assert truth.changes_at is None
            if truth.changes_at is not None:
                assert (
                    row.id in chosen
                    or not condition(_at(facts[row.id], new, config, truth.changes_at)).value
                )
            if readable(narrowed.fields, narrowed.functions, config):
                glance = Glance(narrowed.fields, config, now)
                assert condition(glance.words(_row(row, of_applications))) == truth


def _at(facts: Any, new: Enrollment, config: Config, now: datetime) -> dict[str, Any]:
    return context(facts, new.subject, enrollment=new, config=config, now=now)


def _all(whom: audience.Whom) -> audience.Whom:
    everybody = narrow(None, {})
    return audience.Whom(
        campaign=whom.campaign, tree=everybody.tree, of_applications=whom.of_applications
    )


def _row(row: Any, of_applications: bool) -> Row:
    return Row(
        data=row.data,
        email=row.email,
        unsubscribed=row.unsubscribed,
        replied_at=row.replied_at,
        application=row.application if of_applications else None,
        status=row.status if of_applications else None,
    )


def people_in(connection: Connection, people: list[Any]) -> None:
    """Each with one application."""
    candidates = [
        {
            "id": number,
            "ref": f"c-{number}",
            "email": person["email"],
            "unsubscribed": person["unsubscribed"],
            "data": person["data"],
            "created_at": NOW,
        }
        for number, (person, _) in enumerate(people, 1)
    ]
    applications = [
        {"ref": f"a-{number}", "candidate_id": number, **application}
        for number, (_, application) in enumerate(people, 1)
    ]
    job = {"ref": "j-1", "status": "open", "data": {"department": "Engineering"}}
    connection.execute(insert(tables.jobs), job)
    if people:
        connection.execute(insert(tables.candidates), candidates)
        connection.execute(insert(tables.applications), applications)


def test_a_status_that_cannot_be_is_known_without_asking(tmp_path: Path) -> None:
    config = load_config(tmp_path / "config.yaml", {})
    scope = Scope(vocabulary(config), FUNCTIONS, supplied("application", None))

    def may_be(source: str, status: str) -> bool:
        condition, wrong = compile_condition(source, scope)
        assert condition is not None, wrong
        tree = narrow(condition, vocabulary(config)).tree
        return possible(tree, {Fact("application", "status"): status})

    silver = 'application.status == "rejected" and days_since(application.rejected_at) >= 14'
    assert may_be(silver, "rejected")
    assert not may_be(silver, "active")
    assert may_be('application.status != "hired" and job.title == "x"', "rejected")
    assert not may_be('not (application.status in ("rejected", "hired"))', "rejected")
    assert may_be("sent_count() == 0", "rejected")
