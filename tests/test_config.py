"""Promises of nurture.config: defaults for everything, and clear refusal of what would do harm."""

import json
import re
from contextlib import suppress
from datetime import time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from nurture.config import (
    CapKeys,
    CategoryKeys,
    Config,
    Dkim,
    DkimKey,
    GapKeys,
    NeverKeys,
    OutboxTransport,
    Proxy,
    Settings,
    SmtpTransport,
    WarmUpKeys,
    load_config,
    parse_length,
    parse_week_hours,
)
from nurture.core.caps import Cap
from nurture.core.model import Duration, Hours, MessageClass
from nurture.errors import Problems
from nurture.positions import read_yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture
def load(tmp_path):
    def load(text: str, **env: str) -> Config:
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
        return load_config(tmp_path / "config.yaml", env)

    return load


@pytest.fixture
def refused(load):
    def refused(text: str, **env: str) -> list[tuple[int, int, str, str]]:
        with pytest.raises(Problems) as found:
            load(text, **env)
        return [(p.line, p.column, p.code, f"{p.message} {p.hint}") for p in found.value.problems]

    return refused


def test_no_file_and_an_empty_file_are_the_defaults(tmp_path, load):
    assert load_config(tmp_path / "config.yaml", {}) == load("") == Config(root=tmp_path)


def test_the_shipped_file_says_what_the_defaults_are():
    assert load_config(ROOT / "config.yaml", {}) == Config(root=ROOT)


def test_relative_paths_begin_at_the_folder_of_the_file(load, tmp_path):
    config = load("database: sqlite:///data/n.db\ntransport: {kind: outbox, dir: out}\n")
    assert config.database == f"sqlite:///{tmp_path}/data/n.db"
    assert config.transport.dir == tmp_path / "out"
    assert config.campaigns_dir == tmp_path / "campaigns"


@pytest.mark.parametrize(
    "url",
    ["sqlite:////abs/n.db", "postgresql+psycopg://u:p@h/db", "sqlite:///:memory:", "sqlite://"],
)
def test_other_databases_are_left_as_they_are(load, url):
    assert load(f"database: '{url}'\n").database == url


def test_durations_become_timedeltas_and_silence_keeps_business_days(load):
    config = load(
        "send_slack: 1 hour\ncontact_hours: {from: 9:00, to: 17:30, days: 'sat-mon, wed'}\n"
        "silence: {final: 1 business day, applied: null}\n"
    )
    assert config.send_slack == timedelta(hours=1)
    assert config.contact_hours.from_ == time(9)
    assert config.contact_hours.days == {5, 6, 0, 2}
    assert config.silence["final"] == Duration(amount=1, unit="business days")
    assert "applied" not in config.silence
    assert config.silence["screening"] == Duration(amount=5, unit="business days")
    assert parse_length("6 days 20 hours") == timedelta(days=6, hours=20)


def test_a_category_says_only_what_differs_from_its_default(load):
    config = load("categories: {prep: {hours: wide}, event: {class: nurture, priority: 30}}\n")
    assert config.categories["prep"].hours is Hours.WIDE
    assert config.categories["prep"].priority == 70
    assert config.categories["prep"].capped is False
    assert config.categories["event"].klass is MessageClass.NURTURE
    assert config.categories["event"].name == "event"
    assert "culture" in config.categories


def test_caps_and_never_are_replaced_by_what_is_written(load):
    config = load("caps: [{at_most: 1, per: 3 days, category: culture}]\nnever: []\ngap: null\n")
    assert config.caps == [Cap(at_most=1, per=timedelta(days=3), category="culture")]
    assert config.never == []
    assert config.gap is None


def test_hours_of_the_week_may_last_until_midnight():
    assert parse_week_hours("fri 15:00-24:00") == (frozenset({4}), time(15), None)
    assert parse_week_hours("sat-sun 00:00-12:00") == (frozenset({5, 6}), time(0), time(12))


def test_values_come_from_the_environment(load):
    config = load(
        "company: {name: 'A $$ ${X}${Y}'}\nweb: {port: \"${PORT}\"}\n", X="b", Y="", PORT="80"
    )
    assert config.company.name == "A $ b"
    assert config.web.port == 80


def test_a_missing_variable_is_a_problem_at_its_place(refused):
    assert refused("company:\n  name: Big ${NOPE}\n") == [
        (2, 13, "missing-env", "${NOPE} is not set in the environment export NOPE=...")
    ]


def test_a_password_is_never_shown(load):
    config = load(
        "transport: {kind: smtp, host: localhost, password: '${P}'}\n"
        "database: postgresql://u:hunter2@h/d\n",
        P="hunter2",
    )
    assert "hunter2" not in repr(config) + str(config) + repr(config.transport)
    assert config.transport.password.get_secret_value() == "hunter2"


@pytest.mark.acceptance("A10.3")
@pytest.mark.parametrize(
    ("text", "line", "column", "code", "said"),
    [
        ("compnay: {}", 1, 1, "unknown-key", 'did you mean "company"?'),
        ("root: /tmp", 1, 1, "unknown-key", '"root"'),
        ("caps: [{at_most: 1, per: 1 day, klas: x}]", 1, 33, "unknown-key", "class"),
        ("caps: [{at_most: 0, per: 1 day}]", 1, 18, "invalid-value", "1 or more"),
        ("caps: [{at_most: 1, per: 0 days}]", 1, 26, "invalid-value", "longer than nothing"),
        ("caps: [{at_most: 1, per: 5}]", 1, 26, "invalid-value", '"20 hours"'),
        (
            "caps: [{at_most: 1, per: 1 day, category: cultur}]",
            1,
            43,
            "unknown-category",
            "culture",
        ),
        ("web: {host: 0.0.0.0}", 1, 13, "public-web", "reverse proxy"),
        ("web: {port: high}", 1, 13, "wrong-type", "whole number"),
        ("web: {public_url: nurture}", 1, 19, "invalid-value", "https://"),
        ("timezone: Europe/Lisbn", 1, 11, "invalid-value", "Europe/Lisbon"),
        ("locale: english", 1, 9, "invalid-value", "pt-BR"),
        ("contact_hours: {from: 0830}", 1, 23, "invalid-value", '"08:30"'),
        ("contact_hours: {from: '19:00'}", 1, 16, "invalid-value", "earlier"),
        ("contact_hours: {holidays: portugal}", 1, 27, "invalid-value", "PT"),
        ("never: [{tone: grave, when: friday}]", 1, 29, "invalid-value", "fri 15:00-24:00"),
        ("never: [{tone: sad, when: fri 15:00-24:00}]", 1, 16, "invalid-value", "grave"),
        ("silence: {applied: 3}", 1, 20, "invalid-value", "5 business days"),
        ("categories: {status: {priority: 5}}", 1, 33, "uncapped-priority", '"help" has 50'),
        ("categories: {news: {priority: 5}}", 1, 20, "missing-key", "class"),
        ("candidate_fields: {github: url}", 1, 28, "invalid-value", "text, number"),
        ("sender: {email: nobody}", 1, 17, "invalid-value", "not an e-mail address"),
        ("transport: {kind: pigeon}", 1, 12, "invalid-value", "outbox"),
        ("transport: {dir: x}", 1, 12, "missing-key", "kind"),
        ("release_at_most: many", 1, 18, "invalid-value", ""),
        ("a: [", 1, 4, "yaml", ""),
    ],
)
def test_what_cannot_be_used_is_refused_at_its_place(refused, text, line, column, code, said):
    first = refused(text + "\n")[0]
    assert first[:3] == (line, column, code)
    assert said in first[3]


SMTP = "transport: {kind: smtp, host: smtp.acme.test}\n"
ACME = (
    "company: {name: Acme, address: Rua 1}\nsender: {email: jobs@acme.test}\n"
    "web: {public_url: https://jobs.acme.test}\n"
)


def test_real_mail_is_refused_while_the_identity_is_the_example(refused):
    found = refused(SMTP)
    assert [code for _, _, code, _ in found] == ["example-identity"] * 4


def test_real_mail_needs_no_more_than_a_name_an_address_a_sender_and_https(load):
    assert isinstance(load(SMTP + ACME).transport, SmtpTransport)


def test_a_relay_on_this_machine_may_have_the_example_identity(load):
    assert load("transport: {kind: smtp, host: 127.0.0.1, security: plain, port: 2525}\n")


def test_passwords_do_not_cross_the_network_in_the_clear(refused):
    text = ACME + "transport: {kind: smtp, host: smtp.acme.test, security: plain}\n"
    assert refused(text)[0][:3] == (4, 57, "insecure-smtp")


def test_a_file_that_is_not_text_or_not_a_file_is_said_to_be_so(tmp_path):
    (tmp_path / "config.yaml").write_bytes(b"locale: \xff\xfe\n")
    with pytest.raises(Problems, match="UTF-8"):
        load_config(tmp_path / "config.yaml", {})
    (tmp_path / "folder").mkdir()
    with pytest.raises(Problems, match="is a folder"):
        load_config(tmp_path / "folder", {})


def test_a_share_of_those_enrolled_may_be_released(load):
    assert load("release_at_most: 1%\n").release_limit(2_000) == 20
    assert load("").release_limit(2_000) == 50


KEYS = st.sampled_from([*sorted(Settings.model_fields), "kind", "from", "class", "per", "x"])
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(KEYS, ANY, max_size=4))
def test_any_content_is_a_config_or_a_list_of_problems(tmp_path, data):
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")  # flow style
    with suppress(Problems):
        assert load_config(path, {}).root == tmp_path.resolve()


# --- documentation ----------------------------------------------------------------------------


def keys_of(model: type[BaseModel], before: str = "") -> set[str]:
    names: set[str] = set()
    for name, about in model.model_fields.items():
        path = before + (about.alias or name)
        names.add(path)
        if isinstance(about.annotation, type) and issubclass(about.annotation, BaseModel):
            names |= keys_of(about.annotation, f"{path}.")
    return names


EVERY_KEY = sorted(
    keys_of(Settings)
    | keys_of(OutboxTransport, "transport.")
    | keys_of(SmtpTransport, "transport.")
    | keys_of(Dkim, "dkim.")
    | keys_of(DkimKey, "dkim.second.")
    | keys_of(CategoryKeys, "categories.*.")
    | keys_of(CapKeys, "caps.*.")
    | keys_of(GapKeys, "gap.")
    | keys_of(WarmUpKeys, "limits.warm_up.")
    | keys_of(NeverKeys, "never.*.")
    | keys_of(Proxy, "web.proxy.")
)


def test_every_key_is_documented():
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    text = text[: text.index("## Problem codes")]
    documented = set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))
    assert documented == set(EVERY_KEY)


def test_every_key_is_in_the_shipped_file():
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    # The SMTP transport stands there as a comment.
    text += "".join(line[2:] for line in re.findall(r"^# {3}\w.*\n", text, re.MULTILINE))
    missing = [key for key in EVERY_KEY if not re.search(rf"\b{key.split('.')[-1]}:", text)]
    assert missing == []
    assert read_yaml(text, "config.yaml")
