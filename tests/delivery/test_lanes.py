"""What several connections promise together, and one promises where commands go out in groups."""

import threading

import pytest

from nurture.core.model import Accepted, Blame, Deferred, Rejected, Unknown
from nurture.delivery.connection import Patience, connect
from nurture.delivery.conversation import Conversation
from tests.delivery.scripted import HANG, HANG_UP, RAW, Scripted, letter, settings, smtp


@pytest.fixture
def serve():
    running = []

    def start(script=lambda *_: None, **others):
        running.append(server := Scripted(script, **others))
        return server

    yield start
    for server in running:
        server.stop()


def yes(_):
    return True


def give(transport, names, offer=yes):
    """What became of each, by name; each comes back once."""
    letters = [letter(name) if isinstance(name, str) else name for name in names]
    found = list(transport.deliver(letters, offer))
    transport.close()
    outcomes = {each.to.partition("@")[0]: outcome for each, outcome in found}
    assert len(found) == len(letters) == len(outcomes)
    return outcomes


def accepted(outcomes):
    return [name for name, outcome in outcomes.items() if isinstance(outcome, Accepted)]


# --- groups of commands --------------------------------------------------------------------------

NAMES = [f"c{number}" for number in range(20)]


class Pile:
    """A tray that has all its letters from the beginning."""

    def __init__(self, letters):
        self.letters, self.outcomes = list(letters), []

    def following(self):
        return self.letters.pop(0) if self.letters else None

    def offer(self, each):
        return True

    def done(self, each, outcome):
        self.outcomes.append(outcome)

    def back(self, each):
        self.letters.insert(0, each)


@pytest.mark.parametrize(("keywords", "round_trips"), [("PIPELINING", 20 + 1), ("SIZE", 20 * 4)])
def test_where_it_is_offered_a_message_costs_one_round_trip(serve, keywords, round_trips):
    """At 20 ms each, twenty messages take 0.4 seconds in place of 1.6."""
    server, pile, patience = serve(keywords=keywords), Pile(map(letter, NAMES)), Patience()
    lane = Conversation(lambda: connect(settings(server.port), None, patience), 100, patience)
    while pile.letters:
        lane.carry(pile.following(), pile)
    greeting = 2
    assert server.turns - greeting == round_trips
    assert server.taken == [(f"{name}@example.com", RAW) for name in NAMES]
    assert {type(outcome) for outcome in pile.outcomes} == {Accepted}
    lane.leave()


def test_a_server_that_hangs_up_between_two_costs_the_second_nothing(serve):
    """Its envelope is out already when that is noticed."""
    seen = []

    def hang_up(verb, name, connection):
        seen.append(verb)
        return HANG_UP if verb == "MAIL" and seen.count("MAIL") == 3 else None

    server = serve(hang_up)
    assert sorted(accepted(give(smtp(server), ["a", "b", "c", "d"]))) == ["a", "b", "c", "d"]
    assert sorted(server.names) == ["a", "b", "c", "d"]
    assert server.connections == 2


def test_who_is_not_answered_after_the_final_dot_is_in_doubt_and_nobody_else(serve):
    server = serve(lambda verb, name, _: HANG_UP if (verb, name) == ("CONTENT", "b") else None)
    outcomes = give(smtp(server), ["a", "b", "c", "d"])
    assert isinstance(outcomes["b"], Unknown)
    assert sorted(accepted(outcomes)) == ["a", "c", "d"]
    assert sorted(server.names) == ["a", "b", "c", "d"]  # it had been taken: sent again it is twice


def test_a_server_that_takes_a_message_and_hangs_up_has_taken_it(serve):
    def script(verb, name, _):
        return f"250 2.0.0 queued\r\n{HANG_UP}" if (verb, name) == ("CONTENT", "a") else None

    server = serve(script)
    assert sorted(accepted(give(smtp(server), ["a", "b", "c"]))) == ["a", "b", "c"]
    assert sorted(server.names) == ["a", "b", "c"]


@pytest.mark.parametrize("data", ["354 go on", "503 5.5.1 no recipients", "554 no"])
def test_a_refused_recipient_gets_no_content_whatever_is_said_to_data(serve, data):
    def script(verb, name, _):
        refuses = {"RCPT": "550 5.1.1 unknown", "DATA": data}
        return refuses.get(verb) if name == "gone" else None

    server = serve(script)
    outcomes = give(smtp(server), ["a", "gone", "b", "c"])
    assert isinstance(outcomes["gone"], Rejected)
    assert outcomes["gone"].blame is Blame.ADDRESS
    assert sorted(server.names) == ["a", "b", "c"]
    assert server.connections == 1
    assert server.heard.count("RSET") == 1


def test_a_421_between_two_messages_is_only_the_end_of_that_connection(serve):
    def script(verb, _, connection):
        sent = len(server.taken)
        return "421 4.4.2 idle" if verb == "MAIL" and connection == 1 and sent == 2 else None

    server = serve(script)
    assert sorted(accepted(give(smtp(server), ["a", "b", "c", "d"]))) == ["a", "b", "c", "d"]
    assert server.connections == 2


def test_a_421_to_a_recipient_slows_its_domain_and_to_everything_does_not(serve):
    domain = serve(lambda verb, *_: "421 4.7.28 rate" if verb == "RCPT" else None)
    (outcome,) = give(smtp(domain), ["a"]).values()
    assert isinstance(outcome, Deferred)
    assert outcome.domain
    relay = serve(lambda verb, *_: "421 4.7.0 too much" if verb == "MAIL" else None)
    (outcome,) = give(smtp(relay), ["a"]).values()
    assert isinstance(outcome, Deferred)
    assert not outcome.domain


# --- asking before the content -------------------------------------------------------------------


@pytest.mark.parametrize("keywords", ["PIPELINING", "8BITMIME"])
def test_a_letter_that_may_not_go_any_more_does_not_and_the_others_do(serve, keywords):
    server = serve(keywords=keywords)
    outcomes = give(smtp(server), NAMES[:6], lambda each: each.to[:2] not in {"c0", "c3"})
    assert (outcomes["c0"], outcomes["c3"]) == (None, None)
    assert sorted(server.names) == ["c1", "c2", "c4", "c5"]


@pytest.mark.parametrize("keywords", ["PIPELINING", "8BITMIME"])
def test_each_is_asked_for_once_when_its_recipient_was_taken_and_before_its_content(
    serve, keywords
):
    server, asked = serve(keywords=keywords), []

    def offer(each):
        assert f"RCPT TO:<{each.to}>" in server.heard
        assert each.to not in [to for to, _ in server.taken]
        asked.append(each.to)
        return True

    assert len(accepted(give(smtp(server), NAMES, offer))) == 20
    assert sorted(asked) == sorted(f"{name}@example.com" for name in NAMES)


def test_nobody_is_asked_about_what_cannot_be_said(serve):
    server, asked = serve(lambda verb, *_: "550 5.1.1 no" if verb == "RCPT" else None), []
    give(smtp(server), ["a", letter("b", b"bare\nline\r\n")], asked.append)
    assert asked == []


def test_a_question_that_fails_leaves_no_letter_without_an_answer(serve, caplog):
    server = serve()

    def offer(each):
        if each.to.startswith("b"):
            raise OSError("disk full")
        return True

    outcomes = give(smtp(server), ["a", "b", "c"], offer)
    assert isinstance(outcomes["b"], Deferred)
    assert sorted(server.names) == sorted(accepted(outcomes))
    assert "b" not in server.names


# --- several lanes -------------------------------------------------------------------------------


def test_one_that_waits_for_its_server_holds_up_no_other(serve):
    server = serve(lambda verb, name, _: HANG if (verb, name) == ("CONTENT", "slow") else None)
    patience = Patience(content=20)
    came = []
    names = ["slow", *NAMES]
    for each, outcome in smtp(server, patience, connections=3).deliver(map(letter, names), yes):
        came.append(each.to.partition("@")[0])
        if len(came) == len(NAMES) - 1:  # the one whose envelope is out with it waits as well
            server.release.set()
        if came[-1] == "slow":
            assert isinstance(outcome, Unknown)
    assert sorted(came) == sorted(names)
    assert came.index("slow") >= len(NAMES) - 1


def test_letters_are_drawn_and_given_back_in_the_callers_thread_a_few_at_a_time(serve):
    server, here, drawn = serve(), threading.current_thread(), []

    def letters():
        for name in [f"c{number}" for number in range(60)]:
            assert threading.current_thread() is here
            drawn.append(name)
            yield letter(name)

    back = 0
    for _ in smtp(server, connections=2).deliver(letters(), yes):
        back += 1
        assert len(drawn) - back <= 8
    assert back == 60
    assert server.open_at_most <= 2


def test_a_server_that_takes_fewer_connections_is_used_over_those(serve):
    def script(verb, _, connection):
        return "421 4.7.0 too many connections" if verb == "GREETING" and connection > 1 else None

    server = serve(script)
    assert len(accepted(give(smtp(server, connections=4), NAMES))) == 20


def test_no_server_means_not_now_for_all_and_nobody_knocks_for_each(serve):
    server = serve(lambda verb, *_: "554 go away" if verb == "GREETING" else None)
    outcomes = give(smtp(server, connections=2), NAMES)
    assert {type(outcome) for outcome in outcomes.values()} == {Deferred}
    assert server.connections <= 2


def test_where_drawing_fails_what_was_drawn_comes_back_first(serve):
    server, came = serve(), []

    def letters():
        yield letter("a")
        yield letter("b")
        raise LookupError("no more paper")

    with pytest.raises(LookupError):
        came += (each.to for each, _ in smtp(server).deliver(letters(), yes))
    assert sorted(server.names) == ["a", "b"]


def test_a_delivery_that_is_closed_offers_nothing_more(serve):
    server, offered = serve(), []
    delivery = smtp(server).deliver(map(letter, NAMES), lambda each: offered.append(each) or True)
    next(delivery)
    delivery.close()
    sent = len(offered)
    assert 1 <= sent < 20
    assert len(server.taken) == sent


# --- servers that misbehave, and what cannot be said ---------------------------------------------


@pytest.mark.parametrize(
    ("verb", "said", "kind"),
    [
        ("GREETING", "SSH-2.0-OpenSSH", Deferred),
        ("GREETING", " ", Deferred),
        ("GREETING", HANG_UP, Deferred),
        ("GREETING", HANG, Deferred),
        ("MAIL", "what?", Deferred),
        ("RCPT", "2", Deferred),
        ("RCPT", "200 whatever", Deferred),
        ("RCPT", "\x00\x01\xff", Deferred),
        ("RCPT", "x" * 20_000, Deferred),
        ("RCPT", "250-and\r\n" * 300 + "250 so on", Deferred),
        ("RCPT", HANG, Deferred),
        ("DATA", HANG_UP, Deferred),
        ("DATA", "250 no need", Deferred),
        ("CONTENT", "thanks", Unknown),
        ("CONTENT", "354 more?", Unknown),
        ("CONTENT", HANG, Unknown),
        ("CONTENT", "451 4.3.0 later", Deferred),
        ("CONTENT", "421 4.3.2 shutting down", Deferred),
    ],
)
@pytest.mark.parametrize("keywords", ["PIPELINING", "8BITMIME"])
def test_each_misbehaviour_has_its_outcome_and_the_rest_goes_on(serve, keywords, verb, said, kind):
    def script(now, name, connection):
        first = connection == 1 if verb == "GREETING" else name == "odd" or not name
        return said if now == verb and first else None

    server = serve(script, keywords=keywords)
    transport = smtp(server, Patience(connecting=0.3, command=0.3, content=0.3))
    # MAIL comes before the name is known: that one goes by itself.
    names = ["odd"] if verb in {"GREETING", "MAIL"} else ["odd", "a", "b"]
    outcomes = give(transport, names)
    assert type(outcomes["odd"]) is kind, outcomes["odd"]
    assert sorted(server.names) == sorted(name for name in names if name != "odd")


def test_a_server_that_advertises_nothing_gets_mail_one_word_at_a_time(serve):
    server = serve(lambda verb, *_: "502 unknown" if verb == "EHLO" else None)
    assert accepted(give(smtp(server), ["a", "b"])) == ["a", "b"]
    assert server.heard[1].upper().startswith("HELO ")


def test_a_server_that_stops_reading_in_the_middle_has_not_taken_it(serve):
    server = serve(lambda verb, name, _: HANG if (verb, name) == ("READING", "big") else None)
    transport = smtp(server, Patience(command=0.3, content=5), connections=2)
    outcomes = give(transport, [letter("big", RAW * 400_000), "a", "b"])
    assert isinstance(outcomes["big"], Deferred)
    assert "in the middle" in outcomes["big"].text
    assert sorted(server.names) == ["a", "b"]


def test_a_server_that_will_hear_no_more_of_a_message_is_heard(serve):
    def script(verb, name, _):
        return f"552 5.3.4 too large\r\n{HANG_UP}" if (verb, name) == ("READING", "big") else None

    outcomes = give(smtp(serve(script)), [letter("big", RAW * 400_000)])
    assert isinstance(outcomes["big"], Rejected | Deferred)  # a reset may swallow what it said


@pytest.mark.parametrize(
    "raw", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n.\nMAIL\r\n", b"a\r\nb\r", b"", b"a"]
)
def test_bare_line_ends_are_never_sent(serve, raw):
    server = serve()
    outcomes = give(smtp(server), ["a", letter("odd", raw), "b"])
    assert isinstance(outcomes["odd"], Rejected)
    assert outcomes["odd"].blame is Blame.CONTENT
    assert server.names == ["a", "b"]


def test_what_the_server_says_is_too_large_for_it_is_not_sent(serve):
    server = serve(keywords="PIPELINING, SIZE 1000")
    outcomes = give(smtp(server), ["a", letter("big", RAW * 100), "b"])
    assert isinstance(outcomes["big"], Rejected)
    assert "1000" in outcomes["big"].text
    assert server.names == ["a", "b"]


def test_addresses_beyond_ascii_go_where_the_server_takes_them(serve):
    server = serve(keywords="PIPELINING, 8BITMIME, SMTPUTF8")
    raw = "To: zoë@example.com\r\n\r\nHallo\r\n".encode()
    assert accepted(give(smtp(server), ["a", letter("zoë", raw)])) == ["a", "zoë"]
    assert "MAIL FROM:<talent@example.com> SMTPUTF8 BODY=8BITMIME" in server.heard
    assert server.taken[1] == ("zoë@example.com", raw)


def test_elsewhere_they_do_not_go_and_nobody_is_blamed(serve):
    server = serve()
    outcomes = give(smtp(server), ["a", "zoë", "b"])
    assert isinstance(outcomes["zoë"], Rejected)
    assert outcomes["zoë"].blame is Blame.SERVER
    assert "SMTPUTF8" in outcomes["zoë"].text
    assert server.names == ["a", "b"]


def test_more_than_ascii_goes_nowhere_that_does_not_take_it(serve):
    server = serve(keywords="PIPELINING")
    outcomes = give(smtp(server), [letter("odd", "Zoë\r\n".encode()), "a"])
    assert isinstance(outcomes["odd"], Rejected)
    assert server.names == ["a"]
