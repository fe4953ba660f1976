"""What an engine does between two orders that it may spend a core on: nothing of it is seen outside.

A processor that slept needs longer to wake than an order takes, and one that did other things has forgotten
code and figures. So the loop turns without a pause, an order of nobody's is played now and then, and each
turn asks of one follower what an order of its leader's would become.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterator

from brokers.ports import Clock
from syncgroups.engine.mailbox import Mailbox
from syncgroups.engine.rehearsal import Rehearsal

log = logging.getLogger(__name__)

EVERY = 0.002
"""Seconds between two rehearsals. One takes a twentieth of that; an order may have to wait for its end."""
IDLE = 1.0


class Awake:
    """Rehearsals and glances. `mailboxes` gives those that are led; without any the loop may sleep."""

    def __init__(self, clock: Clock, mailboxes: Callable[[], Collection[Mailbox]]) -> None:
        self._mailboxes = mailboxes
        self._rehearsal: Rehearsal | None = Rehearsal(clock)
        self._due = 0.0
        self._glances = True

    async def run(self) -> None:
        """Turn until cancelled. What fails here is said once and left out from then on."""
        while True:
            led = self._mailboxes()
            if not led:
                await asyncio.sleep(IDLE)
                continue
            for _ in self._round(led):
                await asyncio.sleep(0)
                self._rehearse()

    def _round(self, led: Collection[Mailbox]) -> Iterator[bool]:
        """Yield at each turn, one follower further: its figures are at hand when an order comes."""
        yield True  # where nobody follows the loop turns all the same
        if not self._glances:
            return
        try:
            for mailbox in led:
                yield from mailbox.glances()
        except Exception:  # whatever it is, no order may suffer from it
            log.exception("nobody is looked at any more between orders; they are copied all the same")
            self._glances = False

    def _rehearse(self) -> None:
        if self._rehearsal is None or time.monotonic() < self._due:
            return
        try:
            self._rehearsal.play()
        except RuntimeError:
            log.exception("nothing is rehearsed any more; orders are copied all the same")
            self._rehearsal = None
        self._due = time.monotonic() + EVERY
