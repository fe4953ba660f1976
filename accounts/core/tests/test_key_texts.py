"""How keys are written and read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.core.keys import KeyKind, compose, digest, parse, shown

kinds = st.sampled_from(KeyKind)
prefixes = st.binary(min_size=6, max_size=6)
secrets = st.binary(min_size=32, max_size=32)


def test_a_key_says_what_it_is_and_hides_its_secret_in_logs() -> None:
    key = compose(KeyKind.LIVE, b"\x01" * 6, b"\xab" * 32)
    assert key.text == "th_live_010101010101_" + "ab" * 32
    assert repr(key) == "KeyText(th_live_010101010101_…)" == f"KeyText({shown(key.kind, key.prefix)})"


def test_the_hash_is_sha_256_of_the_whole_text() -> None:
    key = compose(KeyKind.PAPER, bytes(6), bytes(32))
    assert digest(key) == ("5b7b62e4db521897b5bd05f538a2b6bb3cfc52872ae0a97936fd3ecddaff29bf")


@given(kinds, prefixes, secrets)
def test_what_was_written_is_read_back(kind: KeyKind, prefix: bytes, secret: bytes) -> None:
    key = compose(kind, prefix, secret)
    assert parse(key.text) == key


@given(prefixes, secrets, secrets)
def test_another_secret_or_kind_is_another_hash(prefix: bytes, one: bytes, two: bytes) -> None:
    live = compose(KeyKind.LIVE, prefix, one)
    assert digest(live) != digest(compose(KeyKind.PAPER, prefix, one))
    assert (digest(live) == digest(compose(KeyKind.LIVE, prefix, two))) is (one == two)


@given(st.text())
def test_other_texts_are_no_keys(text: str) -> None:
    assert parse(text) is None
    assert parse(f"th_live_{text}") is None


@pytest.mark.parametrize("change", [str.upper, lambda t: t + "\n", lambda t: t[:-1], lambda t: " " + t])
def test_a_key_is_read_to_the_letter(change) -> None:
    assert parse(change(compose(KeyKind.LIVE, b"\xab" * 6, b"\xab" * 32).text)) is None


@pytest.mark.parametrize(("prefix", "secret"), [(b"short", bytes(32)), (bytes(6), b"short")])
def test_too_little_chance_makes_no_key(prefix: bytes, secret: bytes) -> None:
    with pytest.raises(ValueError, match="needs 6 and 32 random bytes"):
        compose(KeyKind.LIVE, prefix, secret)
