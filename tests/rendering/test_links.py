"""What tokens and the secret promise."""

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurture.errors import UsageError
from nurture.rendering.links import Signer, load_secret

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.integers(0, 2**63 - 1))
def test_a_token_is_short_and_names_its_owner(candidate_id):
    token = Signer([NEW]).token("unsubscribe", candidate_id)
    assert len(token) == 32
    assert Signer([NEW]).read("unsubscribe", token) == candidate_id


@given(st.text(max_size=40))
def test_no_other_text_is_a_token(text):
    assert Signer([NEW]).read("unsubscribe", text) is None


def test_a_changed_token_is_none():
    token = Signer([NEW]).token("unsubscribe", 7)
    for position in range(len(token)):
        changed = (
            token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        )
        assert Signer([NEW]).read("unsubscribe", changed) is None


def test_a_token_serves_one_purpose_only():
    token = Signer([NEW]).token("unsubscribe", 7)
    assert Signer([NEW]).read("preferences", token) is None


def test_a_link_mailed_before_a_new_key_still_works():
    token = Signer([OLD]).token("unsubscribe", 7)
    assert Signer([NEW, OLD]).read("unsubscribe", token) == 7
    assert Signer([NEW]).read("unsubscribe", token) is None
    assert Signer([OLD]).read("unsubscribe", Signer([NEW, OLD]).token("unsubscribe", 7)) is None


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path):
    var = tmp_path / "var"
    token = load_secret(var, {}).token("unsubscribe", 7)
    assert load_secret(var, {}).read("unsubscribe", token) == 7
    assert stat.S_IMODE((var / "secret").stat().st_mode) == 0o600
    assert [path.name for path in var.iterdir()] == ["secret"]


def test_a_secret_in_the_environment_signs_and_the_file_still_verifies(tmp_path):
    token = load_secret(tmp_path, {}).token("unsubscribe", 7)
    env = {"NURTURE_SECRET": "a-new-secret-of-length-x, an-old-secret-of-length"}
    signer = load_secret(tmp_path, env)
    assert signer.read("unsubscribe", token) == 7
    newest = Signer([b"a-new-secret-of-length-x"])
    assert newest.read("unsubscribe", signer.token("unsubscribe", 8)) == 8


def test_with_a_secret_in_the_environment_no_file_is_made(tmp_path):
    load_secret(tmp_path, {"NURTURE_SECRET": "a-new-secret-of-length-x"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "short\n"])
def test_a_secret_that_protects_nothing_is_refused(tmp_path, text):
    (tmp_path / "secret").write_text(text)
    with pytest.raises(UsageError):
        load_secret(tmp_path, {})
