"""The daily time to be flat, by the engine's own clock: closed, said, and shut for entries."""

from datetime import datetime, time

import pytest

from risk.core.rules import Flat, Rules
from syncgroups.core import closing
from syncgroups.core.decision import Decision, RemarkKind
from syncgroups.core.keys import close_id
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, SECOND, gate_of
from syncgroups.tests.test_guardrails import MINE, OTHER, desk_with, entered, kinds, until
from tradehaven.domain.calendar import CHICAGO
from tradehaven.domain.commands import CancelOrder, ClosePosition, Command
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import Nanos, OrderId, Symbol

NQ, ZC = Symbol("NQZ6"), Symbol("ZCZ6")
DUE = datetime(2026, 11, 18, 15, 10, 1, tzinfo=CHICAGO)
AT_TEN_PAST = Rules(flat=Flat(at=time(15, 10)))


def due(desk: Desk, moment: datetime = DUE) -> Decision:
    """Look at the clock at a moment, without anything else that a second asks for."""
    return closing.due(desk.plan, desk.book, Nanos(int(moment.timestamp()) * SECOND))


def asked(decision: Decision) -> list[Command | None]:
    return [step.command for step in decision.steps]


def works(desk: Desk, symbol: Symbol) -> OrderId:
    """Let the follower rest an order of its own hand."""
    return desk.trade(Side.BUY, 1, OrderType.LIMIT, limit=1, account=MINE, symbol=symbol)


def test_at_its_time_an_account_is_flat_and_takes_no_entry_until_the_next_session() -> None:
    desk = desk_with(Rules(flat=Flat(at=time(15, 10))))
    entered(desk)
    until(desk, datetime(2026, 11, 18, 15, 9, 58, tzinfo=CHICAGO))
    desk.wait(1)
    desk.settle()
    assert desk.positions[MINE, ES] == 1
    desk.wait(2)
    desk.settle()
    assert (desk.positions[MINE, ES], desk.positions[OTHER, ES]) == (0, 1)
    assert kinds(desk).count(RemarkKind.FLAT_DUE) == 1
    desk.market(Side.BUY, 1)
    desk.settle()
    assert desk.positions[MINE, ES] == 0


def test_what_still_works_at_the_time_to_be_flat_is_taken_away() -> None:
    desk = desk_with(Rules(flat=Flat(at=time(15, 10))))
    desk.trade(Side.BUY, 1, order_type=OrderType.LIMIT, limit=19_000)
    desk.settle()
    until(desk, datetime(2026, 11, 18, 15, 10, 1, tzinfo=CHICAGO))
    desk.wait(1)
    desk.settle()
    assert not desk.book.working[MINE]
    assert desk.book.working[OTHER]


def test_what_is_held_over_the_end_of_its_session_is_said_once() -> None:
    desk = desk_with(Rules(flat=Flat(at=time(15, 10))))
    entered(desk)
    until(desk, datetime(2026, 11, 20, 18, 0, tzinfo=CHICAGO))  # Friday evening: the week is over
    for _ in range(3):
        desk.wait(1)
    assert kinds(desk).count(RemarkKind.LEFT_OPEN) == 1
    assert not desk.outbox


def test_closing_at_its_time_is_told_again_every_three_seconds_until_it_is_flat() -> None:
    desk = desk_with(Rules(flat=Flat(at=time(15, 10))))
    entered(desk)
    desk.market(Side.BUY, 1, account=MINE, symbol=Symbol("XXZ6"))
    desk.trade(Side.BUY, 1, order_type=OrderType.LIMIT, limit=1, account=MINE, symbol=Symbol("NQZ6"))
    until(desk, datetime(2026, 11, 18, 15, 10, 1, tzinfo=CHICAGO))
    told = []
    for _ in range(5):
        desk.wait(1)
        told.append(len(desk.outbox))
        desk.outbox.clear()
    assert told == [2, 0, 0, 2, 0]
    assert kinds(desk).count(RemarkKind.FLAT_DUE) == 2


def test_what_is_held_over_another_end_is_said_again() -> None:
    desk = desk_with(Rules(flat=Flat(at=time(15, 10))))
    for day in (20, 27):
        until(desk, datetime(2026, 11, day, 10, 0, tzinfo=CHICAGO))
        entered(desk)
        until(desk, datetime(2026, 11, day, 18, 0, tzinfo=CHICAGO))
        desk.wait(1)
        desk.market(Side.SELL, 1)
        desk.settle()
    assert kinds(desk).count(RemarkKind.LEFT_OPEN) == 2


def test_what_was_to_be_closed_and_never_was_is_said_again_once_the_market_has_ended() -> None:
    desk = desk_with(Rules(flat=Flat(at=time(15, 10))))
    entered(desk)
    until(desk, datetime(2026, 11, 20, 15, 10, 1, tzinfo=CHICAGO))
    desk.wait(1)
    desk.outbox.clear()  # no answer ever comes
    assert kinds(desk).count(RemarkKind.FLAT_DUE) == 1
    until(desk, datetime(2026, 11, 20, 16, 0, 1, tzinfo=CHICAGO))
    for _ in range(3):
        desk.wait(1)
    assert kinds(desk).count(RemarkKind.LEFT_OPEN) == 1


# -- what is due at one second -----------------------------------------------------------------------


def test_what_is_held_and_what_works_is_closed_contract_by_contract_and_said_with_its_size() -> None:
    desk = desk_with(AT_TEN_PAST)
    desk.market(Side.SELL, 2, account=MINE, symbol=NQ)
    order = works(desk, ES)
    desk.market(Side.BUY, 1, account=MINE, symbol=Symbol("RTYZ6"))
    found = due(desk)
    second = int(DUE.timestamp())
    assert asked(found) == [
        CancelOrder(account=MINE, client_order_id=close_id(MINE, f"o{order}", second), order_id=order),
        ClosePosition(account=MINE, client_order_id=close_id(MINE, NQ, second), symbol=NQ),
        ClosePosition(account=MINE, client_order_id=close_id(MINE, "RTYZ6", second), symbol=Symbol("RTYZ6")),
    ]
    assert [remark.detail for remark in found.remarks] == [
        "time to be flat: orders work, closing",
        "time to be flat: -2 held, closing",
        "time to be flat: +1 held, closing",
    ]


def test_orders_are_taken_away_in_the_order_of_their_numbers_and_only_in_the_market_that_is_due() -> None:
    desk = desk_with(Rules(flat=Flat(at=None, lead=5)))
    desk.last_id = 606
    corn = [works(desk, ZC), works(desk, ZC)]
    works(desk, ES)
    found = due(desk, datetime(2026, 11, 18, 13, 15, 1, tzinfo=CHICAGO))
    cancels = [command for command in asked(found) if isinstance(command, CancelOrder)]
    assert [command.order_id for command in cancels] == corn == [607, 608]
    assert [remark.symbol for remark in found.remarks] == [ZC]


def test_who_is_flat_by_then_is_told_nothing() -> None:
    desk = desk_with(AT_TEN_PAST)
    desk.market(Side.BUY, 1, account=MINE)
    desk.market(Side.SELL, 1, account=MINE)
    assert due(desk) == Decision()


def test_an_account_out_of_sight_is_closed_once_it_is_seen_again() -> None:
    desk = desk_with(AT_TEN_PAST)
    desk.market(Side.BUY, 1, account=MINE)
    desk.lose(MINE)
    assert not due(desk)
    desk.connect(MINE)
    assert asked(due(desk))


def test_what_a_switch_is_closing_already_is_not_closed_twice() -> None:
    desk = desk_with(AT_TEN_PAST)
    desk.market(Side.BUY, 1, account=MINE)
    desk.shut(gate_of(MINE), flatten=True)
    assert not due(desk)


@pytest.mark.parametrize(
    ("since", "closes", "said"),
    [
        (3 * SECOND - 1, False, False),
        (3 * SECOND, True, False),
        (3600 * SECOND, True, False),
        (3600 * SECOND + 1, True, True),
    ],
)
def test_a_close_is_told_again_after_three_seconds_and_said_again_after_an_hour(
    since: int, closes: bool, said: bool
) -> None:
    desk = desk_with(AT_TEN_PAST)
    desk.market(Side.BUY, 1, account=MINE)
    desk.book.risk.guard_closes[MINE, ES] = Nanos(int(DUE.timestamp()) * SECOND - since)
    found = due(desk)
    assert (bool(found.steps), bool(found.remarks)) == (closes, said)


def test_a_pause_of_the_market_is_waited_for() -> None:
    """Corn pauses from 7:45 to 8:30: what was to be flat at 8:00 was due before, and can be closed after."""
    desk = desk_with(Rules(flat=Flat(at=time(8, 0))))
    desk.market(Side.BUY, 1, account=MINE, symbol=ZC)
    assert not due(desk, datetime(2026, 11, 18, 7, 39, 59, tzinfo=CHICAGO))
    assert due(desk, datetime(2026, 11, 18, 7, 40, 0, tzinfo=CHICAGO))
    assert not due(desk, datetime(2026, 11, 18, 8, 10, 0, tzinfo=CHICAGO))
    assert due(desk, datetime(2026, 11, 18, 8, 30, 0, tzinfo=CHICAGO))


def test_an_order_that_rests_over_a_weekend_leaves_nothing_open() -> None:
    desk = desk_with(AT_TEN_PAST)
    works(desk, ES)
    friday = datetime(2026, 11, 20, 18, 0, tzinfo=CHICAGO)
    assert not due(desk, friday)
    desk.market(Side.BUY, 1, account=MINE)
    (said,) = due(desk, friday).remarks
    assert said.detail == "the market has closed and +1 are still held: look at the account"
