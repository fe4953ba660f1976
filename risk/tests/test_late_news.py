"""Money when fills, cash and positions come seconds apart, or not at all: counted once."""

from collections import deque
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.core.ledger import Ledger, balanced, filled, money_of, positioned, settled
from risk.tests.statements import EMPTY, ES, SECOND, after, cash, fill, mark, position
from tradehaven.domain.events import BalanceReported, OrderFilled, PositionReported
from tradehaven.domain.ids import Nanos

FEE = Decimal("2.50")
VALUE = Decimal("12.50")


def at(ledger: Ledger, seconds: float, net: int) -> Ledger:
    """Return the ledger at a second at which so many contracts count as held."""
    return settled(ledger, Nanos(int(seconds * SECOND)), {ES: net})


def late(one: OrderFilled, seconds: float) -> OrderFilled:
    """Return a fill that is told only so many seconds after it traded."""
    return replace(one, at=Nanos(one.at + int(seconds * SECOND)))


def long_of_five() -> Ledger:
    """Return the ledger of five longs at 20,000, of which cash and position have told."""
    held = balanced(after(EMPTY, fill(5, 20_000, at=1)), cash("49987.50", at=1))
    return at(held, 3, 5)


# -- a fill that its cash has overtaken --------------------------------------------------------------


def overtaken() -> Ledger:
    """Return the ledger of whom cash has told that it left 33 ticks lower, while no fill has."""
    return at(balanced(long_of_five(), cash("47912.50", "-2062.50", at=10.2)), 12, 5)


def test_a_fill_that_was_traded_before_the_cash_in_force_is_in_there() -> None:
    """Seed 1701158: what it lost was counted once more, with its fees."""
    known = overtaken()
    assert (known.cash, known.ahead) == (Decimal("47912.50"), Decimal("-2062.50"))
    told, result = filled(known, late(fill(-5, 19_967, at=10), 3))
    assert result == Decimal("-2062.50")
    assert told.balance(FEE) == Decimal("47912.50")
    assert (told.ahead, told.realized) == (Decimal(0), Decimal(0))
    assert (told.unbilled, told.stakes) == (0, {})


def test_what_was_traded_after_that_cash_counts() -> None:
    told = after(overtaken(), fill(-5, 19_967, at=10.3))
    assert told.realized == Decimal("-2062.50")
    assert told.unbilled == 5


@pytest.mark.parametrize("moment", [10.2, 10.1])
def test_each_of_several_late_fills_is_in_there(moment: float) -> None:
    told = after(
        overtaken(),
        late(fill(-2, 19_960, at=10.1), 2),
        late(fill(-3, 19_972, at=moment), 2),
    )
    assert 2 * 40 + 3 * 28 == 164  # of the 165 ticks that cash has told of
    assert told.ahead == Decimal("-12.50")
    assert told.balance(FEE) == Decimal("47912.50")


def test_once_all_of_it_is_told_the_next_fill_counts_however_late_it_is() -> None:
    told = after(overtaken(), late(fill(-5, 19_967, at=10), 3), late(fill(1, 19_990, at=10.1), 3))
    assert told.unbilled == 1


def test_what_is_ahead_is_summed_over_figures_and_told_by_the_last_that_was() -> None:
    more = at(balanced(overtaken(), cash("47312.50", "-2662.50", at=13)), 15, 5)
    assert (more.ahead, more.ahead_at) == (Decimal("-2662.50"), 13 * SECOND)
    same = at(balanced(more, cash("47310.00", "-2662.50", at=16)), 18, 5)
    assert (same.ahead, same.ahead_at) == (Decimal("-2662.50"), 13 * SECOND)


# -- cash whose fills are on their way ---------------------------------------------------------------


def test_cash_waits_while_the_broker_has_another_word_on_what_is_held() -> None:
    """Both the loss in it and the open one of what was left would count."""
    known = positioned(
        balanced(long_of_five(), cash("47912.50", "-2062.50", at=10.2)), position(0, None, at=10.2)
    )
    waits = at(known, 20, 5)
    assert (waits.cash, waits.unsettled.cash) == (Decimal("49987.50"), known.unsettled.cash)
    told = at(after(waits, late(fill(-5, 19_967, at=10), 10.5)), 22, 0)
    assert (told.cash, told.realized, told.ahead) == (Decimal("47912.50"), Decimal(0), Decimal(0))
    assert not told.unbilled


@pytest.mark.parametrize(("moment", "waits"), [(25.199, True), (25.2, False)])
def test_cash_waits_for_an_old_word_on_a_position_no_longer_than_lists_take(
    moment: float, waits: bool
) -> None:
    """Seed 2208054: of two words the older one came last, and nothing took it back."""
    known = positioned(
        balanced(long_of_five(), cash("47912.50", "-2062.50", at=10.2)), position(0, None, at=10.2)
    )
    assert (at(known, moment, 5).cash == Decimal("49987.50")) is waits


def test_cash_waits_for_a_position_that_nobody_knows_of() -> None:
    known = positioned(balanced(EMPTY, cash("50300", "300", at=5)), position(2, "25.00", at=5))
    assert at(known, 9, 0).cash == 50_000
    assert at(known, 9, 2).cash == 50_300


@pytest.mark.parametrize(("moment", "known"), [(9.999, Decimal(50_000)), (10, Decimal(50_300))])
def test_cash_that_came_before_a_fill_and_has_not_got_it_is_an_older_one(
    moment: float, known: Decimal
) -> None:
    """Seeds 1901057 and 1902665: the newer one was lost, and the old one took the fill back."""
    ledger = balanced(after(EMPTY, fill(1, 100, at=5)), cash("50300", "300", at=moment))
    calm = at(after(ledger, fill(-1, 104, at=10)), 12, 0)
    assert calm.cash == known
    assert calm.balance(Decimal(0)) == (known if moment == 10 else 50_050)


@pytest.mark.parametrize(("moment", "cash_of"), [(9, "47912.50"), (8.999, "49987.50")])
def test_cash_right_before_a_fill_counts_once_positions_say_that_the_fills_are_not_all(
    moment: float, cash_of: str
) -> None:
    """Seed 2106652: executions had been taken back, and the last figure came a moment before its fill."""
    ledger = balanced(long_of_five(), cash("47912.50", "-2062.50", at=moment))
    ledger = positioned(after(ledger, fill(-4, 19_967, at=10)), position(0, None, at=10))
    waits = at(ledger, 12, 1)
    assert waits.cash == Decimal("49987.50")
    known = at(waits, 20, 0)
    assert (known.cash, known.stakes) == (Decimal(cash_of), {})


# -- lots that are not those that were known ---------------------------------------------------------


def restated(*, filled_at: float = 1, price: str | None = "4998.00") -> Ledger:
    """Return the ledger of one long at 19,985 of which the broker said nought for a while, then one again."""
    lost = replace(EMPTY, cash=Decimal(49_945), profit=Decimal(-50))
    held = after(lost, fill(1, 19_985, at=filled_at))
    return positioned(positioned(held, position(0, None, at=10)), position(1, price, at=11.1))


def test_what_is_held_again_without_a_fill_is_held_at_the_brokers_price() -> None:
    """Seed 1956986: an entry was taken back, and then the exit before it."""
    ledger = balanced(restated(), cash("49997.50", at=11.05))
    assert at(ledger, 12.06, 1).cash == 49_945, "it waits for what is left"
    calm = at(ledger, 12.2, 1)
    assert (calm.stakes[ES].cost, calm.stakes[ES].averaged) == (19_992, 1)
    assert (calm.cash, calm.realized, calm.unbilled) == (Decimal("49997.50"), Decimal(0), 0)


def test_while_the_profit_is_what_it_was_the_lots_are_those_that_were_known() -> None:
    calm = at(balanced(restated(), cash("49942.50", "-50", at=11.1)), 12.2, 1)
    assert (calm.cash, calm.stakes[ES].cost) == (Decimal("49942.50"), 19_985)


def test_lots_that_something_was_filled_into_are_known_again() -> None:
    ledger = after(at(restated(), 12.2, 1), fill(1, 19_980, at=13))
    calm = at(balanced(ledger, cash("49997.50", at=13.1)), 15, 2)
    assert calm.stakes[ES].cost == 19_985 + 19_980


def test_what_a_trade_has_made_stays_with_lots_that_are_told_anew() -> None:
    ledger = after(EMPTY, fill(2, 19_985, at=1), fill(-1, 19_989, at=1))
    ledger = positioned(positioned(ledger, position(0, None, at=10)), position(1, "4998.00", at=11))
    calm = at(balanced(ledger, cash("49997.50", "0", at=11)), 13, 1)
    assert (calm.stakes[ES].cost, calm.stakes[ES].result) == (19_992, Decimal(50))


@pytest.mark.parametrize(("filled_at", "cost"), [(9, 19_992), (9.001, 19_985)])
def test_a_fill_of_that_second_has_made_it_so(filled_at: float, cost: int) -> None:
    ledger = balanced(restated(filled_at=filled_at), cash("49997.50", at=11.1))
    assert at(ledger, 13, 1).stakes[ES].cost == cost


def test_a_word_without_a_price_leaves_the_lots_as_they_are() -> None:
    ledger = balanced(restated(price=None), cash("49997.50", at=11.1))
    calm = at(ledger, 13, 1)
    assert (calm.stakes[ES].cost, calm.stakes[ES].split_at) == (19_985, 0)
    assert calm.cash == Decimal("49997.50")


@pytest.mark.parametrize("price", [None, "25.00"])
def test_a_position_that_is_none_again_has_no_lots(price: str | None) -> None:
    ledger = positioned(positioned(EMPTY, position(1, "25.00", at=5)), position(0, price, at=6))
    assert not at(ledger, 8, 0).stakes


def test_a_word_that_waited_for_a_split_says_nothing_of_lots_that_were_filled_since() -> None:
    split = after(at(positioned(EMPTY, position(3, "25.00", at=1)), 3, 3), fill(-1, 104, at=5))
    waits = positioned(split, position(2, "25.50", at=5.1))
    assert not waits.unsettled.doubted, "it is what is known here"
    own = after(waits, fill(-2, 104, at=5.2), fill(2, 110, at=5.3))
    assert at(own, 8, 2).stakes[ES].cost == 2 * 110


# -- whatever comes first ----------------------------------------------------------------------------


def trades_of(
    pause: tuple[int, int], lateness: int
) -> st.SearchStrategy[list[tuple[int, int, int, int, bool]]]:
    """Return trades: contracts, ticks, milliseconds before it and until it is told, whether its cash is."""
    return st.lists(
        st.tuples(
            st.integers(-3, 3).filter(bool),
            st.integers(19_990, 20_010),
            st.integers(*pause),
            st.integers(0, lateness),
            st.booleans(),
        ),
        min_size=1,
        max_size=8,
    )


@given(trades_of((10, 4000), 900) | trades_of((4000, 9000), 3000))
@settings(max_examples=500, deadline=None)
def test_however_late_fills_are_and_whatever_cash_is_lost_the_money_is_right_in_the_end(
    trades: list[tuple[int, int, int, int, bool]],
) -> None:
    """Fills come one after the other as they were made. Fees are left out here."""
    told, worth = _told(trades)
    ledger, net, last = EMPTY, 0, max(moment for moment, _ in told)
    seconds = range(0, last + 12_000, 1000)
    for moment, event in sorted([*told, *((second, None) for second in seconds)], key=lambda one: one[0]):
        if event is None:
            ledger = settled(ledger, Nanos(moment * 1_000_000), {ES: net})
        elif isinstance(event, OrderFilled):
            net += event.side.sign * event.qty
            ledger, _ = filled(ledger, event)
        elif isinstance(event, PositionReported):
            ledger = positioned(ledger, event)
        else:
            ledger = balanced(ledger, event)
    money = money_of(ledger, {ES: mark(20_000, 20_000)}, Decimal(0))
    assert money is not None
    assert money.equity == worth


def _told(
    trades: list[tuple[int, int, int, int, bool]],
) -> tuple[list[tuple[int, OrderFilled | PositionReported | BalanceReported]], Decimal]:
    """Return all that a broker tells of some trades, by milliseconds, and what they are worth at 20,000."""
    lots: deque[tuple[int, int]] = deque()
    told: list[tuple[int, OrderFilled | PositionReported | BalanceReported]] = []
    now, made, last = 0, 0, 0
    for qty, price, pause, lateness, said in trades:
        now += pause
        seconds = now / 1000
        made += _taken(lots, qty, price)
        last = max(last, now + lateness)
        told.append((last, late(fill(qty, price, at=seconds), (last - now) / 1000)))
        net = sum(sign for sign, _ in lots)
        points = Decimal(sum(paid * sign for sign, paid in lots)) / net / 4 if net else None
        told.append((now, replace(position(net, "0", at=seconds), price=points)))
        if said:
            dollars = VALUE * made
            told.append((now, cash(str(50_000 + dollars), str(dollars), at=seconds)))
    open_ticks = sum((20_000 - price) * sign for sign, price in lots)
    return told, 50_000 + VALUE * (made + open_ticks)


def _taken(lots: deque[tuple[int, int]], qty: int, price: int) -> int:
    """Take a trade into lots of one contract each, first in, first out; return the ticks that it made."""
    sign, made = (1 if qty > 0 else -1), 0
    for _ in range(abs(qty)):
        if lots and lots[0][0] != sign:
            made += (price - lots.popleft()[1]) * -sign
        else:
            lots.append((sign, price))
    return made
