"""Answers as values: when there is something to write down, and how several become one."""

from dataclasses import replace

from risk.core.standing import Lock
from syncgroups.core.decision import NOTHING, Decision, Locked, Look, Remark, RemarkKind, joined
from syncgroups.tests.drifting import TWO, desk
from syncgroups.tests.plans import ES, LEADER, follower
from tradehaven.domain.enums import RefusalReason, Side
from tradehaven.domain.ids import ClientOrderId, Nanos

REMARK = Remark(kind=RemarkKind.FLAT, account=TWO, group=None, symbol=None, detail="flat")
LOCK = Lock(reason=RefusalReason.DAILY_LOSS, detail="the day's loss", since=Nanos(1), until=Nanos(2))


def test_whatever_a_person_may_ask_about_is_something_to_write_down() -> None:
    world = desk(follower(2), follower(3, ratio="1/10"))
    world.trade(Side.BUY, 1)
    answer = world.decisions[-1]
    (step,) = answer.steps
    assert step.account == TWO
    assert replace(NOTHING, steps=answer.steps)
    assert replace(NOTHING, refusals=answer.refusals)
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
