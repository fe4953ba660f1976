"""A page's seat: the newest of each part and cell, events in their order, and nothing without end."""

import asyncio
import json
from typing import Any

import pytest

from analytics.live.seat import MOST_EVENTS, Seat
from tradehaven.live.messages import OrderEvent

pytestmark = pytest.mark.asyncio
WHOLE = {"overview": "o", "accounts": "a", "groups": "g", "activity": "l"}


class Browser:
    """Takes what is sent, when it has time."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.awake = asyncio.Event()
        self.awake.set()
        self.seat = Seat(7, "key", self._take, self._leave)

    async def _take(self, text: str) -> None:
        await self.awake.wait()
        self.said.append(json.loads(text))

    async def _leave(self) -> None:
        raise AssertionError("nobody is turned away here")

    async def frames(self) -> list[dict[str, Any]]:
        """Return the frames that came since the last look."""
        for _ in range(5):
            await asyncio.sleep(0)
        found = [frame for envelope in self.said for frame in envelope["frames"]]
        self.said.clear()
        return found


@pytest.fixture
def event() -> OrderEvent:
    return OrderEvent(id=1, text="filled", severity="good")


async def test_the_first_thing_is_everything_and_waits_until_it_is_there(event: OrderEvent):
    browser = Browser()
    browser.seat.patch(1, 1.0, {"sum.open": ("+$1.00", "gain")})
    browser.seat.show(2, 2.0, {"overview": "o"}, [event])
    assert await browser.frames() == []
    browser.seat.show(3, 3.0, WHOLE, [])
    assert await browser.frames() == [{"kind": "snapshot", "parts": WHOLE}]
    browser.seat.close()


async def test_what_is_shown_already_is_not_sent_again_unless_a_cell_has_changed_it():
    browser = Browser()
    browser.seat.show(1, 1.0, WHOLE, [])
    await browser.frames()
    browser.seat.show(2, 2.0, WHOLE, [])
    assert await browser.frames() == []
    browser.seat.patch(3, 3.0, {"sum.open": ("+$1.00", "gain")})
    assert [frame["kind"] for frame in await browser.frames()] == ["tick_update"]
    browser.seat.show(4, 4.0, WHOLE, [])
    assert [frame["kind"] for frame in await browser.frames()] == ["overview_state", "account_state"]
    browser.seat.close()


async def test_a_slow_browser_gets_the_newest_in_one_envelope_and_every_event(event: OrderEvent):
    browser = Browser()
    browser.seat.show(1, 1.0, WHOLE, [])
    await browser.frames()
    browser.awake.clear()
    browser.seat.patch(2, 2.0, {"sum.open": ("+$1.00", "gain")})
    await browser.frames()  # this one is on its way and stuck
    for number in range(3, 30):
        browser.seat.show(number, 0.0, {"groups": f"g{number}"}, [event])
        browser.seat.patch(number, 0.0, {"sum.open": (f"+${number}.00", "gain")})
    browser.awake.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert [(one["since"], one["number"]) for one in browser.said] == [(1, 2), (2, 29)]
    last = browser.said[1]["frames"]
    assert last[0] == {"kind": "group_state", "html": "g29"}
    assert last[1]["cells"] == {"sum.open": ["+$29.00", "gain"]}
    assert len(last[2:]) == 27
    browser.seat.close()


async def test_a_browser_that_falls_far_behind_gets_everything_anew(event: OrderEvent):
    browser = Browser()
    browser.seat.show(1, 1.0, WHOLE, [])
    await browser.frames()
    before = browser.seat.wants_everything
    browser.seat.show(2, 2.0, {}, [event] * (MOST_EVENTS + 1))
    assert [before, browser.seat.wants_everything] == [False, True]
    assert await browser.frames() == []
    browser.seat.show(3, 3.0, WHOLE, [event])
    assert await browser.frames() == [{"kind": "snapshot", "parts": WHOLE}]
    browser.seat.close()


async def test_a_part_is_newer_than_the_cells_before_it():
    browser = Browser()
    browser.seat.show(1, 1.0, WHOLE, [])
    await browser.frames()
    browser.seat.patch(2, 2.0, {"sum.open": ("+$1.00", "gain")})
    browser.seat.show(3, 3.0, {"overview": "newer"}, [])
    assert await browser.frames() == [{"kind": "overview_state", "html": "newer"}]
    browser.seat.close()
