"""The daily time to be flat, by the engine's own clock: closed, said, and shut for entries."""

from datetime import datetime, time

from risk.core.rules import Flat, Rules
from syncgroups.core.decision import RemarkKind
from syncgroups.tests.plans import ES
from syncgroups.tests.test_guardrails import MINE, OTHER, desk_with, entered, kinds, until
from tradehaven.domain.calendar import CHICAGO
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import Symbol


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
