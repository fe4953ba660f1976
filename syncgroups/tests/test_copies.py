"""One copy by itself: what it still has to tell the broker, when it may, and what a budget leaves of it."""

from typing import Any

import pytest

from syncgroups.core.copies import MAX_REFUSALS, Copy, CopyState, as_seen, held_back, next_command, put_off
from syncgroups.tests.plans import ES, GROUP, LEADER, SECOND
from tradehaven.domain.commands import CancelOrder, ChangeOrder, Denied, Lane, PlaceOrder
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, GroupId, Nanos, OrderId
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

NOW = 1_000 * SECOND
KEY = ClientOrderId("th1.g9.l1.o600.f2")
NAME = OrderId(700)


def limit(qty: int, price: int = 20_000) -> OrderSpec:
    return OrderSpec(order_type=OrderType.LIMIT, qty=qty, limit=Ticks(price))


def trailing(qty: int, stop: int) -> OrderSpec:
    return OrderSpec(order_type=OrderType.TRAILING_STOP, qty=qty, stop=Ticks(stop), trail=Ticks(20))


def live(sent: OrderSpec, target: OrderSpec | None, **more: Any) -> Copy:
    """Return a copy that works at the broker as `sent`."""
    plain: dict[str, Any] = {"state": CopyState.LIVE, "order_id": NAME, "enters": 0, "side": Side.SELL}
    plain |= {"group": GROUP}
    return Copy(
        key=KEY,
        leader=LEADER,
        leader_order=OrderId(600),
        follower=AccountId(2),
        symbol=ES,
        target=target,
        sent=sent,
        **(plain | more),
    )


def unsent(target: OrderSpec | None, *, sent: OrderSpec | None = None, **more: Any) -> Copy:
    """Return a copy that was decided and held back."""
    return live(sent or limit(2), target, state=CopyState.SENDING, order_id=None, **more)


def denied(*, retry_at: int | None) -> Denied:
    return Denied(
        account=AccountId(2),
        client_order_id=KEY,
        reason=RefusalReason.RATE_LIMITED,
        text="full",
        at=Nanos(NOW),
        retry_at=None if retry_at is None else Nanos(retry_at),
    )


# -- what is to be told -------------------------------------------------------------------------------


def test_an_order_that_stands_as_wished_is_left_alone() -> None:
    copy = live(limit(2), limit(2))
    assert next_command(copy) == (copy, None)


@pytest.mark.parametrize("state", [state for state in CopyState if state is not CopyState.LIVE])
def test_nothing_is_told_to_an_order_whose_state_is_not_known_to_be_working(state: CopyState) -> None:
    copy = live(limit(2), limit(3), state=state, in_flight=KEY if state is CopyState.SENDING else None)
    assert next_command(copy, retry=True) == (copy, None)


def test_nothing_is_told_to_an_order_while_a_command_is_out() -> None:
    copy = live(limit(2), limit(3), in_flight=ClientOrderId(f"{KEY}.c1"))
    assert next_command(copy, retry=True) == (copy, None)


def test_a_change_says_what_is_wished_under_the_next_name_and_counts_as_asked() -> None:
    after, command = next_command(live(limit(2), limit(5, 20_010), commands=3))
    name = ClientOrderId(f"{KEY}.c4")
    assert isinstance(command, ChangeOrder)
    assert (command.client_order_id, command.order_id, command.account) == (name, NAME, AccountId(2))
    assert (command.spec, command.symbol) == (limit(5, 20_010), ES)
    assert (after.in_flight, after.commands, after.asked) == (name, 4, 5)
    assert after.sent == limit(2), "in force is what the broker said last"


def test_a_smaller_change_leaves_a_larger_one_counted_that_may_be_in_force() -> None:
    after, _ = next_command(live(limit(4), limit(3), asked=6))
    assert after.asked == 6
    assert after.outstanding == 6


@pytest.mark.parametrize(("qty", "filled"), [(2, 2), (2, 3)])
def test_an_order_that_has_filled_what_is_wished_is_cancelled(qty: int, filled: int) -> None:
    after, command = next_command(live(limit(5), limit(qty), filled=filled))
    assert isinstance(command, CancelOrder)
    assert command.order_id == NAME
    assert after.target is None


def test_an_order_that_nothing_is_wished_of_is_cancelled() -> None:
    after, command = next_command(live(limit(5), None))
    assert isinstance(command, CancelOrder)
    assert after.in_flight == command.client_order_id == ClientOrderId(f"{KEY}.c1")


def test_of_a_trailing_stop_only_the_size_is_told() -> None:
    _, command = next_command(live(trailing(2, 20_040), trailing(3, 20_000)))
    assert isinstance(command, ChangeOrder)
    assert command.spec == trailing(3, 20_040)


# -- when it may be told ------------------------------------------------------------------------------


def test_what_was_turned_down_is_told_again_only_when_time_has_passed_and_not_for_ever() -> None:
    once = live(limit(2), None, refusals=1)
    assert next_command(once)[1] is None
    assert next_command(once, retry=True)[1] is not None
    often = live(limit(2), None, refusals=MAX_REFUSALS)
    assert next_command(often, retry=True)[1] is None
    assert next_command(often.changed(refusals=MAX_REFUSALS - 1), retry=True)[1] is not None


HELD: dict[str, Any] = {"held_until": Nanos(NOW), "held_at_most": Nanos(NOW + 1)}


def test_a_change_of_price_waits_for_its_time_and_then_is_free() -> None:
    copy = live(limit(2), limit(2, 20_010), **HELD)
    assert next_command(copy) == (copy, None)
    after, command = next_command(copy, retry=True)
    assert isinstance(command, ChangeOrder)
    assert command.lane is Lane.CHANGE
    assert after.held_until == 0


@pytest.mark.parametrize(
    ("target", "enters", "lane"),
    [
        pytest.param(limit(1), 1, Lane.PROTECTIVE, id="an entry that becomes smaller"),
        pytest.param(limit(1), 0, Lane.PROTECTIVE, id="an exit that becomes smaller"),
        pytest.param(limit(3), 0, Lane.PROTECTIVE, id="an exit that must cover more"),
        pytest.param(limit(3), 3, Lane.CHANGE, id="an entry that grows"),
        pytest.param(limit(2, 20_010), 0, Lane.CHANGE, id="an exit at another price"),
    ],
)
def test_only_what_takes_less_risk_or_fits_an_exit_does_not_wait(
    target: OrderSpec, enters: int, lane: Lane
) -> None:
    copy = live(limit(2), target, enters=enters)
    _, command = next_command(copy)
    assert isinstance(command, ChangeOrder)
    assert command.lane is lane
    _, while_held = next_command(copy.changed(**HELD))
    assert (while_held is None) is (lane is Lane.CHANGE)


def test_a_cancel_does_not_wait() -> None:
    _, command = next_command(live(limit(2), None, **HELD))
    assert isinstance(command, CancelOrder)


# -- what never left ----------------------------------------------------------------------------------


def test_an_order_that_was_held_back_is_placed_under_its_own_name_when_it_may_be_tried() -> None:
    copy = unsent(limit(3), **HELD)
    assert next_command(copy) == (copy, None)
    after, command = next_command(copy, retry=True)
    assert isinstance(command, PlaceOrder)
    assert (command.client_order_id, command.spec, command.side) == (KEY, limit(3), Side.SELL)
    assert command.lane is Lane.PROTECTIVE
    assert (after.in_flight, after.sent, after.held_until) == (KEY, limit(3), 0)


def test_an_order_that_was_withdrawn_before_it_left_ends_without_a_word() -> None:
    after, command = next_command(unsent(None, **HELD))
    assert command is None
    assert (after.state, after.held_until) == (CopyState.ENDED, 0)


# -- what a budget leaves -----------------------------------------------------------------------------


def test_an_entry_that_finds_no_room_is_over() -> None:
    copy = unsent(limit(2), enters=2, in_flight=KEY)
    after = held_back(copy, denied(retry_at=None), placing=True)
    assert (after.state, after.in_flight) == (CopyState.ENDED, None)


def test_an_order_that_was_withdrawn_meanwhile_is_over_when_it_finds_no_room() -> None:
    after = held_back(unsent(None, in_flight=KEY), denied(retry_at=None), placing=True)
    assert (after.state, after.in_flight) == (CopyState.ENDED, None)


def test_of_a_flip_without_room_what_closes_goes_alone_and_at_once() -> None:
    copy = unsent(limit(5), sent=limit(5), enters=3, in_flight=KEY)
    after = held_back(copy, denied(retry_at=NOW + SECOND), placing=True)
    assert (after.state, after.in_flight, after.is_unsent) == (CopyState.SENDING, None, True)
    assert (after.target, after.sent, after.enters) == (limit(2), limit(2), 0)
    assert after.held_until == NOW


def test_a_pure_exit_without_room_waits_for_its_time() -> None:
    copy = unsent(limit(2), in_flight=KEY)
    after = held_back(copy, denied(retry_at=NOW + 7), placing=True)
    assert after.held_until == NOW + 7
    assert held_back(copy, denied(retry_at=None), placing=True).held_until == NOW + SECOND


def test_a_change_without_room_waits_and_no_longer_counts_as_asked() -> None:
    copy = live(limit(2), limit(3), in_flight=ClientOrderId(f"{KEY}.c1"), asked=3)
    after = held_back(copy, denied(retry_at=NOW + SECOND // 4), placing=False)
    assert (after.in_flight, after.asked) == (None, 0)
    assert after.held_until == after.held_at_most == NOW + SECOND // 4


def test_a_change_that_waits_long_also_waits_for_its_leaders_hand_ten_times_as_long_at_most() -> None:
    after = held_back(live(limit(2), limit(3)), denied(retry_at=NOW + SECOND), placing=False)
    assert after.held_until == NOW + SECOND
    assert after.held_at_most == NOW + 10 * SECOND


def test_a_held_change_is_put_off_until_the_leaders_hand_rests_but_not_for_ever() -> None:
    quiet = 3 * SECOND // 10
    held = live(limit(2), limit(3), held_until=Nanos(NOW), held_at_most=Nanos(NOW + SECOND))
    assert put_off(held, Nanos(NOW)).held_until == NOW + quiet
    assert put_off(held, Nanos(NOW + SECOND)).held_until == NOW + SECOND
    assert put_off(held, Nanos(NOW - SECOND)).held_until == NOW
    free = live(limit(2), limit(3))
    assert put_off(free, Nanos(NOW)) == free


# -- what it counts for -------------------------------------------------------------------------------


def test_an_order_may_trade_as_much_as_was_told_asked_or_wished() -> None:
    assert live(limit(2), None, filled=1).outstanding == 1
    assert live(limit(2), limit(4), filled=1).outstanding == 3
    assert live(limit(2), limit(4), asked=6, filled=1).outstanding == 5
    assert live(limit(2), None, filled=3).outstanding == 0
    assert live(limit(2), limit(4), state=CopyState.ENDED).outstanding == 0


def test_an_order_that_is_over_has_nothing_left_to_trade() -> None:
    assert live(limit(5), limit(5), filled=2).unfilled == -3
    assert live(limit(5), limit(5), filled=2, side=Side.BUY).unfilled == 3
    assert live(limit(5), limit(5), filled=2, state=CopyState.ENDED).unfilled == 0


def test_answers_to_one_order_stand_in_the_order_of_its_fills() -> None:
    whole, first, second = (live(limit(1), None, fill=fill) for fill in (None, FillId(1), FillId(2)))
    assert whole.number < first.number < second.number
    assert whole.precedes(first)
    assert first.precedes(second)
    assert not second.precedes(first)
    assert not first.precedes(first)
    other = first.changed(key=ClientOrderId(first.key + "x"))
    assert first.precedes(other)
    assert not other.precedes(first)


def test_answers_to_fills_of_two_orders_stand_in_the_order_of_the_fills() -> None:
    older = live(limit(1), None, fill=FillId(9))
    younger = older.changed(leader_order=OrderId(older.leader_order + 1), fill=FillId(8))
    assert younger.precedes(older)
    assert not older.precedes(younger)


def test_groups_below_nought_are_those_of_manual_orders() -> None:
    assert [live(limit(1), None, group=GroupId(group)).is_manual for group in (-1, 0, 1)] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(("wait", "most"), [(250_000_000, 250_000_000), (250_000_001, 2_500_000_010)])
def test_a_change_that_waits_for_more_than_a_quarter_second_waits_ten_times_as_long_at_most(
    wait: int, most: int
) -> None:
    held = held_back(live(limit(2), limit(1)), denied(retry_at=NOW + wait), placing=False)
    assert (held.held_until, held.held_at_most) == (NOW + wait, NOW + most)


def test_a_copy_that_is_not_held_is_not_put_off() -> None:
    told = live(limit(2), limit(1), held_at_most=Nanos(NOW))
    assert put_off(told, Nanos(NOW)) is told


def test_what_closes_of_a_flip_that_found_no_room_is_unsent_again_also_after_a_reconnect() -> None:
    """A snapshot had put it in doubt while it waited for its turn."""
    flip = live(limit(5), limit(5), state=CopyState.UNRESOLVED, order_id=None, in_flight=KEY, enters=2)
    held = held_back(flip, denied(retry_at=NOW + SECOND), placing=True)
    assert (held.state, held.is_unsent, held.target) == (CopyState.SENDING, True, limit(3))


def test_what_its_owners_hand_made_of_a_manual_entry_is_what_it_enters() -> None:
    entry = live(limit(2), limit(2), group=GroupId(-1), side=Side.BUY, enters=2)
    assert (as_seen(entry, limit(3)).target, as_seen(entry, limit(3)).enters) == (limit(3), 3)
