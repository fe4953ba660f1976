"""Exits that failed are kept, retried with growing pauses and said aloud; entries that failed are not."""

import pytest

from syncgroups.core.keys import is_repair, parse_key
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import ES, GROUP, GROUP_GATE, LEADER, follower, group_of, plan_of
from tradehaven.domain.commands import Denied, PlaceOrder
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, Side, SizingMode, TradingState
from tradehaven.domain.events import OrderEnded
from tradehaven.domain.ids import AccountId

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def _exit_rejected(*followers: object, entry: int = 2, leaves: int = 2, **settings: object) -> Desk:
    """Let a follower's exit be turned down."""
    world = desk(*followers, **settings)  # type: ignore[arg-type]
    world.market(BUY, entry)
    world.settle()
    world.market(SELL, leaves)
    _reject(world)
    return world


def _reject(world: Desk) -> None:
    world.reject(world.outbox.pop(0), "MaxOrderQtyLimitReached")


def _tries(world: Desk, seconds: int) -> list[int]:
    """Return after how many seconds something was sent, every try being turned down."""
    sent = []
    for second in range(1, seconds + 1):
        world.wait(1)
        if world.outbox:
            sent.append(second)
            _reject(world)
    return sent


def test_a_rejected_exit_is_said_at_once_and_retried_until_flat() -> None:
    world = _exit_rejected()
    assert world.differs() == [("failed_exit", 2, 0, 2)]
    assert world.remarks() == ["exit_failed"]
    world.wait(1)
    world.settle()
    assert world.held(2) == 0
    world.wait(1)
    assert world.differs() == []
    assert world.remarks() == ["exit_failed", "drift_changed", "drift_over"]
    retry = world.placed[-1]
    assert is_repair(retry.client_order_id)
    key = parse_key(retry.client_order_id)
    assert key is not None
    assert (key.group, key.leader, key.follower, key.repair) == (GROUP, LEADER, TWO, True)


def test_retries_wait_longer_each_time_and_shut_the_contract_for_entries() -> None:
    world = _exit_rejected()
    assert _tries(world, 100) == [1, 3, 7, 15, 31, 61, 91]
    assert world.remarks().count("exit_failed") == 2  # aloud at first, and after a minute
    assert world.remarks().count("quarantined") == 1
    world.market(BUY, 2)
    assert world.reasons()[-1] == "quarantined"


def test_a_retry_never_closes_more_than_is_left() -> None:
    world = _exit_rejected()
    world.market(SELL, 1, account=TWO)  # by hand
    world.wait(1)
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    assert command.spec.qty == 1
    world.settle()
    assert world.held(2) == 0


def test_a_denied_exit_is_owed_too() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.market(SELL, 1)
    name = world.outbox.pop(0).client_order_id
    why = RefusalReason.FOLLOWER_OFFLINE
    world.step(Denied(account=TWO, client_order_id=name, reason=why, text="no link", at=world.at()))
    world.wait(1)
    world.settle()
    assert world.held(2) == 0


def test_an_exit_that_the_broker_rejects_late_is_owed_too() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.market(SELL, 1)
    command = world.outbox.pop(0)
    world.deliver(command, fill_markets=False)
    (order,) = world.resting(2)
    order.status = OrderStatus.REJECTED
    world.step(
        OrderEnded(
            account=TWO,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            status=OrderStatus.REJECTED,
            reason="margin",
            at=world.at(),
        )
    )
    assert world.differs() == [("failed_exit", 2, 0, 1)]


def test_an_exit_missed_offline_is_made_up_when_the_link_is_back() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.lose(TWO)
    world.market(SELL, 2)
    assert world.remarks() == ["exit_failed"]
    assert _tries(world, 20) == []
    world.connect(TWO)
    world.wait(1)
    world.settle()
    assert world.held(2) == 0


def test_a_part_of_a_position_that_failed_to_close_is_closed_later() -> None:
    world = _exit_rejected(entry=4, leaves=3)
    assert world.differs() == [("failed_exit", 2, 1, 4)]
    world.wait(1)
    world.settle()
    world.wait(1)
    assert (world.held(2), world.differs()) == (1, [])


@pytest.mark.parametrize("again", [0, 1])
def test_a_fixed_size_closes_what_it_owes_and_no_more(again: int) -> None:
    world = _exit_rejected(follower(2, sizing=SizingMode.FIXED, fixed_qty=2), entry=4, leaves=1)
    world.wait(1)
    for _ in range(again):
        _reject(world)
        world.wait(2)
    world.settle()
    world.wait(40)
    world.settle()
    world.wait(1)
    assert (world.held(2), world.differs()) == (0, [])
    world.market(BUY, 1)
    world.settle()
    _ = [world.wait(1) for _ in range(40)]
    assert world.held(2) == 2


def test_what_a_leader_bought_again_is_no_longer_owed() -> None:
    world = _exit_rejected()
    world.shut(GROUP_GATE, state=TradingState.REDUCING)
    world.market(BUY, 2)
    world.wait(1)
    assert world.differs() == []
    assert not world.outbox


def test_behind_a_shut_gate_it_waits() -> None:
    world = _exit_rejected()
    world.shut(GROUP_GATE)
    assert _tries(world, 20) == []
    world.shut(GROUP_GATE, state=TradingState.ACTIVE)
    world.wait(1)
    world.settle()
    assert world.held(2) == 0


def test_a_stopped_group_owes_nothing() -> None:
    world = _exit_rejected()
    world.plan = plan_of(group_of(follower(2), active=False))
    world.wait(1)
    assert world.differs() == []
    assert not world.outbox


def test_a_rejected_entry_is_not_repeated() -> None:
    world = desk()
    world.market(BUY, 2)
    _reject(world)
    assert _tries(world, 40) == []
    assert world.remarks() == []


def test_a_rejected_stop_is_placed_anew_and_follows_its_leader() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19000)
    _reject(world)
    world.wait(1)
    world.settle()
    (placed,) = world.resting(2)
    assert (placed.spec.qty, placed.spec.stop) == (2, 19000)
    world.change(stop, stop=19100)
    world.settle()
    assert placed.spec.stop == 19100
    world.wait(1)
    assert world.differs() == []
    world.cancel(stop)
    world.settle()
    assert world.resting(2) == []


def test_a_stop_missed_offline_is_placed_under_its_own_name() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.lose(TWO)
    world.trade(SELL, 2, OrderType.STOP, stop=19000)
    world.connect(TWO)
    world.wait(1)
    world.settle()
    (placed,) = world.resting(2)
    assert placed.client_order_id is not None
    assert not is_repair(placed.client_order_id)


def test_a_rejected_stop_that_its_leader_withdrew_is_no_longer_owed() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19000)
    _reject(world)
    world.cancel(stop)
    world.wait(1)
    assert world.differs() == []
    assert not world.outbox


def test_a_rejected_stop_that_filled_at_the_leader_closes_at_the_market() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    stop = world.trade(SELL, 2, OrderType.STOP, stop=19000)
    _reject(world)
    world.fill(stop)
    world.wait(1)
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    assert command.spec.order_type is OrderType.MARKET
    world.settle()
    assert world.held(2) == 0


def test_a_resting_exit_is_cancelled_before_the_retry_closes() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    world.trade(SELL, 2, OrderType.LIMIT, limit=21000)
    world.settle()
    world.market(SELL, 2)  # the leader leaves and its target rests on
    while any(isinstance(command, PlaceOrder) for command in world.outbox):
        _reject(world)
    world.settle()
    for _ in range(6):
        world.wait(1)
        world.settle()
    assert world.held(2) == 0
    assert world.resting(2) == []
    assert all(world.positions[AccountId(2), ES] >= 0 for _ in world.fills)


def test_two_followers_are_served_each_for_itself() -> None:
    world = desk(follower(2), follower(3))
    world.market(BUY, 1)
    world.settle()
    world.market(SELL, 1)
    _reject(world)
    _reject(world)
    world.wait(1)
    assert len(world.outbox) == 2
    world.settle()
    assert (world.held(2), world.held(3)) == (0, 0)


def test_a_retry_waits_for_an_exit_that_cannot_be_taken_back_yet() -> None:
    world = desk()
    world.market(BUY, 2)
    target = world.trade(SELL, 2, OrderType.LIMIT, limit=21000)
    world.settle()
    world.change(target, limit=20900)
    world.reject(world.outbox.pop(0), "no")
    world.market(SELL, 2)
    while world.outbox:
        _reject(world)
    for _ in range(12):
        world.wait(1)
        world.settle()
    assert (world.held(2), world.resting(2)) == (0, [])
