"""Answers as values: when there is something to write down, and how several become one."""

from dataclasses import replace

import pytest

from risk.core.standing import Lock
from syncgroups.core.copies import Copy
from syncgroups.core.decision import (
    NOTHING,
    AccountStep,
    CopyStep,
    Decision,
    Locked,
    Look,
    Remark,
    RemarkKind,
    joined,
    once,
)
from syncgroups.core.keys import command_id
from syncgroups.tests.drifting import TWO, desk
from syncgroups.tests.plans import ES, LEADER, follower
from tradehaven.domain.commands import CancelOrder, ChangeOrder, Command, Lane
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.ids import ClientOrderId, Nanos

REMARK = Remark(kind=RemarkKind.FLAT, account=TWO, group=None, symbol=None, detail="flat")
LOCK = Lock(reason=RefusalReason.DAILY_LOSS, detail="the day's loss", since=Nanos(1), until=Nanos(2))


def test_whatever_a_person_may_ask_about_is_something_to_write_down() -> None:
    world = desk(follower(2), follower(3, ratio="1/10"))
    world.trade(Side.BUY, 1)
    answer = world.decisions[-1]
    (step,) = answer.steps
    assert step.account == TWO
    assert NOTHING.changed(steps=answer.steps)
    assert NOTHING.changed(refusals=answer.refusals)
    assert Decision(remarks=(REMARK,))
    assert Decision(locks=(Locked(account=TWO, lock=LOCK, flatten=False),))


def test_what_only_the_book_keeps_is_nothing_to_write_down() -> None:
    look = Look(differences={}, agreed={}, taken={})
    assert not NOTHING
    assert not Decision(look=look, flattening=(TWO,), naked=((TWO, ES, None),))


def test_several_answers_are_one_in_their_order_with_the_last_look() -> None:
    first, second = (
        Look(differences={}, agreed={}, taken={}, over=(name,)) for name in map(ClientOrderId, "ab")
    )
    one = Decision(remarks=(REMARK,), look=first, flattening=(TWO,))
    two = Decision(remarks=(replace(REMARK, detail="later"),), look=second, flattening=(LEADER,))
    both = joined(NOTHING, one, NOTHING, two)
    assert [remark.detail for remark in both.remarks] == ["flat", "later"]
    assert (both.look, both.flattening) == (second, (TWO, LEADER))
    assert joined(one, Decision()).look is first
    assert joined(NOTHING, one) is one
    assert joined() is joined(NOTHING) is NOTHING


# -- one word to each copy ---------------------------------------------------------------------------


def told(copy: Copy, command: Command | None) -> CopyStep:
    return CopyStep(copy=copy, command=command)


def wishes() -> tuple[Copy, ChangeOrder, CancelOrder]:
    """Return a copy, a change of it and its cancel: both under its next name, as two looks would say them."""
    world = desk()
    world.trade(Side.BUY, 2, OrderType.LIMIT, limit=19_990)
    world.settle()
    (copy,) = world.book.copies.values()
    name, order = command_id(copy.key, 1), copy.order_id
    assert order is not None
    spec = replace(copy.sent, qty=1)
    change = ChangeOrder(
        account=copy.follower,
        client_order_id=name,
        order_id=order,
        symbol=copy.symbol,
        spec=spec,
        lane=Lane.CHANGE,
    )
    return copy, change, CancelOrder(account=copy.follower, client_order_id=name, order_id=order)


def test_what_two_looks_wish_of_one_copy_is_told_once_and_the_first_counts() -> None:
    copy, change, _ = wishes()
    first, second = told(copy.changed(target=change.spec), change), told(copy, change)
    assert once(Decision(steps=(first, second))).steps == (first,)


@pytest.mark.parametrize("cancel_first", [True, False])
def test_a_cancel_outdoes_a_change(cancel_first: bool) -> None:
    copy, change, cancel = wishes()
    steps = [told(copy, change), told(copy.changed(target=None), cancel)]
    decision = once(Decision(steps=tuple(reversed(steps) if cancel_first else steps)))
    assert [step.command for step in decision.steps] == [cancel]


def test_of_two_cancels_the_first_counts() -> None:
    copy, _, cancel = wishes()
    first, second = told(copy.changed(target=None), cancel), told(copy, cancel)
    assert once(Decision(steps=(first, second))).steps == (first,)


def test_what_is_no_copys_stays_between_two_wishes_for_one_copy() -> None:
    copy, change, _ = wishes()
    flat = AccountStep(account=copy.follower, command=change, at=Nanos(1))
    steps = (flat, told(copy.changed(target=change.spec), change), flat, told(copy, change), flat)
    assert once(Decision(steps=steps)).steps == (*steps[:3], flat)


def test_a_note_behind_a_command_would_undo_it_and_one_before_it_stands() -> None:
    copy, change, _ = wishes()
    before, sent, behind = told(copy, None), told(copy, change), told(copy, None)
    assert once(Decision(steps=(before, sent, behind))).steps == (before, sent)
    alone = Decision(steps=(before, behind))
    assert once(alone) is alone


def test_copies_of_several_followers_and_other_steps_are_left_as_they_are() -> None:
    copy, change, _ = wishes()
    other = copy.changed(key=ClientOrderId("th1.g9.l1.o601.f3"))
    flat = AccountStep(account=copy.follower, command=change, at=Nanos(1))
    decision = Decision(steps=(told(copy, change), flat, told(other, change), flat))
    assert once(decision) is decision
