"""Orders that a follower missed, placed because a person asked: never twice, never far from the price."""

import pytest

from syncgroups.core.differences import DriftKind
from syncgroups.core.keys import client_order_id
from syncgroups.core.replay import missed_key
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import ES, GROUP, GROUP_GATE, LEADER, follower, group_of, plan_of
from tradehaven.domain.commands import Denied, PlaceOrder, Unresolved
from tradehaven.domain.enums import Ask, OrderType, RefusalReason, Side, SizingMode, TimeInForce
from tradehaven.domain.ids import AccountId, ClientOrderId, OrderId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def _missed(*followers: object, qty: int = 2, **settings: object) -> tuple[Desk, ClientOrderId]:
    """Let a leader enter while a follower is away; return the world with it back, and the copy's name."""
    world = desk(*followers, **settings)  # type: ignore[arg-type]
    world.lose(TWO)
    order = world.market(BUY, qty)
    world.connect(TWO)
    return world, client_order_id(GROUP, LEADER, order, TWO)


def test_a_filled_order_is_caught_up_within_the_tolerance_at_once_or_not_at_all() -> None:
    world, key = _missed(drift_ticks=6)
    world.ask(Ask.REPLAY, key)
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    assert (command.client_order_id, command.side, command.spec.qty) == (key, BUY, 2)
    assert (command.spec.order_type, command.spec.limit) == (OrderType.LIMIT, 20006)
    assert command.spec.tif is TimeInForce.IOC


def test_a_second_click_places_nothing() -> None:
    world, key = _missed()
    world.ask(Ask.REPLAY, key)
    world.ask(Ask.REPLAY, key)
    assert len(world.outbox) == 1
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.ask(Ask.REPLAY, key)
    assert not world.outbox
    assert world.held(2) == 2


def test_only_what_the_leader_still_holds_is_caught_up() -> None:
    world, key = _missed(qty=4)
    world.market(SELL, 3)
    world.ask(Ask.REPLAY, key)
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    assert command.spec.qty == 1


def test_an_order_whose_position_the_leader_left_is_not_replayed() -> None:
    world, key = _missed()
    world.market(SELL, 2)
    world.ask(Ask.REPLAY, key)
    assert not world.outbox
    left = "the leader has left what this order entered: there is nothing to replay"
    assert why(world) == ("stale", left)


def test_an_order_from_which_the_leader_has_turned_is_not_replayed() -> None:
    world, key = _missed()
    world.lose(TWO)
    world.market(SELL, 4)
    world.connect(TWO)
    world.ask(Ask.REPLAY, key)
    assert (world.outbox, world.reasons()[-1]) == ([], "stale")


def test_a_leader_that_is_only_on_its_way_back_is_not_followed_by_a_replay() -> None:
    world, key = _missed()
    world.lose(TWO)
    world.market(SELL, 4)
    world.trade(BUY, 5)  # at the market, not filled yet
    world.connect(TWO)
    world.ask(Ask.REPLAY, key)
    assert (world.outbox, world.reasons()[-1]) == ([], "stale")


def test_a_follower_that_holds_the_other_side_is_not_turned_by_a_replay() -> None:
    world = desk()
    world.market(SELL, 1)
    world.settle()
    world.lose(TWO)
    order = world.market(BUY, 3)
    world.connect(TWO)
    world.ask(Ask.REPLAY, client_order_id(GROUP, LEADER, order, TWO))
    assert not [command for command in world.outbox if getattr(command, "side", None) is BUY]
    assert world.reasons()[-1] == "stale"


def test_of_an_order_that_filled_in_part_that_part_is_caught_up() -> None:
    world, _ = _missed()
    world.lose(TWO)
    order = world.trade(BUY, 4, OrderType.LIMIT, limit=19990)
    world.fill(order, 1)
    world.cancel(order)
    world.connect(TWO)
    world.ask(Ask.REPLAY, client_order_id(GROUP, LEADER, order, TWO))
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    assert command.spec.qty == 1


@pytest.mark.parametrize("side", Side)
def test_what_a_follower_lacks_beside_what_it_holds_is_caught_up(side: Side) -> None:
    world = desk()
    world.market(side, 2)
    world.settle()
    world.lose(TWO)
    order = world.market(side, 3)
    world.market(side.opposite, 1)
    world.connect(TWO)
    world.ask(Ask.REPLAY, client_order_id(GROUP, LEADER, order, TWO))
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    assert (command.side, command.spec.qty) == (side, 2)


def test_an_order_that_still_works_is_placed_as_it_stands() -> None:
    world = desk()
    world.lose(TWO)
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=19990)
    world.connect(TWO)
    world.ask(Ask.REPLAY, client_order_id(GROUP, LEADER, order, TWO))
    world.settle()
    assert world.resting(2)[0].spec.limit == 19990
    world.change(order, limit=19980)
    world.settle()
    assert world.resting(2)[0].spec.limit == 19980


def test_a_copy_that_was_never_sent_is_replayed_under_a_name_of_its_own() -> None:
    world = desk()
    order = world.trade(BUY, 2)
    name = world.outbox.pop(0).client_order_id
    why = RefusalReason.FOLLOWER_OFFLINE
    world.step(Denied(account=TWO, client_order_id=name, reason=why, text="no link", at=world.at()))
    world.fill(order)
    world.ask(Ask.REPLAY, name)
    assert world.outbox[0].client_order_id == f"{name}.r1"
    world.ask(Ask.REPLAY, name)
    assert len(world.outbox) == 1


def test_a_copy_that_the_broker_has_seen_is_not_replayed() -> None:
    world = desk()
    order = world.market(BUY, 2)
    world.settle()
    assert not world.ask(Ask.REPLAY, client_order_id(GROUP, LEADER, order, TWO))


def test_a_copy_that_may_have_arrived_is_not_replayed() -> None:
    world = desk()
    order = world.market(BUY, 2)
    name = world.outbox.pop().client_order_id
    world.step(Unresolved(account=TWO, client_order_id=name, text="", at=world.at()))
    assert not world.ask(Ask.REPLAY, client_order_id(GROUP, LEADER, order, TWO))


def test_a_replay_that_was_turned_down_is_not_repeated() -> None:
    world = desk()
    order = world.trade(BUY, 2)
    world.reject(world.outbox.pop(), "no")
    world.fill(order)
    name = client_order_id(GROUP, LEADER, order, TWO)
    world.ask(Ask.REPLAY, name)
    world.reject(world.outbox.pop(), "no")
    assert not world.ask(Ask.REPLAY, name)


@pytest.mark.parametrize("away", [TWO, LEADER])
def test_nothing_is_replayed_for_or_after_who_cannot_be_seen(away: AccountId) -> None:
    world, key = _missed()
    world.lose(away)
    world.ask(Ask.REPLAY, key)
    assert not world.outbox
    leader = "the leader's login is down: what it holds is not known"
    offline = "no connection to its broker"
    assert why(world) == (("follower_offline", offline) if away == TWO else ("unresolved", leader))


def why(world: Desk) -> tuple[str, str]:
    """Return the last reason, and its words."""
    refusal = [refusal for decision in world.decisions for refusal in decision.refusals][-1]
    return str(refusal.reason), refusal.detail


def test_nothing_is_replayed_into_a_contract_in_flight() -> None:
    world, key = _missed()
    world.market(BUY, 1)
    world.ask(Ask.REPLAY, key)
    assert len(world.outbox) == 1
    moving = "something of this contract is in flight: try again in a moment"
    assert why(world) == ("unresolved", moving)


@pytest.mark.parametrize(
    "subject", ["nonsense", client_order_id(GROUP, LEADER, OrderId(1), TWO), "th1.g9.l8.o601.f2"]
)
def test_what_nobody_knows_is_not_replayed(subject: str) -> None:
    world, _ = _missed()
    world.ask(Ask.REPLAY, subject)
    assert not world.outbox


def test_a_group_that_is_off_replays_nothing() -> None:
    world, key = _missed()
    world.plan = plan_of(group_of(follower(2), active=False))
    world.ask(Ask.REPLAY, key)
    assert not world.outbox


def test_gates_limits_and_filters_hold_for_a_replay_too() -> None:
    world, key = _missed(follower(2, max_position=1))
    world.ask(Ask.REPLAY, key)
    assert (world.outbox, world.reasons()[-1]) == ([], "max_position")
    world.shut(GROUP_GATE)
    world.ask(Ask.REPLAY, key)
    assert (world.outbox, world.reasons()[-1]) == ([], "kill_switch")
    world.plan = plan_of(group_of(follower(2), instruments=frozenset({"NQ"})))
    world.ask(Ask.REPLAY, key)
    assert (world.outbox, world.reasons()[-1]) == ([], "instrument_filtered")


def test_nothing_is_replayed_into_a_contract_in_quarantine() -> None:
    world, key = _missed(follower(2, quarantined=frozenset({ES})))
    world.ask(Ask.REPLAY, key)
    assert (world.outbox, world.reasons()[-1]) == ([], "quarantined")


def test_a_fixed_size_is_caught_up_once() -> None:
    world, key = _missed(follower(2, sizing=SizingMode.FIXED, fixed_qty=3))
    world.ask(Ask.REPLAY, key)
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    assert command.spec.qty == 3


def test_a_fixed_size_that_holds_something_is_not_added_to() -> None:
    world = desk(follower(2, sizing=SizingMode.FIXED, fixed_qty=3))
    world.market(BUY, 1)
    world.settle()
    world.lose(TWO)
    order = world.market(BUY, 1)
    world.connect(TWO)
    world.ask(Ask.REPLAY, client_order_id(GROUP, LEADER, order, TWO))
    assert (world.outbox, world.reasons()[-1]) == ([], "stale")


def test_of_two_orders_that_were_missed_the_newest_counts_and_of_one_contract_only() -> None:
    world = desk()
    world.lose(TWO)
    world.last_id = 997
    one, two = world.market(BUY, 1), world.market(BUY, 1)
    world.market(BUY, 1, symbol=Symbol("NQZ6"))
    assert (one, two) == (998, 1000)
    assert missed_key(world.book, (GROUP, TWO, ES, ES)) == client_order_id(GROUP, LEADER, two, TWO)
    assert missed_key(world.book, (GROUP, TWO, ES, Symbol("MESZ6"))) is None


def test_a_size_by_an_unknown_balance_is_not_caught_up() -> None:
    world, key = _missed(follower(2, sizing=SizingMode.BALANCE))
    world.ask(Ask.REPLAY, key)
    assert not world.outbox


def test_a_click_on_a_missed_entry_replays_its_newest_order() -> None:
    world, key = _missed()
    for _ in range(7):
        world.wait(1)
    assert missed_key(world.book, (GROUP, TWO, ES, ES)) == key
    world.ask(Ask.REPAIR, world.name_of(DriftKind.MISSED_ENTRY))
    world.wait(1)
    assert [command.client_order_id for command in world.outbox] == [key]
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.wait(1)
    assert world.differs() == []


def test_an_order_without_a_mirror_is_not_replayed() -> None:
    world = desk(follower(2, reverse=True))
    world.lose(TWO)
    order = world.trade(BUY, 1, OrderType.TRAILING_STOP, stop=20100, trail=100)
    world.connect(TWO)
    world.ask(Ask.REPLAY, client_order_id(GROUP, LEADER, order, TWO))
    assert not world.outbox
    assert world.reasons() == ["order_type_unsupported"]
