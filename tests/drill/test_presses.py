"""F37: wherever the kill switch is pressed, nothing is placed behind it, and what flattens is flat."""

import logging
from collections.abc import Iterator

import pytest

from tests.drill import presses
from tests.drill.history import Died, Sent, Turned
from tests.drill.laws import check
from tests.drill.people import OWNER_GATE
from tests.drill.script import Press
from tests.drill.stories import BUY, SELL, limit, market, story_of
from tests.drill.world import drill
from tradehaven.domain.commands import CancelOrder, ClosePosition

pytestmark = pytest.mark.slow
SEEDS, CHUNK = 40, 10


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("start", range(0, SEEDS, CHUNK))
def test_nothing_is_written_after_the_acknowledgement(start: int) -> None:
    histories = [presses.played(seed) for seed in range(start, start + CHUNK)]
    assert [presses.broken(history) for history in histories] == [[]] * CHUNK
    assert max(presses.in_flight(history) for history in histories) >= 10


def test_the_stories_have_what_they_are_about() -> None:
    histories = [presses.played(seed) for seed in range(CHUNK)]
    assert any(presses.closed(history) for history in histories)
    assert any(isinstance(entry, Died) for history in histories for entry in history.entries)
    assert all(any(isinstance(entry, Turned) for entry in history.entries) for history in histories)


def test_a_seed_is_the_same_story_each_time() -> None:
    assert presses.script_of(5) == presses.script_of(5)
    assert presses.played(5).digest() == presses.played(5).digest()


def test_an_engine_that_forgets_a_press_breaks_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """The laws see it when a start does not know what was pressed before the crash."""
    monkeypatch.setattr("tests.drill.switch.Switch.pending", lambda _switch: [])
    broken = [presses.broken(presses.played(seed)) for seed in range(SEEDS)]
    assert "I7" in {violation.law for found in broken for violation in found}


def test_after_the_press_only_what_flattens_leaves() -> None:
    history = drill(
        story_of(
            (1, market(BUY, 2)),
            (1.5, limit(BUY, 1, 40)),
            (3, Press(gate=OWNER_GATE, flatten=True, away=2)),
            (3.5, market(SELL, 5)),
            (4.5, market(BUY, 3)),
        )
    )
    assert check(history) == []
    pressed = next(n for n, entry in enumerate(history.entries) if isinstance(entry, Turned))
    after = [entry.command for entry in history.entries[pressed:] if isinstance(entry, Sent)]
    assert all(isinstance(command, CancelOrder | ClosePosition) for command in after)
    assert presses.closed(history) >= 2  # each follower's position
