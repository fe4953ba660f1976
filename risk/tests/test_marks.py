"""Believable prices: a wild print alone moves nothing."""

from hypothesis import given
from hypothesis import strategies as st

from risk.core.marks import JUMP_PARTS, LEAST_JUMP, Mark, marked
from tradehaven.domain.enums import Environment
from tradehaven.domain.events import PriceMoved
from tradehaven.domain.ids import Nanos, Symbol
from tradehaven.domain.money import Ticks


def quote(bid: int | None, ask: int | None, last: int | None = None, at: int = 0) -> PriceMoved:
    ticks = [Ticks(price) if price is not None else None for price in (bid, ask, last)]
    return PriceMoved(
        environment=Environment.PAPER,
        symbol=Symbol("ESZ6"),
        bid=ticks[0],
        ask=ticks[1],
        last=ticks[2],
        at=Nanos(at),
    )


def known(bid: int = 20_000, ask: int = 20_001) -> Mark:
    mark = marked(None, quote(bid, ask))
    assert mark is not None
    return mark


def test_the_first_quote_is_believed() -> None:
    assert (known().bid, known().ask, known().doubt) == (20_000, 20_001, None)


def test_a_missing_side_is_taken_from_the_last_trade_or_the_other_side() -> None:
    both = marked(None, quote(None, None, 77))
    assert both is not None
    assert (both.bid, both.ask) == (77, 77)
    one = marked(None, quote(None, 80, 79))
    assert one is not None
    assert (one.bid, one.ask) == (79, 80)
    other = marked(None, quote(81, None))
    assert other is not None
    assert (other.bid, other.ask) == (81, 81)


def test_each_missing_side_is_filled_from_the_trade_before_the_other_side() -> None:
    sold = marked(None, quote(81, None, 83))
    assert sold is not None
    assert (sold.bid, sold.ask) == (81, 83)
    bought = marked(None, quote(None, 80))
    assert bought is not None
    assert (bought.bid, bought.ask) == (80, 80)


def test_a_jump_is_one_part_in_a_hundred_or_twenty_ticks_whichever_is_more() -> None:
    assert (JUMP_PARTS, LEAST_JUMP) == (100, 20)
    for price, step in ((20_000, 200), (-3_700, 37), (1_000, 20)):
        for move in (step, -step, step + 1, -step - 1):
            mark = marked(known(price, price + 1), quote(price + move, price + move + 1, at=1))
            assert mark is not None
            assert (mark.doubt is None) is (abs(move) == step)


def test_a_quote_of_the_same_instant_is_the_newer_one() -> None:
    fresh = marked(marked(None, quote(100, 101, at=9)), quote(102, 103, at=9))
    assert fresh is not None
    assert fresh.bid == 102


def test_a_quote_without_any_price_says_nothing() -> None:
    assert marked(None, quote(None, None)) is None
    assert marked(known(), quote(None, None)) == known()


def test_a_wild_print_leaves_the_mark_and_a_second_one_beside_it_moves_it() -> None:
    mark = marked(known(), quote(16_000, 16_001, at=5))
    assert mark is not None
    assert (mark.bid, mark.doubt) == (20_000, 16_000)
    moved = marked(mark, quote(16_010, 16_011, at=6))
    assert moved is not None
    assert (moved.bid, moved.doubt) == (16_010, None)


def test_a_wild_print_that_nothing_follows_is_forgotten() -> None:
    doubted = marked(known(), quote(16_000, 16_001, at=5))
    back = marked(doubted, quote(20_002, 20_003, at=6))
    assert back is not None
    assert (back.bid, back.doubt) == (20_002, None)


def test_two_wild_prints_on_different_sides_prove_nothing() -> None:
    doubted = marked(known(), quote(16_000, 16_001, at=5))
    still = marked(doubted, quote(24_000, 24_001, at=6))
    assert still is not None
    assert (still.bid, still.doubt) == (20_000, 24_000)


def test_an_older_quote_changes_nothing() -> None:
    fresh = marked(None, quote(100, 101, at=9))
    assert marked(fresh, quote(110, 111, at=8)) is fresh


def test_exit_and_best_price_depend_on_the_side_that_is_held() -> None:
    mark = Mark(bid=Ticks(10), ask=Ticks(12), last=Ticks(13), at=Nanos(0))
    assert (mark.exit_of(1), mark.exit_of(-1)) == (10, 12)
    assert (mark.best_of(1), mark.best_of(-1)) == (13, 10)
    assert Mark(bid=Ticks(10), ask=Ticks(12), last=None, at=Nanos(0)).best_of(1) == 12


@given(st.integers(5_000, 50_000), st.integers(-3_000, 3_000))
def test_a_move_is_believed_at_once_exactly_when_it_is_small(price: int, move: int) -> None:
    mark = marked(known(price, price + 1), quote(price + move, price + move + 1, at=1))
    assert mark is not None
    assert (mark.doubt is None) is (abs(move) <= max(20, price // JUMP_PARTS))
    assert mark.bid == (price + move if mark.doubt is None else price)
