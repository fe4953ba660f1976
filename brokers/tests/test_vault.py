"""Sealed tokens open for their own row and with a key we have, and for nothing else (CONN-03)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.vault import VaultError, seal, unseal

SECRET = "canary-token-0123456789"


@given(plain=st.text(max_size=300), subject=st.text(min_size=1, max_size=40))
def test_what_was_sealed_opens_again_and_never_looks_the_same(plain: str, subject: str) -> None:
    first, second = seal(plain, subject=subject), seal(plain, subject=subject)
    assert first != second
    assert unseal(first, subject=subject) == unseal(second, subject=subject) == plain


def test_a_token_that_was_copied_into_another_row_does_not_open() -> None:
    sealed = seal(SECRET, subject="connection|1|access")
    for subject in ("connection|2|access", "connection|1|refresh"):
        with pytest.raises(VaultError) as caught:
            unseal(sealed, subject=subject)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("sealed", ["", "v1", "v1.k1.", "v1.none.AAAA", "v2.k1.AAAA", "v1.k1.!!!", SECRET])
def test_what_was_never_sealed_does_not_open(sealed: str) -> None:
    with pytest.raises(VaultError):
        unseal(sealed, subject="connection|1|access")


def test_one_changed_letter_is_noticed() -> None:
    sealed = seal(SECRET, subject="s")
    changed = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    with pytest.raises(VaultError):
        unseal(changed, subject="s")


def test_after_a_rotation_old_texts_open_and_new_ones_use_the_new_key(settings: Any) -> None:
    settings.DATA_KEYS, settings.ACTIVE_DATA_KEY = {"old": b"o" * 32}, "old"
    before = seal(SECRET, subject="s")
    settings.DATA_KEYS, settings.ACTIVE_DATA_KEY = {"new": b"n" * 32, "old": b"o" * 32}, "new"
    assert unseal(before, subject="s") == SECRET
    assert seal(SECRET, subject="s").startswith("v1.new.")
    settings.DATA_KEYS = {"new": b"n" * 32}
    with pytest.raises(VaultError):
        unseal(before, subject="s")
