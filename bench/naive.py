"""What would one write first, and what would one write next? Two mailers of familiar libraries.

Both render a letter with Jinja compiled once, have its CSS inlined for each message, make an
`EmailMessage`, and keep people and mails as ORM rows with a commit for each message. `Naive` has
premailer inline, opens a connection for each message and asks about each cap in turn, as most
in-house mailers do. `Sensible` has css-inline, one connection that is kept, and one query for all
caps. Neither has a campaign, a calendar, a re-check before sending or a history of reasons.
"""

import logging
import smtplib
from abc import ABC, abstractmethod
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from premailer import Premailer
from sqlalchemy import ForeignKey, Index, create_engine, delete, event, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench.workload import CAPS, COMMON, DUE, earlier, reader

_NOW = DUE.replace(tzinfo=None)
_BATCH = 100


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    first_name: Mapped[str]
    source: Mapped[str | None]
    due_at: Mapped[datetime | None] = mapped_column(index=True)


class Mail(Base):
    __tablename__ = "mails"
    __table_args__ = (Index("by_person", "person_id", "at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    subject: Mapped[str]
    message_id: Mapped[str]
    at: Mapped[datetime]


class Mailer(ABC):
    """What both do."""

    name: ClassVar[str]

    def __init__(self, pages: Path, port: int, database: str) -> None:
        self.letters = Environment(
            loader=FileSystemLoader(pages),
            autoescape=True,
            undefined=StrictUndefined,
            variable_start_string="[[",  # the page's style sheet has braces
            variable_end_string="]]",
            block_start_string="[%",
            block_end_string="%]",
            comment_start_string="[#",
            comment_end_string="#]",
        )
        self.port = port
        self.engine = create_engine(database)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _as_safe_as_ours)
        Base.metadata.create_all(self.engine)

    def prepare(self, first: int, many: int) -> None:
        with Session(self.engine) as session:
            session.execute(delete(Mail))
            session.execute(delete(Person))
            for number in range(first, first + many):
                who = reader(number)
                session.add(
                    Person(
                        id=number,
                        email=who.email,
                        first_name=who.first_name,
                        source=who.source,
                        due_at=_NOW,
                    )
                )
            session.flush()
            for number in range(first, first + many):
                for at in earlier():
                    words = {"subject": "Before", "message_id": f"<{number}.{at:%d%H}@example.com>"}
                    session.add(Mail(person_id=number, at=at.replace(tzinfo=None), **words))
            session.commit()

    def send(self) -> None:
        with Session(self.engine, expire_on_commit=False) as session:
            due = select(Person).where(Person.due_at <= _NOW).order_by(Person.due_at).limit(_BATCH)
            while people := session.scalars(due).all():
                for person in people:
                    if not self.over_a_cap(session, person):
                        message = self.message(person)
                        self.hand_over(message)
                        session.add(
                            Mail(
                                person_id=person.id,
                                subject=message["Subject"],
                                message_id=message["Message-ID"],
                                at=_NOW,
                            )
                        )
                    person.due_at = None
                    session.commit()

    def sent(self) -> int:
        with Session(self.engine) as session:
            query = select(func.count()).select_from(Mail).where(Mail.at == _NOW)
            return session.scalars(query).one()

    def message(self, person: Person) -> EmailMessage:
        words = {**COMMON, "first_name": person.first_name, "source": person.source}
        message = EmailMessage()
        message["Subject"] = self.letters.get_template("subject.txt").render(words)
        message["From"] = "Ida Berg, Example Ltd <talent@example.com>"
        message["Reply-To"] = "Ida Berg <ida@example.com>"
        message["To"] = f"{person.first_name} <{person.email}>"
        message["Message-ID"] = f"<{self.name}.{person.id}@example.com>"
        message["Date"] = DUE
        message.set_content(self.letters.get_template("letter.txt").render(words))
        html = self.letters.get_template("letter.html").render(words)
        message.add_alternative(self.inlined(html), subtype="html")
        return message

    @abstractmethod
    def over_a_cap(self, session: Session, person: Person) -> bool: ...

    @abstractmethod
    def inlined(self, html: str) -> str: ...

    @abstractmethod
    def hand_over(self, message: EmailMessage) -> None: ...


class Naive(Mailer):
    name = "naive"

    def over_a_cap(self, session: Session, person: Person) -> bool:
        for at_most, per in CAPS:
            query = select(func.count()).where(Mail.person_id == person.id, Mail.at > _NOW - per)
            if session.scalars(query).one() >= at_most:
                return True
        return False

    def inlined(self, html: str) -> str:
        inliner = Premailer(
            html,
            allow_network=False,
            keep_style_tags=True,
            cssutils_logging_level=logging.CRITICAL,
        )
        return str(inliner.transform())

    def hand_over(self, message: EmailMessage) -> None:
        with smtplib.SMTP("127.0.0.1", self.port) as server:
            server.send_message(message)


class Sensible(Mailer):
    name = "sensible"
    server: smtplib.SMTP

    def __init__(self, pages: Path, port: int, database: str) -> None:
        super().__init__(pages, port, database)
        from css_inline import CSSInliner  # noqa: PLC0415 - in bench/requirements.txt only

        self.inliner = CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)

    def send(self) -> None:
        with smtplib.SMTP("127.0.0.1", self.port) as self.server:
            super().send()

    def over_a_cap(self, session: Session, person: Person) -> bool:
        longest = max(per for _, per in CAPS)
        query = select(Mail.at).where(Mail.person_id == person.id, Mail.at > _NOW - longest)
        instants = session.scalars(query).all()
        return any(sum(at > _NOW - per for at in instants) >= at_most for at_most, per in CAPS)

    def inlined(self, html: str) -> str:
        return str(self.inliner.inline(html))

    def hand_over(self, message: EmailMessage) -> None:
        self.server.send_message(message)


def _as_safe_as_ours(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
