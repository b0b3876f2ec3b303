"""Is this fit to send? Everything that mail needs, looked at one by one; nothing is sent.

Each finding says what was looked at, how it is, and what to do. Secrets are looked at, never told.
"""

import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from nurture.config import Config, OutboxTransport, SmtpTransport, is_loopback
from nurture.delivery.connection import NotReady, Offers, Patience, connect
from nurture.delivery.dkim import Signing
from nurture.delivery.names import CannotAsk, Names
from nurture.errors import OutsideError, UsageError
from nurture.rendering.broad_reasons import Reasons
from nurture.store import condition as store
from nurture.store import schema
from nurture.store.database import Database

_MEGABYTE = 1_000_000
_LITTLE, _TOO_LITTLE = 1_000 * _MEGABYTE, 100 * _MEGABYTE
_MUCH_WAL = 500 * _MEGABYTE
_SKEW = timedelta(minutes=1)
_LISTED_AT_MOST = 60  #: characters of a reason that stands in a list
_NAMED = 5  #: stages and kinds that are named; of more, how many


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, kw_only=True)
class Finding:
    check: str
    level: Level
    said: str
    hint: str = ""  #: what to do
    outside: bool = False  #: a part outside failed: whether anything is wrong is not known

    def as_json(self) -> dict[str, str]:
        return {"check": self.check, "level": self.level, "said": self.said, "hint": self.hint}


def ok(check: str, said: str) -> Finding:
    return Finding(check=check, level=Level.OK, said=said)


def warning(check: str, said: str, hint: str) -> Finding:
    return Finding(check=check, level=Level.WARNING, said=said, hint=hint)


def problem(check: str, said: str, hint: str, *, outside: bool = False) -> Finding:
    return Finding(check=check, level=Level.PROBLEM, said=said, hint=hint, outside=outside)


# --- the database ---------------------------------------------------------------------------------


def of_database(
    database: Database, now: datetime, reasons: Reasons | None = None
) -> Iterator[Finding]:
    """Reachable, of this version, writable, with room; and what in it wants a look."""
    if database.file is not None and not database.file.exists():
        yield warning("database", "there is none yet", "it is made at the first start")
        return
    try:
        name = store.version(database)
        at = schema.revision(database)
        if at != schema.head():
            yield _of_schema(database, name, at)
            return
        store.try_to_write(database)
        yield ok("database", f"{name}, schema {at}, writable")
        yield from _of_disk(database)
        with database.read() as connection:
            found = store.condition(connection, now)
    except OutsideError as error:
        yield problem("database", str(error), "start it, or mend its address", outside=True)
        return
    yield from _of_rows(found, database, now, reasons or Reasons())


def _of_schema(database: Database, name: str, at: str | None) -> Finding:
    if not schema.knows(at) and at is not None:
        said = f"{name}: it was written by a newer Nurture (schema {at})"
        return problem("database", said, "install that version")
    said = f"{name}: its tables are of schema {at or 'none'}, this version's are {schema.head()}"
    if database.dialect == "sqlite":
        return warning("database", said, "they come up to date at the next start")
    return problem("database", said, "`nurture db upgrade`, after a backup")


def _of_disk(database: Database) -> Iterator[Finding]:
    disk = store.disk(database)
    if disk is None:
        return
    free, size = f"{disk.free // _MEGABYTE} MB free", f"{disk.size // _MEGABYTE} MB"
    if disk.free < _TOO_LITTLE:
        yield problem("disk", free, "make room: a full disk stops everything")
    elif disk.free < max(_LITTLE, 2 * disk.size):
        yield warning("disk", f"{free}, the database has {size}", "make room for it and a copy")
    else:
        yield ok("disk", f"{free}, the database has {size}")
    if disk.wal > _MUCH_WAL:
        hint = "something reads without an end, or died reading: restart what reads it"
        yield warning("disk", f"{disk.wal // _MEGABYTE} MB wait in the -wal file", hint)


def _of_rows(
    found: store.Condition, database: Database, now: datetime, reasons: Reasons
) -> Iterator[Finding]:
    if found.newest is not None and found.newest > now + _SKEW:
        known = f"{found.newest:%Y-%m-%d %H:%M}"
        said = f"it is {now:%Y-%m-%d %H:%M} UTC here, and the database knows of {known}"
        yield problem("clock", said, "set the clock (NTP): mail goes by it")
    else:
        yield ok("clock", f"{now:%Y-%m-%d %H:%M} UTC")
    planners = [kind for kind in found.at_work if kind in ("run", "plan", "send")]
    if database.dialect == "sqlite" and len(planners) > 1:
        said = f"{len(planners)} processes at work on one SQLite file ({', '.join(planners)})"
        yield problem("processes", said, "stop all but one, or move to PostgreSQL")
    elif found.at_work:
        yield ok("processes", f"at work: {', '.join(found.at_work)}")
    counted = (
        ("stopped", found.stopped, "kill switches are on", "`nurture status`"),
        ("in doubt", found.in_doubt, "mails may or may not have arrived", "`nurture settle`"),
        ("set aside", found.set_aside, "candidates cannot be planned", "`nurture status`"),
    )
    if found.stuck:
        said = f"{found.stuck} messages are in the hand of a process that is gone"
        yield problem("stuck", said, "start `nurture run`: it finds out what became of them")
    for check, many, said, hint in counted:
        if many:
            yield warning(check, f"{many} {said}", hint)
    yield _of_stages(found.unmapped)
    yield _of_kinds(found.unknown_kinds)
    yield _of_reasons(found.told_why, reasons)


def _of_stages(unmapped: dict[str, int]) -> Finding:
    if not unmapped:
        return ok("stages", "every active application has a stage of ours")
    said = f"stages that are none of ours: {_named(unmapped)}"
    hint = "nobody in them is written to by stage: send `stage` in our words, see docs/events.md"
    return warning("stages", said, hint)


def _of_kinds(unknown: dict[str, int]) -> Finding:
    if not unknown:
        return ok("interviews", "every interview to come is of a kind of ours, or of none")
    said = f"kinds of interview that are none of ours: {_named(unknown)}"
    hint = "they are prepared for in general: send `kind` in our words, see docs/events.md"
    return warning("interviews", said, hint)


def _named(counted: dict[str, int]) -> str:
    """By how many, the first ones by name."""
    named = [f'"{name}" ({many})' for name, many in list(counted.items())[:_NAMED]]
    more = f" and {len(counted) - _NAMED} more" if len(counted) > _NAMED else ""
    return f"{', '.join(named)}{more}"


def _of_reasons(told: dict[str, int], reasons: Reasons) -> Finding:
    unmapped = reasons.unmapped(told)
    if not unmapped:
        return ok("reasons", "every reason that was told for a rejection leads to an approved one")
    short = {name: many for names, many in unmapped.items() if (name := _listed(names))}
    longer = sum(many for names, many in unmapped.items() if not _listed(names))
    parts = [*([_named(short)] if short else []), *([f"longer texts ({longer})"] if longer else [])]
    said = f"reasons of rejections that lead to none of ours: {', '.join(parts)}"
    return warning("reasons", said, "their mails give none: add them to `map` in reasons.yaml")


def _listed(names: str) -> str:
    """As from a list of reasons; of what somebody wrote freely, nothing is shown."""
    name = " ".join(names.split("\n"))
    return name if len(name) <= _LISTED_AT_MOST else ""


# --- the way out ----------------------------------------------------------------------------------


def reach(settings: SmtpTransport) -> Offers:
    """Connect, with TLS and login as when sending, and leave. Raises NotReady."""
    patience = Patience(connecting=10.0, command=10.0, content=10.0)
    connection = connect(settings, None, patience)
    connection.leave()
    return connection.offers


def of_transport(
    config: Config, reach: Callable[[SmtpTransport], Offers] = reach
) -> Iterator[Finding]:
    """The mail server, as far as one gets without sending."""
    settings = config.transport
    if isinstance(settings, OutboxTransport):
        yield warning("smtp", "mail goes to a folder, to nobody", "set `transport: {kind: smtp}`")
        return
    place = f"{settings.host}:{settings.port}"
    try:
        offers = reach(settings)
    except NotReady as error:
        said = f"{place}: {error}"
        yield problem("smtp", said, "see `transport` in config.yaml", outside=True)
    else:
        has = [
            *(["PIPELINING"] if offers.pipelining else []),
            *([f"SIZE {offers.size_max // _MEGABYTE} MB"] if offers.size_max else []),
            *(["8BITMIME"] if offers.eight_bit else []),
            *(["SMTPUTF8"] if offers.utf8 else []),
        ]
        how = "unencrypted" if settings.security == "plain" else settings.security
        login = ", logged in" if settings.username else ", without login"
        said = f"{place}: {how}{login}; offers {', '.join(has) or 'nothing more'}"
        yield ok("smtp", said)
        if not offers.pipelining:
            said = "the server does not offer PIPELINING"
            yield warning("smtp", said, "sending takes three times the round trips; ask for it")
    if config.deliver_only_to:
        said = f"rehearsal: real mail goes to {len(config.deliver_only_to)} addresses only"
        yield warning("deliver_only_to", said, "empty it to go live")


def of_public_url(config: Config) -> Finding:
    """Where links in mails lead. It is not fetched: this machine may not reach its own name."""
    url = urlsplit(config.web.public_url)
    if is_loopback(url.hostname or ""):
        said = f"links lead to {config.web.public_url}, which is this machine"
        return warning("public_url", said, "set web.public_url before anybody else gets mail")
    if url.scheme != "https":
        said = f"{config.web.public_url} is not https"
        return problem("public_url", said, "one-click unsubscribe needs https (RFC 8058)")
    return ok("public_url", config.web.public_url)


def of_daemon(config: Config) -> Finding:
    """Whether pages and work go on, asked on this machine."""
    host = config.web.host
    place = f"[{host}]:{config.web.port}" if ":" in host else f"{host}:{config.web.port}"
    nobody = warning("daemon", f"nobody answers at {place}", "start `nurture run`")
    if not is_loopback(host):
        return nobody
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(f"http://{place}/healthz", timeout=2) as answer:
            said = json.loads(answer.read(10_000))
    except HTTPException as error:
        return warning("daemon", f"{place} answers {error}", "see its log")
    except (OSError, ValueError) as error:
        code = getattr(error, "code", None)
        if code is None:
            return nobody
        return problem("daemon", f"{place}/healthz says {code}", "see the log of `nurture run`")
    trouble = said.get("trouble") if isinstance(said, dict) else "an answer that is not ours"
    if trouble:
        return warning("daemon", f"at work at {place}, in trouble: {trouble}", "see its log")
    return ok("daemon", f"at work at {place}")


def of_secret(var: Path, given: bool) -> Finding:
    """The key of links: there, and nobody else's to read. `given`: NURTURE_SECRET is set."""
    file = var / "secret"
    if not file.exists():
        if given:
            return ok("secret", "from NURTURE_SECRET")
        return warning("secret", "there is none yet", "it is made at the first start; keep a copy")
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        return problem("secret", "others can read var/secret", "chmod 600 var/secret")
    return ok("secret", "var/secret, its owner's only")


# --- the sender's domain --------------------------------------------------------------------------


def of_domain(config: Config, names: Names) -> Iterator[Finding]:
    """What receivers look up before they believe us."""
    if isinstance(config.transport, OutboxTransport):
        return
    domain = config.sender.email.rpartition("@")[2].lower()
    for check, look in (("SPF", _spf), ("DMARC", _dmarc), ("MX", _mx)):
        try:
            yield look(domain, names)
        except CannotAsk:
            yield warning(check, f"could not ask the DNS about {domain}", "ask again when online")
    yield from _dkim(config, names)


def _spf(domain: str, names: Names) -> Finding:
    found = [each for each in names.txt(domain) if each.lower().split(" ")[0] == "v=spf1"]
    if not found:
        hint = f'publish TXT {domain} "v=spf1 include:YOUR-RELAY -all"'
        return problem("SPF", f"{domain} has none", hint)
    if len(found) > 1:
        return problem("SPF", f"{domain} has {len(found)}", "keep one: several count as none")
    words = found[0].lower().split()
    if "+all" in words or "all" in words:
        return problem("SPF", f"{domain} lets everybody send: {found[0]}", "end it with -all")
    if not any(word in ("-all", "~all") or word.startswith("redirect=") for word in words):
        return warning("SPF", f"{domain} refuses nobody: {found[0]}", "end it with -all or ~all")
    return ok("SPF", found[0])


def _dmarc(domain: str, names: Names) -> Finding:
    """The record of the domain, or of the nearest one above it (RFC 9989, the tree walk)."""
    labels = domain.split(".")
    for start in range(max(len(labels) - 1, 1)):
        name = f"_dmarc.{'.'.join(labels[start:])}"
        found = [each for each in names.txt(name) if each.replace(" ", "").startswith("v=DMARC1")]
        if len(found) > 1:
            return problem("DMARC", f"{name} has {len(found)}", "keep one: several count as none")
        if found:
            return _of_policy(name, _tags(found[0]))
    hint = f'publish TXT _dmarc.{domain} "v=DMARC1; p=none; rua=mailto:YOU"'
    return problem("DMARC", f"{domain} has none", hint)


def _of_policy(name: str, tags: dict[str, str]) -> Finding:
    policy = tags.get("p", "none")
    if policy == "none":
        hint = "reject or quarantine, once the reports show that all your mail passes"
        return warning("DMARC", f"{name}: p=none, nothing forged is refused", hint)
    return ok("DMARC", f"{name}: p={policy}")


def _mx(domain: str, names: Names) -> Finding:
    hosts = names.mx(domain)
    if hosts == ["."]:
        return problem("MX", f"{domain} takes no mail", "bounces and replies have to arrive")
    if not hosts:
        hint = "bounces and replies have to arrive: publish an MX, or use another sender"
        return warning("MX", f"{domain} has none", hint)
    return ok("MX", ", ".join(host.rstrip(".") for host in hosts))


def _dkim(config: Config, names: Names) -> Iterator[Finding]:
    if config.dkim is None:
        hint = "your relay must, with List-Unsubscribe and -Post among the headers, or set `dkim:`"
        yield warning("DKIM", "mails are not signed here", hint)
        return
    try:
        records = Signing(config).records()
    except UsageError as error:
        yield problem("DKIM", str(error), "see `dkim:` in docs/configuration.md")
        return
    for name, content in records:
        try:
            yield _of_key(name, content, names.txt(name))
        except CannotAsk:
            yield warning("DKIM", f"could not ask the DNS about {name}", "ask again when online")


def _of_key(name: str, content: str, found: list[str]) -> Finding:
    publish = f'publish TXT {name} "{content}"'
    if not found:
        return problem("DKIM", f"{name} is not there: no signature can be checked", publish)
    wanted = _tags(content)["p"]
    published = [_tags(each) for each in found]
    if not any(tags.get("p", "").replace(" ", "") == wanted for tags in published):
        return problem("DKIM", f"{name} has another key than the one we sign with", publish)
    if any("y" in tags.get("t", "").split(":") for tags in published):
        return warning("DKIM", f"{name} says that it is a test (t=y)", "take t=y away")
    return ok("DKIM", f"{name} has our key")


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}
