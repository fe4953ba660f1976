"""What a broken rule asks of copying at that moment: nothing opens any more, and closing outlives a start."""

from dataclasses import replace
from datetime import time
from decimal import Decimal

from risk.core.rules import Breach, DayLimit, Drawdown, Flat, Offset, Protection, Rules, Trail
from risk.core.standing import Band
from syncgroups.core.converge import advance
from syncgroups.core.decide import decide
from syncgroups.core.decision import RemarkKind
from syncgroups.core.folding import fold
from syncgroups.core.guards import GuardLeg
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, LEADER, SECOND, follower, gate_of, group_of, plan_of
from syncgroups.tests.test_guardrails import entered, kinds, locks, price, with_rules
from tradehaven.domain.commands import ChangeOrder, ClosePosition
from tradehaven.domain.enums import Environment, OrderType, RefusalReason, Side, SizingMode
from tradehaven.domain.events import AccountLocked, BalanceReported, PriceMoved, TimePassed
from tradehaven.domain.ids import AccountId, Nanos, Symbol
from tradehaven.domain.money import Ticks

MINE, OTHER = AccountId(2), AccountId(3)
STOP = DayLimit(amount=Decimal(500), breach=Breach.STOP)


def desk_with(rules: Rules, sizing: SizingMode = SizingMode.RATIO) -> Desk:
    """Return a desk with two followers at 50,000 USD; the first has rules."""
    plan = plan_of(group_of(follower(MINE, sizing=sizing, fixed_qty=2), follower(OTHER)))
    desk = Desk(with_rules(plan, {MINE: replace(rules, fee=Decimal(0))}))
    desk.connect()
    for account in (LEADER, MINE, OTHER):
        desk.balance(account, Decimal(50_000))
    return desk


def test_what_a_fill_locks_opens_nothing_because_of_that_fill() -> None:
    """F38: the fill that reaches the target also makes room for a larger order on the other side."""
    desk = desk_with(Rules(daily_profit=STOP), SizingMode.FIXED)
    price(desk, 20_000)
    desk.trade(Side.SELL, 4, OrderType.LIMIT, limit=20_100)
    desk.settle()
    desk.trade(Side.BUY, 1)
    desk.settle(fill_markets=False)
    (bought,) = [order for order in desk.orders.values() if order.account == MINE and order.side is Side.BUY]
    desk.fill(bought.order_id, price=19_960)  # two contracts, 40 ticks each: 1,000 USD
    desk.settle()
    assert locks(desk) == [(MINE, RefusalReason.DAILY_PROFIT)]
    (resting,) = desk.resting(MINE)
    assert resting.spec.qty == 2
    assert desk.positions[MINE, ES] == 2


def test_a_decision_that_locks_changes_nothing_before_it_is_taken() -> None:
    desk = desk_with(Rules(daily_profit=STOP), SizingMode.FIXED)
    price(desk, 20_000)
    desk.trade(Side.SELL, 4, OrderType.LIMIT, limit=20_100)
    desk.settle()
    desk.trade(Side.BUY, 1)
    desk.settle(fill_markets=False)
    (bought,) = [order for order in desk.orders.values() if order.account == MINE and order.side is Side.BUY]
    desk.fill(bought.order_id, price=19_960, seen=False)
    fold(desk.book, desk.fills[-1])
    decision = decide(desk.plan, desk.book, desk.fills[-1])
    assert [locked.account for locked in decision.locks] == [MINE]
    assert not desk.book.risk.locks
    assert decide(desk.plan, desk.book, desk.fills[-1]) == decision


def test_a_change_that_was_wished_before_a_lock_lets_nothing_more_open_behind_it() -> None:
    desk = desk_with(Rules(daily_loss=STOP))
    entered(desk)
    order = desk.trade(Side.BUY, 1, OrderType.LIMIT, limit=19_000)
    desk.settle()
    desk.change(order, qty=2)
    desk.change(order, qty=4)
    first = [command for command in desk.outbox if command.account == MINE]
    assert [command.spec.qty for command in first if isinstance(command, ChangeOrder)] == [2]
    held, desk.outbox = desk.outbox, []
    price(desk, 19_950)
    assert locks(desk) == [(MINE, RefusalReason.DAILY_LOSS)]
    desk.outbox = [*held, *desk.outbox]
    desk.wait(1)
    desk.settle()
    assert [order.spec.qty for order in desk.resting(MINE)] == [2]
    assert [order.spec.qty for order in desk.resting(OTHER)] == [4]


def test_behind_a_lock_no_step_of_a_copy_lets_it_open_more_whoever_asks_for_it() -> None:
    desk = desk_with(Rules(daily_loss=STOP))
    entered(desk)
    desk.trade(Side.BUY, 1, OrderType.LIMIT, limit=19_000)
    desk.settle()
    desk.step(lock(desk, flatten=False))
    (copy,) = desk.book.open_copies_of(MINE)
    wish = copy.changed(target=replace(copy.sent, qty=3), enters=3)
    step = advance(desk.plan, desk.book, wish)
    assert (step.command, step.copy.target, step.copy.enters) == (None, copy.sent, 1)


def lock(desk: Desk, *, flatten: bool) -> AccountLocked:
    """Return a lock of an hour as a start is told of it."""
    return AccountLocked(
        account=MINE,
        reason=RefusalReason.DAILY_LOSS,
        detail="500.00 USD are lost",
        until=Nanos(desk.now + 3600 * SECOND),
        at=desk.at(),
        flatten=flatten,
    )


def test_a_start_goes_on_closing_what_a_lock_had_begun_to_close() -> None:
    """F05: the engine before this one died between the lock and the close."""
    desk = desk_with(Rules(daily_loss=STOP))
    entered(desk, 2)
    desk.step(lock(desk, flatten=True))
    desk.wait(1)
    desk.settle()
    assert (desk.positions[MINE, ES], desk.positions[OTHER, ES]) == (0, 2)
    desk.wait(1)
    desk.wait(1)  # the broker has listed nothing
    assert kinds(desk).count(RemarkKind.FLAT) == 1


def test_a_lock_that_closes_nothing_leaves_a_position_as_it_is() -> None:
    desk = desk_with(Rules(daily_loss=STOP))
    entered(desk, 2)
    desk.step(lock(desk, flatten=False))
    desk.wait(1)
    desk.settle()
    assert desk.positions[MINE, ES] == 2


def test_a_lock_of_an_account_that_is_gone_closes_nothing() -> None:
    desk = desk_with(Rules(daily_loss=STOP))
    desk.step(replace(lock(desk, flatten=True), account=AccountId(77)))
    assert not desk.book.flattening


def test_behind_a_lock_an_order_is_taken_back_with_its_leaders() -> None:
    desk = desk_with(Rules(daily_loss=STOP))
    entered(desk)
    order = desk.trade(Side.BUY, 1, OrderType.LIMIT, limit=19_000)
    desk.settle()
    price(desk, 19_950)
    assert locks(desk) == [(MINE, RefusalReason.DAILY_LOSS)]
    desk.wait(1)
    desk.cancel(order)
    desk.settle()
    assert not desk.resting(MINE)


def quote(desk: Desk, bid: int) -> PriceMoved:
    """Return a quote of ES, a tick wide."""
    return PriceMoved(
        environment=Environment.PAPER,
        symbol=ES,
        bid=Ticks(bid),
        ask=Ticks(bid + 1),
        last=None,
        at=desk.at(),
    )


# -- near a limit ------------------------------------------------------------------------------------


def nearness(desk: Desk) -> list[str]:
    said = (remark for decision in desk.decisions for remark in decision.remarks)
    return [remark.detail for remark in said if remark.kind is RemarkKind.NEAR_LIMIT]


def lost(desk: Desk, dollars: int) -> None:
    """Let the follower's own hand lose so much: a tick is 12.50 USD."""
    for side, at in ((Side.BUY, 20_000), (Side.SELL, 20_000 - dollars * 2 // 25)):
        desk.fill(desk.trade(side, 1, account=MINE), price=at)


def test_nearness_is_said_anew_on_a_new_day_even_in_the_band_of_yesterday() -> None:
    desk = desk_with(Rules(daily_loss=DayLimit(amount=Decimal(1000))))
    lost(desk, 600)
    lost(desk, 150)
    assert len(nearness(desk)) == 2
    desk.step(TimePassed(at=desk.book.risk.standings[MINE].day.ends))
    assert desk.book.risk.bands[MINE] is Band.SAFE
    desk.now = desk.book.risk.clock
    lost(desk, 600)
    assert nearness(desk)[2:] == ["60% of the daily loss limit is used, 400.00 USD are left"]


def test_the_nearest_of_several_limits_is_named() -> None:
    loss = DayLimit(amount=Decimal(1000))
    drawdown = Drawdown(
        trail=Trail.STATIC, amount=Decimal(5000), start=Decimal(50_000), reserve_ticks=0, block_at=Decimal(1)
    )
    desk = desk_with(Rules(daily_loss=loss, drawdown=drawdown))
    lost(desk, 500)
    assert nearness(desk) == ["50% of the daily loss limit is used, 500.00 USD are left"]
    desk = desk_with(Rules(daily_loss=replace(loss, amount=Decimal(9000)), drawdown=drawdown))
    lost(desk, 2500)
    assert nearness(desk) == ["50% of the drawdown limit is used, 2,500.00 USD are left"]


def test_an_account_that_is_met_under_a_lock_says_nothing_of_nearness_until_the_lock_has_ended() -> None:
    plan = plan_of(group_of(follower(MINE)))
    desk = Desk(with_rules(plan, {MINE: Rules(daily_loss=DayLimit(amount=Decimal(1000)))}))
    desk.connect()
    desk.step(lock(desk, flatten=False))
    said = BalanceReported(account=MINE, cash=Decimal(49_400), realized=Decimal(-600), at=desk.at())
    desk.step(said)
    assert nearness(desk) == []
    standing = desk.book.risk.standings[MINE]
    assert standing.lock is not None
    assert standing.lock.detail == "500.00 USD are lost"


# -- closing -----------------------------------------------------------------------------------------


def test_a_limit_that_breaks_while_its_login_is_away_closes_once_that_is_back() -> None:
    desk = desk_with(Rules(daily_loss=replace(STOP, breach=Breach.FLATTEN)))
    entered(desk)
    desk.lose(MINE)
    price(desk, 19_950)
    assert locks(desk) == [(MINE, RefusalReason.DAILY_LOSS)]
    assert desk.positions[MINE, ES] == 1
    desk.connect(MINE)
    desk.wait(1)
    desk.settle()
    assert (desk.positions[MINE, ES], desk.positions[OTHER, ES]) == (0, 1)


def test_a_limit_that_breaks_while_a_switch_is_closing_the_account_closes_nothing_twice() -> None:
    desk = desk_with(Rules(daily_loss=replace(STOP, breach=Breach.FLATTEN)))
    entered(desk)
    desk.shut(gate_of(MINE), flatten=True)
    closes, desk.outbox = desk.outbox, []
    assert [type(command) for command in closes] == [ClosePosition]
    desk.step(quote(desk, 19_950))
    assert locks(desk) == [(MINE, RefusalReason.DAILY_LOSS)]
    assert not desk.outbox


def guarded_and_flat(rules: Rules) -> Desk:
    """Return a desk with a position whose stop the broker has turned down before, by other rules."""
    desk = desk_with(Rules())
    entered(desk)
    protection = Protection(stop=Offset(value=Decimal(40)))
    desk.plan = with_rules(desk.plan, {MINE: replace(rules, protection=protection, fee=Decimal(0))})
    desk.book.risk.guard_failures[MINE, ES, GuardLeg.STOP] = 1
    return desk


def test_a_fill_that_breaks_a_limit_where_no_stop_can_be_had_is_answered_by_one_close() -> None:
    desk = guarded_and_flat(Rules(daily_loss=replace(STOP, breach=Breach.FLATTEN)))
    order = desk.trade(Side.BUY, 1, account=MINE, seen=False)
    desk.fill(order, price=20_100, seen=False)
    desk.step(desk.fills[-1])
    assert locks(desk) == [(MINE, RefusalReason.DAILY_LOSS)]
    assert [type(command) for command in desk.outbox] == [ClosePosition]
    assert desk.book.flattening == {MINE: desk.fills[-1].at}, "told now, and again in three seconds"


def test_what_has_to_be_flat_and_has_no_stop_is_closed_once() -> None:
    desk = guarded_and_flat(Rules(flat=Flat(at=time(10, 0))))
    desk.wait(1)
    assert [type(command) for command in desk.outbox] == [ClosePosition]
    assert kinds(desk)[-2:] == [RemarkKind.NAKED, RemarkKind.FLAT_DUE]


# -- prices ------------------------------------------------------------------------------------------


def test_a_price_finds_its_holders_past_accounts_that_have_left_the_plan() -> None:
    desk = desk_with(Rules(daily_loss=STOP))
    entered(desk)
    desk.plan = replace(
        desk.plan, accounts={name: one for name, one in desk.plan.accounts.items() if name != OTHER}
    )
    price(desk, 19_950)
    assert locks(desk) == [(MINE, RefusalReason.DAILY_LOSS)]


def test_a_price_of_another_market_is_looked_at_by_nobody() -> None:
    desk = desk_with(Rules(daily_loss=STOP))
    entered(desk)
    assert desk.step(replace(quote(desk, 19_990), environment=Environment.LIVE)).standings == ()
    assert desk.step(quote(desk, 19_990)).standings
    assert not desk.step(replace(quote(desk, 19_990), symbol=Symbol("XXZ6")))


def test_accounts_that_break_their_limits_at_one_price_are_closed_in_the_order_of_their_numbers() -> None:
    late = AccountId(8)
    rules = Rules(daily_loss=replace(STOP, breach=Breach.FLATTEN), fee=Decimal(0))
    desk = Desk(with_rules(plan_of(group_of(follower(late), follower(MINE))), {MINE: rules, late: rules}))
    desk.connect()
    for account in (LEADER, late, MINE):
        desk.balance(account, Decimal(50_000))
    entered(desk)
    price(desk, 19_950)
    assert [account for account, _ in locks(desk)] == [MINE, late]
