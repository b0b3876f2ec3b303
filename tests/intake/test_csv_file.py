"""Files of candidates as they occur in the wild become facts, or say line by line why not."""

import csv
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from nurture.core.model import Candidate
from nurture.errors import OutsideError, Problems
from nurture.intake.csv_columns import names_of, several
from nurture.intake.csv_file import ImportReport, Mapping, import_csv, read_mapping
from nurture.store import facts, tables
from nurture.store.database import Database
from nurture.store.schema import upgrade

DATA = Path(__file__).parent / "data"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database("sqlite:///csv.db", tmp_path_factory.mktemp("csv"))
    upgrade(database)
    yield database
    database.close()


@pytest.fixture
def database(sqlite_file: Database) -> Database:
    with sqlite_file.write() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(delete(table))
    return sqlite_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


def rows(database: Database, table: Any) -> list[dict[str, Any]]:
    with database.read() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def person(database: Database, email: str) -> Candidate:
    with database.read() as connection:
        found = facts.find_candidate(connection, email)
    assert found is not None
    return found


def counted(report: ImportReport) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, len(report.rejected)


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("*.csv")))
def test_each_file_of_the_wild_gives_its_candidate_and_again_changes_nothing(
    name: str, database: Database
) -> None:
    bad = 2 if name == "messy_bom_dupes.csv" else 0
    assert counted(import_csv(database, DATA / name, NOW)) == (1, 0, 0, bad)
    kept = rows(database, tables.events)
    later = import_csv(database, DATA / name, NOW + timedelta(days=1))
    assert counted(later) == (0, 0, 1, bad)
    assert rows(database, tables.events) == kept


def test_a_dry_run_counts_the_same_and_writes_nothing(database: Database, tmp_path: Path) -> None:
    aside = tmp_path / "rejected.csv"
    path = DATA / "messy_bom_dupes.csv"
    report = import_csv(database, path, NOW, dry_run=True, rejected=aside)
    assert counted(report) == (1, 0, 0, 2)
    assert rows(database, tables.candidates) == []
    assert not aside.exists()


def test_an_import_triggers_nothing_unless_it_is_live(database: Database, file: Path) -> None:
    file.write_text("email,job,stage\nana@example.com,Chef,Applied\n")
    import_csv(database, file, NOW)
    assert [row["planned_at"] for row in rows(database, tables.events)] == [NOW]
    file.write_text("email,job,stage\nbo@example.com,Chef,Applied\n")
    import_csv(database, file, NOW, live=True)
    new = rows(database, tables.events)[1]
    assert (new["type"], new["planned_at"]) == ("application.created", None)


def test_one_person_in_two_rows_is_one_and_the_stricter_flag_wins(
    database: Database,
) -> None:
    import_csv(database, DATA / "messy_bom_dupes.csv", NOW)
    aoife = person(database, "Aoife@example.com")
    assert aoife.do_not_contact
    assert (aoife.first_name, aoife.last_name) == ("Aoife", "O'Neil")
    assert aoife.fields["tags"] == ["a", "b"]


def test_rejected_rows_are_kept_aside_with_line_and_reason_and_no_formula(
    database: Database, tmp_path: Path
) -> None:
    aside = tmp_path / "rejected.csv"
    report = import_csv(database, DATA / "messy_bom_dupes.csv", NOW, rejected=aside)
    assert report.rejected_file == aside
    assert [problem.line for problem in report.rejected] == [4, 5]
    with aside.open(encoding="utf-8-sig", newline="") as stream:
        kept = list(csv.DictReader(stream))
    assert [row["line"] for row in kept] == ["4", "5"]
    assert "not an e-mail address" in kept[0]["reason"]
    assert "formula" in kept[1]["reason"]
    assert kept[1]["Candidate Name"].startswith("'=")


def test_german_headers_code_page_and_dates_are_understood(database: Database) -> None:
    report = import_csv(database, DATA / "messy_excel_semicolon_cp1252.csv", NOW)
    assert (report.encoding, report.separator) == ("cp1252", ";")
    joerg = person(database, "joerg.mueller@example.com")
    assert (joerg.first_name, joerg.last_name) == ("Jörg", "Müller")
    assert joerg.consent_until == date(2027, 2, 14)
    own = facts.application_from_row(rows(database, tables.applications)[0])
    assert own.stage == "interviewing"
    assert own.applied_at == datetime(2026, 2, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_separators_and_line_ends(
    encoding: str, separator: str, end: str, database: Database, file: Path
) -> None:
    lines = ["First name;E-mail;Note", 'Zoë;zoe@example.com;"one\ntwo"', ";;", ""]
    file.write_bytes(end.join(lines).replace(";", separator).encode(encoding))
    assert counted(import_csv(database, file, NOW)) == (1, 0, 0, 0)
    zoe = person(database, "zoe@example.com")
    assert (zoe.first_name, zoe.fields["note"]) == ("Zoë", "one\ntwo")


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("João Conceição não", "cp1252"),
        ("José Núñez, ¿qué?", "cp1252"),
        ("Zofia Wiśniewska żółta łódź", "cp1250"),
        ("Анна Иванова любит чай", "cp1251"),
    ],
)
def test_code_pages_are_told_apart(
    name: str, encoding: str, database: Database, file: Path
) -> None:
    people = [f"x{number}@example.com;{name}" for number in range(100)]
    file.write_bytes("\n".join(["email;note", *people]).encode(encoding))
    report = import_csv(database, file, NOW)
    assert report.encoding == encoding
    assert person(database, "x0@example.com").fields["note"] == name


def test_excels_own_separator_line_is_heeded(database: Database, file: Path) -> None:
    file.write_text("sep=|\nemail|name\nana@example.com|Ana, Maria\nnope|X\n")
    report = import_csv(database, file, NOW)
    assert report.created == 1
    assert [problem.line for problem in report.rejected] == [4]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-02-03", date(2026, 2, 3)),
        ("2026/02/03", date(2026, 2, 3)),
        ("03.02.2026", date(2026, 2, 3)),
        ("14/02/2026", date(2026, 2, 14)),
        ("02/14/2026", date(2026, 2, 14)),
        ("3 Feb 2026", date(2026, 2, 3)),
        ("February 3, 2026", date(2026, 2, 3)),
    ],
)
def test_dates_that_mean_one_day_are_taken(
    cell: str, expected: date, database: Database, file: Path
) -> None:
    file.write_text(f'email,consent until\nana@example.com,"{cell}"\n')
    assert import_csv(database, file, NOW).rejected == []
    assert person(database, "ana@example.com").consent_until == expected


def test_a_date_that_may_be_two_is_refused_unless_the_mapping_says_which(
    database: Database, file: Path
) -> None:
    file.write_text("email,consent until\nana@example.com,03/02/2026\n")
    report = import_csv(database, file, NOW)
    assert counted(report) == (0, 0, 0, 1)
    assert "dates: DD/MM/YYYY" in report.rejected[0].message
    import_csv(database, file, NOW, mapping=Mapping(dates="MM/DD/YYYY"))
    assert person(database, "ana@example.com").consent_until == date(2026, 3, 2)


def test_unknown_columns_become_custom_fields_under_names_one_can_write(
    database: Database, file: Path
) -> None:
    file.write_text("email,Notice period (weeks),2nd choice,ID,\nana@example.com,4,Ops,7,x\n")
    import_csv(database, file, NOW)
    assert person(database, "ana@example.com").fields == {
        "notice_period_weeks": "4",
        "csv_2nd_choice": "Ops",
        "csv_id": "7",
        "column_5": "x",
    }


def test_a_file_without_addresses_is_one_clear_problem(database: Database, file: Path) -> None:
    file.write_text("Vorname,Kontakt\nAna,ana@example.com\n")
    with pytest.raises(Problems) as raised:
        import_csv(database, file, NOW)
    (problem,) = raised.value.problems
    assert (problem.code, problem.line) == ("no-email-column", 1)
    assert "Kontakt" in problem.message
    meant = Mapping(columns={"kontakt": "email"})
    assert import_csv(database, file, NOW, mapping=meant).created == 1


def test_a_mapping_file_names_its_own_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("columns: {Kontakt: email}\ndates: DD.MM.YYYY\n")
    assert read_mapping(path).columns == {"Kontakt": "email"}
    path.write_text("columns: {Kontakt: email}\ndates: day first\nignor: [x]\n")
    with pytest.raises(Problems) as raised:
        read_mapping(path)
    assert [(one.line, one.code) for one in raised.value.problems] == [
        (2, "invalid-value"),
        (3, "unknown-key"),
    ]


def test_a_mapping_for_another_file_is_refused(database: Database, file: Path) -> None:
    file.write_text("email,Stage\nana@example.com,Applied\n")
    with pytest.raises(Problems, match=r'"Stagee".*did you mean "Stage"'):
        import_csv(database, file, NOW, mapping=Mapping(columns={"Stagee": "stage"}))


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"\xff\xfe", b'"', b"ana@example.com,Ana\n", b"a" * 2_000_000, b"\0\0\0\0"],
)
def test_a_file_that_is_no_table_is_a_problem(
    content: bytes, database: Database, file: Path
) -> None:
    file.write_bytes(content)
    with pytest.raises(Problems):
        import_csv(database, file, NOW)


def test_a_file_that_is_not_there_is_said_so(database: Database, file: Path) -> None:
    with pytest.raises(OutsideError, match="cannot be read"):
        import_csv(database, file, NOW)


def test_rows_with_too_many_cells_or_odd_flags_are_refused_alone(
    database: Database, file: Path
) -> None:
    file.write_text(
        "email,name,do not contact\n"
        "ana@example.com,Silva,Ana,no\n"
        "bo@example.com,Bo,perhaps\n"
        ",Nobody,no\n"
        "cy@example.com,Cy\n"
    )
    report = import_csv(database, file, NOW)
    assert counted(report) == (1, 0, 0, 3)
    assert [problem.line for problem in report.rejected] == [2, 3, 4]


def test_somebody_who_opted_out_elsewhere_is_unsubscribed_here(
    database: Database, file: Path
) -> None:
    file.write_text("email,Opted out,can_email\nana@example.com,yes,yes\nbo@example.com,no,no\n")
    import_csv(database, file, NOW)
    assert person(database, "ana@example.com").unsubscribed == {"all"}
    assert not person(database, "ana@example.com").do_not_contact
    assert person(database, "bo@example.com").do_not_contact


def test_the_same_address_under_another_id_of_the_source_is_the_same_person(
    database: Database, file: Path
) -> None:
    file.write_text("candidate id,email\n17,ana@example.com\n")
    import_csv(database, file, NOW)
    file.write_text("email,last name\nANA@example.com,Silva\n")
    assert counted(import_csv(database, file, NOW)) == (0, 1, 0, 0)
    assert person(database, "17").last_name == "Silva"


def test_two_applications_of_one_person_are_two(database: Database, file: Path) -> None:
    file.write_text("email,job\nana@example.com,Chef\nana@example.com,Waiter\n")
    assert counted(import_csv(database, file, NOW)) == (1, 0, 0, 0)
    assert len(rows(database, tables.applications)) == 2
    assert {row["data"].get("stage") for row in rows(database, tables.applications)} == {None}


def test_an_application_of_somebody_else_is_refused_at_its_line(
    database: Database, file: Path
) -> None:
    file.write_text("email,application id,job\nana@example.com,a-1,Chef\n")
    import_csv(database, file, NOW)
    file.write_text("email,application id,job\n\nbo@example.com,a-1,Chef\n")
    report = import_csv(database, file, NOW)
    assert [(one.line, one.code) for one in report.rejected] == [(3, "other-candidate")]


@pytest.mark.parametrize(
    ("full", "expected"),
    [
        ("O'Neil, Aoife", ("Aoife", "O'Neil")),
        ("Aoife O'Neil", ("Aoife", "O'Neil")),
        ("Ana Maria  da Silva", ("Ana", "Maria da Silva")),
        ("Prince", ("Prince", None)),
        ("Prince,", ("Prince", None)),
    ],
)
def test_names_are_cut_where_people_mean_it(full: str, expected: tuple[str, str | None]) -> None:
    assert names_of(full) == expected


def test_a_cell_may_hold_several_values() -> None:
    assert several("a; b|a,c\nd ") == ["a", "b", "c", "d"]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8")))
def test_no_content_makes_it_fall_over(
    sqlite_file: Database, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "any.csv"
    file.write_bytes(b"email,name,applied,consent until,do not contact\n" + content)
    with suppress(Problems):  # that is an answer too; anything else fails
        report = import_csv(sqlite_file, file, NOW, dry_run=True)
        assert (
            report.created + len(report.rejected) <= content.count(b"\n") + content.count(b"\r") + 1
        )
