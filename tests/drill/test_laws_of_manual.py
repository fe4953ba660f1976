"""The laws about manual copies are checked: a history that breaks none, and those made bad by hand."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from syncgroups.core import brackets, copies
from syncgroups.core.keys import Leg, parse_manual
from tests.drill.agenda import SECOND
from tests.drill.grammar import script_of
from tests.drill.history import Accepted, Amended, Asked, Entry, Finished, History, Sent
from tests.drill.laws import check
from tests.drill.people import LEADER
from tests.drill.script import Ask, Crash, Script, Shift
from tests.drill.stories import BUY, THREE, TWO, market, price, story_of
from tests.drill.world import drill
from tradehaven.domain.commands import CancelOrder, ChangeOrder
from tradehaven.domain.enums import OrderStatus
from tradehaven.domain.ids import Nanos
from tradehaven.domain.money import Ticks

ASK = Ask(number=7, leader=LEADER, followers=(TWO, THREE), side=BUY, qty=1, stop_loss=12, take_profit=16)
STORY = story_of((1, market(BUY, 1)), (2, ASK), (5, Shift(account=TWO, pick=0, move=3)))
"""At its end both hold what the leader's order and the manual one brought, with a stop and a target."""


def _leg(entry: Entry, leg: Leg, account: int = TWO) -> bool:
    image = getattr(entry, "order", None)
    named = parse_manual(image.client_id) if image is not None and image.account == account else None
    return named is not None and named.leg is leg


def somebody_who_is_left_out(history: History) -> None:
    number = next(n for n, entry in enumerate(history.entries) if isinstance(entry, Asked))
    asked = history.entries[number]
    assert isinstance(asked, Asked)
    history.entries[number] = replace(asked, event=replace(asked.event, number=8))


def a_leg_that_is_too_large(history: History) -> None:
    _resize(history, 2)


def a_leg_that_we_took_away(history: History) -> None:
    number = next(n for n, entry in enumerate(history.entries) if _leg(entry, Leg.TAKE_PROFIT, THREE))
    entry = history.entries[number]
    assert isinstance(entry, Accepted)
    told = next(one for one in history.entries if isinstance(one, Sent))
    cancel = CancelOrder(
        account=THREE, client_order_id=told.command.client_order_id, order_id=entry.order.order_id
    )
    history.add(replace(told, at=history.entries[-1].at, command=cancel))
    history.add(Finished(history.entries[-1].at, replace(entry.order, status=OrderStatus.CANCELLED)))


def _resize(history: History, qty: int) -> None:
    for number, entry in enumerate(history.entries):
        if isinstance(entry, Accepted | Amended) and _leg(entry, Leg.STOP_LOSS):
            spec = replace(entry.order.spec, qty=qty)
            history.entries[number] = replace(entry, order=replace(entry.order, spec=spec))


def a_leg_that_stands_elsewhere(history: History) -> None:
    number = next(n for n, entry in enumerate(history.entries) if _leg(entry, Leg.STOP_LOSS, THREE))
    entry = history.entries[number]
    assert isinstance(entry, Accepted)
    spec = replace(entry.order.spec, stop=Ticks(19_000))
    history.entries[number] = replace(entry, order=replace(entry.order, spec=spec))


def a_leg_that_was_moved_back(history: History) -> None:
    number = max(n for n, entry in enumerate(history.entries) if isinstance(entry, Amended))
    moved = history.entries[number]
    assert isinstance(moved, Amended)
    first = next(
        one.order.spec
        for one in history.entries
        if isinstance(one, Accepted) and one.order.order_id == moved.order.order_id
    )
    later = Nanos(history.entries[-1].at)
    told = next(one for one in history.entries if isinstance(one, Sent))
    change = ChangeOrder(
        account=TWO,
        client_order_id=told.command.client_order_id,
        order_id=moved.order.order_id,
        symbol=moved.order.symbol,
        spec=first,
    )
    history.add(replace(told, at=later, command=change))
    history.add(replace(moved, at=later, order=replace(moved.order, spec=first)))


BROKEN_COPIES: list[tuple[str, Callable[[History], None]]] = [
    ("COPY-11", somebody_who_is_left_out),
    ("COPY-11b", a_leg_that_is_too_large),
    ("COPY-11b", a_leg_that_we_took_away),
    ("COPY-11c", a_leg_that_stands_elsewhere),
    ("COPY-11c", a_leg_that_was_moved_back),
]


@pytest.mark.parametrize(("law", "breaks"), BROKEN_COPIES)
def test_a_bad_history_is_caught(law: str, breaks: Callable[[History], None]) -> None:
    history = drill(STORY)
    assert check(history) == []
    breaks(history)
    assert law in {violation.law for violation in check(history)}


def test_a_hands_word_that_crosses_a_change_of_ours_is_nobodys() -> None:
    """Within two seconds of it the engine may take it for the answer to its own."""
    history = drill(STORY)
    number = max(n for n, entry in enumerate(history.entries) if isinstance(entry, Amended))
    moved = history.entries[number]
    assert isinstance(moved, Amended)
    a_leg_that_was_moved_back(history)
    ours = history.entries[-2]
    assert isinstance(ours, Sent)
    history.entries.insert(number, replace(ours, at=Nanos(moved.at - SECOND)))
    assert check(history) == []


@pytest.mark.parametrize("disk", ["kept", "lost"])
def test_a_row_that_a_dead_engine_left_is_answered_once(disk: str) -> None:
    script = story_of((2, ASK), (1.9, Crash(point="P4", nth=1, disk=disk, seconds=2)), (6, price(1)))
    history = drill(script)
    assert check(history) == []
    named = [parse_manual(e.order.client_id) for e in history.entries if isinstance(e, Accepted)]
    assert [one.follower for one in named if one is not None and one.leg is None] in ([TWO], [TWO, THREE])


def _stories() -> list[Script]:
    return [script for script in map(script_of, range(-400, 0)) if "manual" in script.traits]


@pytest.mark.parametrize("room", ["sizes", "hands"])
def test_a_broken_engine_is_caught(room: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that never resizes a leg, and one that knows no hand but its own."""
    if room == "sizes":
        monkeypatch.setattr(brackets, "_aimed", lambda *_: iter(()))
    else:
        real = copies.as_seen
        monkeypatch.setattr(
            "syncgroups.core.folding.as_seen", lambda copy, spec: real(copy.changed(asked=1), spec)
        )
    caught = {one.law for script in _stories() for one in check(drill(script))}
    assert ("COPY-11b" if room == "sizes" else "COPY-11c") in caught


def test_stories_have_manual_copies_of_every_kind() -> None:
    asked = [item.what for script in _stories() for item in script.items if isinstance(item.what, Ask)]
    assert len({one.order_type for one in asked}) == 3
    assert {one.stop_loss is None for one in asked} == {True, False}
