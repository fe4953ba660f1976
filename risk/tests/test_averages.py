"""Positions of which only the broker's average is known, closed in part: what is open and what was made."""

from dataclasses import replace
from decimal import Decimal

import pytest

from risk.core import ledger as ledgers
from risk.core.ledger import Ledger, balanced, filled, money_of, opened, positioned
from risk.tests.statements import EMPTY, ES, ME, SECOND, after, cash, fill, mark, position
from tradehaven.domain.events import AccountSnapshot
from tradehaven.domain.ids import Nanos

MADE = Decimal("750.00")
"""Of two shorts at 20,000 and three at 19,970 three are bought back at 19,970: 60 ticks, oldest first."""


def short_of_five() -> Ledger:
    """Return the ledger of two shorts at 20,000 and three at 19,970, as a broker's average states them."""
    stated = AccountSnapshot(
        account=ME,
        orders=(),
        fills=(),
        positions=(position(-5, "4995.50"),),
        balance=cash("50000"),
    )
    ledger = opened(stated)
    assert ledger is not None
    return ledger


def bought_back() -> Ledger:
    return after(short_of_five(), fill(3, 19_970, at=10))


def at(ledger: Ledger, seconds: float) -> Ledger:
    """Return the ledger at a second at which fills and reports agree."""
    nets = {symbol: stake.position.net for symbol, stake in ledger.stakes.items()}
    return ledgers.settled(ledger, Nanos(int(seconds * SECOND)), nets)


def equity(ledger: Ledger) -> Decimal:
    money = money_of(ledger, {ES: mark(19_950, 19_950)}, Decimal(0))
    assert money is not None
    return money.equity


def test_what_is_left_is_what_the_broker_says_and_the_profit_with_it() -> None:
    ledger = positioned(
        balanced(bought_back(), cash("50750", "750", at=10.2)), position(-2, "4992.50", at=10.2)
    )
    calm = at(ledger, 12)
    assert (calm.cash, calm.realized) == (50_000 + MADE, Decimal(0))
    assert calm.stakes[ES].cost == -2 * 19_970
    assert calm.stakes[ES].result == MADE
    assert not calm.unsettled.positions
    assert equity(calm) == equity(ledger) == 50_000 + MADE + 2 * 20 * Decimal("12.50")


def test_the_cash_waits_until_it_is_known_what_is_left() -> None:
    ledger = balanced(bought_back(), cash("50750", "750", at=10.2))
    waits = at(ledger, 12)
    assert (waits.cash, waits.realized) == (Decimal(50_000), 36 * Decimal("12.50"))
    told = at(positioned(waits, position(-2, "4992.50", at=12)), 13)
    assert (told.cash, told.realized) == (50_000 + MADE, Decimal(0))
    assert not told.unsettled.cash
    assert equity(waits) == equity(told)


def test_a_split_that_comes_before_its_cash_moves_no_money() -> None:
    told = at(positioned(bought_back(), position(-2, "4992.50", at=10.2)), 12)
    assert (told.cash, told.realized) == (Decimal(50_000), MADE)
    assert equity(told) == equity(bought_back())
    _, result = filled(told, fill(2, 19_970, at=13))
    assert result == MADE


@pytest.mark.parametrize(("seconds", "cost"), [(8.9, -2 * 19_982), (9, -2 * 19_970)])
def test_a_word_from_before_the_fill_says_nothing_of_what_is_left(seconds: float, cost: int) -> None:
    ledger = at(positioned(bought_back(), position(-2, "4992.50", at=seconds)), 12)
    assert ledger.stakes[ES].cost == cost
    assert not ledger.unsettled.positions


def test_a_word_without_a_price_says_nothing_of_what_is_left() -> None:
    ledger = at(positioned(bought_back(), position(-2, None, at=10.2)), 12)
    assert ledger.stakes[ES].cost == -2 * 19_982
    assert ledger.stakes[ES].split_at


def test_the_average_that_protection_hangs_on_stays() -> None:
    ledger = at(positioned(bought_back(), position(-2, "4992.50", at=10.2)), 12)
    assert ledger.stakes[ES].position.average == 19_982
    assert sum(lot.qty * lot.price for lot in ledger.stakes[ES].position.lots) == 2 * 19_970


def test_what_is_left_of_an_average_can_be_split_again() -> None:
    once = at(positioned(bought_back(), position(-2, "4992.50", at=10.2)), 12)
    twice = after(once, fill(1, 19_960, at=20))
    assert (twice.stakes[ES].averaged, twice.stakes[ES].split_at) == (1, 20 * SECOND)
    told = at(positioned(twice, position(-1, "4991.25", at=20.1)), 22)
    assert (told.stakes[ES].cost, told.stakes[ES].split_at) == (-19_965, 0)


def test_once_the_average_is_closed_the_lots_are_our_own() -> None:
    ledger = after(short_of_five(), fill(-1, 19_960, at=10))
    assert positioned(ledger, position(-6, "4994.91", at=10)) is ledger  # nothing is split so far
    own = after(ledger, fill(5, 19_950, at=11))
    assert (own.stakes[ES].averaged, own.stakes[ES].split_at, own.stakes[ES].cost) == (0, 0, -19_960)
    assert positioned(own, position(-1, "4991.00", at=11)) is own


def test_a_split_is_remembered_while_more_is_opened() -> None:
    ledger = after(bought_back(), fill(-1, 19_960, at=11))
    assert (ledger.stakes[ES].averaged, ledger.stakes[ES].split_at) == (2, 10 * SECOND)


def test_a_flip_begins_with_lots_of_our_own() -> None:
    stake = after(short_of_five(), fill(7, 19_950, at=10)).stakes[ES]
    assert (stake.averaged, stake.split_at, stake.cost) == (0, 0, 2 * 19_950)


def test_what_a_bust_leaves_is_known_by_its_average_too() -> None:
    ledger = positioned(after(EMPTY, fill(-3, 19_970)), position(-5, "4995.50", at=5))
    assert ledger.stakes[ES].averaged == 0
    known = ledgers.settled(ledger, Nanos(7 * SECOND), {ES: -5})
    assert (known.stakes[ES].averaged, known.stakes[ES].cost) == (5, -5 * 19_982)


# -- an execution that is taken back right after it, the figures of both within one burst ------------


def taken_back(*order: int) -> Ledger:
    """Return the ledger of five shorts bought back for a profit, with what the broker said of cash then.

    The figure of the purchase and the one after it was taken back come in this order.
    """
    figures = (cash("50725", "750", at=10), cash("49987.50", "0", at=10.05))
    ledger = settled(after(EMPTY, fill(-5, 19_994, at=1), fill(5, 19_982, at=10)), 10.5, 0)
    for number in order:
        ledger = balanced(ledger, replace(figures[number], at=Nanos(10 * SECOND + 1)))
    return positioned(ledger, position(-5, "4998.50", at=10.05))


def settled(ledger: Ledger, seconds: float, net: int) -> Ledger:
    """Return the ledger at a second at which the fills and reports that count make so many contracts."""
    return ledgers.settled(ledger, Nanos(int(seconds * SECOND)), {ES: net})


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_cash_of_a_fill_that_was_taken_back_counts_as_long_as_the_fill_does(
    order: tuple[int, int],
) -> None:
    """Seeds 310484 and 310601: the figure that no fill bore out was forgotten, and was the right one."""
    counted = settled(taken_back(*order), 12, 0)
    assert (counted.cash, counted.stakes) == (Decimal(50_725), {})
    known = settled(counted, 17, -5)
    assert (known.cash, known.profit) == (Decimal("49987.50"), Decimal(0))
    assert known.stakes[ES].cost == -5 * 19_994
    assert known.flows == 0
    assert not known.unsettled.passed


def test_a_figure_that_came_later_counts_and_none_of_before() -> None:
    counted = settled(taken_back(0, 1), 12, 0)
    later = balanced(counted, cash("50725", "750", at=13))
    assert settled(later, 17, -5).cash == 50_725
    said = settled(balanced(counted, cash("50700", "750", at=16.5)), 17, -5)
    assert [one.cash for one in said.unsettled.cash] == [50_700]


def test_a_figure_that_another_one_came_after_does_not_come_back() -> None:
    """Seeds 618995 and 619148: what was said before the fill counted again when a position was restated."""
    ledger = after(EMPTY, fill(1, 19_982, at=9), fill(-1, 19_994, at=10))
    ledger = balanced(balanced(ledger, cash("49995", "0", at=9.98)), cash("50590", "600", at=10.05))
    known = settled(ledger, 12, 0)
    assert known.cash == 50_590
    restated = settled(positioned(known, position(1, "4998", at=13)), 15, 1)
    assert restated.stakes[ES].position.net == 1
    assert settled(restated, 18, 1).cash == 50_590


def test_a_word_on_a_position_that_the_fills_bear_out_moves_no_cash() -> None:
    counted = settled(taken_back(0, 1), 12, 0)
    flat = settled(positioned(counted, position(0, None, at=13)), 17, 0)
    assert flat.cash == 50_725
    assert not flat.stakes
    assert not flat.unsettled.positions
