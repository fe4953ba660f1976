"""Drift where a follower trades another contract, the other side, or its leader's fills."""

import pytest

from syncgroups.core.differences import DriftKind
from syncgroups.core.keys import CopyKey, is_repair, parse_key, repair_id
from syncgroups.core.plan import FollowerPlan
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, follower
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.enums import Ask, DriftPolicy, OrderType, Side, SizingMode, SyncMode
from tradehaven.domain.events import OrderFilled, OrderWorking
from tradehaven.domain.ids import AccountId, ClientOrderId, OrderId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)
MES = Symbol("MESZ6")


def _micro(**settings: object) -> FollowerPlan:
    return follower(2, products={"ES": follower(2, product="MES", **settings)}, **settings)


def _look(world: Desk, seconds: int = 8) -> None:
    for _ in range(seconds):
        world.wait(1)


def _leaves_unseen(world: Desk, side: Side, qty: int) -> None:
    world.lose(LEADER)
    world.fill(world.trade(side, qty, seen=False), seen=False)
    world.connect(LEADER)


@pytest.mark.parametrize(("reverse", "held"), [(False, 20), (True, -20)])
def test_micros_are_weighed_against_the_minis_that_they_answer(reverse: bool, held: int) -> None:
    world = desk(_micro(reverse=reverse), drift_policy=DriftPolicy.REPAIR, drift_cap=50)
    world.market(BUY, 2)
    world.settle()
    _look(world)
    assert (world.held(2, MES), world.differs()) == (held, [])
    _leaves_unseen(world, SELL, 1)
    _look(world, 4)
    assert world.differs() == [("too_much", 2, held // 2, held)]
    _look(world)
    world.settle()
    assert world.held(2, MES) == held // 2
    _leaves_unseen(world, SELL, 1)
    _look(world)
    world.settle()
    _look(world)
    assert (world.held(2, MES), world.differs()) == (0, [])
    assert all(parse_key(command.client_order_id) for command in world.placed)


def test_a_reversed_followers_failed_exit_is_bought_back() -> None:
    world = desk(follower(2, reverse=True))
    world.market(BUY, 2)
    world.settle()
    assert world.held(2) == -2
    world.market(SELL, 2)
    world.reject(world.outbox.pop(0), "no")
    assert world.differs() == [("failed_exit", 2, 0, -2)]
    world.wait(1)
    world.settle()
    assert world.held(2) == 0


def test_an_exit_of_micros_missed_offline_is_made_up() -> None:
    world = desk(_micro())
    world.market(BUY, 2)
    world.settle()
    world.lose(TWO)
    world.market(SELL, 1)
    assert world.differs() == [("failed_exit", 2, 10, 20)]
    world.connect(TWO)
    world.wait(1)
    world.settle()
    assert world.held(2, MES) == 10


@pytest.mark.parametrize(("reverse", "side", "limit"), [(False, BUY, 20008), (True, SELL, 19992)])
def test_a_missed_entry_is_caught_up_in_the_followers_terms(reverse: bool, side: Side, limit: int) -> None:
    world = desk(_micro(reverse=reverse))
    world.lose(TWO)
    world.market(BUY, 1)
    world.connect(TWO)
    _look(world)
    ((kind, _, expected, actual),) = world.differs()
    assert (kind, expected, actual) == ("missed_entry", 10 * side.sign, 0)
    world.ask(Ask.REPAIR, world.name_of(DriftKind.MISSED_ENTRY))
    world.wait(1)
    (command,) = world.outbox
    assert isinstance(command, PlaceOrder)
    assert (command.symbol, command.side, command.spec.qty) == (MES, side, 10)
    assert command.spec.limit == limit


@pytest.mark.parametrize("reverse", [False, True])
def test_a_missing_stop_is_placed_in_the_followers_terms(reverse: bool) -> None:
    world = desk(_micro(reverse=reverse), drift_policy=DriftPolicy.REPAIR)
    world.market(BUY, 1)
    world.settle()
    world.lose(LEADER)
    world.trade(SELL, 1, OrderType.STOP, stop=19000, seen=False)
    world.connect(LEADER)
    world.wait(1)
    sign = 1 if reverse else -1
    assert world.differs() == [("unprotected", 2, 10 * sign, 0)]
    _look(world)
    world.settle()
    (placed,) = world.resting(2)
    assert (placed.symbol, placed.spec.qty, placed.side.sign) == (MES, 10, sign)


def test_a_rejected_stop_of_micros_is_placed_anew_and_follows() -> None:
    world = desk(_micro())
    world.market(BUY, 1)
    world.settle()
    stop = world.trade(SELL, 1, OrderType.STOP, stop=19000)
    world.reject(world.outbox.pop(0), "no")
    world.wait(1)
    world.settle()
    (placed,) = world.resting(2)
    world.change(stop, stop=19100)
    world.settle()
    assert (placed.symbol, placed.spec.stop) == (MES, 19100)


# -- Confirmed mode ----------------------------------------------------------------------------------


def test_fills_missed_offline_are_caught_up_once_for_all_of_an_order() -> None:
    world = desk(follower(2), mode=SyncMode.CONFIRMED)
    world.lose(TWO)
    order = world.trade(BUY, 3)
    world.fill(order, 1)
    world.fill(order, 1)
    world.connect(TWO)
    missed = sorted(world.book.missed)
    assert len(missed) == 2
    for key in missed:
        world.ask(Ask.REPLAY, key)
    assert [command.client_order_id for command in world.outbox] == [missed[0]]
    assert world.reasons()[-1] == "unresolved"  # the first one is still in flight
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.ask(Ask.REPLAY, missed[1])
    assert world.reasons()[-1] == "stale"
    assert world.held(2) == 2


@pytest.mark.parametrize("sizing", [SizingMode.RATIO, SizingMode.FIXED])
def test_an_exit_by_fills_missed_offline_is_made_up_whole(sizing: SizingMode) -> None:
    world = desk(follower(2, sizing=sizing, fixed_qty=4), mode=SyncMode.CONFIRMED)
    world.market(BUY, 4)
    world.settle()
    world.lose(TWO)
    order = world.trade(SELL, 4)
    world.fill(order, 1)
    world.fill(order, 3)
    world.connect(TWO)
    for _ in range(4):
        world.wait(1)
        world.settle()
    assert (world.held(2), world.differs()) == (0, [])


# -- names -------------------------------------------------------------------------------------------


def test_the_name_of_a_repair_says_what_it_mends() -> None:
    key = CopyKey(group=GROUP, leader=LEADER, leader_order=OrderId(601), follower=TWO)
    name = repair_id(key, MES, ES, 1_795_017_605)
    assert name == "th1d.g9.l1.o601.f2.MESZ6.ESZ6.1795017605"
    assert len(repair_id(key, MES, ES, 9_999_999_999)) <= 64
    found = parse_key(ClientOrderId(f"{name}.c3"))
    assert found is not None
    assert (found.repair, found.leads, found.fill) == (True, ES, None)
    assert is_repair(name)
    assert parse_key("th1d.g9.l1.o601.f2.MESZ6.1795017605") is None


@pytest.mark.parametrize("reverse", [False, True])
def test_a_repair_that_nobody_remembers_counts_toward_what_it_closes(reverse: bool) -> None:
    world = desk(_micro(reverse=reverse))
    world.market(BUY, 1)
    world.settle()
    held = world.held(2, MES)
    key = CopyKey(group=GROUP, leader=LEADER, leader_order=OrderId(0), follower=TWO)
    name = repair_id(key, MES, ES, 1_795_017_605)
    side = SELL if held > 0 else BUY
    order = world.trade(side, 4, account=TWO, symbol=MES, seen=False)
    broker = world.orders[order]
    broker.client_order_id = name
    world.step(
        OrderWorking(
            account=TWO,
            order_id=order,
            client_order_id=name,
            symbol=MES,
            side=side,
            spec=broker.spec,
            at=world.at(),
        )
    )
    world.fill(order)
    assert world.book.copied[GROUP, TWO, MES, ES] == held + 4 * side.sign
    assert world.book.held_for(GROUP, TWO, ES) == (MES, reverse)
    assert isinstance(world.fills[-1], OrderFilled)
