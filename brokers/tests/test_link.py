"""A link comes back by itself, at a pace that the broker can stand."""

import asyncio
from itertools import islice
from random import Random
from typing import Any

import pytest

from brokers.clock import process_clock
from brokers.core.backoff import LONGEST, delays
from brokers.core.budget import CallLimits
from brokers.core.governor import MINUTE, SECOND, Governor
from brokers.link import PATIENCE, REFUSED_PAUSE, Link
from brokers.ports import Clock, Login
from tradehaven.domain.commands import CancelOrder, Confirmed, Denied
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.errors import BrokerError, CredentialsRejected, RateLimited, Unavailable
from tradehaven.domain.events import SilenceAsked
from tradehaven.domain.ids import AccountId, ClientOrderId, ConnectionId, Nanos, OrderId

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
        self.governor = Governor(CallLimits())
        self.woken: list[int] = []
        self.events: list[Any] = []
        self.link = Link(
            "test",
            self.credentials,
            self.events.append,
            process_clock(),
            Random(1),
            self.governor,
            self.woken.append,
            lambda: True,
            self._open,
        )

    async def credentials(self, refused: bool) -> Login | None:
        """Give the login, and note whether the last token was refused."""
        self.asked.append(refused)
        return self.login

    def _open(self, *_: Any) -> Any:
        return self

    is_ready = True
    takes = True

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

    def could_send(self, _command: Any) -> bool:
        """Take commands as a gateway, or not."""
        return self.takes

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


# -- the budget ---------------------------------------------------------------------------------------


class Governed(Story):
    """A link that is up, on a clock that stands still, with a budget of ten calls a minute."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(monkeypatch, "fell")
        self.now = 1_795_017_600 * SECOND
        clock = Clock(nanos=lambda: Nanos(self.now), monotonic=lambda: self.now / SECOND)
        self.governor = Governor(CallLimits(per_minute=10, per_hour=60))
        self.answer: Denied | None = None
        self.sent: list[Any] = []
        self.looks = 0
        self.link = Link(
            "test",
            self.credentials,
            self.events.append,
            clock,
            Random(1),
            self.governor,
            self.woken.append,
            lambda: True,
            self._open,
        )
        self.link._gateway = self  # up, and nothing runs

    def send(self, command: Any) -> Denied | None:  # type: ignore[override]
        """Take a command, or deny it as told."""
        self.sent.append(command)
        return self.answer

    def look_again(self) -> None:
        """Count the looks."""
        self.looks += 1


def test_a_command_that_finds_no_room_is_denied_with_the_time_of_the_next_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = Governed(monkeypatch)
    found = [story.link.send(CANCEL) for _ in range(11)]
    assert found[:10] == [None] * 10
    denied = found[10]
    assert denied is not None
    assert denied.reason is RefusalReason.RATE_LIMITED
    assert story.woken == [denied.retry_at]
    assert denied.retry_at == story.now + MINUTE
    assert len(story.sent) == 10


def test_a_command_that_the_gateway_denies_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Governed(monkeypatch)
    story.answer = Denied(
        account=CANCEL.account,
        client_order_id=CANCEL.client_order_id,
        reason=RefusalReason.UNKNOWN_INSTRUMENT,
        text="",
        at=Nanos(1),
    )
    assert [story.link.send(CANCEL) for _ in range(20)] == [story.answer] * 20


def test_questions_leave_room_in_the_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Governed(monkeypatch)
    for _ in range(20):
        story.link.look_again()
    assert story.looks == 6  # five lists each, thirty calls


def test_a_silence_is_told_once_and_an_answer_in_it_opens_the_way_for_exits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = Governed(monkeypatch)
    now = Nanos(story.now)
    asked = SilenceAsked(connection=ConnectionId(1), until=Nanos(now + 3600 * SECOND), reason="429", at=now)
    story.link.take(asked)
    story.link.take(asked)
    assert story.events == [asked]
    assert story.link.send(CANCEL) is not None
    story.now += 6 * SECOND
    assert story.link.send(CANCEL) is None
    confirmed = Confirmed(
        account=AccountId(1), client_order_id=ClientOrderId("c"), order_id=None, at=Nanos(story.now)
    )
    story.link.take(confirmed)
    assert story.events == [asked, confirmed]
    assert story.link.send(CANCEL) is None


def test_a_socket_that_is_refused_for_too_many_calls_keeps_the_login_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = Story(monkeypatch, RateLimited("too many", retry_after=60))
    story.play()
    (asked,) = story.events
    assert isinstance(asked, SilenceAsked)
    assert story.governor.silent_until == asked.until


def test_what_could_be_sent_is_asked_without_counting_it(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Governed(monkeypatch)
    for _ in range(20):
        assert line.link.could_send(CANCEL)
    assert line.governor.usage(Nanos(line.now)).minute == 0
    line.takes = False
    assert not line.link.could_send(CANCEL)
    line.takes = True
    while line.link.send(CANCEL) is None:
        assert line.governor.usage(Nanos(line.now)).minute <= 10
    assert not line.link.could_send(CANCEL)
    line.now += 62 * SECOND
    assert line.link.could_send(CANCEL)
    line.governor.silence(Nanos(line.now + SECOND), Nanos(line.now))
    assert not line.link.could_send(CANCEL)
    line.link._gateway = None
    line.now += 2 * SECOND
    assert not line.link.could_send(CANCEL)
