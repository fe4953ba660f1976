"""The book: examples of price-time priority, and properties that hold for any sequence of orders."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.paper.matching import Book, Depth, Level, Ticket
from brokers.paper.words import Action, OrderType, TimeInForce


def depth(bid: int, offer: int, *, size: int = 10, last: int | None = None) -> Depth:
    return Depth(
        bids=tuple(Level(price=bid - step, size=size) for step in range(3)),
        offers=tuple(Level(price=offer + step, size=size) for step in range(3)),
        last=offer if last is None else last,
    )


def book(bid: int = 99, offer: int = 101, **more: Any) -> Book:
    made = Book()
    made.refresh(depth(bid, offer, **more))
    return made


def ticket(number: int, **members: Any) -> Ticket:
    standard: dict[str, Any] = {
        "order_id": number,
        "account_id": number,
        "action": Action.BUY,
        "order_type": OrderType.MARKET,
        "qty": 1,
    }
    return Ticket(**{**standard, **members})


def limit(number: int, action: Action, price: int, **members: Any) -> Ticket:
    return ticket(number, action=action, order_type=OrderType.LIMIT, limit=price, **members)


def trades(found: list[Any]) -> list[tuple[int, int, int]]:
    return [(item.order_id, item.qty, item.price) for item in found]


def test_market_order_takes_the_best_levels_first() -> None:
    made = book(size=2)
    made.add(ticket(1, qty=5))
    assert trades(made.take(1)) == [(1, 2, 101), (1, 2, 102), (1, 1, 103)]
    assert [(level.price, level.size) for level in made.offers] == [(103, 1)]


def test_slippage_moves_market_orders_but_never_limits() -> None:
    made = book()
    made.add(ticket(1))
    made.add(limit(2, Action.BUY, 101))
    made.add(ticket(3, action=Action.SELL))
    assert trades(made.take(1, slippage=2)) == [(1, 1, 103)]
    assert trades(made.take(2, slippage=2)) == [(2, 1, 101)]
    assert trades(made.take(3, slippage=2)) == [(3, 1, 97)]


def test_resting_order_goes_before_outside_liquidity_at_its_price_and_before_a_worse_one() -> None:
    made = book()
    made.add(limit(1, Action.SELL, 101, qty=2))
    made.add(limit(2, Action.SELL, 100, qty=1))
    made.add(ticket(3, qty=5))
    assert trades(made.take(3)) == [(2, 1, 100), (3, 1, 100), (1, 2, 101), (3, 2, 101), (3, 2, 101)]


def test_resting_order_is_not_passed_by_slippage() -> None:
    made = book()
    made.add(limit(1, Action.SELL, 102))
    made.add(ticket(2, qty=2))
    assert trades(made.take(2, slippage=2)) == [(1, 1, 102), (2, 1, 102), (2, 1, 103)]


def test_equal_prices_go_by_time_and_a_change_of_price_costs_the_place() -> None:
    made = book()
    for number in (1, 2):
        made.add(limit(number, Action.SELL, 100))
    made.add(limit(1, Action.SELL, 99))
    made.add(limit(1, Action.SELL, 100))
    made.add(ticket(3))
    assert trades(made.take(3)) == [(2, 1, 100), (3, 1, 100)]


def test_smaller_quantity_keeps_the_place_and_a_larger_one_loses_it() -> None:
    made = book()
    for number in (1, 2):
        made.add(limit(number, Action.SELL, 100, qty=3))
    made.add(limit(1, Action.SELL, 100, qty=2))
    assert made.tickets[1].rank < made.tickets[2].rank
    made.add(limit(1, Action.SELL, 100, qty=4))
    assert made.tickets[1].rank > made.tickets[2].rank


def test_account_never_trades_with_itself() -> None:
    made = book()
    made.add(limit(1, Action.SELL, 100, account_id=7))
    made.add(ticket(2, account_id=7))
    assert trades(made.take(2)) == [(2, 1, 101)]


def test_resting_limit_fills_at_its_own_price_when_the_market_comes_to_it() -> None:
    made = book()
    made.add(limit(1, Action.BUY, 98, qty=4))
    assert made.sweep() == []
    made.refresh(depth(95, 97, size=1))
    assert trades(made.sweep()) == [(1, 1, 98), (1, 1, 98)]
    assert made.sweep() == []
    assert made.tickets[1].qty == 2


def test_better_priced_resting_order_is_swept_first() -> None:
    made = book()
    made.add(limit(1, Action.BUY, 97))
    made.add(limit(2, Action.BUY, 98))
    made.refresh(depth(95, 96, size=1))
    assert [made.sweep()[0].order_id for _ in range(2)] == [2, 1]


@pytest.mark.parametrize(
    ("action", "order_type", "quiet", "reached"),
    [
        (Action.BUY, OrderType.STOP, 104, 105),
        (Action.SELL, OrderType.STOP, 106, 105),
        (Action.BUY, OrderType.STOP_LIMIT, 104, 106),
        (Action.BUY, OrderType.MIT, 106, 105),
        (Action.SELL, OrderType.MIT, 104, 105),
    ],
)
def test_trigger_is_reached_from_the_right_side(
    action: Action, order_type: OrderType, quiet: int, reached: int
) -> None:
    made = book(last=quiet)
    made.add(ticket(1, action=action, order_type=order_type, stop=105, limit=105))
    assert made.trigger() == []
    assert made.take(1) == []
    made.refresh(depth(99, 101, last=reached))
    assert made.trigger() == [1]
    assert made.trigger() == []


def test_nothing_triggers_before_there_is_a_price() -> None:
    made = Book()
    made.add(ticket(1, order_type=OrderType.STOP, stop=1))
    assert made.trigger() == []


def test_capped_order_trades_only_its_part() -> None:
    made = book()
    made.add(ticket(1, qty=5, cap=2))
    assert trades(made.take(1)) == [(1, 2, 101)]
    assert made.take(1) == []
    assert made.resting_market() == []
    made.add(replace(made.tickets[1], cap=None))
    assert made.resting_market() == [1]
    made.remove(1)
    made.remove(1)
    assert made.tickets == {}


def test_fillable_counts_what_the_limit_allows() -> None:
    made = book(size=2)
    made.add(limit(1, Action.BUY, 102, qty=9, time_in_force=TimeInForce.FOK))
    assert made.fillable(1) == 4


ORDERS = st.lists(
    st.tuples(
        st.sampled_from(Action),
        st.sampled_from([OrderType.MARKET, OrderType.LIMIT]),
        st.integers(90, 110),
        st.integers(1, 12),
        st.integers(0, 3),
        st.integers(0, 2),
        st.tuples(st.integers(92, 106), st.integers(1, 3), st.integers(1, 9)),
    ),
    min_size=1,
    max_size=25,
)


@given(ORDERS)
def test_no_order_trades_through_its_limit_and_no_contract_is_lost(rows: list[Any]) -> None:
    made = Book()
    open_qty: dict[int, int] = {}
    limits: dict[int, tuple[int, int | None]] = {}
    for number, (action, order_type, price, qty, account, slip, (bid, spread, size)) in enumerate(rows):
        made.refresh(depth(bid, bid + spread, size=size))
        outside = sum(level.size for level in (*made.bids, *made.offers))
        open_qty[number] = qty
        own_limit = price if order_type is OrderType.LIMIT else None
        limits[number] = (action.sign, own_limit)
        made.add(
            Ticket(
                order_id=number,
                account_id=account,
                action=action,
                order_type=order_type,
                qty=qty,
                limit=own_limit,
            )
        )
        found = made.take(number, slip)
        while more := made.sweep():
            found += more
        for trade in found:
            sign, most = limits[trade.order_id]
            assert most is None or trade.price * sign <= most * sign
            open_qty[trade.order_id] -= trade.qty
        used = outside - sum(level.size for level in (*made.bids, *made.offers))
        signed = sum(limits[trade.order_id][0] * trade.qty for trade in found)
        assert abs(signed) <= used
        assert used >= 0
    for number, left in open_qty.items():
        assert left == (made.tickets[number].qty if number in made.tickets else 0)
    for one in made.tickets.values():
        for other in made.tickets.values():
            crossed = (
                one.action is Action.BUY
                and other.action is Action.SELL
                and one.limit is not None
                and other.limit is not None
                and one.limit >= other.limit
            )
            assert not crossed or one.account_id == other.account_id
