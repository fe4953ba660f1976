"""Orders that are looked at again: what makes somebody look, and what is told, kept or left alone then."""

from typing import Any

import pytest

from syncgroups.core.decision import CopyStep, Decision
from syncgroups.core.plan import FollowerPlan
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, follower, gate_of, group_of, plan_of
from tradehaven.domain.commands import ChangeOrder, Command, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import AccountId, ClientOrderId, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
NQ = Symbol("NQZ6")
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP


def holding(*followers: FollowerPlan, qty: int = 2, **settings: Any) -> Desk:
    world = desk(*followers, **settings)
    world.market(BUY, qty)
    world.settle()
    return world


def rerated(world: Desk, ratio: str = "2", **settings: Any) -> None:
    """Let a follower's size be another from now on: whatever is looked at again gets that size."""
    world.plan = plan_of(group_of(follower(2, ratio=ratio), **settings))


def lost(world: Desk) -> PlaceOrder:
    order = world.outbox.pop()
    assert isinstance(order, PlaceOrder)
    name = order.client_order_id
    world.step(Unresolved(account=TWO, client_order_id=name, text="no answer", at=world.at()))
    return order


def sizes(world: Desk, account: int = 2) -> list[tuple[Side, int]]:
    """Return what works at an account."""
    return [(order.side, order.spec.qty) for order in world.resting(account)]


def changes(world: Desk) -> list[tuple[int, int]]:
    found = (command for command in world.outbox if isinstance(command, ChangeOrder))
    return [(change.account, change.spec.qty) for change in found]


def last(world: Desk) -> Decision:
    return world.decisions[-1]


# -- the leader moves or sizes its order --------------------------------------------------------------


def test_an_order_that_its_followers_broker_has_already_is_not_placed_again() -> None:
    world = desk()
    spec = OrderSpec(order_type=LIMIT, qty=1, limit=Ticks(19000))
    known = world._accept(TWO, ClientOrderId("th1.g9.l1.o700.f2"), ES, BUY, spec)
    world.step(world._working(known))
    world.last_id = 699
    assert world.trade(BUY, 1, LIMIT, limit=19000) == 700
    assert not world.outbox


def test_an_order_from_before_the_group_ran_is_not_taken_up_when_it_moves() -> None:
    world = desk(active=False)
    order = world.trade(BUY, 1, LIMIT, limit=19000)
    rerated(world, "1")
    world.change(order, limit=19100)
    assert not world.outbox
    assert world.reasons() == []


def test_a_moved_price_says_nothing_to_a_copy_that_has_ended() -> None:
    world = desk()
    order = world.trade(BUY, 2, LIMIT, limit=20000)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.change(order, limit=19990)
    assert not last(world)
    assert world.reasons() == []


def test_an_order_that_grows_past_a_copy_that_has_ended_says_so() -> None:
    world = desk()
    order = world.trade(BUY, 2, LIMIT, limit=20000)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.change(order, qty=3)
    (refusal,) = last(world).refusals
    assert (refusal.reason, refusal.detail) == ("copy_ended", "its own order has ended already")


def test_a_size_that_stays_nought_is_said_once() -> None:
    world = desk(follower(2, ratio="1/2"))
    order = world.trade(BUY, 1, LIMIT, limit=20000)
    world.change(order, limit=20010)
    assert world.reasons() == ["rounds_to_zero"]


def test_a_change_is_on_record_with_what_it_was_decided_on() -> None:
    world = desk()
    order = world.trade(BUY, 2, LIMIT, limit=20000)
    world.settle()
    world.change(order, qty=3)
    (step,) = last(world).steps
    assert isinstance(step, CopyStep)
    assert step.weighed is not None
    assert (step.weighed.change, step.weighed.enter, step.weighed.allowed) == (3, 3, 3)


def test_a_stop_that_trails_and_means_the_same_is_told_nothing() -> None:
    world = holding()
    stop = world.trade(SELL, 2, OrderType.TRAILING_STOP, stop=19900, trail=100)
    world.settle()
    world.change(stop, stop=19950)
    assert last(world).steps == ()


def test_a_change_that_cannot_be_told_offline_is_no_refusal() -> None:
    world = desk()
    order = world.trade(BUY, 1, LIMIT, limit=20000)
    world.settle()
    world.lose(TWO)
    world.change(order, limit=19990)
    assert world.reasons() == []


def test_behind_the_kill_switch_a_change_is_refused_and_not_wished_for_later() -> None:
    world = desk()
    order = world.trade(BUY, 1, LIMIT, limit=20000)
    world.settle()
    world.shut(gate_of(TWO))
    world.change(order, limit=19990)
    assert (last(world).steps, world.reasons()) == ((), ["kill_switch"])


def test_an_order_cut_to_what_it_closes_is_an_exit_and_stays_behind_the_switch() -> None:
    world = holding()
    order = world.trade(SELL, 5, LIMIT, limit=20100)
    world.settle()
    world.change(order, qty=2)
    world.settle()
    world.shut(gate_of(TWO))
    world.cancel(order)
    world.settle()
    assert sizes(world) == [(SELL, 2)]


def test_an_exit_that_has_become_an_entry_is_withdrawn_behind_the_switch() -> None:
    world = holding()
    order = world.trade(SELL, 2, LIMIT, limit=20100)
    world.settle()
    world.market(SELL, 2)  # what the limit would close is closed: it opens a short now
    world.settle()
    world.shut(gate_of(TWO))
    world.cancel(order)
    world.settle()
    assert sizes(world) == []


def test_a_limit_leaves_an_order_that_may_not_grow_as_large_as_it_is() -> None:
    world = holding(follower(2, max_position=3))
    order = world.trade(SELL, 4, LIMIT, limit=20100)
    world.settle()
    world.change(order, qty=9, limit=20110)
    world.settle()
    assert sizes(world) == [(SELL, 4)]
    assert world.reasons() == ["max_position"]


def test_a_limit_that_was_tightened_cuts_what_an_order_opens() -> None:
    world = holding(follower(2, max_position=3))
    order = world.trade(SELL, 4, LIMIT, limit=20100)
    world.settle()
    world.plan = plan_of(group_of(follower(2, max_position=1)))
    world.change(order, qty=9)
    world.settle()
    assert sizes(world) == [(SELL, 3)]


@pytest.mark.parametrize("barred", [{"instruments": frozenset({"NQ"})}, {"quarantined": frozenset({ES})}])
def test_what_may_open_nothing_new_keeps_its_size_and_never_more_than_its_share(
    barred: dict[str, Any],
) -> None:
    member = {key: value for key, value in barred.items() if key == "quarantined"}
    settings = {key: value for key, value in barred.items() if key != "quarantined"}
    world = holding()
    order = world.trade(SELL, 5, LIMIT, limit=20100)
    world.settle()
    world.plan = plan_of(group_of(follower(2, **member), **settings))
    found = []
    for qty in (9, 4, 2):
        world.change(order, qty=qty)
        world.settle()
        found += sizes(world)
    assert found == [(SELL, 5), (SELL, 4), (SELL, 2)]


def test_an_exit_that_may_not_open_anything_stays_the_exit_it_was() -> None:
    world = holding(follower(2, max_position=1), qty=1)
    order = world.trade(SELL, 1, LIMIT, limit=20100)
    world.settle()
    world.change(order, qty=4)
    world.settle()
    assert sizes(world) == [(SELL, 1)]


# -- an exit that stays for what may come -------------------------------------------------------------


def test_a_stop_is_cut_to_what_is_certain_while_more_may_come() -> None:
    world = holding()
    world.market(BUY, 1)
    lost(world)
    world.trade(SELL, 3, STOP, stop=19900)
    world.settle()
    assert sizes(world) == [(SELL, 2)]
    world.market(SELL, 1, account=TWO)
    assert changes(world) == [(2, 1)]


def test_a_stop_with_nothing_to_close_stays_at_the_new_price_while_something_may_come() -> None:
    world = holding()
    world.market(BUY, 2)
    lost(world)
    stop = world.trade(SELL, 4, STOP, stop=19900)
    world.settle()
    world.market(SELL, 2, account=TWO)
    assert not world.outbox
    world.change(stop, stop=19950)
    world.settle()
    assert [(order.spec.qty, order.spec.stop) for order in world.resting(2)] == [(2, 19950)]


def withdrawn_stop(trail: int | None = None) -> tuple[Desk, OrderId, Command]:
    """Return a desk on which a hand closed what a stop protects, with the stop's cancel on its way."""
    world = holding()
    world.trade(SELL, 1, LIMIT, limit=30000, symbol=NQ)
    stop = world.trade(SELL, 2, STOP if trail is None else OrderType.TRAILING_STOP, stop=19900, trail=trail)
    world.settle()
    world.market(SELL, 2, account=TWO)
    cancel = world.outbox.pop()
    (step,) = (step for step in world.decisions[-3].steps if isinstance(step, CopyStep))
    assert (step.copy.target, step.copy.enters) == (None, 0)
    return world, stop, cancel


def test_a_stop_that_is_being_taken_back_is_told_nothing_more() -> None:
    world, stop, _ = withdrawn_stop()
    world.change(stop, stop=19950)
    assert last(world).steps == ()


def test_a_stop_that_is_being_taken_back_is_not_wished_for_by_what_may_come() -> None:
    world, stop, _ = withdrawn_stop()
    world.market(BUY, 2)
    lost(world)
    world.change(stop, qty=4)
    assert last(world).steps == ()


def test_a_stop_that_is_being_taken_back_is_not_wished_for_without_a_link() -> None:
    world, stop, _ = withdrawn_stop()
    world.lose(TWO)
    world.change(stop, stop=19950)
    assert last(world).steps == ()


@pytest.mark.parametrize("trail", [None, 100])
def test_a_stop_that_is_being_taken_back_is_wished_for_again_when_something_is_held(
    trail: int | None,
) -> None:
    world, stop, cancel = withdrawn_stop(trail)
    world.market(BUY, 2)
    world.settle()
    world.change(stop, qty=4)
    world.reject(cancel, "TooLate")
    world.settle()
    world.wait(1)
    world.settle()
    assert sizes(world) == [(SELL, 1), (SELL, 2)]
