"""Names of leader's orders in the activity log and in addresses, read from our own client order ids.

`12-501` is order 501 of account 12, `m7` the manual copy number 7. What answers no order is its own thread.
"""

import re
from dataclasses import dataclass

from syncgroups.core.keys import parse_key, parse_manual
from tradehaven.domain.ids import AccountId, OrderId

_ORDER = re.compile(r"(\d{1,18})-(\d{1,18})", re.ASCII)
_MANUAL = re.compile(r"m(\d{1,18})", re.ASCII)
_COMMAND = re.compile(r"(.+)\.c\d+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderOrderName:
    """A leader's order; of a manual copy the number is its row's, and nobody's account leads."""

    leader: AccountId | None
    order: OrderId


def thread_of(leader: int, order: int) -> str:
    """Return the name of an order of a leader's account."""
    return f"{leader}-{order}"


def manual_thread(number: int) -> str:
    """Return the name of a manual copy."""
    return f"m{number}"


def thread_of_key(key: str) -> str:
    """Return the name of the order that one of our orders answers; "" for a key that is none of ours."""
    manual = parse_manual(key)
    if manual is not None:
        return manual_thread(manual.number)
    parsed = parse_key(key)
    if parsed is None:
        return ""
    return thread_of(parsed.leader, parsed.leader_order) if parsed.leader_order else order_of_command(key)


def parse_thread(text: str) -> LeaderOrderName | None:
    """Return what a name says, or None for another text."""
    manual = _MANUAL.fullmatch(text)
    if manual is not None:
        return LeaderOrderName(leader=None, order=OrderId(int(manual[1])))
    order = _ORDER.fullmatch(text)
    if order is None:
        return None
    return LeaderOrderName(leader=AccountId(int(order[1])), order=OrderId(int(order[2])))


def is_command(client_id: str) -> bool:
    """Say whether an id of ours is of a change or cancel, and not of the order itself."""
    return _COMMAND.fullmatch(client_id) is not None


def order_of_command(client_id: str) -> str:
    """Return the key of the order that a change or cancel is about; a key stays itself."""
    match = _COMMAND.fullmatch(client_id)
    return match[1] if match is not None else client_id
