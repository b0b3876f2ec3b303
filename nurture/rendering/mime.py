"""Which bytes go to the mail server? A whole RFC 5322 message, line ends CRLF.

Headers are written here and not by Python's `email` policies, which turn any List-Unsubscribe or
Message-ID longer than 77 characters into encoded-words (illegal by RFC 2047 section 5; mail clients
then show no unsubscribe button) and take seven times as long.

No Auto-Submitted header: these letters ask for an answer and name a person, and the header would
keep the reader's out-of-office reply from us, which is what tells us to wait (RFC 3834 section 5
asks it of notices that nobody answers). Nurture mail says what it is by List-Unsubscribe.
"""

import binascii
import hashlib
import re
from base64 import b32encode, b64encode
from datetime import UTC, datetime
from email.headerregistry import Address
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from email_validator import EmailNotValidError, validate_email

from nurture.config import Config
from nurture.core.model import Category, Facts, Message, MessageClass, Subject
from nurture.core.subject import application_of
from nurture.rendering.context import person
from nurture.rendering.errors import RenderError
from nurture.rendering.renderer import Rendered

_LINE = 76
_MESSAGE_ID_MAX = 76  #: with its angle brackets
_CHUNK = 39  #: bytes in one encoded-word: 64 characters, under 76 with the longest header name
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ATEXT = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")


def message(
    rendered: Rendered,
    *,
    message: Message,
    facts: Facts,
    category: Category,
    config: Config,
    at: datetime,
) -> bytes:
    """The mail as it is handed over.

    Date is `at`. From is the recruiter by name at the company's address, or the team; Reply-To the
    recruiter. Raises RenderError for an address that no mail can be sent to.
    """
    recruiter = _recruiter(message, facts) or {}
    candidate = facts.candidate
    names = (candidate.first_name, candidate.last_name)
    to_name = " ".join(part for part in names if part)
    headers = [("From", address_header(sender_address(config, recruiter.get("name"))))]
    if "email" in recruiter:
        reply_to = address(recruiter.get("name", ""), recruiter["email"])
        headers.append(("Reply-To", address_header(reply_to)))
    headers += [
        ("To", address_header(address(to_name, candidate.email or ""))),
        ("Subject", text_header(rendered.subject)),
        ("Date", format_datetime(at.astimezone(UTC))),
        ("Message-ID", message.message_id),
    ]
    if category.klass is MessageClass.NURTURE:
        headers.append(("List-Unsubscribe", f"<{rendered.unsubscribe_url}>"))
        headers.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    if category.klass is not MessageClass.PRIVACY:
        # Never anything that tells one reader from another (Google's rule for Feedback-ID).
        words = (message.campaign, category.name, category.klass.value, "nurture")
        headers.append(("Feedback-ID", ":".join(_feedback_word(word) for word in words)))
    # Deterministic, and never inside quoted-printable text: "=_" encodes nothing.
    boundary = "=_" + hashlib.sha256(message.message_id.encode()).hexdigest()[:24]
    headers += [
        ("Content-Language", rendered.locale),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    ]
    head = "\r\n".join(header(name, value) for name, value in headers).encode()
    between = f"\r\n--{boundary}\r\n".encode()
    plain, html = _part("plain", rendered.text), _part("html", rendered.html)
    return b"".join((head, b"\r\n", between, plain, between, html, between[:-2], b"--\r\n"))


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


def address(name: str, email: str) -> Address:
    """An address that can be put on an envelope: its domain in ASCII (IDNA 2008).

    Raises RenderError where there is none or none that plain SMTP can carry.
    """
    try:
        user, domain = _mailbox(email)
    except EmailNotValidError:
        raise RenderError("undeliverable address", variable="candidate.email") from None
    return Address(display_name=_display_name(name), username=user, domain=domain)


@lru_cache(maxsize=1024)
def _mailbox(email: str) -> tuple[str, str]:
    checked = validate_email(
        email,
        allow_smtputf8=False,
        check_deliverability=False,
        globally_deliverable=False,
        test_environment=True,  # which names exist was judged when the address came in
    )
    return checked.local_part, checked.ascii_domain


def sender_address(config: Config, recruiter_name: str | None) -> Address:
    """`Ida Berg (Example Ltd)` where mail comes from recruiters and hers is known; else the team's
    name."""
    name = config.sender.name
    if config.sender.as_ == "recruiter" and recruiter_name:
        name = f"{recruiter_name} ({config.company.name})"
    return address(name, config.sender.email)


def envelope_sender(config: Config) -> str:
    """Where bounces go."""
    return address("", config.sender.email).addr_spec


def envelope_recipient(facts: Facts) -> str:
    """The candidate's address as SMTP wants it. Raises RenderError."""
    return address("", facts.candidate.email or "").addr_spec


def header(name: str, value: str) -> str:
    """One header as it stands in the message, folded at spaces only.

    Raises RenderError for CR, LF, NUL, any other control and anything but ASCII.
    """
    if _CONTROL.search(value) or not value.isascii():
        raise RenderError(f"the {name} header contains a line break or another unsafe character")
    words = value.split(" ")
    lines = [f"{name}: {words[0]}"]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= _LINE:
            lines[-1] += f" {word}"
        else:
            lines.append(f" {word}")
    return "\r\n".join(lines)


def text_header(text: str) -> str:
    """Text for an unstructured header: as it is where that is plain ASCII that can be folded, else
    in encoded-words. Raises RenderError for controls: a subject has no business with them."""
    if _CONTROL.search(text):
        raise RenderError("a header contains a line break or a control character")
    text = " ".join(text.split())
    foldable = all(len(word) <= _LINE - 10 for word in text.split(" "))
    if text.isascii() and foldable and "=?" not in text:
        return text
    return _encoded_words(text)


def address_header(who: Address) -> str:
    """One mailbox. The name is never able to end it: quoted, or in encoded-words."""
    name = who.display_name
    if not name:
        return who.addr_spec
    if name.isascii() and len(name) <= _LINE - 12 and "=?" not in name:
        if not _ATEXT.fullmatch(name):
            # Spaces within quotes are kept: folding there would be read back as the same space.
            escaped = name.replace("\\", "\\\\").replace('"', '\\"')
            name = f'"{escaped}"'
        return f"{name} <{who.addr_spec}>"
    return f"{_encoded_words(name)} <{who.addr_spec}>"


def _recruiter(message: Message, facts: Facts) -> dict[str, Any] | None:
    application = application_of(facts, Subject(application=message.application))
    return person(facts, application.recruiter) if application else None


def _display_name(name: str) -> str:
    """A name on one line. What cannot be shown is left out: an odd name must not stop a mail."""
    shown = _CONTROL.sub(" ", name).encode("utf-8", "ignore").decode()
    return " ".join(shown.split())[:200]


def _encoded_words(text: str) -> str:
    """RFC 2047, in UTF-8, no character split; spaces between words are inside them."""
    chunks, chunk = [], b""
    for char in text:
        encoded = char.encode("utf-8", "ignore")
        if len(chunk) + len(encoded) > _CHUNK:
            chunks.append(chunk)
            chunk = b""
        chunk += encoded
    return " ".join(f"=?utf-8?b?{b64encode(part).decode()}?=" for part in [*chunks, chunk])


def _feedback_word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)[:40] or "-"


def _part(subtype: str, text: str) -> bytes:
    lines = text.encode("utf-8", "ignore").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = lines if lines.endswith(b"\n") else lines + b"\n"
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\n"
    head += "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    # The encoder takes its soft line ends from the text it is given: CRLF in, CRLF out.
    return head.encode() + binascii.b2a_qp(lines.replace(b"\n", b"\r\n"), istext=True)
