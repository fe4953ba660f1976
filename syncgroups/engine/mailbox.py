"""One owner's queue: the only writer of that owner's book.

`post` runs to completion inside the frame's callback that brought the event: fold, decide, write the
intent down, send. What is posted meanwhile waits its turn. So the order of events is one for everybody,
and no task lies between a leader's frame and its followers' frames.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator

from risk.core.standing import Band
from syncgroups.core.book import Book
from syncgroups.core.decide import decide
from syncgroups.core.decision import Decision
from syncgroups.core.folding import fold
from syncgroups.core.plan import OwnerPlan
from syncgroups.core.preview import glances
from syncgroups.engine import records
from syncgroups.engine.dispatch import Dispatch
from syncgroups.engine.journal import Journal, JournalError
from tradehaven.domain.commands import CancelOrder, ClosePosition, Command
from tradehaven.domain.enums import RefusalReason, Side
from tradehaven.domain.events import (
    AccountLocked,
    Event,
    GateChanged,
    HaltPressed,
    OrderAsked,
    PersonAsked,
    PriceMoved,
    PricesLost,
    TimePassed,
)
from tradehaven.domain.ids import Nanos

log = logging.getLogger(__name__)

STANDINGS_EVERY = 2_000_000_000
"""Nanoseconds between two records of where accounts stand."""
_NOT_KEPT = (
    TimePassed,
    PriceMoved,
    PricesLost,
    GateChanged,
    HaltPressed,
    AccountLocked,
    PersonAsked,
    OrderAsked,
)
"""Events that are no record: they come from rows, or there are too many of them."""


class Mailbox:
    """Takes an owner's events one by one and carries out what follows."""

    def __init__(
        self, plan: OwnerPlan, book: Book, journal: Journal, dispatch: Dispatch, now: Callable[[], Nanos]
    ) -> None:
        self.book = book
        self.failures = 0
        self._journal = journal
        self._dispatch = dispatch
        self._now = now
        self._inbox: deque[Event] = deque()
        self._busy = False
        self._stood_at = Nanos(0)
        self._turns = 0
        self.plan = plan
        self.replan(plan)

    def replan(self, plan: OwnerPlan) -> None:
        """Go on with other settings."""
        self.book.rejoined |= plan.rejoined(self.plan)
        self.plan = plan
        # From here on the rows rule: what is in quarantine by the plan is released by the plan.
        self.book.quarantined -= plan.quarantined
        self._dispatch.connections.update(
            {account: known.connection for account, known in plan.accounts.items()}
        )

    def glances(self) -> Iterator[bool]:
        """Yield for each follower whether an order of its leader's would reach it now; nothing is sent.

        One order is imagined for each group, in one of the contracts that its leader has traded.
        """
        self._turns += 1
        for group in self.plan.groups:
            symbols = tuple(self.book.traded.get(group.leader, ()))
            if group.active and symbols:
                symbol = symbols[self._turns % len(symbols)]
                for commands in glances(self.plan, self.book, group, symbol, Side.BUY, self._now()):
                    yield bool(commands) and all(map(self._dispatch.could_send, commands))

    def post(self, event: Event) -> None:
        """Take an event; it and all that it causes is done when this returns, unless one is being done."""
        self._inbox.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._inbox:
                self._take(self._inbox.popleft())
        finally:
            self._busy = False
            self._flush()

    def _take(self, event: Event) -> None:
        try:
            self._handle(event)
        except Exception:  # the top of the loop: one bad event must not stop the next
            self.failures += 1
            log.exception("owner %s: %s could not be handled", self.plan.owner, type(event).__name__)

    def _handle(self, event: Event) -> None:
        if not fold(self.book, event):
            return
        decision = decide(self.plan, self.book, event)
        if decision:
            self._carry_out(decision, event)
        else:
            self.book.apply(decision)
        self._note(event)

    def _carry_out(self, decision: Decision, event: Event) -> None:
        owner = self.plan.owner
        intent = records.encode_decision(owner, decision, event.at, self._now())
        try:
            self._journal.intend(intent)
        except JournalError:
            log.exception("owner %s: nothing is sent, because it could not be written down", owner)
            self._journal.note(intent)  # with the denials that follow: told once the disk takes it (I2)
            self._give_up(decision)
            return
        try:
            written, denied = self._dispatch.send(decision.steps)
        finally:  # after the last write, for nothing on the way there asks the book; but whatever happens
            self.book.apply(decision)
        if written:
            self._journal.note(records.encode_written(owner, written))
        self._inbox.extend(denied)

    def _give_up(self, decision: Decision) -> None:
        """Treat every command of a decision as not sent. Cancels and closes go out all the same (F49)."""
        self.book.apply(decision)
        safe = [step for step in decision.steps if _only_reduces(step.command)]
        _, denied = self._dispatch.send(safe)
        self._inbox.extend(denied)
        for step in decision.steps:
            if step.command is not None and not _only_reduces(step.command):
                text = "the journal cannot be written"
                self._inbox.append(self._dispatch.deny(step.command, RefusalReason.JOURNAL_FAILED, text))

    def _note(self, event: Event) -> None:
        changed = [(*key, self.book.copied[key]) for key in sorted(self.book.changed_holdings)]
        self.book.changed_holdings.clear()
        if not isinstance(event, _NOT_KEPT):
            self._journal.note(records.encode_event(self.plan.owner, event, changed))
        elif changed:
            self._journal.note(records.encode_holdings(self.plan.owner, changed))
        if isinstance(event, TimePassed):
            self._note_standings(event.at)

    def _note_standings(self, at: Nanos) -> None:
        """Write down where accounts stand by their rules: what a start goes on from."""
        risk = self.book.risk
        if not risk.changed or at - self._stood_at < STANDINGS_EVERY:
            return
        self._stood_at = at
        found = {
            account: records.Stood(
                standing=risk.standings[account],
                drawdown=risk.floors.get(account),
                band=risk.bands.get(account, Band.SAFE),
            )
            for account in sorted(risk.changed)
        }
        risk.changed.clear()
        self._journal.note(records.encode_standings(self.plan.owner, at, found))

    def _flush(self) -> None:
        try:
            self._journal.flush()
        except JournalError:
            log.exception("owner %s: what happened could not be written down", self.plan.owner)


def _only_reduces(command: Command | None) -> bool:
    return isinstance(command, CancelOrder | ClosePosition)
