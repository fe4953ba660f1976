"""A contract that nobody knows: it is copied or refused with its name, and stops nothing else."""

from datetime import time
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from risk.core.rules import (
    NO_RULES,
    Caps,
    DayLimit,
    Drawdown,
    Flat,
    Offset,
    Protection,
    Rules,
    Trail,
    Unit,
)
from syncgroups.core.plan import RestPolicy
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import LEADER, follower, gate_of, group_of, plan_of
from syncgroups.tests.test_guardrails import with_rules
from tradehaven.domain.enums import OrderType, RestRule, SessionHours, Side, SyncMode
from tradehaven.domain.ids import AccountId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)
STRANGE = Symbol("QQQZ6")
CHASED = RestPolicy(after=5, entries=RestRule.MARKET_WITHIN, exits=RestRule.MARKET_WITHIN, slack=4)
FOLLOWERS: tuple[dict[str, Any], ...] = (
    {},
    {"reverse": True},
    {"products": {"ES": follower(2, product="MES")}},
    {"product": "MES"},
    {"max_contracts": 3},
    {"max_position": 3},
)
RULES = (
    NO_RULES,
    Rules(caps=Caps(instrument=5, account=5)),
    Rules(caps=Caps(minis=Decimal(3), products={"ES": 2})),
    Rules(daily_loss=DayLimit(amount=Decimal(500))),
    Rules(products=frozenset({"ES"})),
    Rules(opposite=False, mixing=False),
    Rules(protection=Protection(stop=Offset(value=Decimal(40), unit=Unit.USD))),
    Rules(
        flat=Flat(at=time(10, 0, 20)),
        drawdown=Drawdown(trail=Trail.INTRADAY, amount=Decimal(2_500), start=Decimal(50_000)),
    ),
    Rules(trades_a_day=5, losses_in_row=2, repeats=3, products=frozenset({"QQQ"})),
)


def _second(world: Desk, seconds: int = 1) -> None:
    for _ in range(seconds):
        world.settle()
        world.wait(1)


def _day(world: Desk) -> None:
    """Trade in a contract that nobody knows, in every way that asks something else of it."""
    world.market(BUY, 2, symbol=STRANGE)
    _second(world)
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19_000, symbol=STRANGE)
    _second(world)
    world.change(stop, qty=1)
    world.market(SELL, 1, symbol=STRANGE)
    _second(world)
    world.fill(stop)
    limit = world.trade(BUY, 2, OrderType.LIMIT, limit=19_000, symbol=STRANGE)
    _second(world)
    world.fill(limit, 1)
    _second(world)
    world.fill(limit)
    _second(world, 10)  # what rests at the follower is chased
    world.market(SELL, 5, symbol=STRANGE)
    _second(world)
    world.market(BUY, 1, symbol=STRANGE, account=TWO)
    _second(world, 10)
    world.lose(TWO)
    world.market(BUY, 3, symbol=STRANGE)
    world.step(world.snapshot(TWO))
    _second(world, 10)
    world.press(gate_of(TWO), flatten=True)
    _second(world, 4)


@pytest.mark.parametrize(
    "group",
    [
        {},
        {"instruments": frozenset({"ES"})},
        {"hours": SessionHours.RTH},
        {"mode": SyncMode.CONFIRMED},
        {"mode": SyncMode.CONFIRMED, "entry_slack": 2},
        {"rests": CHASED},
    ],
)
def test_a_whole_day_in_it_stops_nothing(group: dict[str, Any]) -> None:
    for settings, rules in product(FOLLOWERS, RULES):
        plan = plan_of(group_of(follower(2, **settings), **group))
        world = Desk(with_rules(plan, {TWO: rules}) if rules is not NO_RULES else plan)
        world.connect()
        for account in (LEADER, TWO):
            world.balance(account, Decimal(50_000))
        _day(world)
        assert (world.held(2, STRANGE), world.resting(2)) == (0, [])
        assert "flat" in world.remarks()


@pytest.mark.parametrize("group", [{"instruments": frozenset({"ES"})}, {"hours": SessionHours.RTH}])
@pytest.mark.parametrize("mode", SyncMode)
def test_no_filter_lets_it_in(group: dict[str, Any], mode: SyncMode) -> None:
    world = desk(**group, mode=mode)
    world.market(BUY, 1, symbol=STRANGE)
    assert world.outbox == []
    (said,) = (one for decision in world.decisions for one in decision.refusals)
    assert said.reason == "unknown_instrument"
    assert STRANGE.removesuffix("Z6") in said.detail


def test_without_a_filter_it_is_copied_by_its_name() -> None:
    world = desk()
    world.market(BUY, 2, symbol=STRANGE)
    world.settle()
    assert world.held(2, STRANGE) == 2
    world.market(SELL, 2, symbol=STRANGE)
    world.settle()
    assert world.held(2, STRANGE) == 0


def test_what_rests_in_it_is_chased_at_the_leaders_price() -> None:
    world = desk(rests=CHASED)
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=19_000, symbol=STRANGE)
    world.settle()
    world.fill(order, price=19_000)
    _second(world, 10)
    (chase,) = world.resting(2)
    assert (chase.spec.order_type, chase.spec.limit) == (OrderType.LIMIT, 19_004)
