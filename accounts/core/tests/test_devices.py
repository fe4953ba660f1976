"""Words for browsers and systems."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.core.devices import MAX_LENGTH, device

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Safari/604.1"
)
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (CHROME, "Chrome on Linux"),
        (IPHONE, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        ("Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0", "Firefox on Android"),
        ("trader-bot/2.1", "trader-bot/2.1"),
        ("", "Unknown device"),
        ("\x00\n", "Unknown device"),
    ],
)
def test_a_device_is_named_as_its_owner_would(told: str, words: str):
    assert device(told) == words


@given(st.text())
def test_whatever_a_stranger_sends_stays_short_and_printable(told: str):
    words = device(told)
    assert 0 < len(words) <= MAX_LENGTH
    assert words.isprintable()
