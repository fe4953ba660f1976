"""What a hand makes of a manual copy's orders at their broker: nobody here knows better."""

from dataclasses import replace

import pytest

from syncgroups.core.decision import CopyStep
from syncgroups.tests.answers import BrokerOrder
from syncgroups.tests.bracketing import Desk, desk
from tradehaven.domain.commands import ChangeOrder
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.events import OrderChanged
from tradehaven.domain.ids import Nanos
from tradehaven.domain.money import Ticks

BUY = Side.BUY


def _resting_entry(qty: int) -> tuple[Desk, BrokerOrder]:
    world = desk()
    world.order(BUY, qty, order_type=OrderType.LIMIT, limit=20000)
    world.settle()
    (entry,) = world.resting(2)
    return world, entry


def _looked_at(world: Desk, seconds: int = 8) -> None:
    for _ in range(seconds):
        world.wait(1)
        world.settle()


def _stop(world: Desk) -> BrokerOrder:
    stop = world.leg(OrderType.STOP)
    assert stop is not None
    return stop


@pytest.mark.parametrize("qty", [1, 3, 5])
def test_what_it_makes_of_the_entry_stands(qty: int) -> None:
    world, entry = _resting_entry(3)
    world.change(entry.order_id, qty=qty, limit=Ticks(19990))
    _looked_at(world)
    assert (entry.spec.qty, entry.spec.limit, len(world.resting(2))) == (qty, 19990, 1)
    world.fill(entry.order_id, qty, price=19990)
    world.settle()
    assert (world.manual_held(), world.legs()) == (qty, ((qty, 19970), (qty, 20030)))


def test_a_leg_stays_where_it_is_put_and_goes_on_fitting_what_is_held() -> None:
    world = desk()
    entry = world.entered(BUY, 3, (1, 20000))
    world.change(_stop(world).order_id, stop=Ticks(19995))
    world.settle()
    world.fill(entry, 2, price=20006)
    world.settle()
    assert world.legs() == ((3, 19995), (3, 20044))


def test_a_leg_that_is_made_smaller_is_told_its_whole_size_at_its_new_price() -> None:
    world = desk()
    world.entered(BUY, 3, (3, 20000))
    world.change(_stop(world).order_id, qty=1, stop=Ticks(19995))
    world.settle()
    assert world.legs() == ((3, 19995), (3, 20040))


def test_a_leg_that_is_only_made_smaller_follows_its_entry_as_before() -> None:
    world = desk()
    entry = world.entered(BUY, 3, (2, 20000))
    world.change(_stop(world).order_id, qty=1)
    world.settle()
    assert world.legs() == ((2, 19980), (2, 20040))
    world.fill(entry, 1, price=19997)
    world.settle()
    assert world.legs() == ((3, 19979), (3, 20039))


def test_what_it_moved_while_nobody_looked_stays_there() -> None:
    world = desk()
    world.entered(BUY, 2, (2, 20000))
    account = _stop(world).account
    world.lose(account)
    stop = _stop(world)
    stop.spec = replace(stop.spec, stop=Ticks(19995))
    world.connect(account)
    _looked_at(world)
    assert world.legs() == ((2, 19995), (2, 20040))


def test_only_what_is_changed_is_written_down() -> None:
    world = desk()
    world.order(BUY, 1, order_type=OrderType.LIMIT, limit=20000)
    world.settle()
    assert [len(decision.steps) for decision in world.decisions] == [0, 0, 1, 0, 0]


def test_what_it_moved_outlives_the_engine() -> None:
    world = desk()
    entry = world.entered(BUY, 2, (1, 20000))
    world.fill(entry, 1, price=20010)
    world.settle()  # a change of ours of the stop, that its broker has taken
    decision = world.step(_moved(_stop(world), 19995, world.at()))
    (step,) = decision.steps
    assert isinstance(step, CopyStep)
    assert (step.command, step.copy.asked) == (None, 0)
    life = world.restarted(*(world.book.copies | {step.copy.key: step.copy}).values())
    life.book.hold(step.copy.holding, 2)
    life.connect()
    _looked_at(life)
    assert life.legs() == ((2, 19995), (2, 20045))


def _moved(stop: BrokerOrder, price: int, at: Nanos) -> OrderChanged:
    stop.spec = replace(stop.spec, stop=Ticks(price))
    return OrderChanged(account=stop.account, order_id=stop.order_id, spec=stop.spec, at=at)


def test_a_change_of_ours_that_is_on_its_way_is_no_hand() -> None:
    world = desk()
    entry = world.entered(BUY, 2, (1, 20000))
    world.fill(entry, 1, price=20010)
    world.change(_stop(world).order_id, stop=Ticks(19995))  # answered by ours, that comes behind it
    world.settle()
    assert world.legs() == ((2, 19985), (2, 20045))


def test_a_price_of_ours_that_was_turned_down_is_no_hand() -> None:
    world = desk()
    entry = world.entered(BUY, 2, (1, 20000))
    world.fill(entry, 1, price=20010)
    for command in [one for one in world.outbox if isinstance(one, ChangeOrder)]:
        world.reject(command, "TooLate")
    world.outbox.clear()
    world.step(world.snapshot(_stop(world).account))
    world.settle()
    assert world.legs() == ((2, 19985), (2, 20045))


def test_an_entry_that_a_hand_moved_before_anybody_knew_its_number_stays_there() -> None:
    world = desk()
    world.order(BUY, 1, order_type=OrderType.LIMIT, limit=20000)
    (command,) = world.outbox
    world.lose(command.account)
    world.settle()
    (entry,) = world.resting(2)
    entry.spec = replace(entry.spec, limit=Ticks(19990))
    world.connect(command.account)
    _looked_at(world)
    assert entry.spec.limit == 19990


def test_a_leg_that_is_being_taken_away_is_not_kept_by_being_moved() -> None:
    world = desk()
    world.entered(BUY, 2, (2, 20000))
    stop, target = _stop(world), world.leg(OrderType.LIMIT)
    assert target is not None
    world.fill(target.order_id, 2, price=20040)
    world.change(stop.order_id, stop=Ticks(19995))
    world.settle()
    assert (world.resting(2), world.manual_held()) == ([], 0)
