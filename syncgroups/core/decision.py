"""What `decide` answers: steps to take, refusals to log, remarks to show. Values; `book` applies them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from syncgroups.core.copies import Copy, HoldingKey
from syncgroups.core.waiting import Waiting
from tradehaven.domain.commands import Command
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import AccountId, ClientOrderId, GroupId, Nanos, OrderId, Symbol


class Action(StrEnum):
    """What the leader did that a follower was, or was not, told."""

    PLACE = "place"
    CHANGE = "change"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyStep:
    """A copy as it is from now on, and the command that makes it so; None when it has to wait."""

    copy: Copy
    command: Command | None

    @property
    def account(self) -> AccountId:
        """Return whose order it is."""
        return self.copy.follower


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStep:
    """A command for an account that answers no leader's order: it makes the account flat."""

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


class RemarkKind(StrEnum):
    """What a person should know although no order came of it."""

    DRIFT = "drift"
    DRIFT_OVER = "drift_over"
    MISSED = "missed"
    FLAT = "flat"
    COMMAND_STUCK = "command_stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something to show and to keep; `detail` is a sentence."""

    kind: RemarkKind
    account: AccountId
    group: GroupId | None
    symbol: Symbol | None
    detail: str
    key: ClientOrderId | None = None
    holding: HoldingKey | None = None


Step = CopyStep | AccountStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The whole answer to one event. `drifting`, when given, replaces what the book knows of drift.

    `flattening` are accounts that have to become flat, whether or not anything can be sent for them now.
    """

    steps: tuple[Step, ...] = ()
    refusals: tuple[CopyRefused, ...] = ()
    remarks: tuple[Remark, ...] = ()
    drifting: Mapping[HoldingKey, Nanos] | None = None
    flattening: tuple[AccountId, ...] = ()
    waiting: tuple[Waiting, ...] = ()

    def __bool__(self) -> bool:
        """Say whether there is anything to write down or to send."""
        return bool(self.steps or self.refusals or self.remarks)


NOTHING = Decision()


def joined(*decisions: Decision) -> Decision:
    """Return several answers to one event as one."""
    said = [decision for decision in decisions if decision is not NOTHING]
    if len(said) <= 1:
        return said[0] if said else NOTHING
    drifting = [decision.drifting for decision in said if decision.drifting is not None]
    return Decision(
        steps=tuple(step for decision in said for step in decision.steps),
        refusals=tuple(refusal for decision in said for refusal in decision.refusals),
        remarks=tuple(remark for decision in said for remark in decision.remarks),
        drifting=drifting[-1] if drifting else None,
        flattening=tuple(account for decision in said for account in decision.flattening),
        waiting=tuple(waiting for decision in said for waiting in decision.waiting),
    )
