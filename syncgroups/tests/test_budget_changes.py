"""Changes within a login's budget, and what a broker that asks for silence still gets."""

from pathlib import Path

import pytest

from brokers.core.budget import CallLimits
from syncgroups.engine import records
from syncgroups.engine.journal import Mark, read
from syncgroups.tests.budget_room import SHARED, Room
from syncgroups.tests.plans import SECOND
from tradehaven.domain.commands import CancelOrder, ChangeOrder, Denied, Lane, PlaceOrder
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.events import SilenceAsked
from tradehaven.domain.ids import AccountId, ClientOrderId, OrderId

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


# -- changes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one_login", "seconds", "most"), [(True, 1, 40), (True, 8, 40), (False, 1, 100), (False, 4, 320)]
)
def test_a_stop_that_is_dragged_costs_a_fraction_and_arrives_where_it_was_dropped(
    tmp_path: Path, *, one_login: bool, most: int, seconds: int
) -> None:
    room = Room(tmp_path, one_login=one_login)
    _trade(room, BUY, 1)
    stop = room.world.trade(SELL, 1, OrderType.STOP, stop=19_900)
    room.world.settle()
    room.wait(62)
    for step in range(1, 51):
        room.world.change(stop, stop=19_900 + step)
        room.wait(0.02 * seconds)
    room.wait(1.3)
    changes = room.sent(ChangeOrder)
    assert len(changes) <= most
    assert room.stops() == {19_950}


def test_the_first_change_goes_at_once(room: Room) -> None:
    _trade(room, BUY, 1)
    stop = room.world.trade(SELL, 1, OrderType.STOP, stop=19_900)
    room.world.settle()
    room.wait(62)
    before = room.world.now
    room.world.change(stop, stop=19_901)
    changed = [at for at, command in room.calls if isinstance(command, ChangeOrder)]
    assert len(changed) == 20
    assert max(changed) - before < SECOND / 1000


def test_a_cancel_does_not_wait_behind_a_change(room: Room) -> None:
    _trade(room, BUY, 1)
    stop = room.world.trade(SELL, 1, OrderType.STOP, stop=19_900)
    room.world.settle()
    for price in (19_901, 19_902):
        room.world.change(stop, stop=price)
        room.world.settle()
    assert room.book.held
    room.world.cancel(stop)
    assert len(room.sent(CancelOrder)) == 20
    room.world.settle()
    room.wait(5)
    assert not room.stops()
    assert not room.book.held


def test_the_size_of_an_exit_does_not_wait_behind_its_price(tmp_path: Path) -> None:
    room = Room(tmp_path, followers=1)
    _trade(room, BUY, 2)
    stop = room.world.trade(SELL, 2, OrderType.STOP, stop=19_900)
    room.world.settle()
    for price in (19_901, 19_902):
        room.world.change(stop, stop=price)
        room.world.settle()
    assert room.book.held
    room.world.market(SELL, 1, account=room.accounts[0])
    assert room.sent(ChangeOrder)[-1].lane is Lane.PROTECTIVE
    assert room.sent(ChangeOrder)[-1].spec.qty == 1


def test_changes_that_have_to_wait_are_no_refusals_however_long(tmp_path: Path) -> None:
    room = Room(tmp_path, followers=1)
    _trade(room, BUY, 1)
    stop = room.world.trade(SELL, 1, OrderType.STOP, stop=19_900)
    room.world.settle()
    room.ask_silence(600)
    for price in range(19_901, 19_930):
        room.world.change(stop, stop=price)
        room.wait(10)
    assert not room.sent(ChangeOrder)
    room.wait(330)
    assert room.stops() == {19_929}
    assert len(room.sent(ChangeOrder)) == 1


def test_a_change_that_the_leader_takes_back_while_it_waits_is_not_sent(tmp_path: Path) -> None:
    room = Room(tmp_path, followers=1)
    _trade(room, BUY, 1)
    stop = room.world.trade(SELL, 1, OrderType.STOP, stop=19_900)
    room.world.settle()
    room.ask_silence(60)
    room.world.change(stop, stop=19_901)
    room.world.change(stop, stop=19_900)
    room.wait(70)
    assert not room.sent(ChangeOrder)
    assert not room.book.held


# -- silence ------------------------------------------------------------------------------------------


def test_in_silence_entries_are_refused_and_exits_are_tried_one_by_one(tmp_path: Path) -> None:
    room = Room(tmp_path, followers=3)
    _trade(room, BUY, 1)
    room.ask_silence(3600)
    assert len(_events(tmp_path, SilenceAsked)) == 1
    _trade(room, BUY, 1)
    assert room.nets() == {1}
    _trade(room, SELL, 2)
    assert len(room.sent(PlaceOrder)) == 3
    room.wait(6, settle=False)
    assert len(room.sent(PlaceOrder)) == 4
    room.wait(6, settle=False)
    assert len(room.sent(PlaceOrder)) == 5


def test_two_calls_that_meet_the_same_refusal_ask_for_one_silence(tmp_path: Path) -> None:
    room = Room(tmp_path, followers=1)
    room.ask_silence(3600)
    room.ask_silence(3600)
    assert len(_events(tmp_path, SilenceAsked)) == 1
    assert abs(room.book.silent_until[SHARED] - room.governors[SHARED].silent_until) < SECOND


def test_an_answer_to_nobody_changes_nothing(tmp_path: Path) -> None:
    room = Room(tmp_path, followers=1)
    for account in (room.accounts[0], AccountId(99)):
        room.mailbox.post(
            Denied(
                account=account,
                client_order_id=ClientOrderId("nobody"),
                reason=RefusalReason.RATE_LIMITED,
                text="",
                at=room.world.at(),
                retry_at=room.world.at(),
            )
        )
    assert not room.book.flattening
    assert not room.calls
