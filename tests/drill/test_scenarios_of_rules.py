"""What the scenarios of guardrails and of a misbehaving broker must show besides breaking no law."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from syncgroups.core.decision import RemarkKind
from tests.drill.agenda import OPENING, SECOND
from tests.drill.history import Busted, History, Sent, Trouble
from tests.drill.people import ES
from tests.drill.reading import Reading
from tests.drill.scenarios_of_rules import RULES
from tests.drill.script import Wild
from tests.drill.stories import BUY, THREE, TWO, leave, market, story_of
from tests.drill.world import drill
from tradehaven.domain.commands import ClosePosition, Command, PlaceOrder
from tradehaven.domain.enums import RefusalReason


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def _played(name: str) -> History:
    return drill(RULES[name].script)


def _sent(history: History, kind: type, *, since: float = 0) -> list[Command]:
    begin = OPENING + int(since * SECOND)
    sent = (entry for entry in history.entries if isinstance(entry, Sent) and entry.at > begin)
    return [entry.command for entry in sent if isinstance(entry.command, kind)]


def _told(history: History) -> set[tuple[RemarkKind, int]]:
    return {(remark.kind, int(remark.account)) for remark in Reading.of(history).remarks}


def test_an_execution_taken_back_is_told_and_trades_nothing() -> None:
    """F18: nothing leaves between the bust and the leader's own exit, fifteen seconds later."""
    history = _played("F18 an execution taken back")
    busted = next(n for n, entry in enumerate(history.entries) if isinstance(entry, Busted))
    after = [entry for entry in history.entries[busted:] if isinstance(entry, Sent)]
    assert all(entry.at >= OPENING + 20 * SECOND for entry in after)
    assert {entry.command.account for entry in after} == {THREE}
    assert (RemarkKind.BROKERS_WORD, TWO) in _told(history)


def test_nonsense_changes_no_order() -> None:
    """F19: with twenty pieces of nonsense the same orders leave as without any."""
    history = _played("F19 nonsense")
    quiet = drill(story_of((2, market(BUY, 2)), (8, leave())))
    names = [[command.client_order_id for command in _sent(h, PlaceOrder)] for h in (history, quiet)]
    assert sorted(names[0]) == sorted(names[1])
    assert history.rest is not None
    assert history.rest.failures == 0


def test_a_contract_too_many_is_told() -> None:
    history = _played("F26 one contract too many")
    assert (RemarkKind.DRIFT, TWO) in _told(history)


def test_of_two_orders_around_a_loss_the_second_is_refused_and_the_close_goes_once() -> None:
    history = _played("F38 a loss between two orders")
    refused = [one for one in Reading.of(history).refusals if one.follower == TWO]
    assert {one.reason for one in refused} == {RefusalReason.DAILY_LOSS}
    closes = [command for command in _sent(history, ClosePosition) if command.account == TWO]
    assert len(closes) == 1


def test_a_wild_print_locks_nobody_and_a_second_one_does() -> None:
    """F40: beside itself a price is believed, however far it went."""
    assert not _played("F40 a wild print").rest.locks  # type: ignore[union-attr]
    script = RULES["F40 a wild print"].script
    twice = [(3.995, Wild(symbol=ES, parts=-200)), (4, Wild(symbol=ES, parts=-200))]
    told = story_of((2, market(BUY, 2)), *twice)
    history = drill(replace(script, items=told.items))
    assert history.rest is not None
    assert TWO in history.rest.locks


def test_without_prices_entries_are_refused_and_nothing_is_closed() -> None:
    history = _played("F40 no prices")
    refused = [one.reason for one in Reading.of(history).refusals if one.follower == TWO]
    assert refused == [RefusalReason.STALE_QUOTE]
    assert any(isinstance(entry, Trouble) and "Blind" in entry.what for entry in history.entries)
    assert not _sent(history, ClosePosition)


def test_a_peak_between_two_looks_raises_the_floor_for_good() -> None:
    """F41: 30 ticks up and 32 down are 800 USD of 600 that may be lost, although less is lost in all."""
    history = _played("F41 a peak between")
    assert history.rest is not None
    assert history.rest.locks[TWO].reason is RefusalReason.DRAWDOWN
    assert history.rest.floors[TWO] > 50_000
