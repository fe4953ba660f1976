"""The follower's client order id, computed from the leader's order and nothing else.

The id is readable on purpose: after the loss of every file and row the broker's own lists still say
which order answers which (reliability anchors, section 2, "where the journal lives").
"""

import re
from dataclasses import dataclass

from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, GroupId, OrderId, Symbol

PREFIX = "th1"
_REPAIR = re.compile(
    rf"{PREFIX}d\.g(\d+)\.l(\d+)\.o(\d+)\.f(\d+)\.([^.]+)\.([^.]+)\.\d+(?:\.m)?(?:\.c\d+)?", re.ASCII
)
_PATTERN = re.compile(
    rf"{PREFIX}\.g(\d+)\.l(\d+)\.o(\d+)\.f(\d+)(?:\.p(\d+))?(?:\.e)?(?:\.r\d+)?(?:\.m)?(?:\.c\d+)?", re.ASCII
)


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
