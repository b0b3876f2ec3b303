"""Mail to our own people: once a morning where something is open, at once where it is near."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from nurture.authoring.notices import sample
from nurture.clock import SetClock
from nurture.core.model import Deferred, Outcome, Unknown
from nurture.engine.journal import Journal
from nurture.engine.morning import Morning
from nurture.rendering.notices import Notices, standard_notices
from nurture.store import accounts, stops, tables
from nurture.store.database import Database
from nurture.store.tables import metadata
from tests.world import World

IDA, BO, KIM = "ida@example.com", "bo@example.com", "kim@example.com"
LISBON, NEW_YORK = ZoneInfo("Europe/Lisbon"), ZoneInfo("America/New_York")
SUNDAY, MONDAY, TUESDAY = 22, 23, 24


class Mails(World):
    """A world whose postman keeps what our own people get."""

    def restart(self) -> None:
        super().restart()
        self.aside(None)

    def aside(self, journal: Journal | None) -> None:
        self.letters: list[EmailMessage] = getattr(self, "letters", [])
        hand_over = type(self.postman).hand_over

        def kept(sender: str, to: str, raw: bytes, message_id: str) -> Outcome:
            if to in (IDA, BO, KIM):
                found = message_from_bytes(raw, policy=policy.default)
                assert isinstance(found, EmailMessage)
                self.letters.append(found)
            return hand_over(self.postman, sender, to, raw, message_id)

        self.postman.hand_over = kept  # type: ignore[method-assign]
        self.sender.aside = Morning(self.project, self.postman, journal)

    def at(self, day: int, hour: int, minute: int = 0, zone: ZoneInfo = LISBON) -> None:
        self.clock.set(datetime(2026, 11, day, hour, minute, tzinfo=zone))
        self.work()

    def apply(self, who: str = "c1", **people: str) -> None:
        application = {"id": f"a-{who}", "stage": "screening", "job": {"id": "j1", "title": "Cook"}}
        person = {"id": who, "email": f"{who}@example.org", "first_name": who.title()}
        named = {role: {"email": email} for role, email in people.items()}
        self.tell("application.created", candidate=person, application=application | named)

    def owe(self, days: float = 1, who: str = "c1") -> None:
        due = (self.clock.now() + timedelta(days=days)).isoformat()
        promise = {"id": f"p-{who}", "what": "a decision", "due": due}
        self.tell(
            "promise.made", candidate={"id": who}, application={"id": f"a-{who}"}, promise=promise
        )

    def rows(self) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.execute(select(tables.notices)).mappings())

    def readers(self) -> list[str]:
        return [str(each["To"]) for each in self.letters]


@pytest.fixture
def mails(empty_folder: Path, clock: SetClock) -> Iterator[Mails]:
    database = Database("sqlite://")
    with database.write() as connection:
        metadata.create_all(connection)
    yield Mails(empty_folder, database, clock)
    database.close()


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    found: str = body.get_content()
    return found


def begin(mails: Mails, **people: str) -> None:
    """A Sunday on which Ida owes something until Monday evening."""
    mails.at(SUNDAY, 12)
    mails.apply(**(people or {"recruiter": IDA}))
    mails.owe(days=1.25)
    mails.work()


# --- the morning ---------------------------------------------------------------------------------


def test_at_eight_who_has_something_open_gets_one_mail_that_says_what(mails: Mails) -> None:
    begin(mails)
    mails.at(MONDAY, 7, 59)
    assert mails.letters == []
    mails.at(MONDAY, 8)
    mails.at(MONDAY, 9)
    [mail] = mails.letters
    assert (mail["To"], mail["Subject"]) == (IDA, "This morning: 1 promise due")
    text = text_of(mail)
    assert "10 h left" in text
    assert "a decision, Cook, for C1: http://127.0.0.1:8420/candidates/c1" in text
    assert mail["Auto-Submitted"] == "auto-generated"


def test_nothing_open_is_no_mail_and_is_not_asked_again_that_day(mails: Mails) -> None:
    mails.at(SUNDAY, 12)
    mails.apply(recruiter=IDA)
    mails.work()
    mails.at(MONDAY, 8)
    assert [row["reason"] for row in mails.rows()] == ["nothing_open"]
    mails.owe(days=0.2)
    mails.at(MONDAY, 9)
    assert mails.letters == []


def test_each_gets_it_at_eight_where_they_are(mails: Mails) -> None:
    begin(mails, recruiter=IDA)
    mails.apply("c2", recruiter=BO)
    mails.owe(days=2, who="c2")
    with mails.database.write() as connection:
        accounts.add(connection, BO, "recruiter", mails.clock.now(), timezone=NEW_YORK.key)
    mails.at(MONDAY, 8)
    assert mails.readers() == [IDA]
    mails.at(MONDAY, 7, 59, NEW_YORK)
    assert mails.readers() == [IDA]
    mails.at(MONDAY, 8, 0, NEW_YORK)
    assert mails.readers() == [IDA, BO]


def test_what_is_somebody_elses_is_in_nobodys_mail(mails: Mails) -> None:
    begin(mails, recruiter=IDA)
    mails.apply("c2", recruiter=BO)
    mails.owe(days=1, who="c2")
    mails.at(MONDAY, 8)
    assert sorted(mails.readers()) == [BO, IDA]
    for mail in mails.letters:
        mine, other = ("C1", "C2") if mail["To"] == IDA else ("C2", "C1")
        assert mine in text_of(mail)
        assert other not in text_of(mail)


def test_on_weekends_there_is_none_and_fridays_mail_tells_until_monday(mails: Mails) -> None:
    mails.at(19, 12)
    mails.apply(recruiter=IDA)
    mails.owe(days=3.8)  # early on Monday, before its mail
    mails.work()
    mails.at(20, 8)
    assert mails.readers() == [IDA]
    mails.at(21, 8)
    mails.at(SUNDAY, 8)
    assert mails.readers() == [IDA]
    mails.at(MONDAY, 8)
    assert mails.readers() == [IDA, IDA]


def test_on_a_holiday_of_the_house_there_is_none(mails: Mails, empty_folder: Path) -> None:
    (empty_folder / "config.yaml").write_text("morning: {holidays: PT}\n")
    mails.restart()
    mails.clock.set(datetime(2026, 11, 30, 12, tzinfo=LISBON))
    mails.apply(recruiter=IDA)
    for day, expected in ((1, 0), (2, 1)):  # the first of December is one
        mails.clock.set(datetime(2026, 12, day, 8, tzinfo=LISBON))
        mails.owe(days=0.1)
        mails.work()
        assert len(mails.letters) == expected


def test_where_it_is_off_nobody_gets_any(mails: Mails, empty_folder: Path) -> None:
    (empty_folder / "config.yaml").write_text("morning: {to: off}\n")
    mails.restart()
    begin(mails)
    mails.at(MONDAY, 8)
    assert mails.rows() == []


def test_whose_account_is_disabled_gets_none(mails: Mails) -> None:
    begin(mails)
    with mails.database.write() as connection:
        account = accounts.add(connection, IDA, "recruiter", mails.clock.now())
        accounts.change(connection, account, disabled_at=mails.clock.now())
    mails.at(MONDAY, 8)
    assert mails.letters == []


def test_who_starts_in_the_afternoon_mails_nobody_about_the_morning(mails: Mails) -> None:
    mails.clock.set(datetime(2026, 11, MONDAY, 10, tzinfo=LISBON))
    mails.apply(recruiter=IDA)
    mails.owe()
    mails.work()
    assert mails.letters == []


@pytest.mark.parametrize(("hour", "count"), [(9, 1), (13, 0)])
def test_a_morning_that_was_slept_through_is_made_up_for_until_noon(
    mails: Mails, hour: int, count: int
) -> None:
    begin(mails)
    mails.restart()
    mails.at(MONDAY, hour)
    assert len(mails.letters) == count


def test_a_mail_of_the_morning_counts_against_no_candidate(mails: Mails) -> None:
    begin(mails)
    mails.at(MONDAY, 8)
    assert len(mails.letters) == 1
    with mails.database.read() as connection:
        assert connection.execute(select(tables.messages)).all() == []
        assert connection.execute(select(tables.contacts)).all() == []


def test_nothing_said_in_confidence_is_in_it(mails: Mails) -> None:
    begin(mails)
    row = {"candidate_id": 1, "kind": "accommodation", "said": "a ramp", "person": IDA}
    with mails.database.write() as connection:
        connection.execute(tables.confidences.insert().values(row | {"told_at": mails.clock.now()}))
    mails.at(MONDAY, 8)
    [mail] = mails.letters
    assert "1 candidate told you something in confidence" in text_of(mail)
    assert "ramp" not in mail.as_string()


# --- once, whatever happens ----------------------------------------------------------------------


def test_two_processes_send_one(mails: Mails) -> None:
    begin(mails)
    other = Morning(mails.project, mails.postman, None)
    other.work()
    mails.clock.set(datetime(2026, 11, MONDAY, 8, tzinfo=LISBON))
    other.work()
    mails.work()
    other.work()
    assert len(mails.letters) == 1


def test_the_kill_switch_holds_it_until_it_is_lifted(mails: Mails) -> None:
    begin(mails)
    now = mails.clock.now()
    with mails.database.write() as connection:
        stops.put(connection, "everything", None, cause="person", why="x", by=None, now=now)
    mails.at(MONDAY, 8)
    assert mails.letters == []
    with mails.database.write() as connection:
        for halt in stops.active(connection):
            stops.end(connection, halt, by=None, now=mails.clock.now())
    mails.at(MONDAY, 8, 2)
    assert len(mails.letters) == 1


def test_a_server_that_says_not_now_is_asked_again(mails: Mails) -> None:
    begin(mails)
    mails.postman.answers = [Deferred(text="busy")]
    mails.at(MONDAY, 8)
    assert mails.rows()[0]["state"] == "retrying"
    mails.at(MONDAY, 8, 30)
    assert [row["state"] for row in mails.rows()] == ["sent"]


def test_what_is_in_doubt_stays_so(mails: Mails) -> None:
    begin(mails)
    mails.postman.answers = [Unknown(text="the line went dead")]
    mails.at(MONDAY, 8)
    mails.at(MONDAY, 9)
    mails.restart()
    mails.sender.recover(everything=True)
    mails.at(MONDAY, 10)
    assert len(mails.letters) == 1
    assert [row["state"] for row in mails.rows()] == ["unknown"]


class Killed(BaseException):
    """The process is gone."""


def dies() -> Outcome:
    raise Killed


@pytest.mark.parametrize(
    ("died", "state", "mails_in_all"), [("before", "sent", 1), ("within", "unknown", 1)]
)
def test_killed_while_it_is_sent_it_is_sent_once_or_in_doubt(
    mails: Mails, tmp_path: Path, died: str, state: str, mails_in_all: int
) -> None:
    begin(mails)
    journal = Journal(tmp_path / "lanes", boot_id="b")
    mails.aside(journal)
    mails.clock.set(datetime(2026, 11, MONDAY, 8, tzinfo=LISBON))
    if died == "before":
        journal.offer = lambda *_: dies()  # type: ignore[assignment,method-assign,return-value]
    else:
        mails.postman.answers = [dies]
    with pytest.raises(Killed):
        mails.work()
    assert [row["state"] for row in mails.rows()] == ["sending"]
    mails.restart()
    mails.aside(Journal(tmp_path / "lanes", boot_id="b"))
    mails.sender.recover(everything=True)
    mails.work()
    assert [row["state"] for row in mails.rows()] == [state]
    assert len(mails.letters) == mails_in_all


# --- an interview that is near -------------------------------------------------------------------


def book(mails: Mails, hours: float, type_: str = "interview.scheduled", **more: Any) -> None:
    at = mails.clock.now() + timedelta(hours=hours)
    mails.tell(
        type_,
        candidate={"id": "c1"},
        application={"id": "a-c1"},
        interview={"id": "i1", "kind": "video", "starts_at": at.isoformat(), **more},
    )
    mails.work()


@pytest.fixture
def near(mails: Mails) -> Mails:
    mails.at(TUESDAY, 11)
    mails.apply(recruiter=IDA, coordinator=KIM)
    mails.work()
    return mails


def test_an_interview_booked_for_soon_is_told_at_once_to_who_looks_after_it(near: Mails) -> None:
    book(near, hours=3)
    assert sorted(near.readers()) == [IDA, KIM]
    assert near.letters[0]["Subject"] == "C1: interview booked"
    assert "Tue 24 Nov 14:00 (Lisbon)" in text_of(near.letters[0])


def test_one_that_is_later_waits_for_the_morning(near: Mails) -> None:
    book(near, hours=5)
    assert near.letters == []


def test_one_that_was_near_and_is_moved_away_is_told_with_its_new_time(near: Mails) -> None:
    book(near, hours=30)
    near.clock.advance(timedelta(hours=27))
    book(near, hours=72, type_="interview.rescheduled")
    assert near.letters[0]["Subject"] == "C1: interview moved"
    assert "Sat 28 Nov 14:00" in text_of(near.letters[0])


@pytest.mark.parametrize(
    ("type_", "said"),
    [("interview.cancelled", "It does not take place"), ("candidate.replied", "The interview is")],
)
def test_that_it_is_off_and_that_they_wrote_is_told_at_once(
    near: Mails, type_: str, said: str
) -> None:
    book(near, hours=30)
    near.clock.advance(timedelta(hours=27))
    about = {} if type_ == "candidate.replied" else {"interview": {"id": "i1"}}
    near.tell(type_, candidate={"id": "c1"}, **about)
    near.work()
    near.work()
    assert sorted(near.readers()) == [IDA, KIM]
    assert said in " ".join(text_of(near.letters[0]).split())


def test_what_was_only_brought_in_for_completeness_is_told_to_nobody(near: Mails) -> None:
    at = (near.clock.now() + timedelta(hours=2)).isoformat()
    near.tell(
        "interview.scheduled",
        historical=True,
        candidate={"id": "c1"},
        application={"id": "a-c1"},
        interview={"id": "i1", "starts_at": at},
    )
    near.work()
    assert near.letters == []


def test_news_of_the_same_kind_twice_is_two_mails_and_the_same_event_one(near: Mails) -> None:
    book(near, hours=3)
    book(near, hours=2, type_="interview.rescheduled")
    near.clock.advance(timedelta(minutes=5))
    book(near, hours=1, type_="interview.rescheduled")
    assert len(near.rows()) == 6
    assert len(near.letters) == 6


# --- a project's own words -----------------------------------------------------------------------


def say(mails: Mails, text: str, name: str = "morning.md") -> None:
    folder = mails.folder / "templates/notices"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    mails.project.reload()


def test_a_project_says_it_in_its_own_words(mails: Mails) -> None:
    begin(mails)
    say(mails, "---\nsubject: Bom dia\ncategory: notice\n---\n{{ summary }}, {{ person.email }}\n")
    mails.at(MONDAY, 8)
    assert mails.letters[0]["Subject"] == "Bom dia"
    assert text_of(mails.letters[0]).startswith(f"1 promise due, {IDA}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ today.promise }}", "promise"),
        ("{{ candidate.first_name }}", "candidate"),
        ("{% for item in today.tasks %}{{ item.fristname }}{% endfor %}", "fristname"),
        ("{% if %}", ""),
    ],
)
def test_words_that_nobody_knows_are_told_and_the_last_good_ones_stay(
    mails: Mails, text: str, said: str
) -> None:
    begin(mails)
    front = "---\nsubject: Mine\ncategory: notice\n---\n"
    say(mails, f"{front}{{{{ summary }}}}\n")
    say(mails, f"{front}{text}\n")
    [problem] = mails.project.library.problems
    assert problem.file.endswith("templates/notices/morning.md")
    assert problem.line == 5
    assert said in problem.message
    mails.at(MONDAY, 8)
    assert mails.letters[0]["Subject"] == "Mine"


def test_a_notice_that_there_is_none_of_is_told(mails: Mails) -> None:
    say(mails, "---\nsubject: x\ncategory: notice\n---\nx\n", name="evening.md")
    assert "no notice" in mails.project.library.problems[0].message


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("name", ["notices/morning", "notices/soon"])
def test_the_standard_words_can_be_said_of_everything_and_of_nothing(
    mails: Mails, name: str, full: bool
) -> None:
    assert mails.project.library.problems == ()
    writer = Notices(mails.project.config, mails.project.signer, standard_notices())
    raw = writer.write(
        name,
        sample(name, full=full),
        to=("Ida Berg", IDA),
        message_id="<m@example.com>",
        at=mails.clock.now(),
    )
    assert b"Ida Berg" in raw
