"""A live order: by which rules it may open more, and which word about it is an old one."""

from dataclasses import replace
from datetime import time

import pytest

from risk.core.rules import Caps, Rules, Window
from syncgroups.core.folding import fold
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, SECOND, plan_of
from tradehaven.domain.commands import ChangeOrder, Denied
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.ids import AccountId, Nanos
from tradehaven.domain.money import Ticks

TWO = AccountId(2)
WAIT = 5


def growing(how: str) -> Desk:
    """Return a desk whose follower's order waits to grow from one contract to three."""
    world = desk()
    order = world.trade(Side.BUY, 1, OrderType.LIMIT, limit=19_900)
    if how == "unanswered":
        world.change(order, qty=3)
        return world
    world.settle()
    world.change(order, qty=3)
    (change,) = world.outbox
    if how == "turned down":
        world.outbox.clear()
        world.reject(change, "AnotherCommandPending")
        return world
    world.outbox.clear()
    world.step(
        Denied(
            account=TWO,
            client_order_id=change.client_order_id,
            reason=RefusalReason.RATE_LIMITED,
            text="no room",
            at=world.at(),
            retry_at=Nanos(world.now + WAIT * SECOND),
        )
    )
    return world


def told(world: Desk) -> list[tuple[int, Ticks | None]]:
    changes = [command for command in world.outbox if isinstance(command, ChangeOrder)]
    return [(change.spec.qty, change.spec.limit) for change in changes]


def cap(world: Desk, most: int) -> None:
    """Let the follower hold so many contracts."""
    mine = replace(world.plan.accounts[TWO], rules=Rules(caps=Caps(instrument=most)))
    world.plan = replace(world.plan, accounts={**world.plan.accounts, TWO: mine})


@pytest.mark.parametrize("how", ["turned down", "held back"])
def test_what_waited_to_grow_grows_when_it_may(how: str) -> None:
    world = growing(how)
    world.wait(WAIT + 1)
    assert told(world) == [(3, 19_900)]


@pytest.mark.parametrize("how", ["turned down", "held back"])
def test_what_waited_to_grow_opens_nothing_in_a_contract_that_has_come_into_quarantine(how: str) -> None:
    """Seed 641697."""
    world = growing(how)
    world.book.quarantined.add((GROUP, TWO, ES))
    world.wait(WAIT + 1)
    assert told(world) == []


def test_what_was_held_back_and_may_not_be_told_by_now_is_named() -> None:
    """Seed 641281: a cap was full by then."""
    world = growing("held back")
    cap(world, 2)
    world.wait(WAIT + 1)
    assert told(world) == []
    assert world.reasons() == ["max_position"]
    assert world.book.copies[next(iter(world.book.copies))].target.qty == 3  # type: ignore[union-attr]


def test_a_cap_that_still_has_room_for_all_of_it_lets_it_grow() -> None:
    world = growing("held back")
    cap(world, 3)
    world.wait(WAIT + 1)
    assert told(world) == [(3, 19_900)]


def test_a_group_that_is_gone_lets_nothing_grow() -> None:
    world = growing("held back")
    world.plan = plan_of(replace(world.plan.groups[0], active=False))
    world.wait(WAIT + 1)
    assert told(world) == []
    (refusal,) = world.decisions[-1].refusals
    assert refusal.detail == "copying was stopped before the order could grow"


@pytest.mark.parametrize("reason", [RefusalReason.RATE_LIMITED, RefusalReason.FOLLOWER_OFFLINE])
def test_an_order_that_its_broker_has_numbered_is_not_sent_again_for_an_old_word(
    reason: RefusalReason,
) -> None:
    """Seed 643398: a denial that came a second time made an exit of one that was at work go out once more."""
    world = desk()
    world.trade(Side.BUY, 1, OrderType.LIMIT, limit=19_900)
    (placed,) = world.outbox
    world.settle()
    (copy,) = world.book.copies.values()
    again = Nanos(world.now + SECOND)
    old = Denied(
        account=TWO,
        client_order_id=placed.client_order_id,
        reason=reason,
        text="no room",
        at=world.at(),
        retry_at=again,
    )
    assert fold(world.book, old) is False
    world.step(old)
    world.wait(WAIT)
    assert world.outbox == []
    assert list(world.book.copies.values()) == [copy]
    assert world.reasons() == []


def test_what_waited_for_an_answer_grows_with_it() -> None:
    world = growing("unanswered")
    world.settle()
    assert [order.spec.qty for order in world.resting(TWO)] == [3]


@pytest.mark.parametrize(
    ("barred", "reason"),
    [
        ("quarantine", "quarantined"),
        ("cap", "max_position"),
        ("filter", "instrument_filtered"),
        ("stopped", "group_off"),
    ],
)
def test_what_waited_for_an_answer_grows_by_the_rules_of_now_alone(barred: str, reason: str) -> None:
    """Seed 643033: the answer came after the time to be flat."""
    world = growing("unanswered")
    if barred == "quarantine":
        world.book.quarantined.add((GROUP, TWO, ES))
    elif barred == "cap":
        cap(world, 2)
    elif barred == "filter":
        world.plan = plan_of(replace(world.plan.groups[0], instruments=frozenset({"NQ"})))
    else:
        world.plan = plan_of(replace(world.plan.groups[0], active=False))
    world.settle()
    assert [order.spec.qty for order in world.resting(TWO)] == [1]
    assert world.reasons() == [reason]


@pytest.mark.parametrize("closed", [True, False])
def test_a_refusal_leaves_what_the_broker_has_and_not_what_was_wished(closed: bool) -> None:
    """Seed 729630: a growth was lost on its way, and a smaller one told when nothing might grow any more."""
    world = desk()
    order = world.trade(Side.BUY, 1, OrderType.LIMIT, limit=19_900)
    world.settle()
    world.change(order, qty=6)
    world.outbox.clear()
    world.lose(TWO)
    world.lose(LEADER)
    world.change(order, qty=5, seen=False)
    if closed:
        hours = Rules(hours=(Window(start=time(3), end=time(4)),))
        mine = replace(world.plan.accounts[TWO], rules=hours)
        world.plan = replace(world.plan, accounts={**world.plan.accounts, TWO: mine})
    world.step(world.snapshot(TWO))
    world.step(world.snapshot(LEADER))
    world.settle()
    assert [one.spec.qty for one in world.resting(TWO)] == [1 if closed else 5]
