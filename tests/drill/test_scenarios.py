"""The named scenarios: as they are, and at every crash point, with the journal kept, torn and lost."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from syncgroups.core.decision import RemarkKind
from tests.drill.history import History, Sent, Traded
from tests.drill.laws import check
from tests.drill.reading import Reading
from tests.drill.scenarios import (
    DISKS,
    POINTS,
    SCENARIOS,
    Scenario,
    crash_loop,
    fan_out,
    old_fills,
    shared_cap,
)
from tests.drill.scenarios_of_rules import RULES
from tests.drill.script import Crash, Refuse, Script, Timed
from tests.drill.stories import BUY, SELL, THREE, TWO, market, story_of
from tests.drill.world import drill
from tradehaven.domain.commands import ChangeOrder, PlaceOrder
from tradehaven.domain.ids import AccountId

pytestmark = pytest.mark.slow

ALL = SCENARIOS | RULES
LUCKS = range(12)
"""Other fills, delays and orders of arrival for the same script: the interleavings."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def _held(history: History, *accounts: int) -> tuple[int, ...]:
    last = {entry.fill.account: entry.after for entry in history.entries if isinstance(entry, Traded)}
    return tuple(last.get(AccountId(account), 0) for account in accounts)


def _commands(history: History, kind: type) -> list[Sent]:
    return [entry for entry in history.entries if isinstance(entry, Sent) and isinstance(entry.command, kind)]


def _remarks(history: History) -> Counter[RemarkKind]:
    return Counter(remark.kind for remark in Reading.of(history).remarks)


@pytest.mark.parametrize("name", ALL)
def test_a_scenario_breaks_no_law_and_ends_as_it_must(name: str) -> None:
    scenario = ALL[name]
    history = drill(scenario.script)
    assert check(history) == []
    if scenario.ends is not None:
        assert _held(history, 1, 2, 3) == scenario.ends


@pytest.mark.parametrize("name", ALL)
def test_every_interleaving_of_a_scenario_breaks_no_law(name: str) -> None:
    for luck in LUCKS:
        assert check(drill(replace(ALL[name].script, seed=luck))) == [], f"luck {luck}"


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("name", ALL)
def test_a_crash_anywhere_in_a_scenario_breaks_no_law(name: str, point: str) -> None:
    scenario: Scenario = ALL[name]
    for disk in DISKS:
        for nth in (1, 2, 4):
            script = scenario.crashed(point, disk, nth)
            assert check(drill(script)) == [], f"{disk}, time {nth}"


@pytest.mark.parametrize("point", ["P3", "P4"])
@pytest.mark.parametrize("sent", range(1, 21))
def test_a_crash_after_any_of_twenty_sends_decides_each_follower_once(sent: int, point: str) -> None:
    script = fan_out(20)
    for disk in DISKS:
        crash = Timed(1.9, Crash(point=point, nth=sent, disk=disk))
        history = drill(replace(script, items=(crash, *script.items)))
        assert check(history) == [], disk
        written = {entry.command.client_order_id for entry in _commands(history, PlaceOrder)}
        assert len(written) == (sent - 1 if point == "P3" else sent)


@pytest.mark.parametrize("cut", [n / 40 for n in range(1, 41)])
def test_a_journal_torn_anywhere_in_its_last_record_is_no_obstacle(cut: float) -> None:
    for point in ("P2", "P4", "P5"):
        script = story_of(
            (1.9, Crash(point=point, disk="torn", cut=cut)), (2, market(BUY, 2)), (9, market(SELL, 2))
        )
        assert check(drill(script)) == []


def test_a_crash_loop_sends_nothing_of_its_own() -> None:
    history = drill(crash_loop())
    assert check(history) == []
    reading = Reading.of(history)
    assert all(reading.seen(entry.command.client_order_id) for entry in _commands(history, PlaceOrder))


def test_two_hundred_old_fills_are_no_news() -> None:
    history = drill(old_fills(200))
    assert check(history) == []
    assert not _commands(history, PlaceOrder)


def test_fifty_changes_in_a_second_are_merged() -> None:
    history = drill(SCENARIOS["F16 fifty changes in a second"].script)
    changes = Counter(entry.command.account for entry in _commands(history, ChangeOrder))
    assert set(changes) == {TWO, THREE}
    assert max(changes.values()) <= 30


def test_whose_both_legs_filled_is_told_of_it() -> None:
    """F17: two legs of one position can both trade before the second is taken back; then somebody is told."""
    flipped = [drill(replace(SCENARIOS["F17 both legs touched"].script, seed=luck)) for luck in LUCKS]
    worst = [history for history in flipped if any(_held(history, 2, 3))]
    assert worst, "the storm was too weak to show it"
    assert all(_remarks(history)[RemarkKind.DRIFT] for history in worst)


def test_a_stop_turned_down_is_told_and_its_exit_goes_once_it_may() -> None:
    history = drill(SCENARIOS["F28 a stop turned down"].script)
    assert _remarks(history)[RemarkKind.EXIT_FAILED] >= 1
    assert _held(history, 3) == (0,)


def test_two_groups_share_a_followers_cap() -> None:
    history = drill(shared_cap())
    assert check(history) == []
    assert _held(history, 2) == (2,)


def _orders_of(history: History, account: AccountId) -> list[tuple[object, ...]]:
    found = [entry.command for entry in _commands(history, PlaceOrder) if entry.command.account == account]
    return [(order.client_order_id, order.side, order.spec) for order in found]  # type: ignore[union-attr]


@pytest.mark.parametrize("code", ["LiquidationOnly", "RiskCheckTimeout", "afterwards"])
def test_a_follower_that_is_always_turned_down_changes_nothing_for_the_others(code: str) -> None:
    """I10: the same story with and without account 3's refusals gives account 2 the same orders."""
    trades = [(2 + n, market(BUY if n % 3 else SELL, 1 + n % 4)) for n in range(12)]
    calm: Script = story_of(*trades)
    refused = story_of((0, Refuse(account=THREE, code=code, seconds=60)), *trades)
    first, second = drill(calm), drill(refused)
    assert _orders_of(first, TWO) == _orders_of(second, TWO)
    assert _held(first, 2) == _held(second, 2)
    assert len(_orders_of(first, TWO)) >= 10
