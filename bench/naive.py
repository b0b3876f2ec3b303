"""What would one write first? One message after another, each from scratch.

Jinja, premailer, EmailMessage, a new SMTP connection and a commit for every message: what most
in-house mailers do. The letter is the same as the engine's, before its CSS was inlined, so both
write the same words with the same styles.
"""

import re
import smtplib
import sqlite3
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

from jinja2 import DictLoader, Environment, StrictUndefined
from premailer import Premailer

from bench.people import NOW

_CAPS = ((timedelta(hours=20), 2), (timedelta(days=6, hours=20), 6))


class Naive:
    def __init__(self, at: Path, html: str, text: str, name: str, port: int | None) -> None:
        """`html` and `text` are a letter to somebody called `name`."""
        plain = re.sub(r' style="[^"]*"', "", html)
        sources = {
            kind: words.replace(name, "[[ first_name ]]")
            for kind, words in (("html", plain), ("text", text))
        }
        self.letters = Environment(  # with marks of its own: the page's style sheet has braces
            loader=DictLoader(sources),
            autoescape=True,
            undefined=StrictUndefined,
            variable_start_string="[[",
            variable_end_string="]]",
            block_start_string="[%",
            block_end_string="%]",
            comment_start_string="[#",
            comment_end_string="#]",
        )
        self.port = port
        self.outbox = at / "naive"
        self.outbox.mkdir(parents=True)
        self.rows = sqlite3.connect(at / "naive.db")
        self.rows.execute("pragma journal_mode = wal")
        self.rows.execute("create table sent (candidate integer, at text, subject text)")
        self.rows.execute("create index by_candidate on sent (candidate, at)")

    def send(self, number: int) -> None:
        if self.over_a_cap(number):
            return
        facts = {"first_name": f"Ana{number}"}
        message = EmailMessage()
        message["Subject"] = "Your interview is booked"
        message["From"] = "Example Talent Team <talent@example.com>"
        message["To"] = f"c{number}@example.com"
        message["Message-ID"] = f"<{number}@example.com>"
        message.set_content(self.letters.get_template("text").render(facts))
        html = self.letters.get_template("html").render(facts)
        inlined = Premailer(html, allow_network=False, keep_style_tags=True).transform()
        message.add_alternative(inlined, subtype="html")
        if self.port is None:
            (self.outbox / f"{number}.eml").write_bytes(message.as_bytes())
        else:
            with smtplib.SMTP("127.0.0.1", self.port) as server:
                server.send_message(message)
        with self.rows:
            row = (number, NOW.isoformat(), message["Subject"])
            self.rows.execute("insert into sent values (?, ?, ?)", row)

    def over_a_cap(self, number: int) -> bool:
        query = "select count(*) from sent where candidate = ? and at > ?"
        counts = (
            self.rows.execute(query, (number, (NOW - per).isoformat())).fetchone()[0] >= at_most
            for per, at_most in _CAPS
        )
        return any(counts)
