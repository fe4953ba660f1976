"""One leader's order before its group: each follower in its own terms, with its own name and reason."""

from typing import Any

import pytest

from syncgroups.core.decision import CopyStep
from syncgroups.tests.drifting import TWO, Desk, desk
from syncgroups.tests.plans import ES, LEADER, follower, group_of, plan_of
from tradehaven.domain.commands import ChangeOrder, Denied, Lane, PlaceOrder
from tradehaven.domain.enums import Ask, OrderStatus, OrderType, RefusalReason, Side, SyncMode
from tradehaven.domain.events import OrderEnded
from tradehaven.domain.ids import AccountId, Symbol
from tradehaven.domain.orders import OrderSpec

BUY, SELL = Side.BUY, Side.SELL
THREE = AccountId(3)
CL, QM, MES, UNKNOWN = Symbol("CLF7"), Symbol("QMF7"), Symbol("MESZ6"), Symbol("XYZZ6")


def mapped(account: int, root: str, trades: str, **settings: Any) -> Any:
    """Return a follower that answers one product of its leader with another one."""
    return follower(account, products={root: follower(account, product=trades, **settings)}, **settings)


def sent(world: Desk) -> list[PlaceOrder]:
    return [command for command in world.outbox if isinstance(command, PlaceOrder)]


# -- terms -------------------------------------------------------------------------------------------


def test_followers_of_one_size_in_two_products_get_each_their_own_prices() -> None:
    world = desk(mapped(2, "CL", "QM", ratio="1/2"), follower(3))
    world.trade(BUY, 1, OrderType.LIMIT, limit=6_000, symbol=CL)
    assert [(order.symbol, order.spec.qty, order.spec.limit) for order in sent(world)] == [
        (QM, 1, 2_400),
        (CL, 1, 6_000),
    ]


def test_a_trailing_stop_keeps_its_distance_in_another_product() -> None:
    world = desk(mapped(2, "CL", "QM"))
    world.market(BUY, 1, symbol=CL)
    world.settle()
    world.trade(SELL, 1, OrderType.TRAILING_STOP, stop=5_900, trail=100, symbol=CL)
    (stop,) = sent(world)
    assert (stop.symbol, stop.spec.trail, stop.spec.stop) == (QM, 40, 2_360)


def test_a_filter_of_the_group_holds_for_followers_of_another_product_too() -> None:
    world = desk(mapped(2, "ES", "MES"), follower(3), instruments=frozenset({"NQ"}))
    world.trade(BUY, 1)
    assert world.reasons() == [RefusalReason.INSTRUMENT_FILTERED] * 2
    refused = [refusal for decision in world.decisions for refusal in decision.refusals]
    assert [(refusal.symbol, refusal.detail) for refusal in refused] == [
        (MES, "ESZ6 is not in the filter"),
        (ES, "ESZ6 is not in the filter"),
    ]


def test_a_product_that_nobody_knows_is_refused_where_terms_are_asked_and_copied_as_it_is_elsewhere() -> None:
    world = desk(mapped(2, "ES", "MES"), follower(3))
    world.trade(BUY, 1, symbol=UNKNOWN)
    (refused,) = [refusal for decision in world.decisions for refusal in decision.refusals]
    assert (refused.follower, refused.reason) == (TWO, RefusalReason.UNKNOWN_INSTRUMENT)
    assert refused.detail == "'XYZ' is not a product we know; write a root such as ES, MNQ or 6E"
    assert [(order.account, order.symbol) for order in sent(world)] == [(THREE, UNKNOWN)]


@pytest.mark.parametrize(
    ("terms", "reason", "detail"),
    [
        ({"copies": False}, "instrument_filtered", "this product is not copied to the account"),
        (
            {"product": "MES"},
            "settings_changed",
            "it still holds a position that was opened under other settings; that has to be closed first",
        ),
    ],
)
def test_why_nothing_is_added_on_other_terms_is_said(terms: Any, reason: str, detail: str) -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.plan = plan_of(group_of(follower(2, products={"ES": follower(2, **terms)})))
    world.market(BUY, 1)
    refused = [refusal for decision in world.decisions for refusal in decision.refusals]
    assert [(str(refusal.reason), refusal.detail) for refusal in refused] == [(reason, detail)]


def test_an_order_without_a_mirror_image_says_what_would_help() -> None:
    world = desk(follower(2, reverse=True))
    world.trade(SELL, 1, OrderType.TRAILING_STOP, stop=19_900, trail=10)
    (refused,) = [refusal for decision in world.decisions for refusal in decision.refusals]
    detail = "an order of this type cannot be reversed; in Confirmed mode its fills are"
    assert (refused.reason, refused.detail) == (RefusalReason.ORDER_TYPE_UNSUPPORTED, detail)


def test_what_an_order_was_decided_on_goes_with_it() -> None:
    world = desk(follower(2, ratio="3"))
    world.trade(BUY, 2)
    (step,) = [step for decision in world.decisions for step in decision.steps if isinstance(step, CopyStep)]
    assert step.weighed is not None
    assert (step.weighed.leader, step.weighed.change, step.weighed.enter, step.weighed.allowed) == (
        0,
        2,
        6,
        6,
    )


# -- lanes and limits --------------------------------------------------------------------------------


def test_what_opens_goes_in_the_lane_of_entries_and_what_closes_in_that_of_protection() -> None:
    world = desk()
    world.market(BUY, 2)
    assert [order.lane for order in sent(world)] == [Lane.ENTRY]
    world.settle()
    world.trade(SELL, 2, OrderType.STOP, stop=19_000)
    assert [order.lane for order in sent(world)] == [Lane.PROTECTIVE]
    world.settle()
    world.trade(SELL, 3)
    assert [(order.spec.qty, order.lane) for order in sent(world)] == [(3, Lane.ENTRY)]


def test_a_slack_for_confirmed_entries_says_nothing_about_orders_that_are_copied_as_they_come() -> None:
    world = desk(entry_slack=4)
    world.trade(BUY, 1)
    assert [order.spec.order_type for order in sent(world)] == [OrderType.MARKET]


def test_a_confirmed_flip_closes_at_the_market_and_enters_beside_it_within_its_limit() -> None:
    world = desk(mode=SyncMode.CONFIRMED, entry_slack=4)
    world.market(BUY, 1)
    world.settle()
    for order in world.resting(2):
        world.fill(order.order_id)
    world.market(SELL, 3)
    close, enter = sent(world)
    assert (close.spec, close.lane) == (OrderSpec(order_type=OrderType.MARKET, qty=1), Lane.PROTECTIVE)
    assert (enter.spec.order_type, enter.spec.limit) == (OrderType.LIMIT, 19_996)
    assert (enter.spec.qty, enter.lane) == (2, Lane.ENTRY)
    assert [copy.enters for copy in world.book.open_copies_of(TWO)] == [0, 2]


def test_a_confirmed_exit_goes_at_the_market_whatever_entries_may_cost() -> None:
    world = desk(mode=SyncMode.CONFIRMED, entry_slack=4)
    world.market(BUY, 1)
    world.settle()
    for order in world.resting(2):
        world.fill(order.order_id)
    world.market(SELL, 1)
    assert [order.spec for order in sent(world)] == [OrderSpec(order_type=OrderType.MARKET, qty=1)]


def test_the_entry_by_a_fill_stays_when_the_rest_of_its_order_is_cancelled() -> None:
    world = desk(mode=SyncMode.CONFIRMED, entry_slack=0)
    order = world.trade(BUY, 3, OrderType.LIMIT, limit=20_000)
    world.fill(order, 1)
    world.settle()
    world.cancel(order)
    world.settle()
    assert [resting.spec.qty for resting in world.resting(2)] == [1]


# -- what was placed after the first one failed ------------------------------------------------------


def _placed_anew(*followers: Any, after: int = 1) -> tuple[Desk, Any]:
    """Return a desk on which the stops of all followers were turned down so often, and placed again."""
    world = desk(*followers)
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19_000)
    for _ in range(after):
        while world.outbox:
            world.reject(world.outbox.pop(0), "no")
        world.look(4)
    for _ in range(4):
        world.wait(1)
        world.settle()
    return world, stop


def test_exits_that_were_placed_anew_follow_their_leader_each_for_its_account() -> None:
    world, stop = _placed_anew(follower(2), follower(3))
    assert len(world.resting(2)) == len(world.resting(3)) == 1
    world.change(stop, stop=19_100)
    world.settle()
    assert [world.resting(account)[0].spec.stop for account in (2, 3)] == [19_100, 19_100]


def test_of_two_that_were_placed_anew_the_one_that_works_follows() -> None:
    world, stop = _placed_anew(follower(2), after=3)
    assert len(world.book.copies_of_order(LEADER, stop)) == 4
    world.change(stop, stop=19_100)
    world.settle()
    assert [order.spec.stop for order in world.resting(2)] == [19_100]


def test_an_exit_that_was_placed_anew_and_is_turned_down_after_it_was_taken_is_placed_once_more() -> None:
    world, _ = _placed_anew(follower(2))
    (first,) = world.resting(2)
    first.status = OrderStatus.REJECTED
    world.step(
        OrderEnded(
            account=TWO,
            order_id=first.order_id,
            client_order_id=first.client_order_id,
            status=OrderStatus.REJECTED,
            reason="margin",
            at=world.at(),
        )
    )
    assert [row[0] for row in world.differs()] == ["failed_exit"]
    for _ in range(3):
        world.wait(1)
        world.settle()
    assert [order.spec.stop for order in world.resting(2)] == [19_000]


def test_an_exit_that_works_although_it_was_turned_down_follows_and_not_what_was_placed_for_it() -> None:
    world, stop = _placed_anew(follower(2))
    (again,) = world.resting(2)
    first = next(copy for copy in world.book.copies_of_order(LEADER, stop) if not copy.is_open)
    found = world.trade(SELL, 2, OrderType.STOP, stop=19_000, account=TWO, seen=False)
    world.orders[found].client_order_id = first.key
    world.connect(TWO)
    world.outbox.clear()
    world.change(stop, stop=19_100)
    assert [command.order_id for command in world.outbox if isinstance(command, ChangeOrder)] == [found]
    assert again.order_id != found


@pytest.mark.parametrize("qty", [2, 4])
def test_the_rest_of_an_exit_at_the_market_is_not_resized_with_its_leaders_order(qty: int) -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.market(BUY, 2)
    (entry,) = world.outbox
    world.outbox.clear()
    leaving = world.trade(SELL, 3)
    world.settle()
    world.deliver(entry)  # only now it is there to be closed
    world.settle(fill_markets=False)
    assert [(copy.sent.qty, copy.key[-3:]) for copy in world.book.open_copies_of(TWO)] == [(2, ".r1")]
    world.change(leaving, qty=qty)
    assert world.outbox == []


def test_an_order_that_was_replayed_because_it_was_never_sent_follows_its_leader() -> None:
    world = desk()
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=19_990)
    name = world.outbox.pop(0).client_order_id
    why = RefusalReason.FOLLOWER_OFFLINE
    world.step(Denied(account=TWO, client_order_id=name, reason=why, text="no link", at=world.at()))
    world.ask(Ask.REPLAY, name)
    world.settle()
    world.change(order, limit=19_980)
    world.settle()
    assert [resting.spec.limit for resting in world.resting(2)] == [19_980]
    world.cancel(order)
    world.settle()
    assert world.resting(2) == []
    assert world.held(LEADER) == 0
