"""What is said about a guard, and when: no room, late answers, older news, its own fill (RISK-06)."""

from dataclasses import replace

from syncgroups.core.decision import RemarkKind
from syncgroups.core.guards import is_guard
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, SECOND
from syncgroups.tests.test_protect import MINE, desk_with, guards, remarks
from tradehaven.domain.commands import CancelOrder, ChangeOrder, Command, Confirmed, Denied, Unresolved
from tradehaven.domain.enums import RefusalReason, Side
from tradehaven.domain.events import OrderChanged
from tradehaven.domain.ids import Nanos


def no_room(desk: Desk, command: Command, *, until: Nanos | None = None) -> None:
    """Let a login's budget hold a command back."""
    desk.step(
        Denied(
            account=MINE,
            client_order_id=command.client_order_id,
            reason=RefusalReason.RATE_LIMITED,
            text="no room",
            at=desk.at(),
            retry_at=until,
        )
    )


def first_guard(desk: Desk) -> Command:
    """Let everything before a guard's next command arrive, and take that one out of the line."""
    while not is_guard(desk.outbox[0].client_order_id):
        desk.deliver(desk.outbox.pop(0))
    return desk.outbox.pop(0)


def test_a_guard_that_the_budget_held_back_comes_with_the_next_second() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    no_room(desk, first_guard(desk))
    desk.settle()
    assert not guards(desk)  # at once it would be held back again, and again
    desk.wait(1)
    desk.settle()
    assert len(guards(desk)) == 1


def test_a_guard_waits_for_the_room_that_its_login_was_promised() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    no_room(desk, first_guard(desk), until=Nanos(desk.now + 20 * SECOND))
    desk.wait(19)
    desk.settle()
    assert not guards(desk)
    assert RemarkKind.NAKED in remarks(desk)
    desk.wait(1)
    desk.settle()
    assert len(guards(desk)) == 1
    assert desk.positions[MINE, ES] == 1


def test_a_larger_guard_that_finds_no_room_is_no_refusal_and_comes_however_often() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.market(Side.BUY, 1)
    for _ in range(6):
        change = first_guard(desk)
        assert isinstance(change, ChangeOrder)
        no_room(desk, change)
        desk.settle()
        assert [order.spec.qty for order in guards(desk)] == [1]
        desk.wait(1)
    desk.settle()
    assert [order.spec.qty for order in guards(desk)] == [2]


def test_a_guard_without_room_to_grow_is_taken_back_at_once_when_nothing_is_held() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.market(Side.BUY, 1)
    no_room(desk, first_guard(desk), until=Nanos(desk.now + 60 * SECOND))
    desk.settle()
    desk.market(Side.SELL, 2)
    desk.settle()
    assert not guards(desk)
    assert desk.positions[MINE, ES] == 0


def test_a_cancel_that_finds_no_room_waits_for_it() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.market(Side.SELL, 1)
    no_room(desk, first_guard(desk), until=Nanos(desk.now + 5 * SECOND))
    desk.settle()
    desk.wait(4)
    assert not desk.outbox
    assert len(guards(desk)) == 1
    desk.wait(1)
    desk.settle()
    assert not guards(desk)


def test_a_late_answer_frees_no_newer_command_about_a_guard() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    (guard,) = guards(desk)
    desk.market(Side.BUY, 1)
    change = first_guard(desk)
    assert guard.client_order_id is not None
    placed = Confirmed(
        account=MINE, client_order_id=guard.client_order_id, order_id=guard.order_id, at=desk.at()
    )
    desk.step(placed)  # the answer to the order itself comes after the change of it has left
    desk.wait(1)
    assert not desk.outbox
    desk.deliver(change)
    desk.settle()
    assert [order.spec.qty for order in guards(desk)] == [2]


def test_an_older_change_that_comes_into_force_frees_no_newer_one() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    (guard,) = guards(desk)
    desk.market(Side.BUY, 1)
    first_guard(desk)
    old = OrderChanged(account=MINE, order_id=guard.order_id, spec=replace(guard.spec, qty=1), at=desk.at())
    desk.step(old)
    desk.wait(1)
    assert not desk.outbox


def test_a_guard_that_has_traded_is_not_taken_back() -> None:
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    (guard,) = guards(desk)
    desk.fill(guard.order_id, price=19_960)
    desk.settle()
    steps = [step.command for decision in desk.decisions for step in decision.steps]
    assert not any(isinstance(command, CancelOrder) for command in steps)
    assert desk.positions[MINE, ES] == 0


def _lost_cancel() -> Desk:
    """Return a desk whose position is gone, and the cancel of its guard with it: no answer ever came."""
    desk = desk_with()
    desk.market(Side.BUY, 1)
    desk.settle()
    desk.market(Side.SELL, 1)
    lost = first_guard(desk)
    assert isinstance(lost, CancelOrder)
    desk.settle()
    desk.wait(4)
    name = lost.client_order_id
    desk.step(Unresolved(account=MINE, client_order_id=name, text="no answer in time", at=desk.at()))
    return desk


def test_a_cancel_of_which_nothing_was_heard_is_told_again() -> None:
    desk = _lost_cancel()
    desk.wait(1)
    assert [type(command) for command in desk.outbox] == [CancelOrder]
    desk.settle()
    assert not guards(desk)


def test_a_guard_on_the_wrong_side_protects_nothing() -> None:
    """Seed 1214568: what was held next stood without a stop, and nobody was told."""
    desk = _lost_cancel()
    desk.outbox.clear()
    desk.market(Side.SELL, 1)
    desk.outbox = [command for command in desk.outbox if not is_guard(command.client_order_id)]
    desk.settle()
    for _ in range(2):
        desk.wait(1)
        desk.outbox.clear()
    assert RemarkKind.NAKED in remarks(desk)


def test_behind_it_the_next_position_gets_its_own() -> None:
    desk = _lost_cancel()
    desk.market(Side.SELL, 1)
    desk.settle()
    desk.wait(1)
    desk.settle()
    assert [(order.side, order.spec.qty) for order in guards(desk)] == [(Side.BUY, 1)]
