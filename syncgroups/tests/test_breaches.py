"""What a broken rule asks of copying at that moment: nothing opens any more, and closing outlives a start."""

from dataclasses import replace
from decimal import Decimal

from risk.core.rules import Breach, DayLimit, Rules
from syncgroups.core.decision import RemarkKind
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, LEADER, SECOND, follower, group_of, plan_of
from syncgroups.tests.test_guardrails import entered, kinds, locks, price, with_rules
from tradehaven.domain.commands import ChangeOrder
from tradehaven.domain.enums import OrderType, RefusalReason, Side, SizingMode
from tradehaven.domain.events import AccountLocked
from tradehaven.domain.ids import AccountId, Nanos

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
