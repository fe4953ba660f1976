"""The broker's own limits at work: entries it would not take are not sent, and its floor is ours."""

from dataclasses import replace
from decimal import Decimal

from risk.core import desk as risk_desk
from risk.core.rules import NO_RULES, Drawdown, Rules, Trail
from syncgroups.core.decision import CopyRefused
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES
from syncgroups.tests.test_guarded import MINE, OTHER, desk_with, reasons
from syncgroups.tests.test_guardrails import price
from tradehaven.domain.enums import RefusalReason, Side, TradingState
from tradehaven.domain.events import LimitsReported
from tradehaven.domain.ids import Nanos

RULE = Drawdown(trail=Trail.INTRADAY, amount=Decimal(2000), start=Decimal(48_000), lock=Decimal(52_000))
SAID = LimitsReported(account=MINE, at=Nanos(0))


def refusals(desk: Desk) -> list[CopyRefused]:
    return [one for decision in desk.decisions for one in decision.refusals]


def test_an_account_that_may_only_close_takes_no_entry_and_every_exit() -> None:
    desk = desk_with(NO_RULES)
    desk.market(Side.BUY, 2)
    desk.settle()
    desk.step(replace(SAID, state=TradingState.REDUCING, because="LiquidateOnlyModeImmediately"))
    desk.market(Side.BUY, 1)
    desk.settle()
    assert reasons(desk) == [RefusalReason.BROKER_LOCK]
    assert (desk.positions[MINE, ES], desk.positions[OTHER, ES]) == (2, 3)
    desk.market(Side.SELL, 3)
    desk.settle()
    assert (desk.positions[MINE, ES], desk.positions[OTHER, ES]) == (0, 0)
    desk.step(replace(SAID, at=Nanos(9)))
    desk.market(Side.BUY, 1)
    desk.settle()
    assert desk.positions[MINE, ES] == 1


def test_the_word_of_one_account_touches_no_other() -> None:
    desk = desk_with(NO_RULES)
    desk.step(replace(SAID, state=TradingState.HALTED, because="LockTradingImmediately"))
    desk.market(Side.BUY, 1)
    desk.settle()
    assert [(one.follower, one.reason) for one in refusals(desk)] == [(MINE, RefusalReason.BROKER_LOCK)]
    assert desk.positions[OTHER, ES] == 1


def test_an_uncertain_floor_is_certain_once_the_broker_has_said_its_mark() -> None:
    desk = desk_with(Rules(drawdown=RULE))
    desk.market(Side.BUY, 1)
    desk.settle()
    assert reasons(desk) == [RefusalReason.STANDING_UNKNOWN]
    desk.step(replace(SAID, high=Decimal("51234.50"), drawdown=Decimal(2000)))
    standing = desk.book.risk.standings[MINE]
    assert standing.floor is not None
    assert (standing.floor.high, standing.floor.floor) == (Decimal("51234.50"), Decimal("49234.50"))
    assert standing.floor.certain
    desk.market(Side.BUY, 1)
    desk.settle()
    assert desk.positions[MINE, ES] == 1


def test_a_drawdown_that_only_the_broker_knows_stops_entries_near_its_floor() -> None:
    said = replace(SAID, high=Decimal(50_000), drawdown=Decimal(1000))
    desk = desk_with(risk_desk.joined(NO_RULES, said))
    desk.step(said)
    desk.market(Side.BUY, 2)
    desk.settle()
    assert desk.positions[MINE, ES] == 2
    price(desk, 19_962)  # 38 ticks and the closing fees on two contracts of 12.50: 950 USD and more
    desk.market(Side.BUY, 1)
    desk.settle()
    assert reasons(desk) == [RefusalReason.DRAWDOWN]
    assert desk.positions[MINE, ES] == 2, "the broker closes at its own floor; ours only stops entries"


def test_a_snapshot_without_the_desk_is_its_silence() -> None:
    desk = desk_with(NO_RULES)
    desk.step(replace(SAID, state=TradingState.HALTED, because="LockTradingImmediately"))
    desk.lose(MINE)
    desk.connect(MINE)
    assert MINE not in desk.book.risk.stated
