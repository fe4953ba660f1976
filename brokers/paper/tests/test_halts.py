"""Halts, price limits, protection of market orders, and pairs of which both orders trade."""

from time import monotonic, sleep

from brokers.paper.matching import Book, Depth, Level, Ticket
from brokers.paper.testing import RunningExchange
from brokers.paper.tests.client import Client
from brokers.paper.words import Action, OrderType


def _market(*sizes: int, last: int = 100) -> Depth:
    offers = tuple(Level(price=last + 1 + step, size=size) for step, size in enumerate(sizes))
    bids = tuple(Level(price=last - step, size=size) for step, size in enumerate(sizes))
    return Depth(bids=bids, offers=offers, last=last)


def _ticket(qty: int, action: Action = Action.BUY) -> Ticket:
    return Ticket(order_id=1, account_id=1, action=action, order_type=OrderType.MARKET, qty=qty)


def _guard(book: Book) -> int | None:
    return book.tickets[1].guard


def test_protected_market_order_rests_where_its_protection_ends() -> None:
    book = Book()
    book.refresh(_market(2, 2, 2, 2))
    book.add(_ticket(8))
    book.protect(1, 1)
    assert [(done.price, done.qty) for done in book.take(1)] == [(101, 2), (102, 2)]
    assert book.resting_market() == []
    assert book.sweep() == []
    book.refresh(_market(9, last=101))
    assert [(done.price, done.qty) for done in book.sweep()] == [(102, 4)]


def test_protection_stays_where_it_was_and_can_be_switched_off() -> None:
    book = Book()
    book.refresh(_market(1))
    book.add(_ticket(3))
    book.protect(1, 0)
    assert _guard(book) is None
    book.protect(1, 2)
    book.refresh(_market(1, last=150))
    book.protect(1, 2)
    assert _guard(book) == 103
    book.add(_ticket(2))  # a smaller quantity keeps its place, and its protection
    assert _guard(book) == 103


def test_protected_order_is_met_by_others_like_a_limit() -> None:
    book = Book()
    book.refresh(Depth(bids=(), offers=(), last=100))
    book.add(_ticket(1))
    book.protect(1, 3)
    seller = Ticket(order_id=2, account_id=2, action=Action.SELL, order_type=OrderType.LIMIT, qty=1, limit=99)
    book.add(seller)
    assert [(done.order_id, done.price) for done in book.take(2)] == [(1, 103), (2, 103)]


def test_market_order_of_a_client_stops_at_its_protection(alice: Client, exchange: RunningExchange) -> None:
    exchange.set_price("MESZ6", "5050.00", size=1)
    number = alice.place(orderQty=20)["orderId"]
    assert alice.order(number)["ordStatus"] == "Working"
    exchange.set_price("MESZ6", "5075.25")
    assert alice.order(number)["ordStatus"] == "Working"
    exchange.set_price("MESZ6", "5075.00")
    assert alice.order(number)["ordStatus"] == "Filled"


def test_halt_takes_orders_and_trades_none(alice: Client, exchange: RunningExchange) -> None:
    alice.place()
    stop = alice.place(action="Sell", orderType="Stop", stopPrice=5045)["orderId"]
    assert alice.operator("halt", symbol="MESZ6").json() == {"halted": True}
    entry = alice.place()["orderId"]
    limit = alice.place(orderType="Limit", price=5060)["orderId"]
    gone = alice.place(orderType="Limit", price=5060)["orderId"]
    at_once = alice.place(timeInForce="FOK")["orderId"]
    exchange.set_price("MESZ6", "5040.00")
    for number in (stop, entry, limit):
        assert alice.order(number)["ordStatus"] == "Working"
    assert alice.order(at_once)["ordStatus"] == "Canceled"
    alice.post("order/cancelorder", {"orderId": gone})
    assert alice.order(gone)["ordStatus"] == "Canceled"
    assert alice.operator("halt", symbol="MESZ6", on=False).json() == {"halted": False}
    assert {alice.order(number)["ordStatus"] for number in (stop, entry, limit)} == {"Filled"}
    assert alice.operator("halt", symbol="NOPE").status_code == 400


def test_nothing_trades_beyond_the_price_limits(alice: Client, exchange: RunningExchange) -> None:
    answer = alice.operator("band", symbol="MESZ6", low=5040, high=5060)
    assert answer.json() == {"low": 5040, "high": 5060}
    for price in (5039.75, 5060.25):
        refused = alice.place(orderType="Limit", price=price)
        assert (refused["failureReason"], refused["failureText"]) == (
            "InvalidPrice",
            "price is outside the day's price limits",
        )
    exchange.set_price("MESZ6", "5070.00")
    number = alice.place()["orderId"]
    assert alice.order(number)["ordStatus"] == "Working"
    alice.operator("band", symbol="MESZ6")
    exchange.set_price("MESZ6", "5070.00")
    assert alice.order(number)["ordStatus"] == "Filled"


def test_race_lets_both_orders_of_a_pair_trade(alice: Client, exchange: RunningExchange) -> None:
    alice.operator("race", account="A-1", milliseconds=60_000)
    alice.place()
    other = {"action": "Sell", "orderType": "Stop", "stopPrice": 5040}
    pair = alice.post(
        "order/placeoco",
        {
            "accountId": alice.accounts["A-1"],
            "action": "Sell",
            "symbol": "MESZ6",
            "orderQty": 1,
            "orderType": "Limit",
            "price": 5060,
            "other": other,
        },
    )
    exchange.set_price("MESZ6", "5060.00")
    assert alice.order(pair["ocoId"])["ordStatus"] == "Working"
    exchange.set_price("MESZ6", "5040.00")
    assert alice.order(pair["ocoId"])["ordStatus"] == "Filled"
    assert alice.position()["netPos"] == -1


def test_race_ends_with_a_cancel_where_the_market_does_not_come(
    alice: Client, exchange: RunningExchange
) -> None:
    alice.operator("race", account="A-1", milliseconds=150)
    other = {"action": "Sell", "orderType": "Stop", "stopPrice": 5040}
    body = {"accountId": alice.accounts["A-1"], "action": "Sell", "symbol": "MESZ6", "orderQty": 1}
    pair = alice.post("order/placeoco", {**body, "orderType": "Limit", "price": 5060, "other": other})
    exchange.set_price("MESZ6", "5060.00")
    end = monotonic() + 5
    while alice.order(pair["ocoId"])["ordStatus"] != "Canceled":
        assert monotonic() < end
        sleep(0.02)


def test_resting_order_whose_part_has_traded_is_passed_by() -> None:
    book = Book()
    book.refresh(_market(1))
    resting = Ticket(
        order_id=2, account_id=2, action=Action.SELL, order_type=OrderType.LIMIT, qty=1, limit=100, cap=0
    )
    book.add(resting)
    book.add(_ticket(1))
    assert [done.price for done in book.take(1)] == [101]
