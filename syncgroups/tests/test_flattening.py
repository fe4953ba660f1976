"""Making an account flat: what is told by which name, who is meant, and what a switch finds on its way."""

import pytest

from syncgroups.core import watch
from syncgroups.core.copies import CopyState
from syncgroups.core.decision import CopyRefused
from syncgroups.core.folding import fold
from syncgroups.core.keys import close_id
from syncgroups.tests import desk as plain
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import (
    ES,
    GROUP_GATE,
    LEADER,
    OWNER_GATE,
    SECOND,
    follower,
    gate_of,
    group_of,
    plan_of,
)
from tradehaven.domain.commands import CancelOrder, ClosePosition, Denied, Unresolved
from tradehaven.domain.enums import Ask, OrderType, RefusalReason, Side, TradingState
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, OrderId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
NQ = Symbol("NQZ6")


def two_followers() -> Desk:
    """Return a desk on which two followers hold a contract each."""
    world = desk(follower(2), follower(3))
    world.market(BUY, 1)
    world.settle()
    return world


def test_each_command_is_named_by_what_it_ends_and_by_its_second() -> None:
    world = two_followers()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=1, account=TWO, symbol=NQ)
    world.shut(gate_of(TWO), flatten=True)
    second = world.now // SECOND
    assert world.outbox == [
        CancelOrder(account=TWO, client_order_id=close_id(TWO, f"o{order}", second), order_id=order),
        ClosePosition(account=TWO, client_order_id=close_id(TWO, ES, second), symbol=ES),
    ]


def test_orders_are_taken_away_in_the_order_of_their_numbers() -> None:
    world = desk()
    world.last_id = 606
    orders = [world.trade(BUY, 1, OrderType.LIMIT, limit=1, account=TWO, symbol=NQ) for _ in range(2)]
    world.shut(gate_of(TWO), flatten=True)
    cancels = [command.order_id for command in world.outbox if isinstance(command, CancelOrder)]
    assert cancels == orders == [607, 608]


def test_a_person_makes_the_account_flat_that_was_named_and_no_other() -> None:
    world = two_followers()
    world.ask(Ask.FLATTEN, "3")
    assert [type(command) for command in world.outbox] == [ClosePosition]
    world.settle()
    assert (world.held(2), world.held(3), world.held(int(LEADER))) == (1, 0, 1)
    world.market(BUY, 1)
    world.settle()
    assert (world.held(2), world.held(3)) == (2, 1)  # nothing was shut


def test_it_is_told_again_after_three_seconds_and_not_before() -> None:
    world = two_followers()
    world.shut(gate_of(TWO), flatten=True)
    told_at = world.now
    world.outbox.clear()
    for late, closes in ((3 * SECOND - 1, 0), (3 * SECOND, 1)):
        world.now = told_at + late - 1000
        world.wait(0)
        assert len(world.outbox) == closes


def test_an_account_with_an_order_of_its_own_hand_is_not_flat() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=1, account=TWO)
    world.shut(gate_of(TWO), flatten=True)
    world.outbox.clear()
    world.wait(1)
    assert "flat" not in world.remarks()
    world.cancel(order)
    world.wait(1)
    world.wait(1)  # the broker has listed nothing
    assert "flat" in world.remarks()


def denied(world: plain.Desk, name: ClientOrderId, retry_at: int | None) -> bool:
    until = None if retry_at is None else Nanos(retry_at)
    return fold(
        world.book,
        Denied(
            account=TWO,
            client_order_id=name,
            reason=RefusalReason.RATE_LIMITED,
            text="no room",
            at=world.at(),
            retry_at=until,
        ),
    )


def test_where_a_login_had_no_room_it_is_told_when_there_is_some() -> None:
    world = two_followers()
    world.shut(gate_of(TWO), flatten=True)
    close = world.outbox.pop()
    until = world.now + 20 * SECOND
    assert denied(world, close.client_order_id, until) is True
    world.wait(19)
    assert not world.outbox
    world.wait(1)
    assert [type(command) for command in world.outbox] == [ClosePosition]


def test_a_denial_without_a_moment_or_of_an_account_that_is_not_being_closed_puts_nothing_off() -> None:
    world = two_followers()
    assert denied(world, ClientOrderId("x"), world.now + 20 * SECOND) is False
    assert TWO not in world.book.flattening
    world.shut(gate_of(TWO), flatten=True)
    told_at = world.book.flattening[TWO]
    assert denied(world, world.outbox.pop().client_order_id, None) is False
    assert world.book.flattening[TWO] == told_at


def test_an_account_that_left_the_plan_while_it_was_closed_stops_nobody_else() -> None:
    world = two_followers()
    world.shut(GROUP_GATE, flatten=True)
    world.outbox.clear()
    world.plan = plan_of(group_of(follower(3)))
    world.wait(4)
    assert sorted(command.account for command in world.outbox) == [LEADER, THREE]


# -- on its way at the press -------------------------------------------------------------------------


def flying(world: plain.Desk, *gates: int) -> list[tuple[AccountId, ClientOrderId]]:
    return watch.in_flight(world.plan, world.book, gates)  # type: ignore[arg-type]


def test_what_has_no_answer_behind_a_gate_is_listed_by_account_with_the_command_that_is_out() -> None:
    world = desk(follower(8), follower(2))
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=19_000)
    placed = {command.account: command.client_order_id for command in world.outbox}
    assert flying(world, OWNER_GATE) == [(TWO, placed[TWO]), (8, placed[AccountId(8)])]
    assert flying(world, gate_of(TWO)) == [(TWO, placed[TWO])]
    world.settle()
    assert flying(world, OWNER_GATE) == []
    world.change(order, qty=3)
    changes = {command.account: command.client_order_id for command in world.outbox}
    assert flying(world, gate_of(TWO)) == [(TWO, changes[TWO])]
    assert changes[TWO] != placed[TWO]


def test_an_order_whose_answer_never_came_is_still_on_its_way() -> None:
    world = desk()
    world.trade(BUY, 2)
    (command,) = world.outbox
    name = command.client_order_id
    world.step(Unresolved(account=TWO, client_order_id=name, text="no answer", at=world.at()))
    assert flying(world, GROUP_GATE) == [(TWO, name)]


def test_an_order_that_a_start_is_not_sure_of_is_still_on_its_way() -> None:
    world = desk()
    world.trade(BUY, 2)
    (copy,) = world.book.copies.values()
    world.book.keep(copy.changed(state=CopyState.UNRESOLVED, in_flight=None))
    assert flying(world, GROUP_GATE) == [(TWO, copy.key)]


def test_a_leaders_exit_closes_nothing_beside_the_close_of_the_whole_account() -> None:
    """The leader's stop and a follower's limit may break at one price; closed twice it would be short."""
    world = two_followers()
    world.ask(Ask.FLATTEN, "3")
    world.market(SELL, 1)
    assert [one.account for one in world.outbox] == [THREE, TWO]
    assert [(one.reason, one.detail) for one in refusals_of(world, THREE)] == [
        (RefusalReason.NOTHING_TO_REDUCE, "the account is being closed out as a whole already")
    ]
    asked = (1, -1, 1, 1, 0, None, None)
    assert refusals_of(world, THREE)[0].weighed == (*asked, TradingState.ACTIVE, 0, *[None] * 6)
    world.settle()
    assert (world.held(2), world.held(3), world.held(int(LEADER))) == (0, 0, 0)


def test_a_flip_is_left_out_as_a_whole_while_an_account_is_closed_out() -> None:
    world = two_followers()
    world.ask(Ask.FLATTEN, "3")
    world.market(SELL, 2)
    world.settle()
    assert (world.held(2), world.held(3)) == (-1, 0)


def test_behind_a_shut_gate_it_is_the_gate_that_is_named() -> None:
    world = two_followers()
    world.shut(gate_of(THREE), flatten=True)
    world.market(SELL, 1)
    assert [one.reason for one in refusals_of(world, THREE)] == [RefusalReason.KILL_SWITCH]


def refusals_of(world: Desk, account: AccountId) -> list[CopyRefused]:
    return [one for said in world.decisions for one in said.refusals if one.follower == account]


def closes(world: Desk) -> list[tuple[AccountId, Symbol]]:
    return [(one.account, one.symbol) for one in world.outbox if isinstance(one, ClosePosition)]


def filling() -> tuple[Desk, OrderId]:
    """Return a desk whose follower becomes flat while its resting entry is about to fill."""
    world = desk()
    world.trade(BUY, 2, OrderType.LIMIT, limit=19_900)
    world.settle()
    (entry,) = world.resting(2)
    world.shut(gate_of(TWO), flatten=True)
    assert closes(world) == []
    world.outbox.clear()
    return world, entry.order_id


def test_what_fills_while_an_account_is_made_flat_is_closed_at_once_and_once() -> None:
    """Seed -784210: it stood without its stop until the next try, three seconds later."""
    world, entry = filling()
    world.fill(entry, 1)
    assert closes(world) == [(TWO, ES)]
    world.fill(entry, 1)  # the broker closes what there is when it comes to it
    assert closes(world) == [(TWO, ES)]
    told_at = world.now
    world.wait(1)
    assert len(closes(world)) == 1
    world.now = told_at + 3 * SECOND
    world.wait(0)
    assert closes(world) == [(TWO, ES)] * 2
    assert len({command.client_order_id for command in world.outbox}) == len(world.outbox)


def test_what_closes_it_is_not_closed_once_more() -> None:
    world = two_followers()
    world.shut(gate_of(TWO), flatten=True)
    world.settle()
    assert closes(world) == []
    assert world.held(2) == 0


def test_what_fills_in_an_account_whose_login_is_down_waits_for_it() -> None:
    world, entry = filling()
    world.lose(TWO)
    world.fill(entry)
    assert world.outbox == []


def test_what_fills_elsewhere_stays() -> None:
    world = two_followers()
    world.shut(gate_of(TWO), flatten=True)
    world.outbox.clear()
    world.market(BUY, 1, account=AccountId(3))
    assert closes(world) == []


@pytest.mark.parametrize(("late", "closed"), [(3 * SECOND - 1, []), (3 * SECOND, [(TWO, ES)])])
def test_a_close_is_given_three_seconds_before_another_fill_closes_once_more(
    late: int, closed: list[tuple[AccountId, Symbol]]
) -> None:
    world, entry = filling()
    world.fill(entry, 1)
    told_at = world.book.at_work.closed_at[TWO, ES]
    world.outbox.clear()
    world.now = told_at + late - 1000
    world.fill(entry, 1)
    assert closes(world) == closed
    for command in world.outbox:
        assert command.client_order_id == close_id(TWO, ES, (told_at + late) // SECOND)


def test_a_fill_that_leaves_nothing_closes_nothing() -> None:
    world, entry = filling()
    world.book.positions[TWO, ES] = -2
    world.fill(entry)
    assert world.outbox == []
