"""The contender that Django projects install: django-post-office and its `send_queued_mail`.

Its letters are queued ready-made, words filled in and CSS inlined, so that all it does is send them
and keep its books. It has no caps. `--way capped` gives it ours, by a query for each message within
a mail backend of its own, over an index made for that query.
"""

import logging
import sys
from argparse import Namespace
from datetime import timedelta
from typing import Any

import django
from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from jinja2 import Environment, FileSystemLoader
from sqlalchemy import make_url

from bench.contenders.at_work import serve, told
from bench.workload import CAPS, COMMON, DUE, earlier, reader

_INDEX = 'CREATE INDEX by_address ON post_office_email ("to", last_updated)'


class Capped(EmailBackend):
    """Django's own, which first asks whether a person has had enough."""

    def send_messages(self, email_messages: Any) -> int:
        return super().send_messages([each for each in email_messages if not over_a_cap(each)])


def over_a_cap(message: Any) -> bool:
    from post_office.models import STATUS, Email  # noqa: PLC0415

    now = timezone.now()
    longest = max(per for _, per in CAPS)
    mails = Email.objects.filter(
        to=message.to, status=STATUS.sent, last_updated__gt=now - longest
    ).values_list("last_updated", flat=True)
    instants = list(mails)
    return any(sum(at > now - per for at in instants) >= at_most for at_most, per in CAPS)


class PostOffice:
    def __init__(self, words: Namespace) -> None:
        backend = "django.core.mail.backends.smtp.EmailBackend"
        if words.way == "capped":
            backend = "bench.contenders.post_office.Capped"
        settings.configure(
            INSTALLED_APPS=["post_office"],
            DATABASES={"default": _database(words.database)},
            TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=words.port,
            POST_OFFICE={"BACKENDS": {"default": backend}},
            USE_TZ=True,
            TIME_ZONE="UTC",
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            LOGGING_CONFIG=None,
        )
        django.setup()
        logging.getLogger("post_office").setLevel(logging.WARNING)
        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute(_INDEX)
        self.lock = words.at / "lock"
        self.letters = Environment(
            loader=FileSystemLoader(words.pages),
            variable_start_string="[[",
            variable_end_string="]]",
            block_start_string="[%",
            block_end_string="%]",
            comment_start_string="[#",
            comment_end_string="#]",
        )

    def prepare(self, first: int, many: int) -> None:
        from post_office import mail  # noqa: PLC0415 - Django must be set up
        from post_office.models import STATUS, Email, Log  # noqa: PLC0415

        Log.objects.all().delete()
        Email.objects.all().delete()
        shift = timezone.now() - DUE  # it reads the machine's clock
        for start in range(first, first + many, 100):
            numbers = range(start, min(start + 100, first + many))
            mail.send_many([self._letter(number) for number in numbers])
            before = [
                Email(from_email="talent@example.com", to=[reader(number).email], subject="Before",
                      message="Before.", status=STATUS.sent, priority=2)
                for number in numbers for _ in earlier()
            ]  # fmt: skip
            made = Email.objects.bulk_create(before)
            instants = [at for _ in numbers for at in earlier()]
            for email, at in zip(made, instants, strict=True):
                email.created = email.last_updated = at + shift - timedelta(minutes=1)
            with connection.cursor() as cursor:  # the ORM would write the present instant
                cursor.executemany(
                    "UPDATE post_office_email SET last_updated = %s, created = %s WHERE id = %s",
                    [(email.last_updated, email.created, email.pk) for email in made],
                )
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")

    def send(self) -> None:
        call_command("send_queued_mail", processes=1, lockfile=str(self.lock))

    def sent(self) -> int:
        from post_office.models import STATUS, Email  # noqa: PLC0415

        return int(Email.objects.filter(status=STATUS.sent).exclude(subject="Before").count())

    def _letter(self, number: int) -> dict[str, Any]:
        who = reader(number)
        words = {**COMMON, "first_name": who.first_name, "source": who.source}
        written = {
            part: self.letters.get_template(name).render(words)
            for part, name in (
                ("subject", "subject.txt"),
                ("message", "letter.txt"),
                ("html_message", "inlined.html"),
            )
        }
        return {
            "recipients": [who.email],
            "sender": "Ida Berg <talent@example.com>",
            "headers": {"Reply-To": "Ida Berg <ida@example.com>"},
            **written,
        }


def _database(address: str) -> dict[str, Any]:
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        safe = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        options = {"init_command": safe, "timeout": 30, "transaction_mode": "IMMEDIATE"}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": url.database, "OPTIONS": options}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.database,
        "USER": url.username or "",
        "PASSWORD": url.password or "",
        "HOST": str(url.query.get("host") or url.host or ""),
        "PORT": str(url.port or ""),
    }


if __name__ == "__main__":
    sys.exit(serve(PostOffice(told())))
