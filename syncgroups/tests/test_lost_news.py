"""What is known although the news of it was lost: by lists that go on, and by what is left to close."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from syncgroups.core.decision import RemarkKind
from syncgroups.core.plan import GroupPlan
from syncgroups.tests.drifting import TWO, Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, SECOND, connection_of, follower, group_of
from syncgroups.tests.test_guard_answers import first_guard
from syncgroups.tests.test_protect import STOP, desk_with
from tradehaven.domain.commands import ChangeOrder, Confirmed, PlaceOrder, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, Side
from tradehaven.domain.events import OrderEnded, OrdersListed, PositionReported
from tradehaven.domain.ids import AccountId, GroupId, Nanos, OrderId

BUY, SELL = Side.BUY, Side.SELL


def lists(world: Desk, net: int | None, second: float) -> None:
    """Let the broker list the follower's orders and positions; None leaves the contract out."""
    at = Nanos(world.now + int(second * SECOND))
    price = Decimal("5000.00")
    stated = PositionReported(account=TWO, symbol=ES, net=net or 0, price=price if net else None, at=at)
    names = (order.client_order_id for order in world.orders.values())
    world.step(
        OrdersListed(
            connection=connection_of(TWO),
            accounts=(TWO,),
            client_order_ids=frozenset(name for name in names if name),
            positions=() if net is None else (stated,),
            at=at,
        )
    )


def holding(qty: int = 5) -> Desk:
    world = desk()
    world.market(BUY, qty)
    world.settle()
    world.wait(1)
    return world


def looked(world: Desk, seconds: int = 6) -> None:
    for _ in range(seconds):
        world.wait(1)


def test_a_list_that_contradicts_once_changes_nothing() -> None:
    world = holding()
    lists(world, 1, 0)
    looked(world)
    assert world.book.positions[TWO, ES] == 5
    assert not world.said(RemarkKind.DRIFT)


def test_lists_that_go_on_saying_what_nobody_reported_are_asked_about_and_count_in_the_end() -> None:
    world = holding()
    lists(world, 1, 0)
    world.wait(5)
    lists(world, 1, 0)
    assert world.book.reported[TWO, ES] == 1
    looked(world, 7)
    assert "the fills make +5, the broker says +1" in world.said(RemarkKind.DRIFT)[0].detail
    lists(world, 1, 0)
    looked(world, 2)
    assert world.book.positions[TWO, ES] == 1


def test_a_list_that_leaves_a_position_out_for_long_is_asked_about_as_well() -> None:
    world = holding()
    for _ in range(3):
        lists(world, None, 0)
        looked(world)
    assert world.book.positions[TWO, ES] == 0


def test_a_list_that_agrees_in_between_begins_anew() -> None:
    world = holding()
    for net in (1, 5, 1):
        lists(world, net, 0)
        world.wait(4)
    looked(world)
    assert not world.said(RemarkKind.DRIFT)


def test_a_third_figure_settles_what_fills_and_a_report_say_differently() -> None:
    world = holding()
    world.step(PositionReported(account=TWO, symbol=ES, net=0, price=None, at=world.at()))
    for _ in range(4):
        looked(world)
        lists(world, 3, 0)
    looked(world, 2)
    assert world.book.positions[TWO, ES] == 3


def protected(qty: int = 5) -> tuple[Desk, OrderId]:
    """Return a leader with its whole position under a stop, and a follower with the same."""
    world = holding(qty)
    stop = world.trade(SELL, qty, OrderType.STOP, stop=19_900)
    world.settle()
    return world, stop


def sizes(world: Desk) -> list[int]:
    return [command.spec.qty for command in world.outbox if isinstance(command, ChangeOrder | PlaceOrder)]


def bust(world: Desk, left: int) -> None:
    """Take a part of the position back, as the broker says twice."""
    world.step(PositionReported(account=TWO, symbol=ES, net=left, price=Decimal(5000), at=world.at()))
    for _ in range(2):
        looked(world)
        lists(world, left, 0)


def test_an_exit_of_which_a_part_closes_nothing_any_more_is_cut_to_the_rest() -> None:
    world, _ = protected()
    bust(world, 1)
    looked(world, 8)
    assert sizes(world)[-1:] == [1]


def test_an_exit_that_fits_is_told_nothing() -> None:
    world, _ = protected()
    looked(world, 8)
    assert not world.outbox


def test_a_stop_covers_again_what_an_exit_that_never_arrived_was_to_close() -> None:
    world = holding(4)
    world.market(SELL, 2)
    lost: Any = world.outbox.pop()
    world.trade(SELL, 2, OrderType.STOP, stop=19_900)
    world.settle()
    assert [order.spec.qty for order in world.resting(TWO)] == [2]
    name = lost.client_order_id
    world.step(Unresolved(account=TWO, client_order_id=name, text="no answer in time", at=world.at()))
    for _ in range(2):
        lists(world, 4, 0)
        looked(world, 6)
    lists(world, 4, 0)
    assert 4 in sizes(world)


def test_a_guard_that_ends_before_the_answer_that_numbers_it_is_gone() -> None:
    world = desk_with(STOP)
    world.market(BUY, 1)
    guard = first_guard(world)
    number = OrderId(77_001)
    ended = OrderEnded(
        account=guard.account,
        order_id=number,
        client_order_id=guard.client_order_id,
        status=OrderStatus.REJECTED,
        reason="LiquidationOnly",
        at=world.at(),
    )
    world.step(ended)
    answer = Confirmed(
        account=guard.account, client_order_id=guard.client_order_id, order_id=number, at=world.at()
    )
    world.step(answer)
    assert guard.client_order_id not in world.book.risk.guards


def test_an_order_that_outlived_its_leaders_opens_nothing_that_it_was_to_close() -> None:
    world = holding(2)
    flip = world.trade(SELL, 3, OrderType.LIMIT, limit=20_000)
    world.settle()
    world.fill(flip, 3)
    assert [order.spec.qty for order in world.resting(TWO)] == [3]
    world.fill(world.trade(SELL, 2, account=TWO), 2)
    world.settle()
    (left,) = world.resting(TWO)
    assert (left.side, left.spec.qty) == (SELL, 1)


def _rests_behind(**settings: Any) -> Desk:
    """Return a desk whose leader's limit entry has filled while its follower's goes on resting."""
    world = desk(**settings)
    world.fill(world.trade(BUY, 2, OrderType.LIMIT, limit=19_900), price=19_900)
    world.settle()
    world.wait(1)
    assert len(world.resting(TWO)) == 1
    return world


def _busted(world: Desk) -> None:
    """Let the exchange take the leader's fill back: only its position says so."""
    world.positions[LEADER, ES] = 0
    world.report(LEADER, ES)


def test_an_entry_goes_when_the_brokers_word_says_twice_that_its_leader_is_out() -> None:
    """Seed 1123860: a bust had left the leader flat, and no fill ever told of that (F18)."""
    world = _rests_behind()
    _busted(world)
    looked(world, 7)
    world.settle()
    assert len(world.resting(TWO)) == 1
    world.list_again(LEADER, ESZ6=0)
    looked(world, 2)
    world.settle()
    assert (world.book.positions[LEADER, ES], world.resting(TWO)) == (0, [])


def test_an_entry_stays_while_its_leader_cannot_be_seen() -> None:
    world = _rests_behind()
    world.lose(LEADER)
    world.book.positions[LEADER, ES] = world.book.reported[LEADER, ES] = 0
    looked(world, 3)
    assert world.outbox == []
    world.book.links.add(connection_of(LEADER))
    looked(world, 1)
    assert len(world.outbox) == 1


@pytest.mark.parametrize(
    "group",
    [
        group_of(follower(3)),
        replace(group_of(follower(2)), leader=AccountId(7)),
        replace(group_of(follower(2)), group=GroupId(77)),
    ],
)
def test_an_entry_stays_whose_follower_has_left_its_group(group: GroupPlan) -> None:
    world = _rests_behind()
    world.plan = replace(world.plan, groups=(group,))
    world.book.positions[LEADER, ES] = world.book.reported[LEADER, ES] = 0
    looked(world, 3)
    assert world.outbox == []


def test_an_exit_that_rests_behind_its_leaders_is_none_of_that() -> None:
    world = holding(2)
    target = world.trade(SELL, 2, OrderType.LIMIT, limit=20_100)
    world.settle()
    world.fill(target, price=20_100)
    looked(world, 3)
    world.settle()
    assert len(world.resting(TWO)) == 1


def test_an_exit_behind_a_leader_that_is_out_is_left_to_drift_when_nothing_is_held_any_more() -> None:
    """Whether it is swept, named or left alone says its group's rule, and only after a second look."""
    world = holding(2)
    target = world.trade(SELL, 2, OrderType.LIMIT, limit=20_100)
    world.settle()
    world.fill(target, price=20_100)
    world.wait(1)
    world.book.hold((GROUP, TWO, ES, ES), 0)
    world.book.positions[TWO, ES] = world.book.reported[TWO, ES] = 0
    looked(world, 2)
    assert world.outbox == []


def test_of_two_followers_the_one_whose_entry_rests_is_looked_at() -> None:
    world = desk(follower(2), follower(3))
    world.fill(world.trade(BUY, 2, OrderType.LIMIT, limit=19_900), price=19_900)
    world.settle()
    world.wait(1)
    world.book.positions[LEADER, ES] = world.book.reported[LEADER, ES] = 0
    looked(world, 1)
    assert sorted(command.account for command in world.outbox) == [TWO, 3]


def test_an_entry_stays_while_its_leader_may_be_in_again() -> None:
    """Its fills make it flat and its broker's word does not, or the other way about."""
    world = _rests_behind()
    world.book.positions[LEADER, ES] = 0
    looked(world, 3)
    assert world.outbox == []
