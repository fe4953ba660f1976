"""The follower's client order id, computed from the leader's order and nothing else.

The id is readable on purpose: after the loss of every file and row the broker's own lists still say
which order answers which (reliability anchors, section 2, "where the journal lives").
"""

import re
from dataclasses import dataclass

from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, GroupId, OrderId

PREFIX = "th1"
_PATTERN = re.compile(
    rf"{PREFIX}\.g(\d+)\.l(\d+)\.o(\d+)\.f(\d+)(?:\.p(\d+))?(?:\.[em])?(?:\.r\d+)?(?:\.c\d+)?", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyKey:
    """What a client order id says: whose order, in which group, answered by which follower.

    `fill` is the one fill of the leader that it answers, where it is one.
    """

    group: GroupId
    leader: AccountId
    leader_order: OrderId
    follower: AccountId
    fill: FillId | None = None


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


def close_id(account: AccountId, symbol: str, number: int) -> ClientOrderId:
    """Return the id of the `number`-th attempt to flatten a contract in an account."""
    return ClientOrderId(f"{PREFIX}x.a{account}.{symbol}.{number}")


def parse_key(text: str | None) -> CopyKey | None:
    """Return what one of our ids says, or None for a stranger's text."""
    match = _PATTERN.fullmatch(text) if text else None
    if match is None:
        return None
    group, leader, order, follower = (int(part) for part in match.groups()[:4])
    fill = match.group(5)
    return CopyKey(
        group=GroupId(group),
        leader=AccountId(leader),
        leader_order=OrderId(order),
        follower=AccountId(follower),
        fill=FillId(int(fill)) if fill else None,
    )
