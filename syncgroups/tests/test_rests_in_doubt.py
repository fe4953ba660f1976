"""What would take the place of an order that rests, while its fills and its position do not agree."""

from typing import Any

import pytest

from syncgroups.core.keys import is_chase
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES
from syncgroups.tests.test_rests import TWO, entry_rests, exit_rests, last_of
from tradehaven.domain.enums import RefusalReason, RestRule
from tradehaven.domain.ids import OrderId


def _with_a_lost_fill(world: Desk) -> OrderId:
    """Let the order that rests trade one of its two contracts, of which only the position tells."""
    order = world.resting(2)[0].order_id
    world.fill(order, 1, seen=False)
    world.report(TWO, ES)
    world.wait(5)
    world.settle()
    world.wait(2)
    assert len([name for name in (p.client_order_id for p in world.placed) if is_chase(name)]) == 0
    return order


@pytest.mark.parametrize(("rests", "held"), [(entry_rests, 2), (exit_rests, 0)])
def test_while_fills_and_position_differ_nothing_takes_its_place(rests: Any, held: int) -> None:
    """It might buy or close once more what a lost fill has bought or closed already."""
    world = rests(RestRule.MARKET)
    _with_a_lost_fill(world)
    world.step(world.snapshot(TWO))  # has the fill
    world.wait(1)
    world.settle()
    assert (world.held(2), last_of(world).spec.qty) == (held, 1)


@pytest.mark.parametrize(("rests", "held"), [(entry_rests, 1), (exit_rests, 1)])
def test_where_they_never_agree_a_person_is_asked(rests: Any, held: int) -> None:
    world = rests(RestRule.MARKET)
    _with_a_lost_fill(world)
    world.wait(60)
    world.settle()
    assert (world.held(2), world.reasons()[-1:]) == (held, [RefusalReason.UNRESOLVED])
    (said,) = (one for decision in world.decisions for one in decision.refusals)
    assert said.detail == "its fills and its position do not agree: look at the account"


@pytest.mark.parametrize("why", ["contradicted", "out of reach"])
@pytest.mark.parametrize(("late", "given_up"), [(-1, False), (0, True)])
def test_it_is_waited_for_a_minute(why: str, late: int, *, given_up: bool) -> None:
    world = exit_rests()
    if why == "contradicted":
        _with_a_lost_fill(world)
    else:
        world.wait(5)
        world.settle()
        world.lose(TWO)
    (ended,) = world.book.chasing.values()
    world.now = ended + 60_000_000_000 + late - 1000
    world.wait(0)
    assert bool(world.reasons()) is given_up
