"""Which bytes go to the mail server? A whole RFC 5322 message, line ends CRLF.

No Auto-Submitted header: these letters ask for an answer and name a person, and the header would
keep the reader's out-of-office reply from us, which is what tells us to wait (RFC 3834 section 5
asks it of notices that nobody answers). Nurture mail says what it is by List-Unsubscribe.
"""

import binascii
import hashlib
import re
from base64 import b32encode
from collections.abc import Sequence
from datetime import UTC, datetime
from email.base64mime import body_encode
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from nurture.config import Config
from nurture.core.lines import Lines
from nurture.core.model import Category, Contact, Facts, Message, MessageClass, Subject
from nurture.core.subject import application_of
from nurture.rendering.context import person
from nurture.rendering.errors import RenderError
from nurture.rendering.headers import Mailbox, address, header, standing_header, text_header
from nurture.rendering.invitation import Invitation
from nurture.rendering.renderer import Rendered

#: Characters of a mail's two texts. Gmail shows the first 102 KB of a mail; ten times as much is
#: no letter, but a value that should never have been in it.
BODY_MAX = 1_000_000

_MESSAGE_ID_MAX = 76  #: with its angle brackets
_QUOTED = b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
_THREAD_LAST = 3  # how many of the mails before this one a thread names, beside its first


def message(
    rendered: Rendered,
    *,
    message: Message,
    facts: Facts,
    category: Category,
    config: Config,
    at: datetime,
    invitation: Invitation | None = None,
) -> bytes:
    """The mail as it is handed over.

    Date is `at`. From is the recruiter by name at the company's address, or the team; Reply-To the
    recruiter. Mail about one application is one thread. Raises RenderError for an address that no
    mail can be sent to, and for what is too long to be a letter.
    """
    _require_letter(rendered)
    lines = _head(rendered, message, facts, category, config, at)
    boundary = _boundary(message)
    kind = f'multipart/alternative; boundary="{boundary}"'
    parts = [_part("plain", rendered.encoded_text), _part("html", rendered.encoded_html)]
    if invitation is not None:
        parts.append(_calendar(invitation))
    body = _multipart(boundary, parts)
    if invitation is not None:
        around = boundary.replace("=_", "=_m")
        inner = [f"Content-Type: {kind}\r\n\r\n".encode(), *body]
        body = _multipart(around, [inner, _attached(invitation)])
        kind = f'multipart/mixed; boundary="{around}"'
    head = "\r\n".join((*lines, f"Content-Type: {kind}", "", ""))
    raw = b"".join((head.encode(), *body))
    # What is written here, and by encoded.py, is. An entry's lines are as iCalendar wants them.
    return raw if invitation is not None else Lines(raw)


def _require_letter(rendered: Rendered) -> None:
    if len(rendered.encoded_text) + len(rendered.encoded_html) <= BODY_MAX:
        return  # what it becomes is never shorter than what it is
    size = len(rendered.text) + len(rendered.html)
    if size > BODY_MAX:
        raise RenderError(
            f"the mail would be {size:,} characters long; at most {BODY_MAX:,} can go"
        )


def _head(
    rendered: Rendered,
    message: Message,
    facts: Facts,
    category: Category,
    config: Config,
    at: datetime,
) -> list[str]:
    """All headers but those that say how the body is built."""
    to, recruiter = recipient(facts), _recruiter(message, facts)
    lines = [standing_header("From", _sent_by(recruiter, config).header)]
    reply_to = _reply_to(recruiter)
    if reply_to is not None:
        lines.append(standing_header("Reply-To", reply_to.header))
    lines += [
        header("To", to.header, utf8=not to.username.isascii()),
        header("Subject", text_header(rendered.subject)),
        _date(at.replace(microsecond=0)),
        header("Message-ID", message.message_id),
    ]
    earlier = thread(message, facts, category)
    if earlier:
        lines.append(header("In-Reply-To", earlier[-1]))
        lines.append(header("References", " ".join(earlier)))
    if category.klass is MessageClass.NURTURE:
        lines.append(header("List-Unsubscribe", f"<{rendered.unsubscribe_url}>"))
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    if category.klass is not MessageClass.PRIVACY:
        # Never anything that tells one reader from another (Google's rule for Feedback-ID).
        lines.append(_feedback(message.campaign, category.name, category.klass.value))
    lines.append(standing_header("Content-Language", rendered.locale))
    lines.append("MIME-Version: 1.0")
    return lines


def thread(message: Message, facts: Facts, category: Category) -> list[str]:
    """Message-IDs of the mails about the same application that came before this one: the first
    and the last few, oldest first.

    A mail about two applications belongs to neither thread: it would make them one. Nor does
    nurture mail, which is about none. Of a mail that somebody approved, it stays the thread that
    they had before them.
    """
    application = _one_application(message)
    if application is None or category.klass is not MessageClass.SERVICE:
        return []
    earlier = [
        each.header
        for each in facts.contacts
        if each.header is not None
        and each.header != message.message_id
        and each.klass is MessageClass.SERVICE
        and each.arrived
        and (message.approved_as_of is None or each.at < message.approved_as_of)
        and _one_application(each) == application
    ]
    return [*earlier[:1], *earlier[1:][-_THREAD_LAST:]]


def _one_application(mail: Message | Contact) -> str | None:
    """The application that all of a mail is about."""
    if not mail.sections:
        return mail.application
    named = {part.application for part in mail.sections}
    return named.pop() if len(named) == 1 else None


def message_id_for(enrollment_id: int, step: str, occurrence: str, domain: str) -> str:
    """`<n12.f7q...@example.com>`: the same for the same occurrence of a step, for ever; at most
    76 characters, whatever the domain."""
    source = "\0".join((str(enrollment_id), step, occurrence, domain))
    digest = b32encode(hashlib.sha256(source.encode()).digest()[:15]).decode().lower()
    local = f"n{enrollment_id}.{digest}"
    host = domain.encode("idna").decode() if not domain.isascii() else domain
    while len(host) > _MESSAGE_ID_MAX - len(local) - 3 and "." in host:
        host = host.partition(".")[2]
    return f"<{local}@{host[-(_MESSAGE_ID_MAX - len(local) - 3) :].lstrip('.-')}>"


def sender_of(message: Message, facts: Facts, config: Config) -> Mailbox:
    """Whom the mail is from: `Ida Berg (Example Ltd)` where mail comes from recruiters and hers is
    known; else the team's name."""
    return _sent_by(_recruiter(message, facts), config)


def _sent_by(recruiter: dict[str, Any], config: Config) -> Mailbox:
    name = config.sender.name
    if config.sender.as_ == "recruiter" and recruiter.get("name"):
        name = f"{recruiter['name']} ({config.company.name})"
    return address(name, config.sender.email)


def envelope_sender(config: Config) -> str:
    """Where bounces go."""
    return address("", config.sender.email).addr_spec


def recipient(facts: Facts) -> Mailbox:
    """The candidate, by name. Raises RenderError where there is no address mail can be sent to."""
    candidate = facts.candidate
    name = " ".join(part for part in (candidate.first_name, candidate.last_name) if part)
    return address(name, candidate.email or "")


def envelope_recipient(facts: Facts) -> str:
    """The candidate's address as SMTP wants it; what is not ASCII in it needs SMTPUTF8. Raises
    RenderError."""
    return recipient(facts).addr_spec


def _recruiter(message: Message, facts: Facts) -> dict[str, Any]:
    """Who owns the application as of now; empty where nobody does."""
    application = application_of(facts, Subject(application=message.application))
    return (person(facts, application.recruiter) if application else None) or {}


def _reply_to(recruiter: dict[str, Any]) -> Mailbox | None:
    """The recruiter, where answers can reach them by plain mail; else answers go to the team: what
    is wrong with a colleague's address must not stop a candidate's mail."""
    if "email" not in recruiter:
        return None
    try:
        found = address(recruiter.get("name", ""), recruiter["email"])
    except RenderError:
        return None
    return found if found.username.isascii() else None


@lru_cache(maxsize=16)
def _date(second: datetime) -> str:
    return f"Date: {format_datetime(second.astimezone(UTC))}"


@lru_cache(maxsize=1024)
def _feedback(*words: str) -> str:
    plain = [re.sub(r"[^A-Za-z0-9_-]+", "-", each)[:40] or "-" for each in (*words, "nurture")]
    return header("Feedback-ID", ":".join(plain))


def _part(subtype: str, encoded: bytes) -> list[bytes]:
    """Pieces of a mail, which are put together once, all of them."""
    return [b"Content-Type: text/%b; charset=utf-8\r\n" % subtype.encode(), _QUOTED, encoded]


def _boundary(message: Message) -> str:
    """Deterministic, and never inside quoted-printable text: "=_" encodes nothing."""
    return "=_" + hashlib.sha256(message.message_id.encode()).hexdigest()[:24]


def _multipart(boundary: str, parts: Sequence[Sequence[bytes]]) -> list[bytes]:
    between = f"\r\n--{boundary}\r\n".encode()
    first, *others = parts
    following = [piece for part in others for piece in (between, *part)]
    return [between[2:], *first, *following, between[:-2], b"--\r\n"]


def _calendar(invitation: Invitation) -> list[bytes]:
    """The entry as calendar programs look for it: one more way to read this mail. The method is
    the one inside, or Outlook refuses both (RFC 6047 section 2.4)."""
    kind = f"Content-Type: text/calendar; method={invitation.method}; charset=utf-8\r\n"
    return [kind.encode(), _QUOTED, binascii.b2a_qp(invitation.body, istext=True)]


def _attached(invitation: Invitation) -> list[bytes]:
    """The same entry as a file, for programs that show no other calendar parts."""
    head = (
        'Content-Type: application/ics; name="invite.ics"\r\n'
        'Content-Disposition: attachment; filename="invite.ics"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return [head.encode(), body_encode(invitation.body, eol="\r\n").encode()]
