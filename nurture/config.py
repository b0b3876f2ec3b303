"""How is this installation set up? `config.yaml`, checked, with a default for every key.

Names are those of the YAML keys. Durations are timedeltas (silence: `core.model.Duration`, for
its business days), relative paths are made absolute from the folder of config.yaml, and `${NAME}`
in a value is taken from the environment (`$$` is a dollar sign). Long because every key has its
declaration here; docs/configuration.md explains each.
"""

import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from nurture.core.caps import Cap, Gap
from nurture.core.hours import Never
from nurture.core.model import (
    Approval,
    ByPhone,
    Category,
    Duration,
    Hours,
    MessageClass,
    Tone,
)
from nurture.core.rates import Rate, WarmUp, parse_rate
from nurture.core.timing import parse_duration
from nurture.errors import Problem, Problems, shown
from nurture.files import read_bytes, text_in
from nurture.positions import Place, Positions, did_you_mean, read_yaml, validate

EXAMPLE_COMPANY = "Example Ltd"
EXAMPLE_ADDRESS = "1 Example Street, Lisbon"
EXAMPLE_EMAIL = "talent@example.com"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# --- values that YAML writes as words ----------------------------------------------------------

_UNITS = {"minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_LENGTH = re.compile(r"(?:\d{1,6} +(?:minute|hour|day|week)s? *)+")


def parse_length(value: object) -> timedelta:
    """`20 hours`, `6 days 20 hours`: an exact length of time. Raises ValueError."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not _LENGTH.fullmatch(value.strip()):
        raise ValueError('a length of time is expected, such as "20 hours" or "6 days 20 hours"')
    parts = re.findall(r"(\d+) +(minute|hour|day|week)", value)
    return timedelta(seconds=sum(int(amount) * _UNITS[unit] for amount, unit in parts))


def parse_time(value: object) -> time:
    """`08:30`. Raises ValueError."""
    if isinstance(value, time):
        return value
    written = re.fullmatch(r"(\d{1,2}):(\d{2})", value.strip()) if isinstance(value, str) else None
    if written is None or int(written[1]) > 23 or int(written[2]) > 59:
        raise ValueError('a time of day is expected, such as "08:30"')
    return time(int(written[1]), int(written[2]))


def parse_days(value: object) -> frozenset[int]:
    """`mon-fri`, `mon, wed, sat-sun`, or a list of those, as weekdays (Monday is 0)."""
    if isinstance(value, frozenset):
        return value
    parts = value if isinstance(value, list) else str(value).split(",")
    days: set[int] = set()
    for part in parts:
        first, _, last = str(part).strip().lower().partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            raise ValueError('days are expected, such as "mon-fri" or "mon, wed, fri"')
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        days.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return frozenset(days)


def _rate(value: object) -> Rate:
    return value if isinstance(value, Rate) else parse_rate(str(value))


def _duration(value: object) -> Duration:
    if isinstance(value, Duration):
        return value
    if not isinstance(value, str):
        raise ValueError('a duration is expected, such as "5 business days"')
    return parse_duration(value)


def _timezone(value: str) -> str:
    known = zoneinfo.available_timezones()
    if value not in known:
        hint = did_you_mean(value, known) or "use a name such as Europe/Lisbon"
        raise ValueError(f'"{value}" is not a time zone; {hint}')
    return value


def _locale(value: str) -> str:
    try:
        Locale.parse(value, sep="-")
    except (ValueError, UnknownLocaleError):
        raise ValueError(f'"{value}" is not a language; use a tag such as en or pt-BR') from None
    return value


def _email(value: str) -> str:
    if not re.fullmatch(r"[^\s@<>\",;]+@[^\s@<>\",;]+", value):
        raise ValueError(f'"{value}" is not an e-mail address')
    return value


def _holidays(value: str) -> str:
    if not re.fullmatch(r"candidate|none|[A-Z]{2}(-[A-Z0-9]{1,3})?", value):
        raise ValueError('must be candidate, none, or a country such as "PT" or "DE-BY"')
    return value


def _site(value: str) -> str:
    if not re.match(r"https?://[^/\s]", value):
        raise ValueError("a whole address is expected, such as https://example.com")
    return value


def _database(value: str) -> str:
    if not re.match(r"(sqlite|postgresql)(\+\w+)?:", value):  # what it is may hold a password
        forms = "sqlite:///var/nurture.db or postgresql+psycopg://user:password@host/name"
        raise ValueError(f"an address is expected: {forms}")
    return value


def _public_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("must start with https:// and name a host")
    return value.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, by its name or address (nothing is looked up)."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _written(*examples: str, more: str = "string") -> WithJsonSchema:
    """How a value is written in the file, which its Python type does not say."""
    return WithJsonSchema(
        {"type": ["string", more] if more != "string" else "string", "examples": list(examples)}
    )


Length = Annotated[
    timedelta, BeforeValidator(parse_length), _written("20 hours", "6 days 20 hours")
]
TimeOfDay = Annotated[time, BeforeValidator(parse_time), _written("08:30")]
Days = Annotated[
    frozenset[int], BeforeValidator(parse_days), _written("mon-fri", "mon, wed, fri", more="array")
]
Span = Annotated[Duration, BeforeValidator(_duration), _written("5 business days")]
AnyRate = Annotated[Rate, BeforeValidator(_rate), _written("20 per second", "500 per day")]
Zone = Annotated[str, AfterValidator(_timezone)]
Language = Annotated[str, AfterValidator(_locale)]
Email = Annotated[str, AfterValidator(_email)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]


class Keys(BaseModel):
    """What one level of config.yaml may hold: nothing unknown, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class WrittenAs:
    """Annotation: a value of a domain type that the file writes with the keys of `written_as`."""

    def __init__(self, written_as: type[Keys], build: Callable[[Any], Any], built: type) -> None:
        self.written_as, self.build, self.built = written_as, build, built

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: Any, keys: Callable[[Any], Any]) -> Any:
            return value if isinstance(value, self.built) else self.build(keys(value))

        schema = handler.generate_schema(self.written_as)
        return core_schema.no_info_wrap_validator_function(read, schema)


# --- the parts, in the order of config.yaml ------------------------------------------------------


#: Nothing that ends a declaration or an attribute; the last one is a kind of font.
_FONT = r"(?:'[A-Za-z0-9 -]{1,60}'|[A-Za-z-][A-Za-z0-9 -]{0,60}), *"
_FONTS = rf"^(?:{_FONT}){{1,12}}(?:sans-serif|serif)$"
FontStack = Annotated[str, Field(pattern=_FONTS, max_length=300)]


class Fonts(Keys):
    body: FontStack = "Georgia, 'Times New Roman', serif"
    heading: FontStack = "'Segoe UI', -apple-system, Roboto, Helvetica, Arial, sans-serif"


class Brand(Keys):
    accent: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = "#1f6f5c"
    logo: str | None = None
    fonts: Fonts = Fonts()


class Company(Keys):
    name: str = EXAMPLE_COMPANY
    address: str = EXAMPLE_ADDRESS
    site: Annotated[str, AfterValidator(_site)] = "https://example.com"
    brand: Brand = Brand()


class Sender(Keys):
    name: str = "Example Talent Team"
    email: Email = EXAMPLE_EMAIL
    as_: Literal["recruiter", "team"] = Field("recruiter", alias="as")


class OutboxTransport(Keys):
    kind: Literal["outbox"] = "outbox"
    dir: Path = Path("var/outbox")


class SmtpTransport(Keys):
    kind: Literal["smtp"] = "smtp"
    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "plain"] = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    connections: Annotated[int, Field(ge=1, le=50)] = 4
    messages_per_connection: Annotated[int, Field(ge=1)] = 100


Transport = Annotated[OutboxTransport | SmtpTransport, Field(discriminator="kind")]

_LABELS = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$"


class DkimKey(Keys):
    selector: Annotated[str, Field(pattern=_LABELS)]
    key: SecretStr | None = None
    key_file: str | None = None

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if (self.key is None) == (self.key_file is None):
            raise ValueError("write either `key: ${DKIM_KEY}` or `key_file:`")
        return self


class Dkim(DkimKey):
    domain: Annotated[str, Field(pattern=_LABELS)] | None = None
    second: DkimKey | None = None


class WarmUpKeys(Keys):
    from_: Annotated[date, Field(alias="from")]
    first_day: Annotated[int, Field(ge=1)] = 200
    times: Annotated[float, Field(ge=1.0, le=10.0)] = 1.5

    def rule(self) -> WarmUp:
        return WarmUp(from_=self.from_, first_day=self.first_day, times=self.times)


AnyWarmUp = Annotated[WarmUp, WrittenAs(WarmUpKeys, WarmUpKeys.rule, WarmUp)]
Domain = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]


class Limits(Keys):
    """How fast mail may leave, all processes together. `domains` replaces `each_domain`."""

    everything: AnyRate | None = None
    each_domain: AnyRate | None = None
    domains: dict[Domain, AnyRate] = {}
    warm_up: AnyWarmUp | None = None


def _network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise ValueError(
            f'"{value}" is no address, such as 127.0.0.1, nor a network, such as 172.18.0.0/16'
        ) from None
    return value


class Proxy(Keys):
    """The one reverse proxy through which recruiters reach their pages."""

    url: PublicUrl
    secret: Annotated[SecretStr, Field(min_length=16)]
    addresses: Annotated[
        tuple[Annotated[str, AfterValidator(_network)], ...], Field(min_length=1)
    ] = ("127.0.0.1", "::1")
    person_header: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")] | None = None
    newcomers: Literal["recruiter", "marketer", "admin"] | None = None
    sign_out: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_./?=&-]*$")] | None = None

    @model_validator(mode="after")
    def _people_are_named(self) -> Self:
        if self.person_header is None and self.newcomers is not None:
            raise ValueError("newcomers need a person_header: else nobody says who they are")
        return self


class Web(Keys):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8420
    public_url: PublicUrl = "http://127.0.0.1:8420"
    confidences_to: Email | None = None
    proxy: Proxy | None = None

    @property
    def address(self) -> str:
        """Where recruiters reach their pages, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.proxy.url if self.proxy is not None else f"http://{host}:{self.port}"


class Morning(Keys):
    """The list that recruiters get by mail."""

    to: Literal["recruiters", "off"] = "recruiters"
    at: TimeOfDay = time(8)
    holidays: Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] | None = None


class ContactHours(Keys):
    days: Days = frozenset({0, 1, 2, 3, 4})
    from_: TimeOfDay = Field(time(8, 30), alias="from")
    to: TimeOfDay = time(18, 30)
    spread: Length = timedelta(minutes=45)
    holidays: Annotated[str, AfterValidator(_holidays)] = "candidate"

    @field_validator("to")
    @classmethod
    def _closes_after_it_opens(cls, value: time, info: ValidationInfo) -> time:
        opens = info.data.get("from_")
        if opens is not None and opens >= value:
            raise ValueError(f"must be later than from ({opens:%H:%M})")
        return value

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.from_ >= self.to:
            raise ValueError("from must be earlier than to (18:30)")
        if not self.days:
            raise ValueError("at least one day is needed")
        return self


def parse_week_hours(value: str) -> tuple[frozenset[int], time, time | None]:
    """`fri 15:00-24:00` as (days, from, to); `to` is None for 24:00. Raises ValueError."""
    written = re.fullmatch(r"(\S.*?) +(\d{1,2}:\d{2}) *- *(\d{1,2}:\d{2})", value.strip())
    if written is None:
        raise ValueError('hours of the week are expected, such as "fri 15:00-24:00"')
    days, opens = parse_days(written[1]), parse_time(written[2])
    closes = None if written[3] == "24:00" else parse_time(written[3])
    if closes is not None and opens >= closes:
        raise ValueError("the hours must end later than they begin; write two rules over midnight")
    return days, opens, closes


class NeverKeys(Keys):
    tone: Tone
    when: str

    @field_validator("when")
    @classmethod
    def _hours(cls, value: str) -> str:
        parse_week_hours(value)
        return value

    def rule(self) -> Never:
        days, from_, to = parse_week_hours(self.when)
        return Never(tone=self.tone, days=days, from_=from_, to=to)


class CategoryKeys(Keys):
    klass: MessageClass = Field(alias="class")
    priority: Annotated[int, Field(ge=0, le=1000)]
    capped: bool = True
    hours: Hours = Hours.CONTACT
    approval: Approval = Approval.AUTO
    counts_as_contact: bool = True
    at_least_once: bool = False
    by_phone: ByPhone = ByPhone.MAIL
    follow_up: bool = False
    bundle: bool = True
    holding: bool = False

    def category(self) -> Category:
        return Category(name="", **dict(self))  # Config gives it the name of its key


class CapKeys(Keys):
    at_most: int
    per: Length
    klass: MessageClass | None = Field(None, alias="class")
    category: str | None = None

    @field_validator("at_most")
    @classmethod
    def _lets_something_through(cls, value: int) -> int:
        if value < 1:
            raise ValueError("must be 1 or more; to stop mail, pause its campaigns")
        return value

    @field_validator("per")
    @classmethod
    def _is_a_window(cls, value: timedelta) -> timedelta:
        if not timedelta(0) < value <= timedelta(days=366):
            raise ValueError("must be longer than nothing and at most 366 days")
        return value

    def cap(self) -> Cap:
        return Cap(**dict(self))


class GapKeys(Keys):
    klass: MessageClass = Field(MessageClass.NURTURE, alias="class")
    after_any: Length

    def gap(self) -> Gap:
        return Gap(**dict(self))


class Bundle(Keys):
    within: Length = timedelta(hours=4)
    at_most: Annotated[int, Field(ge=1, le=20)] = 5


def _share(value: Any) -> Any:
    """`5%` as 0.05. A plain number would be read as either, so it is none."""
    if isinstance(value, str) and (found := re.fullmatch(r"(\d{1,2}(?:\.\d+)?) ?%", value.strip())):
        value = float(found[1]) / 100
        if value > 0:
            return value
    raise ValueError("a share of all mails, more than none, such as 5%")


Share = Annotated[
    float,
    BeforeValidator(_share),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,2}(\.\d+)? ?%$"}),
]


class Guardrails(Keys):
    """When a campaign stops itself."""

    bounces: Share = Field(0.05, description="The most of its mail that may bounce for good")
    complaints: Share = Field(0.001, description="The most that may be called spam")
    at_least: Annotated[int, Field(ge=1)] = Field(50, description="Fewer mails say nothing")
    within: Length = Field(timedelta(days=7), description="Mail of so long is counted")


#: What the laws we know ask for. Ontario, Employment Standards Act as of 1 January 2026: who was
#: interviewed is told within 45 days of the last interview whether a decision was made.
_LEGAL_SILENCE = {"ontario": Duration(amount=45, unit="days")}


class LegalSilence(Keys):
    """Within how long of the last interview everybody has to be told of the decision."""

    preset: Literal["ontario"] | None = Field(None, description="A law that we know: 45 days")
    after: Literal["last interview"] = Field("last interview", description="What it counts from")
    within: Span | None = Field(None, description="How long, where it is no preset")

    @model_validator(mode="after")
    def _says_how_long(self) -> Self:
        if (self.preset is None) == (self.within is None):
            raise ValueError("write either `preset: ontario` or `within:` and how long")
        if self.within is not None and not self.within.amount:
            raise ValueError("`within:` must be longer than nothing")
        return self

    @property
    def ceiling(self) -> Duration:
        """How long after the end of the last interview."""
        return self.within or _LEGAL_SILENCE[self.preset or "ontario"]


class FollowUps(Keys):
    in_process: Annotated[int, Field(ge=1, le=100)] = 2
    outreach: Annotated[int, Field(ge=1, le=100)] = 4
    then_quiet: Length = timedelta(days=90)


class ToneRules(Keys):
    cheerful_after_bad_news: Length = timedelta(days=14)
    nurture_after_bad_news: Length = timedelta(days=14)


Phrase = Annotated[str, Field(pattern=r"\S")]
FieldKind = Literal["text", "number", "date", "instant", "list"]
FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
CategoryName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]

AnyNever = Annotated[Never, WrittenAs(NeverKeys, NeverKeys.rule, Never)]
AnyCategory = Annotated[Category, WrittenAs(CategoryKeys, CategoryKeys.category, Category)]
AnyCap = Annotated[Cap, WrittenAs(CapKeys, CapKeys.cap, Cap)]
AnyGap = Annotated[Gap, WrittenAs(GapKeys, GapKeys.gap, Gap)]

# --- defaults that people add to or change key by key --------------------------------------------

_SERVICE, _NURTURE, _PRIVACY = MessageClass
DEFAULT_CATEGORIES: dict[str, Category] = {
    category.name: category
    for category in (
        Category(
            name="receipt",
            klass=_SERVICE,
            priority=95,
            capped=False,
            hours=Hours.ANY,
            bundle=False,
        ),
        Category(
            name="logistics",
            klass=_SERVICE,
            priority=100,
            capped=False,
            hours=Hours.WIDE,
            bundle=False,
        ),
        Category(
            name="offer",
            klass=_SERVICE,
            priority=92,
            capped=False,
            approval=Approval.EACH,
            by_phone=ByPhone.BOTH,
            bundle=False,
        ),
        Category(
            name="decision",
            klass=_SERVICE,
            priority=90,
            capped=False,
            approval=Approval.EACH,
            by_phone=ByPhone.CALL,
            bundle=False,
        ),
        Category(
            name="closure",
            klass=_SERVICE,
            priority=85,
            capped=False,
            approval=Approval.BATCH,
            by_phone=ByPhone.CALL,
            bundle=False,
        ),
        Category(name="status", klass=_SERVICE, priority=80, capped=False, by_phone=ByPhone.CALL),
        Category(
            name="holding",
            klass=_SERVICE,
            priority=78,
            capped=False,
            by_phone=ByPhone.CALL,
            bundle=False,
            holding=True,
        ),
        Category(name="prep", klass=_SERVICE, priority=70, capped=False),
        Category(name="privacy", klass=_PRIVACY, priority=65, capped=False, bundle=False),
        Category(name="help", klass=_SERVICE, priority=50, by_phone=ByPhone.CALL),
        Category(name="check-in", klass=_NURTURE, priority=40, follow_up=True),
        Category(name="culture", klass=_NURTURE, priority=20, counts_as_contact=False),
        Category(name="digest", klass=_NURTURE, priority=10, counts_as_contact=False),
    )
}
DEFAULT_CAPS = [
    Cap(at_most=2, per=timedelta(hours=20), klass=None, category=None),
    Cap(at_most=6, per=timedelta(days=6, hours=20), klass=None, category=None),
    Cap(at_most=1, per=timedelta(days=5), klass=_NURTURE, category=None),
    Cap(at_most=2, per=timedelta(days=30), klass=_NURTURE, category=None),
]
DEFAULT_NEVER = [
    Never(tone=Tone.GRAVE, days=frozenset({4}), from_=time(15), to=None),
]
DEFAULT_GAP = Gap(klass=_NURTURE, after_any=timedelta(hours=20))
DEFAULT_SILENCE = {
    "applied": Duration(amount=7, unit="business days"),
    "screening": Duration(amount=5, unit="business days"),
    "assessment": Duration(amount=5, unit="business days"),
    "interviewing": Duration(amount=3, unit="business days"),
    "final": Duration(amount=2, unit="business days"),
    "decision": Duration(amount=2, unit="business days"),
    "on_hold": Duration(amount=10, unit="business days"),
    "rejected": Duration(amount=5, unit="business days"),
}
DEFAULT_FIELDS: dict[str, FieldKind] = {
    "github": "text",
    "notice_period": "text",
    "available_from": "date",
    "skills": "list",
}

#: What argues with a no, or hurries people.
DEFAULT_BANNED = ["are you sure", "last chance", "don't miss"]
#: What tells whoever looks over a candidate's shoulder that they look for work.
DEFAULT_DISCREET = ["application", "candidate", "interview", "job", "offer", "recruiter", "salary"]


def _all_are(kind: type, given: dict[Any, Any]) -> bool:
    """Whether these are values given by code, which means exactly them, and not by a file."""
    return bool(given) and all(isinstance(value, kind) for value in given.values())


def _over_defaults(given: Any) -> Any:
    """What the file says of a category, over what the default of that name says."""
    if not isinstance(given, dict) or _all_are(Category, given):
        return given
    merged: dict[Any, Any] = dict(DEFAULT_CATEGORIES)
    for name, keys in given.items():
        default = DEFAULT_CATEGORIES.get(name)
        if default is None or not isinstance(keys, dict):
            merged[name] = keys
        else:
            written = {
                about.alias or key: getattr(default, key)
                for key, about in CategoryKeys.model_fields.items()
            }
            merged[name] = written | keys
    return merged


class Settings(Keys):
    """The keys of config.yaml."""

    company: Company = Company()
    sender: Sender = Sender()
    locale: Language = "en"
    formality: Literal["formal", "informal"] = "formal"
    timezone: Zone = "Europe/Lisbon"
    database: Annotated[str, AfterValidator(_database)] = Field(
        "sqlite:///var/nurture.db", repr=False
    )
    transport: Transport = OutboxTransport()
    dkim: Dkim | None = None
    deliver_only_to: list[Email] = []
    limits: Limits = Limits()
    web: Web = Web()
    contact_hours: ContactHours = ContactHours()
    never: list[AnyNever] = DEFAULT_NEVER
    categories: Annotated[dict[CategoryName, AnyCategory], BeforeValidator(_over_defaults)] = (
        DEFAULT_CATEGORIES
    )
    caps: list[AnyCap] = DEFAULT_CAPS
    gap: AnyGap | None = DEFAULT_GAP
    silence: dict[str, Span] = DEFAULT_SILENCE
    legal_silence: LegalSilence | None = None
    bundle: Bundle = Bundle()
    tone: ToneRules = ToneRules()
    follow_ups: FollowUps = FollowUps()
    fallback_after: Span = Duration(amount=1, unit="business days")
    max_wait: Length = timedelta(days=30)
    release_at_most: int | Annotated[str, Field(pattern=r"^\d{1,3}(\.\d+)?%$")] = 50
    guardrails: Guardrails = Guardrails()
    undo_window: Length = timedelta(minutes=10)
    morning: Morning = Morning()
    cancel_hold: Length = timedelta(minutes=10)
    send_slack: Length = timedelta(minutes=15)
    interview_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    candidate_fields: dict[FieldName, FieldKind] = DEFAULT_FIELDS
    banned_words: list[Phrase] = DEFAULT_BANNED
    discreet_words: list[Phrase] = DEFAULT_DISCREET

    @field_validator("categories")
    @classmethod
    def _named(cls, value: dict[str, Category]) -> dict[str, Category]:
        return {name: replace(category, name=name) for name, category in value.items()}

    @field_validator("silence", mode="before")
    @classmethod
    def _stage_by_stage(cls, value: Any) -> Any:
        """A stage not named keeps its default; `null` lifts the ceiling of a stage."""
        if not isinstance(value, dict) or _all_are(Duration, value):
            return value
        return {k: v for k, v in {**DEFAULT_SILENCE, **value}.items() if v is not None}

    def release_limit(self, enrolled: int) -> int:
        """How many messages one cause may make due at once, of this many people enrolled."""
        if isinstance(self.release_at_most, int):
            return self.release_at_most
        return int(enrolled * float(self.release_at_most.rstrip("%")) / 100)


class Config(Settings):
    """Settings and the folder they were found in, with every path made absolute."""

    root: Path

    @model_validator(mode="after")
    def _paths_from_root(self) -> Self:
        root = self.root.resolve()
        self.__dict__["root"] = root  # frozen for everyone but this validator
        self.__dict__["database"] = _database_from(root, self.database)
        if isinstance(self.transport, OutboxTransport):
            path = root / self.transport.dir
            self.__dict__["transport"] = self.transport.model_copy(update={"dir": path})
        return self

    @property
    def campaigns_dir(self) -> Path:
        return self.root / "campaigns"

    @property
    def templates_dir(self) -> Path:
        return self.root / "templates"

    @property
    def content_dir(self) -> Path:
        return self.root / "content"

    @property
    def var(self) -> Path:
        """What the engine writes besides its database: the secret, journals, the outbox."""
        return self.root / "var"


def load_config(path: Path, env: Mapping[str, str]) -> Config:
    """Read `path`. A missing or empty file gives the defaults, rooted in its folder.

    Raises Problems with everything that is wrong with it.
    """
    config, problems = load_partly(path, env)
    if problems:
        raise Problems(problems)
    return config


def load_partly(path: Path, env: Mapping[str, str]) -> tuple[Config, list[Problem]]:
    """As much of `path` as can be used, with defaults for the rest, and what is wrong with it: only
    to look at campaigns and templates in the same go. Raises Problems where it is not YAML."""
    root, file = path.absolute().parent, shown(path)
    try:
        text = text_in(read_bytes(path, file), file)
    except FileNotFoundError:
        text = ""
    data, positions = read_yaml(text, file)
    source = _Source(file, positions, [])
    data = _with_environment(data, (), env, source)
    try:
        settings = validate(Settings, data, positions, file)
    except Problems as found:
        source.problems += found.problems
        settings = _without(found.problems, data, source)
    else:
        _check_safe(settings, source)
    _check_consistent(settings, source)
    return Config(root=root, **dict(settings)), source.problems


def _without(problems: Sequence[Problem], data: Any, source: "_Source") -> Settings:
    """The settings without the keys that are complained of."""
    for problem in problems:
        at, positions = (problem.line, problem.column), source.positions
        paths = [path for path in positions.values if positions.at(path) == at]
        paths += [path for path in positions.keys if positions.key(path) == at]
        _take_out(data, max(paths, key=len, default=()))
    try:
        return validate(Settings, data, source.positions, source.file)
    except Problems:
        return Settings()


def _take_out(data: Any, path: Place) -> None:
    """Without the nearest key around `path`: an item of a list goes with its whole list."""
    for length, part in enumerate(path):
        if isinstance(part, int):
            path = path[:length]
            break
    for part in path[:-1]:
        data = data.get(part) if isinstance(data, dict) else None
    if path and isinstance(data, dict):
        data.pop(path[-1], None)


def example_identity(settings: Settings) -> list[tuple[tuple[str, ...], str]]:
    """What still is the shipped example, as (path of the key, what to put there)."""
    found: list[tuple[tuple[str, ...], str]] = []
    if settings.company.name == EXAMPLE_COMPANY:
        found.append((("company", "name"), "the name of your company"))
    if settings.company.address == EXAMPLE_ADDRESS:
        found.append((("company", "address"), "your postal address: the law wants it in the mail"))
    domain = settings.sender.email.rpartition("@")[2].lower()
    if domain in ("example.com", "example.org", "example.net"):
        found.append((("sender", "email"), "an address of yours that receives mail"))
    if urlsplit(settings.web.public_url).scheme != "https":
        found.append(
            (("web", "public_url"), "the https:// address at which candidates reach the pages")
        )
    return found


# --- checks across keys -----------------------------------------------------------------------


@dataclass
class _Source:
    """The file being read, and what was found wrong with it."""

    file: str
    positions: Positions
    problems: list[Problem]

    def problem(self, path: Place, code: str, message: str, hint: str = "") -> None:
        self.problem_at(self.positions.at(path), code, message, hint)

    def problem_at(self, at: tuple[int, int], code: str, message: str, hint: str = "") -> None:
        self.problems.append(
            Problem(file=self.file, line=at[0], column=at[1], code=code, message=message, hint=hint)
        )


def _check_safe(settings: Settings, source: _Source) -> None:
    """What would expose people's data, or send mail that says it comes from an example."""
    web = settings.web
    if not is_loopback(web.host) and web.proxy is None:
        message = f"the pages would be open to everyone who reaches {web.host}"
        hint = "keep 127.0.0.1, or name the reverse proxy in front as web.proxy"
        source.problem(("web", "host"), "public-web", message, hint)
    if web.proxy is not None:
        parts = urlsplit(web.proxy.url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            message = "passwords and candidates' data would cross the network unencrypted"
            source.problem(("web", "proxy", "url"), "plain-web", message, "use https://")
    transport = settings.transport
    if not isinstance(transport, SmtpTransport) or is_loopback(transport.host):
        return
    if transport.security == "plain":
        message = f"mail and password would cross the network unencrypted to {transport.host}"
        hint = "use starttls (port 587) or tls (port 465)"
        source.problem(("transport", "security"), "insecure-smtp", message, hint)
    for path, wanted in example_identity(settings):
        message = f"{'.'.join(path)} is still the example, and kind: smtp sends to real people"
        source.problem(path, "example-identity", message, f"set {wanted}")


def _check_consistent(settings: Settings, source: _Source) -> None:
    if settings.dkim is not None and settings.dkim.domain is not None:
        ours, signs = settings.sender.email.rpartition("@")[2].lower(), settings.dkim.domain
        if not (f".{ours}".endswith(f".{signs}") or f".{signs}".endswith(f".{ours}")):
            message = f"a signature of {signs} says nothing about mail from {ours} (DMARC)"
            hint = "leave it out: it is the domain of sender.email"
            source.problem(("dkim", "domain"), "invalid-value", message, hint)
    categories = settings.categories
    capped = [category for category in categories.values() if category.capped]
    highest = max(capped, key=lambda category: category.priority, default=None)
    for name, category in categories.items():
        if category.capped or highest is None or category.priority > highest.priority:
            continue
        message = (
            f'"{name}" is capped: false, so its priority must be above that of every capped '
            f'category ("{highest.name}" has {highest.priority})'
        )
        source.problem(("categories", name, "priority"), "uncapped-priority", message)
    for index, cap in enumerate(settings.caps):
        if cap.category is not None and cap.category not in categories:
            message, hint = f'no category "{cap.category}"', did_you_mean(cap.category, categories)
            source.problem(("caps", index, "category"), "unknown-category", message, hint)


# --- the environment and paths -------------------------------------------------------------------

_DOLLAR = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<name>[A-Za-z_]\w*)\}|(?P<open>\{))")


def _with_environment(value: Any, path: Place, env: Mapping[str, str], source: _Source) -> Any:
    """`value` with `${NAME}` replaced in every text; what is missing becomes a problem."""
    if isinstance(value, dict):
        return {k: _with_environment(v, (*path, k), env, source) for k, v in value.items()}
    if isinstance(value, list):
        return [_with_environment(v, (*path, i), env, source) for i, v in enumerate(value)]
    if not isinstance(value, str) or "$" not in value:
        return value

    def read(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "$"
        name = found["name"]
        if name in env:
            return env[name]
        at = source.positions.inside(path, found.start())
        if name:
            message = f"${{{name}}} is not set in the environment"
            source.problem_at(at, "missing-env", message, f"export {name}=...")
        else:
            message = "${ without the name of a variable and }"
            source.problem_at(at, "missing-env", message, "write $$ for a dollar sign")
        return found[0]

    return _DOLLAR.sub(read, value)


def _database_from(root: Path, url: str) -> str:
    """A relative SQLite file is one below the folder of config.yaml."""
    scheme, separator, rest = url.partition(":///")
    if not separator or not scheme.startswith("sqlite") or rest in ("", ":memory:"):
        return url
    name, question, query = rest.partition("?")
    if name.startswith("file:") or Path(name).is_absolute():
        return url
    return f"{scheme}:///{root / name}{question}{query}"
