"""The dialogue, fed by hand: what is asked, and what each answer amounts to."""

import base64
import hashlib
import json
import string
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.tradovate import oauth
from brokers.tradovate.oauth import Client, Request, Response, Tokens
from tradehaven.domain.errors import (
    BrokerError,
    CredentialsRejected,
    ProtocolError,
    RateLimited,
    RequestRejected,
    Unavailable,
)

CLIENT = Client(
    client_id="1234",
    client_secret="sec-ret",
    authorize_url="https://trader.example/oauth",
    token_url="https://live.example/v1/auth/oauthtoken",
    redirect_uri="https://app.example.com/callback?x=1",
)
PUBLIC = Client(
    client_id="1234",
    client_secret="",
    authorize_url="https://trader.example/oauth?lang=en",
    token_url="https://live.example/v1/auth/oauthtoken",
    redirect_uri="https://app.example.com/callback",
)


def answered(dialogue: oauth.Dialogue[Tokens], body: object, status: int = 200) -> Tokens:
    next(dialogue)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(StopIteration) as end:
        dialogue.send(Response(status=status, body=raw))
    found = end.value.value
    assert isinstance(found, Tokens)
    return found


def failed(body: object, status: int = 200) -> BrokerError:
    dialogue = oauth.refresh(CLIENT, "rt_secret")
    next(dialogue)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(BrokerError) as caught:
        dialogue.send(Response(status=status, body=raw))
    return caught.value


def test_the_consent_address_carries_state_and_challenge():
    query = parse_qs(urlsplit(oauth.authorize_url(CLIENT, "s 1", "c-1")).query)
    assert query == {
        "response_type": ["code"],
        "client_id": ["1234"],
        "redirect_uri": ["https://app.example.com/callback?x=1"],
        "state": ["s 1"],
        "code_challenge": ["c-1"],
        "code_challenge_method": ["S256"],
    }


def test_an_authorize_address_with_a_query_of_its_own_keeps_it():
    assert parse_qs(urlsplit(oauth.authorize_url(PUBLIC, "s", "c")).query)["lang"] == ["en"]


def test_the_challenge_is_the_one_of_rfc_7636():
    # RFC 7636, appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert oauth.challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@given(st.text(alphabet=string.ascii_letters + string.digits + "-._~", min_size=43, max_size=128))
def test_a_challenge_never_has_padding_and_is_the_hash_of_its_verifier(verifier: str):
    challenge = oauth.challenge_of(verifier)
    assert "=" not in challenge
    assert base64.urlsafe_b64decode(challenge + "=") == hashlib.sha256(verifier.encode()).digest()


def test_a_code_is_exchanged_with_verifier_and_the_same_redirect_uri():
    request = next(oauth.exchange(CLIENT, "ac_71d2", "ver"))
    assert (request.method, request.url) == ("POST", CLIENT.token_url)
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["ac_71d2"],
        "redirect_uri": [CLIENT.redirect_uri],
        "code_verifier": ["ver"],
        "client_id": ["1234"],
        "client_secret": ["sec-ret"],
    }


def test_a_client_without_a_secret_sends_none():
    assert "client_secret" not in parse_qs(next(oauth.refresh(PUBLIC, "rt")).body.decode())


def test_tokens_are_read_as_the_broker_sends_them():
    body = {
        "access_token": "eyJ",
        "token_type": "bearer",
        "expires_in": 3600,
        "refresh_token": "rt_91aa",
        "refresh_token_expires_in": 1209600,
    }
    tokens = answered(oauth.refresh(CLIENT, "rt_8f0c"), body)
    assert (tokens.access, tokens.refresh, tokens.expires_in) == ("eyJ", "rt_91aa", 3600)


def test_an_answer_without_refresh_token_or_life_still_makes_a_token():
    tokens = answered(oauth.exchange(CLIENT, "c", "v"), {"access_token": "eyJ"})
    assert (tokens.refresh, tokens.expires_in) == ("", oauth.DEFAULT_LIFE)


def test_a_refusal_inside_200_carries_the_brokers_code():
    error = failed({"error": "invalid_grant", "error_description": "expired or already used"})
    assert isinstance(error, RequestRejected)
    assert error.code == "invalid_grant"
    assert not error.retryable


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'"Access is denied"', CredentialsRejected),
        (429, b"", RateLimited),
        (500, b"oops", Unavailable),
        (503, b"<html>", Unavailable),
        (400, b"bad", RequestRejected),
        (200, b'{"access_token": 7}', ProtocolError),
        (200, b"<html>", ProtocolError),
        (200, b'{"access_token": ""}', ProtocolError),
        (200, b'{"access_token": "a", "expires_in": 0}', ProtocolError),
        (200, b'{"access_token": "a", "expires_in": "soon"}', ProtocolError),
        (200, b"{", ProtocolError),
    ],
)
def test_every_other_answer_is_the_right_error(status: int, body: bytes, kind: type[BrokerError]):
    assert type(failed(body, status)) is kind


def test_a_penalty_ticket_says_how_long_to_wait():
    error = failed({"p-ticket": "t1", "p-time": 15, "p-captcha": False})
    assert isinstance(error, RateLimited)
    assert error.retry_after == 15


@pytest.mark.parametrize(
    "value",
    [
        CLIENT,
        Tokens(access="sec-ret", refresh="sec-ret"),
        Response(status=200, body=b"sec-ret"),
        Request(method="GET", url="https://x", headers={"Authorization": "sec-ret"}, body=b"sec-ret"),
    ],
)
def test_no_value_prints_a_secret(value: object):
    assert "sec-ret" not in repr(value)


def test_an_unreadable_answer_is_not_quoted_in_the_error():
    error = failed(b'{"access_token": ["sec-ret"]}')
    assert "sec-ret" not in str(error)
    assert error.__cause__ is None
