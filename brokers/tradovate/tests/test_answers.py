"""Every way in which the broker says no, read once and for all calls alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.tradovate.answers import LOCKED_FOR, check
from tradehaven.domain.errors import (
    BrokerError,
    CredentialsRejected,
    ProtocolError,
    RateLimited,
    RequestRejected,
    Unavailable,
)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"",
        b"null",
        b'{"orderId":1}',
        b'{"failureReason":"Success","orderId":1}',
        b'{"ok":true}',
        b'{"failureReason":"","orderId":1}',
    ],
)
def test_a_success_is_handed_on(body: bytes) -> None:
    assert check(200, body) == body


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (b'{"failureReason":"SessionClosed","failureText":"closed"}', "SessionClosed", "closed"),
        (b'{"failureReason":"TooLate"}', "TooLate", ""),
        (b'{"errorText":"Invalid or missed parameters"}', "Error", "Invalid or missed parameters"),
        (b'{"ok":false}', "Error", "not ok"),
        (b'{"error":"invalid_grant","error_description":"used"}', "invalid_grant", "used"),
        (b'{"violations":[{"constraint":"c","value":null,"description":"d"}]}', "Violation", "d"),
        (b'{"violations":[{"constraint":"c"}]}', "Violation", "c"),
    ],
)
def test_a_no_with_status_200_is_a_rejection(body: bytes, code: str, text: str) -> None:
    with pytest.raises(RequestRejected) as caught:
        check(200, body)
    assert (caught.value.code, caught.value.text) == (code, text)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("body", "wait", "captcha"),
    [
        (b'{"p-ticket":"t","p-time":15,"p-captcha":false}', 15, False),
        (b'{"p-ticket":"t","p-time":3}', 3, False),
        (b'{"p-ticket":"t","p-time":15,"p-captcha":true}', LOCKED_FOR, True),
        (b'{"p-ticket":"t"}', 0, False),
    ],
)
def test_a_penalty_ticket_says_how_long_to_wait(body: bytes, wait: float, captcha: bool) -> None:
    with pytest.raises(RateLimited) as caught:
        check(200, body)
    assert (caught.value.retry_after, caught.value.captcha, caught.value.ticket) == (wait, captcha, "t")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b"", RequestRejected),
        (401, b'"Access is denied"', CredentialsRejected),
        (403, b"", CredentialsRejected),
        (404, b"", RequestRejected),
        (408, b"", Unavailable),
        (500, b"<html>", Unavailable),
        (502, b"", Unavailable),
        (0, b"", RequestRejected),
    ],
)
def test_a_status_has_its_error(status: int, body: bytes, error: type[BrokerError]) -> None:
    with pytest.raises(error):
        check(status, body)


@pytest.mark.parametrize(
    ("status", "body", "wait"),
    [
        (429, b"", LOCKED_FOR),
        (429, b'{"p-time":20}', 20),
        (423, b"locked", LOCKED_FOR),
        (429, b"[]", LOCKED_FOR),
    ],
)
def test_a_limit_is_obeyed_for_an_hour_unless_it_says_less(status: int, body: bytes, wait: float) -> None:
    with pytest.raises(RateLimited) as caught:
        check(status, body)
    assert caught.value.retry_after == wait
    assert caught.value.retryable


@pytest.mark.parametrize("body", [b"{", b'{"failureReason":1}', b'{"a":' + b"[" * 5000])
def test_an_unreadable_answer_is_a_protocol_error(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        check(200, body)


@given(status=st.integers(0, 999), body=st.binary(max_size=60))
def test_no_answer_raises_anything_else(status: int, body: bytes) -> None:
    try:
        check(status, body)
    except BrokerError:
        return
