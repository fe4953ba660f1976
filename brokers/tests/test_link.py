"""A link comes back by itself, at a pace that the broker can stand."""

import asyncio
from itertools import islice
from random import Random
from typing import Any

import pytest

from brokers.clock import process_clock
from brokers.core.backoff import LONGEST, delays
from brokers.link import PATIENCE, REFUSED_PAUSE, Link
from brokers.ports import Login
from tradehaven.domain.commands import CancelOrder, Denied
from tradehaven.domain.errors import BrokerError, CredentialsRejected, RateLimited, Unavailable
from tradehaven.domain.ids import AccountId, ClientOrderId, ConnectionId, OrderId

LOGIN = Login(connection=ConnectionId(1), socket_url="ws://x", token="t", user_id=1, accounts={})
CANCEL = CancelOrder(account=AccountId(1), client_order_id=ClientOrderId("c"), order_id=OrderId(2))


def test_delays_double_up_to_half_a_minute_each_with_its_own_jitter() -> None:
    found = list(islice(delays(Random(1)), 8))
    for wait, base in zip(found, (1, 2, 4, 8, 16, 30, 30, 30), strict=True):
        assert base <= wait <= base * 1.25
    assert found != list(islice(delays(Random(2)), 8))
    assert max(found) <= LONGEST * 1.25


class Story:
    """A link whose gateways end as told, one after another, and whose waits are written down."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *ends: BrokerError | str, login: Login | None = LOGIN
    ) -> None:
        self.ends = list(ends)
        self.waits: list[float] = []
        self.asked: list[bool] = []
        self.login = login
        self.closed = 0

        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)
            if not self.ends:
                self.link.close()

        monkeypatch.setattr("brokers.link.asyncio.sleep", sleep)
        self.link = Link("test", self.credentials, lambda _: None, process_clock(), Random(1), self._open)

    async def credentials(self, refused: bool) -> Login | None:
        """Give the login, and note whether the last token was refused."""
        self.asked.append(refused)
        return self.login

    def _open(self, *_: Any) -> Any:
        return self

    is_ready = True

    async def run(self) -> str:
        """Live as a gateway until the next told end."""
        assert self.link.is_ready
        assert self.link.send(CANCEL) is None
        self.link.look_again()
        end = self.ends.pop(0)
        if isinstance(end, BrokerError):
            raise end
        return end

    def send(self, _command: Any) -> None:
        """Take a command as a gateway."""

    def look_again(self) -> None:
        """Look as a gateway."""

    def close(self) -> None:
        """Close as a gateway."""
        self.closed += 1

    def play(self) -> list[float]:
        """Run the link until its story is over and return its waits."""
        assert asyncio.run(self.link.run()) == "closed"
        return self.waits


def test_a_link_that_falls_comes_back_slower_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, "fell", Unavailable("no route"), "fell")
    waits = story.play()
    assert [int(wait) for wait in waits] == sorted(int(wait) for wait in waits)
    assert len(waits) == 3
    assert story.asked == [False, False, False]


def test_a_refused_token_is_renewed_before_the_next_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, CredentialsRejected("expired"), "fell")
    story.play()
    assert story.asked == [False, True]


def test_tokens_that_are_refused_again_and_again_are_not_renewed_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = Story(monkeypatch, *[CredentialsRejected("no") for _ in range(PATIENCE + 2)])
    waits = story.play()
    assert max(waits[:PATIENCE]) < REFUSED_PAUSE
    assert waits[PATIENCE] == REFUSED_PAUSE


def test_a_pause_that_the_broker_asks_for_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Story(monkeypatch, RateLimited("too many", retry_after=60)).play() == [60]


def test_a_login_without_a_token_waits_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, login=None)
    assert len(story.play()) == 1


def test_without_a_gateway_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    link = Story(monkeypatch).link
    assert not link.is_ready
    assert isinstance(link.send(CANCEL), Denied)
    link.look_again()
    link.close()
    assert asyncio.run(link.run()) == "closed"


def test_closing_closes_the_gateway_that_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, "fell")
    original = story.run

    async def closing() -> str:
        story.link.close()
        return await original()

    monkeypatch.setattr(story, "run", closing)
    story.play()
    assert story.closed == 1
