"""Copying within a login's budget: who goes first, what waits, what is refused, and that nothing is lost."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brokers.core.budget import CallLimits
from syncgroups.core.copies import CopyState
from syncgroups.engine import records
from syncgroups.engine.journal import Mark, read
from syncgroups.tests.budget_room import SHARED, Room
from syncgroups.tests.plans import GROUP_GATE, LEADER
from tradehaven.domain.commands import CancelOrder, ChangeOrder, ClosePosition, Denied, Lane, PlaceOrder
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.ids import OrderId, Symbol

BUY, SELL = Side.BUY, Side.SELL
SMALL = CallLimits(per_minute=10, per_hour=5000)
"""Entries may use 7 calls of 10, changes 6, exits 9."""


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def _events(folder: Path, kind: type) -> list[object]:
    payloads = (records.decode(payload) for payload, _ in read(folder, Mark()))
    events = [records.event_of(record) for record in payloads if isinstance(record, records.EventRecord)]
    return [event for event in events if isinstance(event, kind)]


def _trade(room: Room, side: Side, qty: int) -> OrderId:
    order = room.world.market(side, qty)
    room.world.settle()
    return order


# -- entries and exits --------------------------------------------------------------------------------


def test_entries_beyond_their_share_are_refused_with_figures_and_never_sent_late(
    room: Room, tmp_path: Path
) -> None:
    for _ in range(4):
        _trade(room, BUY, 1)
    assert len(room.sent(PlaceOrder)) == 60
    refused = _events(tmp_path, Denied)
    assert {event.reason for event in refused} == {RefusalReason.RATE_LIMITED}  # type: ignore[attr-defined]
    assert "60 of the login's 80 calls in a minute are used; 20 are kept" in refused[0].text  # type: ignore[attr-defined]
    room.wait(130)
    assert len(room.sent(PlaceOrder)) == 60
    assert room.nets() == {3}


def test_exits_find_their_reserve_and_the_rest_of_them_waits_its_turn(room: Room) -> None:
    for _ in range(3):
        _trade(room, BUY, 1)
    _trade(room, SELL, 3)
    assert len(room.sent(PlaceOrder, Lane.PROTECTIVE)) == 12
    assert room.nets() == {0, 3}
    room.wait(62)
    assert room.nets() == {0}
    assert len(room.sent(PlaceOrder, Lane.PROTECTIVE)) == 20
    assert room.busiest() <= 80


def test_an_exit_that_waited_goes_once_and_is_no_refusal(tmp_path: Path) -> None:
    room = Room(tmp_path, followers=4, limits=SMALL)
    _trade(room, BUY, 1)
    _trade(room, BUY, 1)  # 3 of 4: the budget of entries is used up
    _trade(room, SELL, 2)  # 2 of 4
    waiting = [room.book.copies[key] for key in room.book.held]
    assert [copy.is_unsent for copy in waiting] == [True, True]
    assert {copy.refusals for copy in waiting} == {0}
    room.wait(70)
    assert room.nets() == {0}
    assert not room.book.held
    assert len(room.sent(PlaceOrder, Lane.PROTECTIVE)) == 4


def test_making_flat_may_use_the_whole_window_and_goes_on_when_there_is_room(room: Room) -> None:
    for _ in range(3):
        _trade(room, BUY, 1)
    room.world.shut(GROUP_GATE, flatten=True)
    room.world.settle()
    assert len(room.sent(ClosePosition)) == 20
    assert room.nets() == {0}
    assert room.busiest() == 80


def test_accounts_that_could_not_be_told_to_become_flat_are_told_when_there_is_room(tmp_path: Path) -> None:
    room = Room(tmp_path, followers=4, limits=SMALL)
    _trade(room, BUY, 1)
    _trade(room, BUY, 1)
    room.world.shut(GROUP_GATE, flatten=True)
    room.world.settle()
    assert len(room.sent(ClosePosition)) == 3
    room.wait(62)
    assert room.nets() == {0}
    assert room.busiest() <= 10


def test_of_a_flip_the_closing_part_goes_and_the_opening_part_is_refused(tmp_path: Path) -> None:
    room = Room(tmp_path, followers=7, limits=SMALL)
    _trade(room, BUY, 1)
    _trade(room, SELL, 3)
    flips = room.sent(PlaceOrder, Lane.PROTECTIVE)
    assert [order.spec.qty for order in flips] == [1, 1]
    room.wait(70)
    assert room.nets() == {0}
    decided = (records.decode(payload) for payload, _ in read(tmp_path, Mark()))
    said = [r for d in decided if isinstance(d, records.DecisionRecord) for r in d.refusals]
    assert {refusal.reason for refusal in said} == {RefusalReason.RATE_LIMITED}
    assert len(said) == 7
    assert "only what closes its position is sent" in said[0].detail


# -- exits that wait ----------------------------------------------------------------------------------


def _with_waiting_exit(folder: Path, kind: OrderType = OrderType.MARKET) -> tuple[Room, OrderId]:
    """Return a room whose one follower holds 1 and whose exit found no room."""
    room = Room(folder, followers=1, limits=CallLimits(per_minute=4, per_hour=5000))
    _trade(room, BUY, 1)
    for lane in (Lane.FLATTEN_CANCEL, Lane.FLATTEN_CANCEL):
        assert room.governors[SHARED].admit(lane, room.clock.nanos()) is None
    if kind is OrderType.MARKET:
        exit_order = _trade(room, SELL, 1)
    else:
        exit_order = room.world.trade(SELL, 1, kind, stop=19_900)
    assert len(room.sent(PlaceOrder)) == 1
    return room, exit_order


def test_a_waiting_exit_is_not_sent_when_a_foreign_hand_closed_the_position(tmp_path: Path) -> None:
    room, _ = _with_waiting_exit(tmp_path)
    room.world.market(SELL, 1, account=room.accounts[0])
    room.wait(70)
    assert len(room.sent(PlaceOrder)) == 1
    assert room.nets() == {0}
    assert {copy.state for copy in room.book.copies.values()} == {CopyState.ENDED}


def test_a_waiting_stop_that_the_leader_withdraws_is_never_sent(tmp_path: Path) -> None:
    room, stop = _with_waiting_exit(tmp_path, OrderType.STOP)
    room.world.cancel(stop)
    room.wait(70)
    assert len(room.sent(PlaceOrder)) == 1
    assert not room.sent(CancelOrder)
    assert not room.book.held


def test_a_waiting_stop_goes_out_at_its_leaders_latest_price(tmp_path: Path) -> None:
    room, stop = _with_waiting_exit(tmp_path, OrderType.STOP)
    room.world.change(stop, stop=19_950)
    room.wait(70)
    assert room.stops() == {19_950}
    assert not room.sent(ChangeOrder)


def test_a_waiting_stop_outlives_its_position_and_its_link(tmp_path: Path) -> None:
    room, _ = _with_waiting_exit(tmp_path, OrderType.STOP)
    room.lose()
    room.wait(70)
    assert len(room.sent(PlaceOrder)) == 1
    room.connect()
    room.wait(2)
    assert room.stops() == {19_900}
    assert len(room.sent(PlaceOrder)) == 2


def test_a_waiting_exit_survives_a_lost_link_and_closes_what_is_held_then(tmp_path: Path) -> None:
    room, _ = _with_waiting_exit(tmp_path)
    room.lose()
    room.wait(30)
    room.connect()
    room.wait(40)
    assert room.nets() == {0}
    assert len(room.sent(PlaceOrder)) == 2


def test_a_waiting_exit_whose_position_was_closed_unseen_is_given_up_with_its_reason(tmp_path: Path) -> None:
    room, _ = _with_waiting_exit(tmp_path)
    room.lose()
    foreign = room.world.trade(SELL, 1, account=room.accounts[0], seen=False)
    room.world.fill(foreign, seen=False)
    room.connect()
    room.wait(70)
    assert len(room.sent(PlaceOrder)) == 1
    decided = (records.decode(payload) for payload, _ in read(tmp_path, Mark()))
    said = [r for d in decided if isinstance(d, records.DecisionRecord) for r in d.refusals]
    assert [refusal.reason for refusal in said] == [RefusalReason.NOTHING_TO_REDUCE]


def test_a_waiting_stop_without_a_position_waits_for_one(tmp_path: Path) -> None:
    room, _ = _with_waiting_exit(tmp_path, OrderType.STOP)
    key = next(iter(room.book.held))
    room.book.positions[room.accounts[0], Symbol("ESZ6")] = 0
    room.wait(70)
    assert len(room.sent(PlaceOrder)) == 1
    assert room.book.held == {key}
    room.book.positions[room.accounts[0], Symbol("ESZ6")] = 1
    room.wait(1)
    assert room.stops() == {19_900}


def test_a_waiting_exit_lets_a_cancel_end_that_may_still_fill(tmp_path: Path) -> None:
    room = Room(tmp_path, followers=1, limits=CallLimits(per_minute=6, per_hour=5000))
    _trade(room, BUY, 2)
    stop = room.world.trade(SELL, 2, OrderType.STOP, stop=19_900)
    room.world.settle()
    for _ in range(3):
        assert room.governors[SHARED].admit(Lane.FLATTEN_CANCEL, room.clock.nanos()) is None
    _trade(room, SELL, 1)
    room.world.cancel(stop)
    assert len(room.sent(CancelOrder)) == 1
    room.wait(65, settle=False)
    assert len(room.sent(PlaceOrder)) == 2
    room.world.settle()
    room.wait(2)
    assert len(room.sent(PlaceOrder)) == 3
    assert room.nets() == {1}


def test_a_waiting_exit_is_given_up_when_the_switch_is_turned(tmp_path: Path) -> None:
    room, _ = _with_waiting_exit(tmp_path)
    room.world.shut(GROUP_GATE)
    room.wait(70)
    assert len(room.sent(PlaceOrder)) == 1
    assert not room.book.held


def test_a_waiting_exit_is_given_up_when_copying_is_stopped(tmp_path: Path) -> None:
    room, _ = _with_waiting_exit(tmp_path)
    group = replace(room.mailbox.plan.groups[0], active=False)
    room.mailbox.replan(replace(room.mailbox.plan, groups=(group,)))
    room.wait(70)
    assert len(room.sent(PlaceOrder)) == 1
    assert not room.book.held


def test_an_exit_outwaits_the_cancel_that_it_hangs_on(tmp_path: Path) -> None:
    room = Room(tmp_path, followers=3, limits=CallLimits(per_minute=8, per_hour=5000))
    stop = room.world.trade(SELL, 1, OrderType.STOP, stop=19_000)
    _trade(room, BUY, 2)
    room.world.cancel(stop)
    _trade(room, SELL, 2)
    room.wait(130)
    assert room.nets() == {0}


def test_an_exit_that_waits_is_weighed_again_when_a_stop_that_is_withdrawn_has_ended(tmp_path: Path) -> None:
    room = Room(tmp_path, followers=3, limits=CallLimits(per_minute=7, per_hour=5000))
    stop = room.world.trade(SELL, 1, OrderType.STOP, stop=19_000)
    _trade(room, BUY, 1)
    _trade(room, SELL, 1)
    room.world.cancel(stop)
    room.wait(130)
    assert room.nets() == {0}


def test_of_two_exits_that_wait_only_what_is_held_is_closed(tmp_path: Path) -> None:
    room = Room(tmp_path, followers=1)
    _trade(room, BUY, 2)
    room.ask_silence(30)
    _trade(room, SELL, 1)
    _trade(room, SELL, 1)
    assert len(room.book.held) == 2
    room.world.market(SELL, 1, account=room.accounts[0])
    room.wait(60)
    assert room.nets() == {0}
    assert len(room.sent(PlaceOrder)) == 2


@pytest.mark.parametrize("kind", [OrderType.MARKET, OrderType.LIMIT])
def test_a_waiting_exit_waits_for_an_entry_that_may_still_fill(tmp_path: Path, kind: OrderType) -> None:
    """One at the market is filled late; one that rested fills while its cancel is on its way."""
    room = Room(tmp_path, followers=1, limits=CallLimits(per_minute=7, per_hour=5000))
    _trade(room, BUY, 2)
    entry = room.world.trade(BUY, 1, kind, limit=19_990 if kind is OrderType.LIMIT else None)
    room.world.settle(fill_markets=False)
    for _ in range(4 if kind is OrderType.MARKET else 3):
        assert room.governors[SHARED].admit(Lane.FLATTEN_CANCEL, room.clock.nanos()) is None
    room.world.cancel(entry)
    room.world.market(SELL, 2)
    room.world.market(SELL, 1, account=room.accounts[0])
    assert (room.nets(), len(room.book.held)) == ({1}, 1)
    room.wait(70, settle=False)
    assert len(room.sent(PlaceOrder)) == 2
    (resting,) = room.world.resting(room.accounts[0])
    room.world.fill(resting.order_id)
    room.world.settle()
    room.wait(2)
    assert room.nets() == {0}
    assert [command.spec.qty for command in room.sent(PlaceOrder)] == [2, 1, 2]


# -- any story ----------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), st.integers(1, 3)),
        st.tuples(st.just("sell"), st.integers(1, 3)),
        st.tuples(st.just("drag"), st.integers(1, 9)),
        st.tuples(st.just("wait"), st.integers(1, 20)),
        st.tuples(st.just("lose"), st.integers(1, 3)),
        st.tuples(st.just("silence"), st.integers(1, 30)),
    ),
    max_size=25,
)


def _play(room: Room, step: str, number: int, stop: OrderId) -> None:
    """Let the leader, who is never short, or the world do something."""
    world = room.world
    if step == "buy":
        _trade(room, BUY, number)
    elif step == "sell" and world.held(LEADER):
        _trade(room, SELL, min(number, world.held(LEADER)))
    elif step == "drag":
        world.change(stop, stop=19_000 + number)
    elif step == "wait":
        room.wait(number)
    elif step == "lose":
        room.lose()
        room.wait(number)
        room.connect()
    elif step == "silence":
        room.ask_silence(number)
    world.settle()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS, st.integers(2, 12))
def test_whatever_happens_no_window_is_exceeded_nobody_is_turned_around_and_all_end_flat(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], per_minute: int
) -> None:
    limits = CallLimits(per_minute=per_minute, per_hour=5000)
    room = Room(tmp_path_factory.mktemp("room"), followers=3, limits=limits)
    stop = room.world.trade(SELL, 1, OrderType.STOP, stop=19_000)
    for step, number in steps:
        _play(room, step, number, stop)
        assert all(0 <= net <= sum(q for s, q in steps if s == "buy") for net in room.nets())
    room.world.cancel(stop)
    _play(room, "sell", 1000, stop)
    room.wait(600)
    assert room.nets() == {0}
    assert not room.book.held
    assert room.busiest() <= per_minute
