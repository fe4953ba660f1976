"""What `decide` answers: steps to take, refusals to log, remarks to show. Values; `book` applies them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any, NamedTuple

from risk.core.rules import Drawdown
from risk.core.standing import Band, Entry, Lock, Standing
from syncgroups.core.copies import Copy, HoldingKey
from syncgroups.core.differences import Difference, DriftKey
from syncgroups.core.guards import Guard
from syncgroups.core.waiting import Waiting
from tradehaven.domain.commands import CancelOrder, ChangeOrder, ClosePosition, Command, PlaceOrder
from tradehaven.domain.enums import RefusalReason, TradingState
from tradehaven.domain.ids import AccountId, ClientOrderId, GroupId, Nanos, OrderId, Symbol
from tradehaven.domain.values import Value


class Action(StrEnum):
    """What the leader did that a follower was, or was not, told."""

    PLACE = "place"
    CHANGE = "change"
    CANCEL = "cancel"


class Weighed(NamedTuple):
    """What an order was decided on (RISK-10): signed contracts, limits as they stood, the strictest gate.

    The leader's position before the order and the change it makes, what the follower held for certain, what
    its share asked for, what was at stake on that side (None where no limit asks), and the verdict. Then the
    rule that spoke against it, with its limit and the value that would have passed it, in the rule's unit;
    and equity, today's profit and the floor in USD. None where no rule asked for it.
    """

    leader: int
    change: int
    own: int
    reduce: int
    enter: int
    exposure: int | None
    limit: int | None
    state: TradingState
    allowed: int
    reason: RefusalReason | None = None
    rule_limit: str | None = None
    rule_value: str | None = None
    equity: str | None = None
    profit: str | None = None
    floor: str | None = None


class CopyStep(Value, frozen=True, kw_only=True):
    """A copy as it is from now on, and the command that makes it so; None when it has to wait."""

    copy: Copy
    command: Command | None
    weighed: Weighed | None = None

    @property
    def account(self) -> AccountId:
        """Return whose order it is."""
        return self.copy.follower


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStep:
    """A command for an account that answers no leader's order: it makes it flat, or takes back a twin."""

    account: AccountId
    command: Command
    at: Nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRefused:
    """A follower was left out, wholly or in part. `key` is the order that it would have had."""

    key: ClientOrderId
    group: GroupId
    leader: AccountId
    leader_order: OrderId
    follower: AccountId
    symbol: Symbol
    action: Action
    reason: RefusalReason
    detail: str
    weighed: Weighed | None = None


class RemarkKind(StrEnum):
    """What a person should know although no order came of it."""

    DRIFT = "drift"
    DRIFT_OVER = "drift_over"
    DRIFT_CHANGED = "drift_changed"
    EXIT_FAILED = "exit_failed"
    BROKERS_WORD = "brokers_word"
    QUARANTINED = "quarantined"
    REPAIR_REFUSED = "repair_refused"
    MISSED = "missed"
    FLAT = "flat"
    COMMAND_STUCK = "command_stuck"
    LOCKED = "locked"
    NEAR_LIMIT = "near_limit"
    FLAT_DUE = "flat_due"
    LEFT_OPEN = "left_open"
    NAKED = "naked"
    PROTECTED = "protected"
    DOUBLED = "doubled"
    OVERFILLED = "overfilled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something to show and to keep; `detail` is a sentence, `difference` what it is about."""

    kind: RemarkKind
    account: AccountId
    group: GroupId | None
    symbol: Symbol | None
    detail: str
    key: ClientOrderId | None = None
    difference: Difference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at expectations leaves in the book: each part replaces what was there.

    `agreed` is the leader's position and how many contracts the follower held for it when the two last
    agreed; `holdings` are corrected to what is really held, and `positions` to what the broker said twice.
    `over` are missed orders that nobody needs any more.
    """

    differences: Mapping[DriftKey, Difference]
    agreed: Mapping[HoldingKey, tuple[int, int]]
    taken: Mapping[HoldingKey, int]
    holdings: tuple[tuple[HoldingKey, int], ...] = ()
    positions: tuple[tuple[AccountId, Symbol, int], ...] = ()
    over: tuple[ClientOrderId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A rule was broken and shuts an account for entries; `flatten` says that it is closed out as well."""

    account: AccountId
    lock: Lock
    flatten: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardStep:
    """A command that protects a position, and the guard as it is from now on.

    None closes the contract `symbol` instead: its position, or what still works there.
    """

    guard: Guard | None
    command: PlaceOrder | ChangeOrder | CancelOrder | ClosePosition
    at: Nanos
    symbol: Symbol | None = None

    @property
    def account(self) -> AccountId:
        """Return whose order it is."""
        return self.command.account


Step = CopyStep | AccountStep | GuardStep


class Decision(Value, frozen=True, kw_only=True):
    """The whole answer to one event. `look`, when given, replaces what the book knows of drift.

    `differences` are only put beside those that it knows. `flattening` are accounts that have to become
    flat, whether or not anything can be sent for them now; `chased` are orders whose successor is settled.
    `standings` are where accounts stand by their rules after the event, each with the rule of its floor;
    `totals` the same for sums, by name, and `bands` how near a limit was last said to be. `naked` says
    since when a position lacks its stop, None that it has it. `entries` count for their days.
    """

    steps: tuple[Step, ...] = ()
    refusals: tuple[CopyRefused, ...] = ()
    remarks: tuple[Remark, ...] = ()
    look: Look | None = None
    differences: tuple[Difference, ...] = ()
    flattening: tuple[AccountId, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    chased: tuple[ClientOrderId, ...] = ()
    locks: tuple[Locked, ...] = ()
    standings: tuple[tuple[AccountId, Standing, Drawdown | None], ...] = ()
    totals: tuple[tuple[str, Standing], ...] = ()
    bands: tuple[tuple[AccountId, Band], ...] = ()
    naked: tuple[tuple[AccountId, Symbol, Nanos | None], ...] = ()
    entries: tuple[tuple[AccountId, Entry], ...] = ()

    def __bool__(self) -> bool:
        """Say whether there is anything to write down or to send."""
        return bool(self.steps or self.refusals or self.remarks or self.locks)


NOTHING = Decision()


def joined(*decisions: Decision) -> Decision:
    """Return several answers to one event as one."""
    said = [decision for decision in decisions if decision is not NOTHING]
    if len(said) <= 1:
        return said[0] if said else NOTHING
    looks = [decision.look for decision in said if decision.look is not None]
    together: dict[str, Any] = {}
    for name in _LISTS:
        parts = [part for decision in said if (part := getattr(decision, name))]
        if parts:
            together[name] = parts[0] if len(parts) == 1 else tuple(chain.from_iterable(parts))
    return Decision(look=looks[-1] if looks else None, **together)


def once(decision: Decision) -> Decision:
    """Let one event tell each copy one thing (I16), however many looks wished something of it.

    All of them saw the same book: what comes second knows nothing of what the first has sent. The first one
    counts, but a cancel outdoes a change; what is left out is still wished for when the answer comes.
    """
    keys = [step.copy.key for step in decision.steps if isinstance(step, CopyStep)]
    if len(set(keys)) == len(keys):
        return decision
    told: dict[ClientOrderId, CopyStep] = {}
    for step in decision.steps:
        if isinstance(step, CopyStep) and step.command is not None:
            first = told.setdefault(step.copy.key, step)
            if isinstance(step.command, CancelOrder) and isinstance(first.command, ChangeOrder):
                told[step.copy.key] = step
    steps: list[Step] = []
    done: set[ClientOrderId] = set()
    for step in decision.steps:
        if isinstance(step, CopyStep) and step.copy.key in told:
            if step is told[step.copy.key]:
                done.add(step.copy.key)
            elif step.command is not None or step.copy.key in done:
                continue
        steps.append(step)
    return decision if len(steps) == len(decision.steps) else decision.changed(steps=tuple(steps))


def copies_of(decision: Decision) -> dict[ClientOrderId, Copy]:
    """Return the copies as a decision leaves them, for those who decide on the same event after it."""
    return {step.copy.key: step.copy for step in decision.steps if isinstance(step, CopyStep)}


_LISTS = tuple(name for name in Decision.__struct_fields__ if name != "look")
