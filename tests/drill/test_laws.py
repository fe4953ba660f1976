"""The checker is checked: each law lets a good history pass and catches one that was made bad by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from risk.core.rules import Caps, Rules
from syncgroups.core.decision import Remark, RemarkKind
from syncgroups.engine.records import DecisionRecord
from tests.drill.agenda import SECOND
from tests.drill.history import (
    Accepted,
    Entry,
    Finished,
    History,
    Journalled,
    Planned,
    Sent,
    Told,
    Traded,
    Turned,
)
from tests.drill.laws import LAWS, check
from tests.drill.people import LEADER, OWNER, OWNER_GATE
from tests.drill.reading import Reading
from tests.drill.script import Cancel, Crash
from tests.drill.stories import BUY, HOME, SELL, TWO, limit, market, stop, story_of
from tests.drill.test_laws_of_manual import BROKEN_COPIES
from tests.drill.test_laws_of_rules import BROKEN_RULES
from tests.drill.world import drill
from tradehaven.domain.commands import CancelOrder, ChangeOrder, PlaceOrder
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import GateChanged, OrderEnded, OrderWorking, SilenceAsked
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, OrderId

STORY = story_of((2, market(BUY, 2)), (4, market(SELL, 1)), (6, market(BUY, 1)), (8, stop(SELL, 2, 20)))
"""At its end the leader holds two, with a stop for both; so do its followers."""


MARKET_ONLY = story_of((2, market(BUY, 2)), (4, market(SELL, 1)), (6, market(BUY, 1)))
"""Without the stop: sizes are compared exactly only where nothing rests."""


def good(law: str = "") -> History:
    """Return a history that breaks nothing."""
    return drill(MARKET_ONLY if law == "I3" else STORY)


def _last(history: History, kind: type, which: Callable[[Any], bool] = lambda _: True) -> int:
    return max(n for n, entry in enumerate(history.entries) if isinstance(entry, kind) and which(entry))


def _first(history: History, kind: type, which: Callable[[Any], bool] = lambda _: True) -> int:
    return min(n for n, entry in enumerate(history.entries) if isinstance(entry, kind) and which(entry))


def _end(history: History) -> Nanos:
    return history.entries[-1].at


def _append(history: History, *entries: Entry) -> None:
    for entry in entries:
        history.add(entry)


def _rest(history: History, **changes: Any) -> None:
    assert history.rest is not None
    history.rest = replace(history.rest, **changes)


def _of_two(entry: Any) -> bool:
    image = getattr(entry, "order", None)
    if image is not None:
        return bool(image.account == TWO)
    fill = getattr(entry, "fill", None)
    return bool(fill is not None and fill.account == TWO)


def _placed_by_two(entry: Sent) -> bool:
    return isinstance(entry.command, PlaceOrder) and entry.command.account == TWO


# -- one way to break each law ----------------------------------------------------------------------


def an_order_accepted_twice(history: History) -> None:
    """I1."""
    entry = history.entries[_last(history, Accepted, _of_two)]
    assert isinstance(entry, Accepted)
    _append(history, Accepted(_end(history), replace(entry.order, order_id=OrderId(2_999_999))))


def an_order_that_nobody_answers(history: History) -> None:
    """I2."""
    entry = history.entries[_first(history, Accepted)]
    assert isinstance(entry, Accepted)
    image = replace(entry.order, order_id=OrderId(1_999_999))
    _append(history, Accepted(_end(history), image))


def a_fill_that_sizing_knows_nothing_of(history: History) -> None:
    """I3: the first entry of account 2 was for three all along."""
    number = _first(history, Traded, _of_two)
    entry = history.entries[number]
    assert isinstance(entry, Traded)
    history.entries[number] = replace(entry, fill=replace(entry.fill, qty=3), after=entry.before + 3)
    for place, found in enumerate(history.entries):
        if isinstance(found, Accepted | Finished) and found.order.order_id == entry.fill.order_id:
            spec = replace(found.order.spec, qty=3)
            history.entries[place] = replace(found, order=replace(found.order, spec=spec))


def _about_stop(entry: Entry) -> bool:
    image = getattr(entry, "order", None)
    return image is not None and image.spec.stop is not None


def a_follower_left_behind(history: History) -> None:
    """I4: the leader goes flat, nobody else does."""
    entry = history.entries[_last(history, Traded, lambda found: found.fill.account == 1)]
    assert isinstance(entry, Traded)
    gone = replace(entry, at=_end(history), before=2, after=0, fill=replace(entry.fill, side=SELL, qty=2))
    _append(history, gone)


def an_exit_that_flips(history: History) -> None:
    """I5: the answer to the leader's sale of one trades three."""
    number = _last(history, Traded, lambda found: found.fill.account == TWO and found.fill.side is SELL)
    entry = history.entries[number]
    assert isinstance(entry, Traded)
    flipped = replace(entry, before=2, after=-1, fill=replace(entry.fill, qty=3))
    history.entries[number] = flipped


def a_request_before_its_intent(history: History) -> None:
    """I6."""
    number = _first(history, Sent, _placed_by_two)
    sent = history.entries.pop(number)
    history.entries.insert(_first(history, Journalled), sent)


def an_order_behind_a_shut_gate(history: History) -> None:
    """I7."""
    gate = GateChanged(
        gate=OWNER_GATE, state=TradingState.HALTED, flatten=False, version=1, at=history.entries[0].at
    )
    history.entries.insert(1, Turned(gate.at, gate))
    _rest(history, gates={int(OWNER_GATE): "halted"})


def a_cap_that_was_passed(history: History) -> None:
    """I8: the story is told again with a cap that it did not keep."""
    for number, entry in enumerate(history.entries):
        if isinstance(entry, Planned):
            rules = Rules(caps=Caps(instrument=1))
            accounts = {name: replace(known, rules=rules) for name, known in entry.plan.accounts.items()}
            plan = type(entry.plan)(owner=OWNER, accounts=accounts, groups=entry.plan.groups)
            history.entries[number] = Planned(entry.at, plan)


def a_gate_that_opened_by_itself(history: History) -> None:
    """I9."""
    gate = GateChanged(gate=OWNER_GATE, state=TradingState.HALTED, flatten=False, version=1, at=_end(history))
    _append(history, Turned(gate.at, gate))


def a_request_of_a_dead_engine(history: History) -> None:
    """I11."""
    number = _last(history, Sent)
    entry = history.entries[number]
    assert isinstance(entry, Sent)
    history.entries[number] = replace(entry, epoch=0)


def an_order_called_missed_that_the_broker_has(history: History) -> None:
    """I12."""
    entry = history.entries[_last(history, Accepted, _of_two)]
    assert isinstance(entry, Accepted)
    remark = Remark(
        kind=RemarkKind.MISSED,
        account=TWO,
        group=None,
        symbol=None,
        detail="",
        key=entry.order.client_id,
    )
    moment = _end(history)
    history.recorded.append(DecisionRecord(OWNER, moment, moment, [], (), (remark,)))


def a_change_after_the_end(history: History) -> None:
    """I13."""
    entry = history.entries[_last(history, Told, lambda found: isinstance(found.event, OrderEnded))]
    assert isinstance(entry, Told)
    ended = entry.event
    assert isinstance(ended, OrderEnded)
    cancel = CancelOrder(
        account=ended.account, client_order_id=ClientOrderId("th1.g9.l1.o1.f2.c9"), order_id=ended.order_id
    )
    _append(history, Sent(_end(history), 1, cancel))


def a_stop_that_covers_half(history: History) -> None:
    """I14: at rest account 2 holds two, and its stop is for one."""
    for number, entry in enumerate(history.entries):
        if isinstance(entry, Accepted) and _of_two(entry) and _about_stop(entry):
            spec = replace(entry.order.spec, qty=1)
            history.entries[number] = Accepted(entry.at, replace(entry.order, spec=spec))


def a_position_that_is_only_believed(history: History) -> None:
    """I15."""
    _rest(history, positions={(TWO, history_symbol(history)): 7})


def history_symbol(history: History) -> Any:
    """Return the contract that a story is about."""
    entry = history.entries[_first(history, Traded)]
    assert isinstance(entry, Traded)
    return entry.fill.symbol


def two_changes_at_once(history: History) -> None:
    """I16."""
    entry = history.entries[_last(history, Accepted, _of_two)]
    assert isinstance(entry, Accepted)
    image = entry.order
    for number in (1, 2):
        change = ChangeOrder(
            account=TWO,
            client_order_id=ClientOrderId(f"{image.client_id}.c{number}"),
            order_id=image.order_id,
            symbol=image.symbol,
            spec=image.spec,
        )
        _append(history, Sent(_end(history), 1, change))


def more_calls_than_the_broker_takes(history: History) -> None:
    """I16, by login."""
    history.per_minute = 1


def an_entry_while_the_broker_wants_silence(history: History) -> None:
    """F23."""
    history.per_minute = 1_000
    number = _first(history, Sent, _placed_by_two)
    at = history.entries[number].at
    asked = SilenceAsked(connection=HOME, until=Nanos(at + SECOND), reason="429", at=at)
    history.entries.insert(number, Told(at, HOME, asked))


def an_order_that_nobody_decided(history: History) -> None:
    """I17."""
    history.recorded = [r for r in history.recorded if not isinstance(r, DecisionRecord)]


def an_order_that_stays_unknown(history: History) -> None:
    """I19."""
    _rest(history, unknown=(ClientOrderId("th1.g9.l1.o1.f2"),))


def an_entry_that_comes_late(history: History) -> None:
    """F01."""
    number = _first(history, Sent, _placed_by_two)
    entry = history.entries[number]
    assert isinstance(entry, Sent)
    history.entries[number] = replace(entry, at=Nanos(entry.at + 3 * SECOND))


def an_answer_to_what_was_never_seen(history: History) -> None:
    """F12."""
    number = _first(history, Told, lambda found: isinstance(found.event, OrderWorking))
    del history.entries[number]


BROKEN: dict[str, Callable[[History], None]] = {
    "I1": an_order_accepted_twice,
    "I2": an_order_that_nobody_answers,
    "I3": a_fill_that_sizing_knows_nothing_of,
    "I4": a_follower_left_behind,
    "I5": an_exit_that_flips,
    "I6": a_request_before_its_intent,
    "I7": an_order_behind_a_shut_gate,
    "I8": a_cap_that_was_passed,
    "I9": a_gate_that_opened_by_itself,
    "I11": a_request_of_a_dead_engine,
    "I12": an_order_called_missed_that_the_broker_has,
    "I13": a_change_after_the_end,
    "I14": a_stop_that_covers_half,
    "I15": a_position_that_is_only_believed,
    "I16": two_changes_at_once,
    "I16b": more_calls_than_the_broker_takes,
    "I17": an_order_that_nobody_decided,
    "I19": an_order_that_stays_unknown,
    "F01": an_entry_that_comes_late,
    "F12": an_answer_to_what_was_never_seen,
    "F23": an_entry_while_the_broker_wants_silence,
}


def test_a_good_history_breaks_no_law() -> None:
    history = good()
    assert check(history) == []
    assert sum(isinstance(entry, Traded) for entry in history.entries) >= 9


def test_every_law_has_a_history_that_breaks_it() -> None:
    manual = {law for law, _ in BROKEN_COPIES}
    assert set(BROKEN) | set(BROKEN_RULES) | manual == set(LAWS)


@pytest.mark.parametrize("law", BROKEN)
def test_a_bad_history_is_caught(law: str) -> None:
    history = good(law)
    assert check(history) == []
    BROKEN[law](history)
    assert law in {violation.law for violation in check(history)}


def test_a_copy_that_outlives_its_cancelled_leader_is_caught() -> None:
    """I13 at rest: the cancel of the copy is struck out of a good history."""
    history = drill(story_of((2, limit(BUY, 1, 9)), (4, Cancel(account=LEADER, pick=0))))
    assert check(history) == []
    number = _last(history, Finished, _of_two)
    del history.entries[number]
    assert {violation.law for violation in check(history)} == {"I13"}


def test_an_exit_that_the_disk_forgot_is_an_entry_where_its_leader_has_turned() -> None:
    """I14: with the journal kept the engine says so; without it the order is known by its name alone."""
    turned = ((2, market(BUY, 1)), (4, limit(SELL, 1, 20)), (5, market(SELL, 3)), (8, market(SELL, 1)))
    for disk in ("kept", "lost"):
        history = drill(story_of(*turned, (3.5, Crash(point="P4", nth=2, disk=disk, seconds=2))))
        reading = Reading.of(history)
        exit_of_two = next(order for key, order in reading.ours() if order.left and key.follower == TWO)
        name = exit_of_two.first.client_id or ClientOrderId("")
        assert reading.was_forgotten(name) is (disk == "lost")
        assert check(history) == []


def test_an_exit_that_the_disk_forgot_is_an_exit_where_its_leaders_is_one() -> None:
    """I14: at rest the leader's target closes all that it holds, and that of account 2 more than it has."""
    lines = ((2, market(BUY, 2)), (4, limit(SELL, 2, 20)))
    history = drill(story_of(*lines, (3.5, Crash(point="P4", nth=2, disk="lost", seconds=2))))
    assert check(history) == []
    for number, entry in enumerate(history.entries):
        if isinstance(entry, Accepted) and _of_two(entry) and entry.order.spec.limit is not None:
            spec = replace(entry.order.spec, qty=3)
            history.entries[number] = Accepted(entry.at, replace(entry.order, spec=spec))
    assert "I14" in {violation.law for violation in check(history)}


def test_an_order_of_a_third_account_is_nobodys_lineage() -> None:
    history = good()
    number = _last(history, Accepted, _of_two)
    entry = history.entries[number]
    assert isinstance(entry, Accepted)
    name = ClientOrderId(f"th1.g9.l{AccountId(7)}.o1000001.f2")
    history.entries[number] = Accepted(entry.at, replace(entry.order, client_id=name))
    assert "I17" in {violation.law for violation in check(history)}
