"""What does a file of candidates tell us? Each row becomes the same events that a webhook makes.

An import is historical unless it is said to be live: nobody is written to because of it. The same
file again changes nothing. Rows that cannot be used are left out, kept aside with the reason, and
cost no other row.
"""

import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict

from nurture.errors import OutsideError, Problem, Problems, UsageError, shown
from nurture.intake.apply import apply_all
from nurture.intake.csv_columns import FIELDS, LISTS, field_of, names_of, own_name, plain, several
from nurture.intake.csv_table import Row, Table, read_table
from nurture.intake.events import IncomingEvent, key_of, parse_event, ref_of
from nurture.intake.merging import Taken
from nurture.positions import did_you_mean, read_yaml, validate
from nurture.store.database import Database

_YES = frozenset(
    [
        "yes",
        "y",
        "true",
        "1",
        "x",
        "ja",
        "j",
        "oui",
        "o",
        "si",
        "s",
        "sim",
        "tak",
        "t",
        "wahr",
        "vrai",
        "verdadero",
    ]
)
_NO = frozenset(
    ["no", "n", "false", "0", "nein", "non", "nao", "nie", "f", "falsch", "faux", "falso", "-"]
) | {""}
_FORMULA = re.compile(r"=|[+\-@][A-Za-z]+[(|!.]")
#: What makes a row one about an application; the rest belongs to the candidate without it.
_APPLICATION = frozenset({"application_id", "job", "job_id", "stage", "status", "applied_at"})
_ABOUT_IT = ("source", "department", "recruiter", "start_date", "stage_since")
_AS_IT_IS = frozenset({"first_name", "last_name", "timezone", "subdivision", "pronouns"})
_STATUSES = frozenset({"active", "rejected", "withdrawn", "hired", "closed"})
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def _known_field(name: str) -> str:
    if name not in FIELDS and not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f'"{name}" is not a field: {did_you_mean(name, FIELDS) or "a_name"}')
    return name


def _date_format(text: str) -> str:
    if sorted(re.findall("[A-Z]+", text)) != ["DD", "MM", "YYYY"]:
        raise ValueError("dates are described as in DD/MM/YYYY")
    return text


def _zone_name(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'"{name}" is not a time zone such as Europe/Lisbon') from None
    return name


class Mapping(BaseModel):
    """What a file's own headers and dates mean: `nurture import --map`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[str, Annotated[str, AfterValidator(_known_field)]] = {}  #: header -> field
    ignore: list[str] = []  #: headers
    dates: Annotated[str, AfterValidator(_date_format)] | None = None
    timezone: Annotated[str, AfterValidator(_zone_name)] = "UTC"  #: of times without an offset
    encoding: str | None = None


@dataclass
class ImportReport:
    """How many candidates there were, and each row that was left out."""

    batch: str = ""
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    encoding: str = ""
    separator: str = ""
    columns: dict[str, str] = field(default_factory=dict)  #: header -> the field it became
    rejected_file: Path | None = None


@dataclass
class _Person:
    line: int
    candidate: dict[str, Any] = field(default_factory=dict)
    applications: dict[str, dict[str, Any]] = field(default_factory=dict)
    unsubscribed: bool = False
    rows: list[Row] = field(default_factory=list)


def read_mapping(path: Path) -> Mapping:
    """The mapping file. Raises Problems with the line of each mistake in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{shown(path)} cannot be read: {error}") from error
    data, positions = read_yaml(text, shown(path))
    return validate(Mapping, data, positions, shown(path))


def import_csv(
    database: Database,
    path: Path,
    now: datetime,
    *,
    dry_run: bool = False,
    live: bool = False,
    mapping: Mapping | None = None,
    source: str = "csv",
    rejected: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Take in the file's candidates and applications. `live`: they may trigger campaigns.

    `rejected` is the file for rows that were left out, with line and reason; it is written only
    if there are any, and not in a dry run. Raises Problems if the file as a whole is unusable.
    """
    mapping = mapping or Mapping()
    table = read_table(path, mapping.encoding)
    fields = _fields(table, mapping)
    reading = _Reading(table.file, fields, mapping)
    people = reading.people(table.rows())
    digest = hashlib.sha256(table.text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    report = ImportReport(
        batch=f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest}",
        encoding=table.encoding,
        separator=table.separator,
        columns=dict(zip(table.header.cells, fields, strict=True)),
    )
    told = [
        (person, event)
        for person in people
        for event in _events(person, report.batch, source, live, table.file)
    ]
    counts = apply_all(
        database,
        [event for _, event in told],
        now,
        historical=not live,
        news_only=True,
        dry_run=dry_run,
        progress=progress,
    )
    refused = reading.refused
    owners = [person for person, _ in told]
    refused += _tally(report, zip(owners, counts.taken, strict=True), table.file)
    refused.sort(key=lambda one: one[0].line)
    report.rejected = [problem for _, problem in refused]
    if refused and rejected is not None and not dry_run:
        _write_rejected(rejected, table, refused)
        report.rejected_file = rejected
    return report


def _tally(
    report: ImportReport, results: Iterable[tuple[_Person, Taken]], file: str
) -> list[tuple[Row, Problem]]:
    """Counts each person once; gives the rows that contradict what is known."""
    refused: list[tuple[Row, Problem]] = []
    outcomes: dict[int, set[str]] = {}
    for person, taken in results:
        outcomes.setdefault(person.line, set()).add(taken.outcome)
        for problem in taken.problems:
            placed = replace(problem, file=file, line=person.line)
            if problem.severity == "error":
                refused += [(row, placed) for row in person.rows]
            else:
                report.warnings.append(placed)
    for seen in outcomes.values():
        report.created += "created" in seen
        report.updated += "created" not in seen and "updated" in seen
        report.unchanged += not seen & {"created", "updated", "refused"}
    return refused


class _Reading:
    """Rows become people, each once, however many rows they have."""

    def __init__(self, file: str, fields: list[str], mapping: Mapping) -> None:
        self.file = file
        self.fields = fields
        self.mapping = mapping
        self.refused: list[tuple[Row, Problem]] = []

    def people(self, rows: Iterator[Row]) -> list[_Person]:
        found: dict[str, _Person] = {}
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return list(found.values())
            except Problems as problems:  # from here on it is no table
                self.refused += [(Row(one.line, []), one) for one in problems.problems]
                return list(found.values())
            try:
                self._add(found, row)
            except Problems as problems:
                self.refused.append((row, problems.problems[0]))
            except ValueError as error:
                self.refused.append((row, _problem(self.file, row.line, "row", str(error))))

    def _add(self, found: dict[str, _Person], row: Row) -> None:
        told = self._told(row)
        candidate = self._candidate(told)
        application = self._application(told, candidate)
        stop, quiet = _flag(told, "do_not_contact"), _flag(told, "unsubscribed")
        stop = stop or ("can_email" in told and not _flag(told, "can_email"))
        # Checked row by row, so that a wrong one does not spoil another of the same person.
        parts = {"candidate": candidate} | ({"application": application} if application else {})
        parse_event({"type": "candidate.upserted", "id": "row", **parts}, self.file, row.line)
        key = key_of(candidate["email"]) if candidate.get("email") else candidate["id"]
        person = found.setdefault(key, _Person(row.line))
        person.rows.append(row)
        person.candidate |= candidate
        if stop:
            person.candidate["do_not_contact"] = True
        person.unsubscribed |= quiet
        if application:
            person.applications.setdefault(application["id"], {}).update(application)

    def _told(self, row: Row) -> dict[str, str]:
        if any(row.cells[len(self.fields) :]):
            raise ValueError(
                f"it has {len(row.cells)} cells, the header has {len(self.fields)}:"
                " put texts that contain the separator in quotes"
            )
        told: dict[str, str] = {}
        for name, cell in zip(self.fields, row.cells, strict=False):
            if cell and _FORMULA.match(cell):
                raise ValueError(f'{name}: "{cell[:40]}" is a formula, not a value')
            if cell and name and name not in told:
                told[name] = cell
        return told

    def _candidate(self, told: dict[str, str]) -> dict[str, Any]:
        emails = several(told.get("email", "").replace(" ", ","))
        if not emails and "candidate_id" not in told:
            raise ValueError("there is no e-mail address in it")
        candidate: dict[str, Any] = {"id": told.get("candidate_id") or ref_of(emails[0])}
        if emails:
            candidate["email"] = emails[0]
        if emails[1:]:
            candidate["other_emails"] = emails[1:]
        if "full_name" in told:
            candidate["first_name"], last = names_of(told["full_name"])
            candidate |= {"last_name": last} if last else {}
        for name, cell in told.items():
            if name in _AS_IT_IS or name not in FIELDS:
                candidate[name] = cell
            elif name in LISTS:
                candidate[name] = several(cell)
        if "phone" in told:
            candidate["phone"] = re.split(r"[,;|\n]", told["phone"])[0].strip()
        if "consent_until" in told:
            candidate["consent_until"] = self._date("consent_until", told["consent_until"])
        if country := told.get("country"):
            candidate["country" if len(country) == 2 else "country_name"] = country
        if language := told.get("locale"):
            short = re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", language)
            candidate["locale" if short else "language_name"] = language
        return candidate

    def _application(
        self, told: dict[str, str], candidate: dict[str, Any]
    ) -> dict[str, Any] | None:
        if not told.keys() & _APPLICATION:
            candidate |= {name: told[name] for name in _ABOUT_IT if name in told}
            return None
        named = told.get("job_id") or plain(told.get("job", ""))
        own = hashlib.sha256(f"{candidate['id']}|{named}".encode()).hexdigest()[:12]
        application: dict[str, Any] = {"id": told.get("application_id") or f"a-{own}"}
        if "job" in told or "job_id" in told:
            job = {"id": "job_id", "title": "job", "department": "department"}
            application["job"] = {key: told[name] for key, name in job.items() if name in told}
        status = told.get("status", "")
        if status.casefold() in _STATUSES:
            application["status"] = status.casefold()
        if stage := told.get("stage") or ("" if "status" in application else status):
            application["stage"] = stage
        for name in ("applied_at", "stage_since"):
            if name in told:
                application[name] = self._instant(name, told[name])
        if "start_date" in told:
            application["start_date"] = self._date("start_date", told["start_date"])
        if "source" in told:
            application["source"] = several(told["source"])[0]
        if "rejection_reason" in told:
            application["reason"] = told["rejection_reason"]
        if who := told.get("recruiter"):
            application["recruiter" if "@" in who else "recruiter_name"] = who
        return application

    def _instant(self, name: str, cell: str) -> str:
        """A day without a time is its noon: the same day nearly everywhere."""
        if re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", cell):
            try:
                at = datetime.fromisoformat(cell.replace(" UTC", "Z"))
            except ValueError:
                raise ValueError(f'{name}: "{cell}" is not a point in time') from None
            zone = ZoneInfo(self.mapping.timezone)
            return (at if at.tzinfo else at.replace(tzinfo=zone)).isoformat()
        zone = ZoneInfo(self.mapping.timezone)
        day = date.fromisoformat(self._date(name, cell))
        return datetime.combine(day, time(12), zone).isoformat()

    def _date(self, name: str, cell: str) -> str:
        try:
            found = _day(cell, self.mapping.dates)
        except ValueError:
            raise ValueError(f'{name}: "{cell}" is not a date') from None
        if found is None:
            raise ValueError(
                f'{name}: "{cell}" can be two dates: write in the mapping file which it is,'
                " such as dates: DD/MM/YYYY"
            )
        return found.isoformat()


def _day(cell: str, form: str | None) -> date | None:
    """The date; None where day and month cannot be told apart. ValueError if it is none."""
    numbers = re.fullmatch(r"(\d{1,4})\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{1,4})\.?", cell)
    if numbers is None:
        words = re.findall(r"[A-Za-z]+|\d+", cell)
        months = [_MONTHS.index(word[:3].lower()) + 1 for word in words if word.isalpha()]
        day, year = sorted(int(word) for word in words if word.isdigit())
        return date(year, months[0], day)
    first, second, third = int(numbers[1]), int(numbers[3]), int(numbers[4])
    if form is not None:
        order = re.findall("[A-Z]+", form)
        told = dict(zip(order, (first, second, third), strict=True))
        return date(told["YYYY"], told["MM"], told["DD"])
    if first > 31:
        return date(first, second, third)
    if numbers[2] == "." or first > 12:  # with points it is always the day first
        return date(third, second, first)
    if second > 12 or first == second:
        return date(third, first, second)
    if third < 1000:
        raise ValueError(cell)
    return None


def _flag(told: dict[str, str], name: str) -> bool:
    word = plain(told.get(name, ""))
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError(f'{name}: "{told[name]}" is neither yes nor no')


def _events(
    person: _Person, batch: str, source: str, live: bool, file: str
) -> Iterator[IncomingEvent]:
    """An application counts as created where it is new now, or where both its date and its stage
    are known: without a stage column none is assumed for people who applied years ago."""
    told = {"source": source, "candidate": person.candidate}
    place = f"{batch}:{person.line}"
    for number, application in enumerate(person.applications.values()):
        created = live or {"applied_at", "stage"} <= application.keys()
        kind = "application.created" if created else "candidate.upserted"
        own = {"type": kind, "id": f"{place}:{number}", "application": application}
        yield parse_event(told | own, file, person.line)
    if not person.applications:
        yield parse_event(told | {"type": "candidate.upserted", "id": place}, file, person.line)
    if person.unsubscribed:
        own = {"type": "candidate.unsubscribed", "id": f"{place}:u"}
        yield parse_event(told | own, file, person.line)


def _fields(table: Table, mapping: Mapping) -> list[str]:
    """What each column is, in order; "" for one that is left out."""
    header, line = table.header.cells, table.header.line
    theirs = {plain(name): meant for name, meant in mapping.columns.items()}
    ignored = {plain(name) for name in mapping.ignore}
    problems = [
        _problem(
            table.file,
            line,
            "unknown-column",
            f'the mapping names a column "{name}", which the file does not have',
            did_you_mean(name, header),
        )
        for name in (*mapping.columns, *mapping.ignore)
        if plain(name) not in {plain(cell) for cell in header}
    ]
    fields = [
        theirs.get(plain(name)) or field_of(name) or own_name(name, number)
        if plain(name) not in ignored
        else ""
        for number, name in enumerate(header, 1)
    ]
    if "email" not in fields and "candidate_id" not in fields:
        said = f"no column holds e-mail addresses; there are: {', '.join(filter(None, header))}"
        hint = 'say which one does in a mapping file: columns: {"Their header": email}'
        problems.append(_problem(table.file, line, "no-email-column", said, hint))
    if problems:
        raise Problems(problems)
    return fields


def _write_rejected(path: Path, table: Table, refused: list[tuple[Row, Problem]]) -> None:
    """As the file was, with line and reason before; no cell is a formula to a spreadsheet."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=table.separator)
            writer.writerow(["line", "reason", *map(_harmless, table.header.cells)])
            for row, problem in refused:
                hint = f" ({problem.hint})" if problem.hint else ""
                reason = problem.message + hint
                writer.writerow([row.line, _harmless(reason), *map(_harmless, row.cells)])
    except OSError as error:
        raise OutsideError(f"{shown(path)} cannot be written: {error.strerror}") from error


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _problem(file: str, line: int, code: str, message: str, hint: str = "") -> Problem:
    return Problem(file=file, line=line, code=code, message=message, hint=hint)
