"""What a measurement counts is what was received, and figures go where they belong."""

import socket
from pathlib import Path

import pytest

from bench import sink, table


def test_a_mail_is_counted_with_its_size_however_its_bytes_arrive() -> None:
    mail = b"Subject: a\r\n\r\nWords\r\n..\r\n.\r\n"
    with sink.watched() as (port, taken), socket.create_connection(("127.0.0.1", port)) as client:
        replies = client.makefile("rb")
        client.sendall(b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<ana@c>\r\nDATA\r\n")
        while not replies.readline().startswith(b"354"):
            pass
        # The final dot is cut in two, and the next mail's commands come with its second half.
        client.sendall(mail[:-2])
        client.sendall(mail[-2:] + b"MAIL FROM:<a@b>\r\nRCPT TO:<bo@c>\r\nDATA\r\n")
        while not replies.readline().startswith(b"354"):
            pass
        client.sendall(b".\r\nQUIT\r\n")
        while not replies.readline().startswith(b"221"):
            pass
        replies.close()
        assert [(each.to, each.size) for each in taken()] == [("ana@c", len(mail) - 3), ("bo@c", 0)]


def test_figures_are_put_between_their_marks_and_nothing_else_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, figures = tmp_path / "page.md", tmp_path / "figures.jsonl"
    empty = "<!-- bench: {} -->\nNot measured yet.\n<!-- /bench -->\n"
    page.write_text("Before\n" + empty.format("idle") + "Between\n" + empty.format("memory"))
    figures.write_text('{"part": "idle", "a tick: us": 1234.5}\n')
    monkeypatch.setattr("sys.argv", ["bench.table", str(figures), "--into", str(page)])
    table.main()
    assert page.read_text() == (
        "Before\n<!-- bench: idle -->\n|  |  |\n| --- | --- |\n| a tick: us | 1,234 |\n"
        "<!-- /bench -->\nBetween\n" + empty.format("memory")
    )
