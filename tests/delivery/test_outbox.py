"""What the outbox folder promises."""

import email
import email.policy
from types import SimpleNamespace

import pytest

from nurture.core.model import Accepted, Deferred
from nurture.delivery.outbox import Outbox
from nurture.delivery.transport import Rehearsal

LATER = b"Date: Thu, 03 Dec 2026 10:00:00 +0000\r\nSubject: later\r\n\r\nHello\r\n"
EARLIER = b"Date: Wed, 02 Dec 2026 23:30:00 -0100\r\nSubject: earlier\r\n\r\nHello\r\n"


def hand(outbox, raw, message_id, to="ana@example.com"):
    letter = SimpleNamespace(sender="talent@example.com", to=to, raw=raw, message_id=message_id)
    ((back, outcome),) = outbox.deliver([letter], lambda _: True)
    assert back is letter
    return outcome


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_each_message_is_one_file_with_exactly_its_bytes(tmp_path):
    outbox = Outbox(tmp_path / "outbox")
    assert isinstance(hand(outbox, LATER, "<n1.abc@example.com>"), Accepted)
    (name,) = files(tmp_path / "outbox")
    assert (tmp_path / "outbox" / name).read_bytes() == LATER


def test_names_sort_by_time_whatever_the_zone(tmp_path):
    outbox = Outbox(tmp_path)
    hand(outbox, LATER, "<n1.abc@example.com>")
    hand(outbox, EARLIER, "<n2.abc@example.com>")
    subjects = [
        email.message_from_bytes((tmp_path / name).read_bytes())["Subject"]
        for name in files(tmp_path)
    ]
    assert subjects == ["earlier", "later"]
    assert files(tmp_path)[0].startswith("20261203T003000Z-n2.abc-")


def test_the_recipient_is_never_in_the_name(tmp_path):
    hand(Outbox(tmp_path), LATER, "<n1.abc@example.com>", to="ana.silva@private.test")
    assert "ana" not in files(tmp_path)[0]
    assert "private" not in files(tmp_path)[0]


def test_the_same_message_id_replaces_its_file_even_for_another_process(tmp_path):
    hand(Outbox(tmp_path), LATER, "<n1.abc@example.com>")
    again = LATER.replace(b"10:00", b"11:00")
    hand(Outbox(tmp_path), again, "<n1.abc@example.com>")
    (name,) = files(tmp_path)
    assert (tmp_path / name).read_bytes() == again


def test_ids_that_look_alike_in_a_file_name_stay_apart(tmp_path):
    outbox = Outbox(tmp_path)
    for message_id in ("<a/b@example.com>", "<a_b@example.com>", "<a b@example.com>"):
        hand(outbox, LATER, message_id)
    assert len(files(tmp_path)) == 3


@pytest.mark.parametrize("message_id", ["<../../etc/passwd@x>", "<" + "x" * 400 + "@x>", "<\0@x>"])
def test_no_message_id_leads_out_of_the_folder(tmp_path, message_id):
    folder = tmp_path / "a" / "outbox"
    assert isinstance(hand(Outbox(folder), LATER, message_id), Accepted)
    assert len(files(folder)) == 1
    assert files(tmp_path / "a") == ["outbox"]


@pytest.mark.parametrize("date", [b"", b"Date: nonsense\r\n", b"Date: \xff\r\n"])
def test_a_message_without_a_readable_date_is_kept_all_the_same(tmp_path, date):
    raw = date + b"Subject: x\r\n\r\nDate: Thu, 03 Dec 2026 10:00:00 +0000\r\n"
    hand(Outbox(tmp_path), raw, "<n1@x>")
    assert files(tmp_path)[0].startswith("00000000T000000Z-")


def test_a_folder_that_cannot_be_written_means_not_now(tmp_path):
    (tmp_path / "file").write_text("in the way")
    outcome = hand(Outbox(tmp_path / "file"), LATER, "<n1@x>")
    assert isinstance(outcome, Deferred)
    assert not outcome.domain


def test_no_unfinished_files_stay_behind(tmp_path):
    outbox = Outbox(tmp_path)
    for number in range(5):
        hand(outbox, LATER, f"<n{number}@x>")
    assert all(name.endswith(".eml") and not name.startswith(".") for name in files(tmp_path))


def test_in_a_rehearsal_only_the_named_get_mail(tmp_path):
    real, kept = Outbox(tmp_path / "real"), Outbox(tmp_path / "kept")
    rehearsal = Rehearsal(real, kept, ["Me@Example.com"])
    hand(rehearsal, LATER, "<n1@x>", to="me@example.com")
    hand(rehearsal, LATER, "<n2@x>", to="me@example.com.evil.test")
    hand(rehearsal, LATER, "<n3@x>", to="ana@example.com")
    rehearsal.close()
    assert [name.split("-")[1] for name in files(tmp_path / "real")] == ["n1"]
    assert [name.split("-")[1] for name in files(tmp_path / "kept")] == ["n2", "n3"]


def test_what_may_not_go_is_not_written_and_has_no_outcome(tmp_path):
    letters = [
        SimpleNamespace(sender="talent@example.com", to=to, raw=LATER, message_id=f"<{to}>")
        for to in ("me@example.com", "ana@example.com")
    ]
    rehearsal = Rehearsal(Outbox(tmp_path / "real"), Outbox(tmp_path / "kept"), ["me@example.com"])
    assert [outcome for _, outcome in rehearsal.deliver(letters, lambda _: False)] == [None, None]
    assert list(tmp_path.rglob("*.eml")) == []
