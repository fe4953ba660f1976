"""The reliability invariants, checked over the exchange's own log by a program that distrusts the engine.

Numbers are those of the reliability rules: I1 at most one accepted order for each intent, I2 nothing lost
silently, I3 exposure as the sizing says, I5 a reduction never opens or flips, I8 the cap holds, I13 what is
told of an order is told in turn, I14 nothing stays at work, I15 the books balance, I16 the budget is kept.
What our own rows must say beside the books stands in `lineage`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from syncgroups.core.keys import parse_key

COMMISSION = Decimal("2.50")
OURS = "th1"
"""What every client order id of ours begins with."""
_NUMBER = re.compile(r"\.c(\d+)$")


@dataclass
class History:
    """The log, sorted by what it is about. Positions are signed contracts."""

    accounts: dict[int, str]
    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    quantities: dict[int, int] = field(default_factory=dict)
    client_ids: dict[int, str] = field(default_factory=dict)
    commands: dict[int, dict[str, Any]] = field(default_factory=dict)
    fills: list[dict[str, Any]] = field(default_factory=list)
    positions: dict[tuple[int, int], int] = field(default_factory=dict)
    cash: dict[int, Decimal] = field(default_factory=dict)

    @classmethod
    def read(cls, entries: Iterable[Mapping[str, Any]], accounts: dict[int, str]) -> "History":
        """Read the exchange's log."""
        found, seen = cls(accounts), set()
        for entry in entries:
            if entry["what"] != "event":
                continue
            kind, entity = entry["entityType"], entry["entity"]
            if kind == "order":
                found.orders[entity["id"]] = entity
            elif kind == "orderVersion":
                found.quantities[entity["orderId"]] = entity["orderQty"]
            elif kind == "command":
                found.commands[entity["id"]] = entity
                if entity["commandType"] == "New" and entity.get("clOrdId"):
                    found.client_ids[entity["orderId"]] = entity["clOrdId"]
            elif kind == "fill" and entity["id"] not in seen:
                seen.add(entity["id"])
                found.fills.append(entity)
            elif kind == "position":
                found.positions[entity["accountId"], entity["contractId"]] = entity["netPos"]
            elif kind == "cashBalance":
                found.cash[entity["accountId"]] = Decimal(str(entity["amount"]))
        return found

    def of(self, account: str) -> list[dict[str, Any]]:
        """Return the fills of an account, in the order of their ids."""
        return [fill for fill in self.fills if self.name_of(fill) == account]

    def name_of(self, fill: Mapping[str, Any]) -> str:
        """Return the account that a fill belongs to."""
        return self.accounts[self.orders[fill["orderId"]]["accountId"]]

    def ours(self) -> list[dict[str, Any]]:
        """Return what our engine asked for, in the order in which it arrived."""
        found = [row for row in self.commands.values() if (row.get("clOrdId") or "").startswith(OURS)]
        return sorted(found, key=lambda row: int(row["id"]))

    def order_name(self, order: Mapping[str, Any]) -> str:
        """Return the account that an order belongs to."""
        return self.accounts[order["accountId"]]


class Shown(Protocol):
    """Somebody who may read the exchange's lists."""

    accounts: dict[str, int]

    def get(self, path: str, **query: Any) -> Any:
        """Return a list."""


def stated(people: Iterable[Shown]) -> History:
    """Read what the exchange's lists say now: its log does not outlive it, its books do."""
    entries: list[dict[str, Any]] = []
    accounts: dict[int, str] = {}
    kinds = ("order", "orderVersion", "command", "fill", "position", "cashBalance")
    for person in people:
        accounts |= {number: name for name, number in person.accounts.items()}
        for kind in kinds:
            rows = sorted(person.get(f"{kind}/list"), key=lambda row: int(row["id"]))
            entries += [{"what": "event", "entityType": kind, "entity": row} for row in rows]
    return History.read(entries, accounts)


def nothing_is_left_working(history: History, followers: Iterable[str]) -> list[str]:
    """I14: whose leader has left the market has nothing at work."""
    return [
        f"I14 {history.order_name(order)} still has order {order['id']} at work"
        for order in history.orders.values()
        if order["ordStatus"] == "Working" and history.order_name(order) in set(followers)
    ]


def moment(text: str) -> datetime:
    """Return a time of the exchange."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def signed(fill: Mapping[str, Any]) -> int:
    """Return a fill's signed contracts."""
    return int(fill["qty"]) * (1 if fill["action"] == "Buy" else -1)


def one_order_for_each_intent(history: History) -> list[str]:
    """I1: a client order id of ours names at most one order."""
    counts = Counter(history.client_ids.values())
    return [f"I1 {key} was placed {count} times" for key, count in counts.items() if count > 1]


def nothing_lost_silently(
    history: History, leader: str, followers: Mapping[str, int], refused: set[str]
) -> list[str]:
    """I2: every order of the leader has, for every follower, an order or a reason.

    `followers` maps names to our account ids, `refused` holds the keys that were left out with a reason.
    """
    answered = {
        (parsed.leader_order, int(parsed.follower))
        for key in {*history.client_ids.values(), *refused}
        if (parsed := parse_key(key)) is not None
    }
    placed = [
        order
        for order in history.orders.values()
        if history.order_name(order) == leader and order["ordStatus"] != "Rejected"
    ]
    return [
        f"I2 order {order['id']} of {order['timestamp']}, {order['ordStatus']}, has no answer for {name}"
        for order in placed
        for name, number in followers.items()
        if (order["id"], number) not in answered
    ]


def exposure_is_as_sized(history: History, expected: Mapping[str, int]) -> list[str]:
    """I3: at rest every account holds what the sizing says."""
    held: dict[str, int] = defaultdict(int)
    for fill in history.fills:
        held[history.name_of(fill)] += signed(fill)
    return [f"I3 {name} holds {held[name]}, not {net}" for name, net in expected.items() if held[name] != net]


def reductions_only_reduce(history: History, leader: str) -> list[str]:
    """I5: where the leader's order only reduced, a follower's fill neither opens nor flips."""
    positions: dict[str, int] = defaultdict(int)
    reduces: dict[int, bool] = {}
    wrong: list[str] = []
    for fill in sorted(history.fills, key=lambda found: int(found["id"])):
        name, change = history.name_of(fill), signed(fill)
        before, after = positions[name], positions[name] + change
        order = fill["orderId"]
        if name == leader:
            grows = abs(after) > abs(before) or before * after < 0
            reduces[order] = reduces.get(order, True) and not grows
        else:
            parsed = parse_key(history.client_ids.get(order))
            if parsed is not None and reduces.get(parsed.leader_order):
                if before * after < 0 or abs(after) > abs(before):
                    wrong.append(f"I5 {name} went from {before} to {after} on a reduction ({order})")
        positions[name] = after
    return wrong


def books_balance(history: History, opening: Mapping[str, Decimal], point_value: Decimal) -> list[str]:
    """I15: fills add up to positions, and cash is opening + realised - commission, to the cent."""
    wrong: list[str] = []
    for number, name in history.accounts.items():
        fills = history.of(name)
        net = sum(signed(fill) for fill in fills)
        stated = sum(value for (account, _), value in history.positions.items() if account == number)
        if net != stated:
            wrong.append(f"I15 {name}: fills make {net}, the position says {stated}")
        if net == 0 and fills and name in opening:
            gross = -sum(signed(fill) * Decimal(str(fill["price"])) for fill in fills) * point_value
            fees = COMMISSION * sum(int(fill["qty"]) for fill in fills)
            if history.cash[number] != opening[name] + gross - fees:
                wrong.append(f"I15 {name}: cash {history.cash[number]}, not {opening[name] + gross - fees}")
    return wrong


def caps_hold(history: History, caps: Mapping[str, int]) -> list[str]:
    """I8: no fill of ours takes an account beyond its largest position."""
    positions: dict[str, int] = defaultdict(int)
    wrong: list[str] = []
    for fill in sorted(history.fills, key=lambda found: int(found["id"])):
        name = history.name_of(fill)
        before, positions[name] = positions[name], positions[name] + signed(fill)
        grows = abs(positions[name]) > abs(before)
        if grows and abs(positions[name]) > caps.get(name, 10**9) and fill["orderId"] in history.client_ids:
            wrong.append(f"I8 {name} holds {positions[name]}, its cap is {caps[name]} ({fill['orderId']})")
    return wrong


def told_in_turn(history: History) -> list[str]:
    """I13: the changes and cancels of one order arrive in the order of their numbers, each of them once."""
    last: dict[int, int] = {}
    wrong: list[str] = []
    for row in history.ours():
        order, named = row["orderId"], _NUMBER.search(row["clOrdId"])
        number = int(named[1]) if named is not None else 0
        if row["commandType"] != "New" and number <= last.get(order, 0):
            wrong.append(f"I13 {row['clOrdId']} came after number {last[order]} of order {order}")
        last[order] = max(number, last.get(order, 0))
    return wrong


def budget_is_kept(history: History, logins: Mapping[str, str], per_minute: int) -> list[str]:
    """I16: in no minute the engine asks more of a login than the broker allows. `logins` by account."""
    asked: dict[str, list[datetime]] = defaultdict(list)
    wrong: list[str] = []
    for row in history.ours():
        order = history.orders.get(row["orderId"])
        if order is None:
            continue
        login, at = logins[history.order_name(order)], moment(row["timestamp"])
        asked[login] = [then for then in asked[login] if at - then < timedelta(minutes=1)] + [at]
        if len(asked[login]) == per_minute + 1:
            wrong.append(f"I16 {login} was asked more than {per_minute} things in the minute before {at}")
    return wrong
