"""F37 by the thousand: a kill switch pressed at any instant while ten orders are on their way.

A seed is one story: ten followers on three logins, a leader who trades in bursts before, at and after the
press, an engine that may die right after it, and a database that is away for a while.
"""

from fractions import Fraction
from random import Random

from tests.drill.history import History, Sent, Traded, Turned
from tests.drill.laws import Violation, check
from tests.drill.people import GROUP, LEADER, OWNER_GATE, Follower, Group, People, gate_of, group_gate
from tests.drill.script import Crash, Deed, Fault, Place, Press, Script, Storm, Timed
from tests.drill.world import drill
from tradehaven.domain.commands import ChangeOrder, ClosePosition, PlaceOrder
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import AccountId, ConnectionId

FOLLOWERS = tuple(AccountId(number) for number in range(2, 12))
LOGINS = (ConnectionId(1001), ConnectionId(1002), ConnectionId(1003))
BURST = 2.0
"""The second at which the orders leave that are on their way when the press comes."""
LENGTH = 9.0


def people() -> People:
    """Return a leader and ten followers at their sizes, on three logins."""
    members = tuple(Follower(account=account, ratio=Fraction(1 + account % 2)) for account in FOLLOWERS)
    accounts = (LEADER, *FOLLOWERS)
    return People(
        groups=(Group(group=GROUP, leader=LEADER, followers=members),),
        logins=tuple((account, LOGINS[account % len(LOGINS)]) for account in accounts),
    )


def script_of(seed: int) -> Script:
    """Return a seed's story. The press comes within a round trip of the burst, before or after."""
    chance = Random(f"press/{seed}")
    press = BURST + chance.uniform(-0.02, 0.12)
    items: list[tuple[float, Deed | Fault]] = [(1.0, _order(chance)), (BURST, _order(chance))]
    items += [(BURST + 0.01 * number, _order(chance)) for number in range(1, chance.randint(2, 6))]
    items += [(press + chance.uniform(0, 3), _order(chance)) for _ in range(chance.randint(1, 4))]
    items += [(press, _press(chance))]
    if chance.random() < 0.3:
        items += [(press + chance.uniform(0, 0.2), _crash(chance))]
    if chance.random() < 0.3:
        items += [(1.5, Storm(login=chance.choice(LOGINS), name="slow", value=0.5, seconds=4))]
    timed = tuple(Timed(second, what) for second, what in sorted(items, key=lambda item: item[0]))
    return Script(seed=seed, people=people(), items=timed, length=LENGTH)


def _order(chance: Random) -> Place:
    side = chance.choice((Side.BUY, Side.SELL))
    kind = chance.choice((OrderType.MARKET, OrderType.MARKET, OrderType.LIMIT))
    away = chance.randint(1, 12) * -side.sign if kind is OrderType.LIMIT else None
    return Place(account=LEADER, side=side, qty=chance.randint(1, 3), order_type=kind, limit=away)


def _press(chance: Random) -> Press:
    gate = chance.choice((OWNER_GATE, group_gate(GROUP), gate_of(chance.choice(FOLLOWERS))))
    return Press(gate=gate, flatten=chance.random() < 0.5, away=chance.choice((0.0, 0.05, 1.0, 4.0)))


def _crash(chance: Random) -> Crash:
    return Crash(point=chance.choice(("now", "P1", "P2", "P4", "P5")), seconds=chance.uniform(0.2, 2))


def broken(history: History) -> list[Violation]:
    """Return every law that a story of a press breaks, and what is not flat in the end although it should."""
    return [*check(history), *_not_flat(history)]


def _not_flat(history: History) -> list[Violation]:
    asked = {entry.gate.gate for entry in history.entries if isinstance(entry, Turned) and entry.gate.flatten}
    over = {
        account: {gate_of(account), OWNER_GATE, *((group_gate(GROUP),) if account != LEADER else ())}
        for account in (LEADER, *FOLLOWERS)
    }
    held = {
        (entry.fill.account, entry.fill.symbol): entry.after
        for entry in history.entries
        if isinstance(entry, Traded)
    }
    return [
        Violation("F37", f"account {account} holds {net} {symbol} behind a gate that flattens")
        for (account, symbol), net in held.items()
        if net and account != LEADER and not asked.isdisjoint(over[account])
    ]


def in_flight(history: History) -> int:
    """Return how many orders had left and were not answered when the press was acknowledged."""
    open_orders: set[str] = set()
    for entry in history.entries:
        if isinstance(entry, Turned) and entry.gate.presses:
            return len(open_orders)
        if isinstance(entry, Sent) and isinstance(entry.command, PlaceOrder | ChangeOrder):
            open_orders.add(entry.command.client_order_id)
        elif (name := getattr(getattr(entry, "event", None), "client_order_id", None)) is not None:
            open_orders.discard(name)
    return 0


def closed(history: History) -> int:
    """Return how many positions the engine asked the broker to close."""
    return sum(
        isinstance(entry, Sent) and isinstance(entry.command, ClosePosition) for entry in history.entries
    )


def played(seed: int) -> History:
    """Play a seed's story."""
    return drill(script_of(seed))


def told(seed: int) -> tuple[int, int, list[str]]:
    """Return a seed, what was on its way at the press, and what the story broke."""
    history = played(seed)
    return seed, in_flight(history), [f"{found.law}: {found.text}" for found in broken(history)]
