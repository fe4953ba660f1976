"""The follower's client order id, computed from the leader's order and nothing else.

The id is readable on purpose: after the loss of every file and row the broker's own lists still say
which order answers which (reliability anchors, section 2, "where the journal lives").
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, GroupId, OrderId, Symbol

PREFIX = "th1"
_REPAIR = re.compile(
    rf"{PREFIX}d\.g(\d+)\.l(\d+)\.o(\d+)\.f(\d+)\.([^.]+)\.([^.]+)\.\d+(?:\.m)?(?:\.c\d+)?", re.ASCII
)
_PATTERN = re.compile(
    rf"{PREFIX}\.g(\d+)\.l(\d+)\.o(\d+)\.f(\d+)(?:\.p(\d+))?(?:\.e)?(?:\.r\d+)?(?:\.m)?(?:\.c\d+)?", re.ASCII
)


_MANUAL = re.compile(
    rf"({PREFIX}h\.m(\d+)\.l(\d+)\.f(\d+)(?:\.s(\d+))?(?:\.t(\d+))?(?:\.(sl|tp|ov)(?:\.r\d+)?)?)(?:\.c\d+)?",
    re.ASCII,
)


class Leg(StrEnum):
    """An order behind a manual one: what protects its contracts, or closes what both of those closed."""

    STOP_LOSS = "sl"
    TAKE_PROFIT = "tp"
    OVER = "ov"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualKey:
    """What the id of a manual order, or of a leg of it, says. Offsets are in ticks of its own contract."""

    key: ClientOrderId
    number: int
    leader: AccountId
    follower: AccountId
    stop_loss: int | None
    take_profit: int | None
    leg: Leg | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyKey:
    """What a client order id says: whose order, in which group, answered by which follower.

    `fill` is the one fill of the leader that it answers, where it is one. A `repair` answers no order as it
    comes: it closes what should not be held any more, for the leader's contract `leads`.
    """

    group: GroupId
    leader: AccountId
    leader_order: OrderId
    follower: AccountId
    fill: FillId | None = None
    repair: bool = False
    leads: Symbol | None = None


def client_order_id(
    group: GroupId, leader: AccountId, leader_order: OrderId, follower: AccountId
) -> ClientOrderId:
    """Return the id of the one order that this follower may place for this leader's order."""
    return ClientOrderId(f"{PREFIX}.g{group}.l{leader}.o{leader_order}.f{follower}")


def fill_key(key: ClientOrderId, fill: FillId) -> ClientOrderId:
    """Return the id of the order that answers one fill of the order that `key` answers."""
    return ClientOrderId(f"{key}.p{fill}")


def entry_id(key: ClientOrderId) -> ClientOrderId:
    """Return the id of the order that opens the other side, where it is not the one that closes this."""
    return ClientOrderId(f"{key}.e")


def chase_id(key: ClientOrderId) -> ClientOrderId:
    """Return the id of the order that takes the place of one that rested for too long."""
    return ClientOrderId(f"{key}.m")


def is_chase(key: ClientOrderId) -> bool:
    """Say whether an order took the place of one that rested for too long."""
    return key.endswith(".m")


def rest_id(key: ClientOrderId, number: int) -> ClientOrderId:
    """Return the id of the `number`-th order that closes what could not be counted when `key` was sized."""
    return ClientOrderId(f"{key}.r{number}")


def command_id(key: ClientOrderId, number: int) -> ClientOrderId:
    """Return the id of the `number`-th change or cancel of the order that `key` names."""
    return ClientOrderId(f"{key}.c{number}")


def repair_id(key: CopyKey, symbol: Symbol, leads: Symbol, number: int) -> ClientOrderId:
    """Return the id of the order that mends a holding; `number` is the second of the look that found it."""
    who = f"g{key.group}.l{key.leader}.o{key.leader_order}.f{key.follower}"
    return ClientOrderId(f"{PREFIX}d.{who}.{symbol}.{leads}.{number}")


def is_repair(key: ClientOrderId) -> bool:
    """Say whether an order of ours mends a holding instead of answering a leader's order as it came."""
    return key.startswith(f"{PREFIX}d.")


def manual_id(
    number: int, leader: AccountId, follower: AccountId, stop_loss: int | None, take_profit: int | None
) -> ClientOrderId:
    """Return the id of the one order that a follower may place for a manual copy."""
    stop = f".s{stop_loss}" if stop_loss is not None else ""
    target = f".t{take_profit}" if take_profit is not None else ""
    return ClientOrderId(f"{PREFIX}h.m{number}.l{leader}.f{follower}{stop}{target}")


def leg_id(entry: ClientOrderId, leg: Leg, number: int) -> ClientOrderId:
    """Return the id of the `number`-th order, from 0, that is this leg of a manual order."""
    first = ClientOrderId(f"{entry}.{leg}")
    return rest_id(first, number) if number else first


def is_manual(key: ClientOrderId) -> bool:
    """Say whether an order of ours belongs to a manual copy and answers no order of a leader."""
    return key.startswith(f"{PREFIX}h.")


def manual_group(number: int) -> GroupId:
    """Return the ledger of a manual copy's contracts: a group of its own, where no row's number can be."""
    return GroupId(-number)


def manual_order(number: int) -> OrderId:
    """Return what stands for the leader's order of a manual copy; no broker's order has that number."""
    return OrderId(-number)


def parse_manual(text: str | None) -> ManualKey | None:
    """Return what the id of a manual order or of its legs says, or None for another one."""
    match = _MANUAL.fullmatch(text) if text else None
    if match is None:
        return None
    key, number, leader, follower, stop, target, leg = match.groups()
    return ManualKey(
        key=ClientOrderId(key),
        number=int(number),
        leader=AccountId(int(leader)),
        follower=AccountId(int(follower)),
        stop_loss=int(stop) if stop else None,
        take_profit=int(target) if target else None,
        leg=Leg(leg) if leg else None,
    )


def close_id(account: AccountId, symbol: str, number: int) -> ClientOrderId:
    """Return the id of the `number`-th attempt to flatten a contract in an account."""
    return ClientOrderId(f"{PREFIX}x.a{account}.{symbol}.{number}")


def parse_key(text: str | None) -> CopyKey | None:
    """Return what one of our ids says, or None for a stranger's text."""
    if not text:
        return None
    mends = _REPAIR.fullmatch(text)
    match = mends or _PATTERN.fullmatch(text)
    if match is None:
        return None
    group, leader, order, follower = (int(part) for part in match.groups()[:4])
    fill = None if mends else match.group(5)
    return CopyKey(
        group=GroupId(group),
        leader=AccountId(leader),
        leader_order=OrderId(order),
        follower=AccountId(follower),
        fill=FillId(int(fill)) if fill else None,
        repair=mends is not None,
        leads=Symbol(mends[6]) if mends else None,
    )
