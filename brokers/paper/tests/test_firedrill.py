"""The switches of a fire drill and the view of the venue, as the owner's page asks for them."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
import websocket
from django.conf import settings
from django.test import override_settings

from brokers.paper import remote
from brokers.paper.faults import Drill
from brokers.paper.testing import OPERATOR_TOKEN, RunningExchange
from brokers.paper.tests.client import Client
from tradehaven.domain.errors import Unavailable


@pytest.fixture
def site(exchange: RunningExchange) -> Iterator[None]:
    """The settings of a site whose paper exchange is this one."""
    place = settings.BROKERS["paper"] | {"rest_url": exchange.base_url, "client_id": "tradehaven"}
    brokers = settings.BROKERS | {"paper": place}
    with override_settings(BROKERS=brokers, PAPER_OPERATOR_TOKEN=OPERATOR_TOKEN):
        yield


def login_of(client: Client) -> remote.LoginThere:
    (found,) = remote.venue([client.user_id]).logins
    return found


def test_venue_shows_markets_book_and_the_logins_that_were_asked_for(
    site: None, alice: Client, bob: Client, exchange: RunningExchange
) -> None:
    exchange.set_price("MESZ6", "5050.25", spread=2, size=7)
    alice.place(orderQty=2)
    alice.place(orderType="Limit", price=5000)
    found = remote.venue([alice.user_id], "MESZ6")
    (market,) = found.markets
    assert (market.symbol, market.bid, market.offer) == ("MESZ6", Decimal("5050.25"), Decimal("5050.75"))
    assert found.paused is True
    assert found.book.bids[0] == remote.Level(price=Decimal("5050.25"), size=7)
    assert len(found.book.offers) == 5
    (login,) = found.logins
    assert (login.name, login.offline, login.penalty) == ("alice", False, False)
    one, two = login.accounts
    assert (one.name, one.positions, one.working) == ("A-1", (("MESZ6", 2),), 1)
    assert one.cash == Decimal(49_995)
    assert (two.positions, two.working, two.reject, two.partial) == ((), 0, False, False)


def test_unknown_logins_and_contracts_are_left_out(site: None, alice: Client) -> None:
    found = remote.venue([1, alice.user_id], "NOPE")
    assert [login.name for login in found.logins] == ["alice"]
    assert (found.book.bids, found.book.offers) == ((), ())


def test_login_switched_off_loses_its_sockets_again_and_again_until_switched_on(
    site: None, alice: Client
) -> None:
    first = alice.socket()
    remote.switch(Drill.OFFLINE, alice.user_id, on=True)
    with pytest.raises((websocket.WebSocketException, ConnectionError)):
        first.frame()
    with pytest.raises((websocket.WebSocketException, ConnectionError)):
        alice.socket()
    assert login_of(alice).offline is True
    remote.switch(Drill.OFFLINE, alice.user_id, on=False)
    assert len(alice.socket(sync=False).ask("account/list", 3)) == 2
    assert (login_of(alice).offline, login_of(alice).sockets) == (False, 1)


def test_penalty_waits_for_the_next_order_only_and_can_be_called_off(site: None, alice: Client) -> None:
    for _ in range(2):
        remote.switch(Drill.PENALTY, alice.user_id, on=True)
    assert login_of(alice).penalty is True
    alice.get("order/list")
    assert alice.place()["p-time"] == 5
    assert "orderId" in alice.place()
    assert login_of(alice).penalty is False
    remote.switch(Drill.PENALTY, alice.user_id, on=True)
    remote.switch(Drill.PENALTY, alice.user_id, on=False)
    assert "orderId" in alice.place()


def test_rejection_meets_one_order_of_one_account(site: None, alice: Client) -> None:
    account = alice.accounts["A-1"]
    for _ in range(2):
        remote.switch(Drill.REJECT, account, on=True)
    assert [item.reject for item in login_of(alice).accounts] == [True, False]
    statuses = [alice.order(alice.place(name)["orderId"])["ordStatus"] for name in ("A-2", "A-1", "A-1")]
    assert statuses == ["Filled", "Rejected", "Filled"]
    remote.switch(Drill.REJECT, account, on=True)
    remote.switch(Drill.REJECT, account, on=False)
    assert alice.order(alice.place()["orderId"])["ordStatus"] == "Filled"


def test_partial_trades_one_of_five_and_the_rest_waits(site: None, alice: Client) -> None:
    account = alice.accounts["A-1"]
    remote.switch(Drill.PARTIAL, account, on=True)
    assert login_of(alice).accounts[0].partial is True
    number = alice.place(orderQty=5)["orderId"]
    assert [fill["qty"] for fill in alice.get("fill/deps", masterid=number)] == [1]
    assert alice.order(number)["ordStatus"] == "Working"
    remote.switch(Drill.PARTIAL, account, on=True)
    remote.switch(Drill.PARTIAL, account, on=False)
    whole = alice.place(orderQty=5)["orderId"]
    assert [fill["qty"] for fill in alice.get("fill/deps", masterid=whole)] == [5]


@pytest.mark.parametrize(
    "members",
    [{"kind": "plague", "userId": 1}, {"userId": 1}, {"kind": "offline", "userId": 1}, {"kind": "reject"}],
)
def test_impossible_switches_are_told(alice: Client, members: dict[str, object]) -> None:
    assert alice.operator("switch", on=True, **members).status_code == 400


def test_exchange_that_is_away_or_refuses_is_unavailable(site: None) -> None:
    with pytest.raises(Unavailable):
        remote.switch(Drill.OFFLINE, 1, on=True)
    with override_settings(PAPER_OPERATOR_TOKEN="wrong"), pytest.raises(Unavailable):
        remote.venue([])
    gone = settings.BROKERS | {"paper": settings.BROKERS["paper"] | {"rest_url": "http://127.0.0.1:9/v1"}}
    with override_settings(BROKERS=gone), pytest.raises(Unavailable):
        remote.venue([])


def test_without_a_token_or_a_client_there_is_nothing_to_operate(site: None) -> None:
    assert remote.configured()
    with override_settings(PAPER_OPERATOR_TOKEN=""):
        assert not remote.configured()
    none = settings.BROKERS | {"paper": settings.BROKERS["paper"] | {"client_id": ""}}
    with override_settings(BROKERS=none):
        assert not remote.configured()
