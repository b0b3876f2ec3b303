"""How is one header line written, whatever the value? In ASCII, folded, and never more than one.

Headers are written here and not by Python's `email` policies, which turn any List-Unsubscribe or
Message-ID longer than 77 characters into encoded-words (illegal by RFC 2047 section 5; mail clients
then show no unsubscribe button) and take seven times as long.
"""

import re
from base64 import b64encode
from email.headerregistry import Address
from functools import cached_property, lru_cache

from email_validator import EmailNotValidError, validate_email

from nurture.rendering.errors import RenderError

TEXT_MAX = 500  #: characters of an unstructured header: nobody reads a longer subject

_LINE = 76
_NAME_MAX = 200  # characters of a display name
_CHUNK = 39  #: bytes in one encoded-word: 64 characters, under 76 with the longest header name
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# What turns the reading direction of all that follows it, so that a name could show another
# address than the one behind it. Marks that turn nothing but themselves stay: names need them.
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_ATEXT = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")


def header(name: str, value: str, *, utf8: bool = False) -> str:
    """One header as it stands in the message, folded at spaces only.

    Raises RenderError for CR, LF, NUL, any other control and anything but ASCII. With `utf8` other
    characters stand as they are (RFC 6532): only for what plain ASCII cannot say.
    """
    if _CONTROL.search(value) or not (utf8 or value.isascii()):
        raise RenderError(f"the {name} header contains a line break or another unsafe character")
    if len(name) + len(value) < _LINE - 1:
        return f"{name}: {value}"
    words = value.split(" ")
    lines = [f"{name}: {words[0]}"]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= _LINE:
            lines[-1] += f" {word}"
        else:
            lines.append(f" {word}")
    return "\r\n".join(lines)


#: Of what many mails say alike.
standing_header = lru_cache(maxsize=1024)(header)


def text_header(text: str) -> str:
    """Text for an unstructured header: as it is where that is plain ASCII that can be folded, else
    in encoded-words. Raises RenderError for controls, and for more than TEXT_MAX characters: a
    subject has no business with them."""
    if len(text) > TEXT_MAX:
        raise RenderError(
            f"the subject would be {len(text):,} characters long; at most {TEXT_MAX} can go"
        )
    if _CONTROL.search(text):
        raise RenderError("a header contains a line break or a control character")
    text = " ".join(text.split())
    if text.isascii():
        foldable = all(len(word) <= _LINE - 10 for word in text.split(" "))
        if foldable and "=?" not in text:
            return text
    return _encoded_words(_TURNS.sub("", text))


#: An address in letters, digits and the commonest signs.
_PLAIN = re.compile(
    r"([a-z0-9_%+-]+(?:\.[a-z0-9_%+-]+)*)"
    r"@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})",
    re.IGNORECASE | re.ASCII,
)


class Mailbox(Address):
    """An address that is written once, for the envelope and for however many headers."""

    @cached_property
    def addr_spec(self) -> str:
        return super().addr_spec

    @cached_property
    def header(self) -> str:
        """See address_header."""
        return address_header(self)


@lru_cache(maxsize=4096)  # asked for the envelope and for a header, and of a recruiter for many
def address(name: str, email: str) -> Mailbox:
    """An address that can be put on an envelope: its domain in ASCII (IDNA 2008).

    Its local part may hold other characters; then only a server that offers SMTPUTF8 takes it
    (RFC 6531). Raises RenderError where there is no address, or none that mail can be sent to.
    """
    try:
        user, domain = _mailbox(email)
    except EmailNotValidError:
        raise RenderError("undeliverable address", variable="candidate.email") from None
    return Mailbox(display_name=_display_name(name), username=user, domain=domain)


def _mailbox(email: str) -> tuple[str, str]:
    plain = _PLAIN.fullmatch(email)
    if plain is not None and len(plain[1]) <= 64 and len(plain[2]) <= 253 and "--" not in plain[2]:
        return plain[1], plain[2].lower()  # as nearly all are: nothing to find out
    checked = validate_email(
        email,
        check_deliverability=False,
        globally_deliverable=False,
        test_environment=True,  # which names exist was judged when the address came in
    )
    return checked.local_part, checked.ascii_domain


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


def _display_name(name: str) -> str:
    """A name on one line. What cannot be shown is left out: an odd name must not stop a mail."""
    # Cut first: a name of megabytes costs no more than one of a line.
    shown = _CONTROL.sub(" ", _TURNS.sub("", name[: 10 * _NAME_MAX]))
    return " ".join(shown.encode("utf-8", "ignore").decode().split())[:_NAME_MAX]


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
