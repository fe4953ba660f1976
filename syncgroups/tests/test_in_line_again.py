"""Orders that stand where they stood when copying was stopped: in line again when it goes on."""

from dataclasses import replace

import pytest

from syncgroups.core.plan import OwnerPlan
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import GROUP_GATE, OWNER_GATE, connection_of, follower, gate_of, group_of, plan_of
from tradehaven.domain.enums import OrderType, Side, SyncMode, TradingState
from tradehaven.domain.ids import AccountId, GateId, OrderId

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
HALTED, ACTIVE, REDUCING = TradingState.HALTED, TradingState.ACTIVE, TradingState.REDUCING


def _stopped(world: Desk) -> OwnerPlan:
    return plan_of(replace(world.plan.groups[0], active=False))


def _replanned(world: Desk, plan: OwnerPlan) -> None:
    """Go on with other settings, as the mailbox does."""
    world.book.rejoined |= plan.rejoined(world.plan)
    world.plan = plan


def _limits(world: Desk, account: int = 2) -> list[tuple[int, int | None]]:
    return [(order.spec.qty, order.spec.limit) for order in world.resting(account)]


def _resting(*accounts: int) -> tuple[Desk, OrderId]:
    world = desk(*(follower(account) for account in accounts or (2,)))
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=19900)
    world.settle()
    return world, order


@pytest.mark.parametrize("gate", [gate_of(TWO), GROUP_GATE, OWNER_GATE])
def test_behind_a_gate_that_opens_an_order_follows_its_leaders_again(gate: GateId) -> None:
    world, order = _resting()
    world.shut(gate)
    world.change(order, limit=19910, qty=3)
    world.settle()
    assert _limits(world) == [(2, 19900)]
    world.shut(gate, state=ACTIVE)
    world.settle()
    assert _limits(world) == [(2, 19910)]


def test_behind_one_that_opens_by_half_an_order_stays_as_it_is() -> None:
    world, order = _resting()
    world.shut(gate_of(TWO))
    world.change(order, limit=19910, qty=3)
    world.shut(gate_of(TWO), state=REDUCING)
    world.settle()
    assert _limits(world) == [(2, 19900)]
    world.shut(gate_of(TWO), state=ACTIVE)
    world.settle()
    assert _limits(world) == [(2, 19910)]


def test_behind_two_gates_it_waits_for_both() -> None:
    world, order = _resting()
    for gate in (gate_of(TWO), OWNER_GATE):
        world.shut(gate)
    world.change(order, limit=19910)
    world.shut(OWNER_GATE, state=ACTIVE)
    world.settle()
    assert (_limits(world), world.reasons()) == ([(2, 19900)], ["kill_switch"])
    world.shut(gate_of(TWO), state=ACTIVE)
    world.settle()
    assert _limits(world) == [(2, 19910)]


def test_an_order_whose_leaders_only_grew_is_told_nothing() -> None:
    world, order = _resting()
    world.shut(gate_of(TWO))
    world.change(order, qty=3)
    assert world.shut(gate_of(TWO), state=ACTIVE).steps == ()


def test_an_order_whose_leaders_became_less_becomes_less() -> None:
    world, order = _resting()
    _replanned(world, _stopped(world))
    world.change(order, qty=1, limit=19910)
    _replanned(world, replace(world.plan, groups=(replace(world.plan.groups[0], active=True),)))
    world.wait(1)
    world.settle()
    assert _limits(world) == [(1, 19910)]


def test_an_order_whose_leaders_is_over_goes() -> None:
    world, order = _resting()
    running = world.plan
    _replanned(world, _stopped(world))
    world.lose(AccountId(1))
    world.cancel(order, seen=False)
    world.connect(AccountId(1))
    _replanned(world, running)
    world.wait(1)
    world.settle()
    assert _limits(world) == []


def test_an_order_of_an_account_behind_another_gate_is_not_looked_at() -> None:
    world, order = _resting(2, 3)
    world.shut(gate_of(TWO))
    world.shut(gate_of(THREE))
    world.change(order, limit=19910)
    world.shut(gate_of(TWO), state=ACTIVE)
    world.settle()
    assert (_limits(world, 2), _limits(world, 3)) == ([(2, 19910)], [(2, 19900)])


def test_an_order_of_an_account_behind_open_gates_is_not_looked_at_either() -> None:
    world, _ = _resting(2, 3)
    world.plan = plan_of(group_of(follower(2), follower(3, ratio="1/2")))
    world.shut(gate_of(TWO))
    world.shut(gate_of(TWO), state=ACTIVE)
    world.settle()
    assert (_limits(world, 2), _limits(world, 3)) == ([(2, 19900)], [(2, 19900)])


def test_an_order_that_its_leader_took_back_behind_the_gate_goes() -> None:
    world, order = _resting()
    world.shut(gate_of(TWO))
    world.lose(TWO)
    world.cancel(order)
    world.book.links.add(connection_of(TWO))
    assert _limits(world) == [(2, 19900)]
    world.shut(gate_of(TWO), state=ACTIVE)
    world.settle()
    assert _limits(world) == []


def test_an_order_that_is_to_go_already_is_not_held_up_by_the_gate() -> None:
    world, _ = _resting()
    (copy,) = world.book.copies.values()
    world.shut(gate_of(TWO))
    world.book.keep(copy.changed(target=None))
    world.shut(gate_of(TWO), state=ACTIVE)
    world.settle()
    assert len(_limits(world)) <= 1


def test_an_exit_that_its_leader_took_back_behind_the_gate_goes_when_it_opens() -> None:
    """Until then it stayed: it was the only protection."""
    world = desk()
    world.market(BUY, 1)
    world.settle()
    stop = world.trade(SELL, 1, OrderType.STOP, stop=18_000)
    world.settle()
    world.shut(gate_of(TWO))
    world.cancel(stop)
    world.settle()
    assert len(world.resting(2)) == 1
    world.shut(gate_of(TWO), state=ACTIVE)
    world.settle()
    assert (world.resting(2), world.held(2)) == ([], 1)


def test_a_group_that_is_off_places_no_exit_when_a_link_is_back() -> None:
    world = desk(mode=SyncMode.CONFIRMED)
    world.market(BUY, 2)
    world.settle()
    world.wait(7)  # its login has been there for a while
    world.plan = _stopped(world)
    world.trade(SELL, 2, OrderType.STOP, stop=18_000)
    world.lose(TWO)
    world.connect(TWO)
    world.wait(1)
    assert world.outbox == []


def test_what_came_meanwhile_stays_refused() -> None:
    world = desk()
    world.shut(gate_of(TWO))
    world.trade(BUY, 2, OrderType.LIMIT, limit=19900)
    world.market(BUY, 1)
    world.shut(gate_of(TWO), state=ACTIVE)
    world.settle()
    assert (world.resting(2), world.held(2)) == ([], 0)


def test_a_group_that_copies_again_has_its_orders_in_line_within_a_second() -> None:
    world, order = _resting()
    running = world.plan
    _replanned(world, _stopped(world))
    world.change(order, limit=19910)
    world.wait(1)
    world.settle()
    assert _limits(world) == [(2, 19900)]
    _replanned(world, running)
    world.wait(1)
    world.settle()
    assert _limits(world) == [(2, 19910)]
    assert (world.book.rejoined, len(world.book.back)) == (set(), 1)
    world.wait(1)
    assert not world.book.back


def test_a_follower_that_is_back_in_its_group_is_in_line_again() -> None:
    world, order = _resting(2, 3)
    both = world.plan
    _replanned(world, plan_of(group_of(follower(2))))
    world.change(order, limit=19910)
    world.settle()
    assert (_limits(world, 2), _limits(world, 3)) == ([(2, 19910)], [(2, 19900)])
    _replanned(world, both)
    world.wait(1)
    world.settle()
    assert _limits(world, 3) == [(2, 19910)]


def test_while_its_login_is_down_nothing_is_concluded() -> None:
    world, order = _resting()
    world.shut(gate_of(TWO))
    world.change(order, limit=19910)
    world.lose(TWO)
    assert world.shut(gate_of(TWO), state=ACTIVE).steps == ()
    world.connect(TWO)
    world.settle()
    assert _limits(world) == [(2, 19910)]
