"""Flattening over REST: cancels before closes, again until the broker says flat, honest about the rest."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from brokers.services import byhand as broker
from brokers.services.byhand import Access, Standing
from risk.services.byhand import flatten_all
from tradehaven.domain.errors import BrokerError, RequestRejected, Unavailable
from tradehaven.domain.ids import AccountId, ClientOrderId, OrderId, Symbol

ES, NQ = Symbol("3001"), Symbol("3002")


class Broker:
    """A broker in memory whose lists may lag, whose doors may fail, and which never closes beyond zero."""

    def __init__(self) -> None:
        self.net: defaultdict[tuple[int, Symbol], int] = defaultdict(int)
        self.orders: dict[OrderId, tuple[int, Symbol]] = {}
        self.done: list[tuple[str, int, Any]] = []
        self.refuses: list[BrokerError] = []
        self.unseen: list[BrokerError] = []
        self.lags = 0
        self._old: dict[int, Standing] | None = None

    def look(self, access: Access) -> dict[int, Standing]:
        """Return what the lists say."""
        if self.unseen:
            raise self.unseen.pop(0)
        fresh = {
            account: Standing(
                working=tuple((order, at[1]) for order, at in self.orders.items() if at[0] == account),
                positions={s: net for (held, s), net in self.net.items() if held == account and net},
            )
            for account in access.accounts
        }
        if self.lags and self._old is not None:
            self.lags -= 1
            return self._old
        self._old = fresh
        return fresh

    def cancel(self, access: Access, account: int, order: OrderId, name: ClientOrderId) -> None:
        """Cancel an order, once."""
        self._refuse()
        self.done.append(("cancel", account, order))
        if self.orders.pop(order, None) is None:
            raise RequestRejected("TooLate", "it is gone")

    def close(self, access: Access, account: int, contract: Symbol) -> None:
        """Cancel and close a contract."""
        self._refuse()
        self.done.append(("close", account, contract))
        self.net[account, contract] = 0
        self.orders = {o: at for o, at in self.orders.items() if at != (account, contract)}

    def _refuse(self) -> None:
        if self.refuses:
            raise self.refuses.pop(0)


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Broker:
    found = Broker()
    for name in ("look", "cancel", "close"):
        monkeypatch.setattr(broker, name, getattr(found, name))
    return found


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def flat(said: list[str]) -> Callable[..., Any]:
    accesses = [
        Access(name="one", base_url="", token="", accounts={11: AccountId(1), 12: AccountId(2)}),
        Access(name="two", base_url="", token="", accounts={13: AccountId(3)}),
    ]
    return lambda looks=5: flatten_all(accesses, say=said.append, pause=lambda _: None, looks=looks)


def test_what_is_flat_is_left_alone(venue: Broker, flat: Callable[..., Any]) -> None:
    assert not flat()
    assert venue.done == []


def test_every_cancel_goes_before_any_close(venue: Broker, flat: Callable[..., Any]) -> None:
    venue.net.update({(11, ES): 2, (13, NQ): -1})
    venue.orders = {OrderId(1): (11, NQ), OrderId(2): (11, ES), OrderId(3): (13, ES)}
    assert not flat()
    # Order 2 works where a position is closed: the broker cancels it with the close.
    assert venue.done == [("cancel", 11, 1), ("cancel", 13, 3), ("close", 11, ES), ("close", 13, NQ)]


def test_a_position_is_closed_once_although_the_lists_lag(venue: Broker, flat: Callable[..., Any]) -> None:
    venue.net[11, ES] = 2
    venue.lags = 1
    assert not flat()
    assert venue.net[11, ES] == 0
    assert [kind for kind, *_ in venue.done] == ["close", "close"]  # the broker's own: never beyond zero


def test_what_is_refused_is_asked_again(venue: Broker, flat: Callable[..., Any], said: list[str]) -> None:
    venue.net[11, ES] = 2
    venue.refuses = [Unavailable("no answer")]
    assert not flat()
    assert "refused" in said[0]
    assert "close +2 of 3001" in said[1]


def test_what_came_meanwhile_is_closed_too(
    venue: Broker, flat: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    venue.orders = {OrderId(1): (11, ES)}

    def late(access: Access, account: int, order: OrderId, name: ClientOrderId) -> None:
        venue.orders.clear()
        venue.net[11, ES] = 1  # it filled before the cancel came
        raise RequestRejected("TooLate", "it has traded")

    monkeypatch.setattr(broker, "cancel", late)
    assert not flat()
    assert venue.net[11, ES] == 0


def test_what_cannot_be_made_flat_is_said(venue: Broker, flat: Callable[..., Any]) -> None:
    venue.net[13, NQ] = -1
    venue.refuses = [RequestRejected("LiquidationOnly", "no")] * 9
    left = flat(3)
    assert {key: standing.positions for key, standing in left.standing.items()} == {("two", 13): {NQ: -1}}
    assert left.unseen == []


def test_a_login_that_cannot_be_seen_keeps_no_other_waiting(
    venue: Broker, flat: Callable[..., Any], said: list[str]
) -> None:
    venue.net[13, NQ] = -1
    venue.unseen = [Unavailable("no route")]
    left = flat(1)
    assert left.unseen == ["one"]
    assert venue.done == [("close", 13, NQ)]
    assert said[0] == "one: cannot be seen: no route"


def test_one_that_is_seen_later_is_flattened_then(venue: Broker, flat: Callable[..., Any]) -> None:
    venue.net[11, ES] = 1
    venue.unseen = [Unavailable("no route")]
    assert not flat()
    assert venue.net[11, ES] == 0


def test_nobody_prints_a_token() -> None:
    assert "secret" not in repr(Access(name="one", base_url="", token="secret", accounts={}))


def test_it_ends_when_somebody_else_sees_to_it(venue: Broker, said: list[str]) -> None:
    venue.net[11, ES] = 2
    venue.refuses = [Unavailable("no answer")] * 9
    answers = iter([True, True, False])
    access = Access(name="one", base_url="", token="", accounts={11: AccountId(1)})
    waited: list[float] = []
    left = flatten_all([access], say=said.append, pause=waited.append, looks=9, go_on=lambda: next(answers))
    assert left.standing
    assert waited == [3.0, 4.5]
    assert len(said) == 2
