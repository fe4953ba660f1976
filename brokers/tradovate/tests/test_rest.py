"""The shell over HTTP, against a server that answers what a test lined up."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from brokers.tradovate import oauth, rest
from tradehaven.domain.errors import CredentialsRejected, ProtocolError, RequestRejected, Unavailable

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


class Broker:
    """Answers in the order of `lined_up`, and remembers what was asked."""

    def __init__(self) -> None:
        self.lined_up: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, str, str]] = []
        broker = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                said = self.rfile.read(length).decode()
                broker.asked.append((self.command, self.path, said or self.headers.get("Authorization", "")))
                status, body = broker.lined_up.pop(0)
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = _answer

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    monkeypatch.setattr(rest, "PAUSES", (0.0, 0.0))
    found = Broker()
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_a_read_carries_the_token_and_gives_the_login(broker: Broker):
    broker.lined_up = [(200, {"userId": 15460, "name": "alice", "organizationName": "Apex"})]
    assert rest.me(broker.url, "tok").userId == 15460
    assert broker.asked == [("GET", "/v1/auth/me", "Bearer tok")]


def test_closed_accounts_are_left_out(broker: Broker):
    broker.lined_up = [(200, [{"id": 1, "name": "A"}, {"id": 2, "name": "B", "closed": True}])]
    assert [account.name for account in rest.accounts(broker.url, "tok")] == ["A"]


def test_a_read_is_tried_three_times_while_the_broker_is_unwell(broker: Broker):
    broker.lined_up = [(503, b""), (500, b""), (200, {"userId": 1})]
    assert rest.me(broker.url, "tok").userId == 1
    assert len(broker.asked) == 3


def test_a_read_gives_up_after_the_third_time(broker: Broker):
    broker.lined_up = [(503, b"")] * 3
    with pytest.raises(Unavailable):
        rest.me(broker.url, "tok")


def test_a_refusal_is_not_tried_again(broker: Broker):
    broker.lined_up = [(401, b"")]
    with pytest.raises(CredentialsRejected):
        rest.me(broker.url, "tok")
    assert len(broker.asked) == 1


def test_an_exchange_is_sent_once_even_when_the_broker_is_unwell(broker: Broker):
    broker.lined_up = [(503, b"")]
    with pytest.raises(Unavailable):
        rest.converse(oauth.refresh(_client(broker), "rt"))
    assert len(broker.asked) == 1


def test_a_dialogue_ends_in_its_tokens(broker: Broker):
    broker.lined_up = [(200, {"access_token": "a", "refresh_token": "b", "expires_in": 60})]
    tokens = rest.converse(oauth.exchange(_client(broker), "code", "verifier"))
    assert (tokens.access, tokens.refresh) == ("a", "b")
    assert "code_verifier=verifier" in broker.asked[0][2]


def test_a_refused_exchange_raises_the_brokers_code(broker: Broker):
    broker.lined_up = [(200, {"error": "invalid_grant"})]
    with pytest.raises(RequestRejected, match="invalid_grant"):
        rest.converse(oauth.exchange(_client(broker), "code", "verifier"))


def test_a_renewal_counts_its_life_from_now(broker: Broker):
    broker.lined_up = [(200, {"accessToken": "new", "expirationTime": "2026-11-20T16:20:00.000Z"})]
    assert rest.renew(broker.url, "old", NOW).expires_in == 80 * 60


def test_a_renewal_without_a_time_lives_the_default(broker: Broker):
    broker.lined_up = [(200, {"accessToken": "new"})]
    assert rest.renew(broker.url, "old", NOW).expires_in == oauth.DEFAULT_LIFE


def test_a_renewal_without_a_token_is_an_error(broker: Broker):
    broker.lined_up = [(200, {})]
    with pytest.raises(ProtocolError):
        rest.renew(broker.url, "old", NOW)


def test_an_unreadable_read_names_the_path_and_nothing_else(broker: Broker):
    broker.lined_up = [(200, b'{"userId": "sec-ret"}')]
    with pytest.raises(ProtocolError, match="auth/me") as caught:
        rest.me(broker.url, "tok")
    assert "sec-ret" not in str(caught.value)


def test_no_answer_at_all_hides_the_request_from_the_traceback(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rest, "PAUSES", ())
    with pytest.raises(Unavailable) as caught:
        rest.me("http://127.0.0.1:9/v1", "sec-ret")
    assert "sec-ret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def _client(broker: Broker) -> oauth.Client:
    return oauth.Client(
        client_id="1",
        client_secret="s",
        authorize_url="",
        token_url=f"{broker.url}/auth/oauthtoken",
        redirect_uri="https://x/cb",
    )


def test_an_answer_carries_the_brokers_time(broker: Broker):
    broker.lined_up = [(200, {"access_token": "a", "expires_in": 60})]
    client = oauth.Client(
        client_id="c", client_secret="", authorize_url="", token_url=broker.url, redirect_uri=""
    )
    tokens = rest.converse(oauth.exchange(client, "code", "verifier"))
    assert tokens.said_at is not None
    assert abs(datetime.now(UTC) - tokens.said_at).total_seconds() < 5  # noqa: TID251  the server's own clock


@pytest.mark.parametrize("header", ["", "yesterday", "Sat, 99 Nov 2026 25:00:00 GMT"])
def test_a_time_that_cannot_be_read_is_none(header: str):
    answer = requests.Response()
    answer.headers["Date"] = header
    assert rest._clock_of(answer) is None
