"""From a seed to a script: who copies whom, what the leader does, and what goes wrong.

Swarm: each seed first draws which kinds of deeds and faults it has at all, so that rare ones meet often
enough. A seed below zero is the same drill without any fault.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from random import Random

from tests.drill.further import furthered
from tests.drill.people import ES, GROUP, LEADER, NQ, OWNER_GATE, Follower, Group, People, gate_of, group_gate
from tests.drill.script import (
    Breakout,
    Cancel,
    Change,
    Crash,
    Deed,
    Drop,
    Exits,
    Fault,
    Flip,
    FullDisk,
    Gap,
    Leave,
    Limit,
    Move,
    Place,
    Refuse,
    Script,
    Settle,
    Stop,
    Storm,
    Timed,
    Turn,
)
from tradehaven.domain.enums import OrderType, Side, SizingMode, SyncMode, TradingState
from tradehaven.domain.ids import AccountId, ConnectionId, GroupId, Symbol

RATIOS = ("1", "1", "1/2", "2", "3/2", "1/3")
CODES = ("MaxPosLimitReached", "LiquidationOnly", "RiskCheckTimeout", "afterwards", "TradingLocked")
STORMS: tuple[tuple[str, float], ...] = (
    ("late", 1.5),
    ("late", 0.3),
    ("mixes", True),
    ("doubles", 0.5),
    ("echoes", 0.3),
    ("loses_answers", 0.4),
    ("loses_requests", 0.3),
    ("late_answers", 0.4),
    ("slow", 4.0),
    ("list_lag", 5.0),
    ("partial", 0.7),
)
POINTS = ("P1", "P2", "P3", "P4", "P5", "P6", "now")


def script_of(seed: int) -> Script:
    """Return the drill of a seed."""
    return furthered(seed, plain_script_of(seed))


def plain_script_of(seed: int) -> Script:
    """Return a seed's story about copying alone: what seeds that once broke a law had told."""
    chance = Random(f"drill {abs(seed)}")
    traits = _traits(chance)
    people = _people(chance, traits)
    length = chance.choice((20.0, 40.0))
    deeds = _deeds(chance, traits, people, length)
    deeds += _pairs(Random(f"pairs {abs(seed)}"), traits, length)
    faults = _faults(chance, people, length) if seed >= 0 else []
    budget = Random(f"budget {abs(seed)}")  # of its own: without one a story is what it was
    per_minute = budget.choice((8, 15, 30)) if budget.random() < BUDGETS else None
    faults += _limits(budget, people, length) if seed >= 0 else []
    items = sorted([*deeds, *faults], key=lambda item: item.second)
    return Script(
        seed=seed,
        people=people,
        items=tuple(items),
        length=length + 3,
        splits=chance.choice((0.0, 0.3, 0.6)) if "partial fills" in traits else 0.0,
        slow_fills=chance.choice((0.0, 0.2, 1.0)) if "slow fills" in traits else 0.0,
        per_minute=per_minute,
        traits=traits,
    )


TRAITS = {
    "resting": 0.6,
    "exits": 0.4,
    "trailing": 0.25,
    "bursts": 0.3,
    "partial fills": 0.4,
    "slow fills": 0.3,
    "sizing": 0.3,
    "caps": 0.3,
    "chain": 0.15,
    "shared": 0.15,
    "gates": 0.25,
    "hands": 0.2,
    "settings": 0.15,
    "two symbols": 0.25,
    "leaves": 0.7,
    "confirmed": 0.3,
    "reverse": 0.15,
}
"""What a drill may contain, and how often it does."""
PAIRS = 0.25
BUDGETS = 0.25
LIMITS = 0.3


def _traits(chance: Random) -> frozenset[str]:
    return frozenset(name for name, share in TRAITS.items() if chance.random() < share)


# -- people -----------------------------------------------------------------------------------------


def _people(chance: Random, traits: frozenset[str]) -> People:
    count = chance.randint(1, 4)
    followers = tuple(_follower(chance, traits, AccountId(2 + n)) for n in range(count))
    mode = SyncMode.CONFIRMED if "confirmed" in traits else SyncMode.IMMEDIATE
    groups = [Group(group=GROUP, leader=LEADER, followers=followers, mode=mode)]
    accounts = [LEADER, *(found.account for found in followers)]
    if "chain" in traits:
        last = AccountId(20)
        groups.append(
            Group(group=GroupId(10), leader=followers[0].account, followers=(Follower(account=last),))
        )
        accounts.append(last)
    if "shared" in traits:
        other = AccountId(30)
        groups.append(Group(group=GroupId(11), leader=other, followers=(followers[-1],)))
        accounts.append(other)
    logins = chance.randint(1, 3)
    placed = tuple((account, ConnectionId(1001 + chance.randrange(logins))) for account in accounts)
    balances = tuple((account, chance.choice((25_000, 50_000, 100_000))) for account in accounts)
    return People(groups=tuple(groups), logins=placed, balances=balances)


def _follower(chance: Random, traits: frozenset[str], account: AccountId) -> Follower:
    found = Follower(account=account, ratio=Fraction(chance.choice(RATIOS)))
    if "reverse" in traits and chance.random() < 0.5:
        found = replace(found, reverse=True)
    if "sizing" in traits:
        sizing = chance.choice(tuple(SizingMode))
        found = replace(found, sizing=sizing, fixed_qty=chance.randint(1, 3))
    if "caps" in traits and chance.random() < 0.6:
        limit = chance.randint(1, 6)
        found = replace(found, **{chance.choice(("max_contracts", "max_position")): limit})  # type: ignore[arg-type]
    return found


# -- deeds ------------------------------------------------------------------------------------------


def _deeds(chance: Random, traits: frozenset[str], people: People, length: float) -> list[Timed]:
    leaders = [group.leader for group in people.groups if group.leader in (LEADER, AccountId(30))]
    followers = [found.account for group in people.groups for found in group.followers]
    makers: list[Callable[[], Deed]] = [lambda: _market(chance, chance.choice(leaders), traits)] * 4
    makers += [lambda: Flip(account=chance.choice(leaders), qty=chance.randint(1, 3))]
    makers += [lambda: Leave(account=chance.choice(leaders))]
    if "resting" in traits:
        makers += [lambda: _resting(chance, chance.choice(leaders), traits)] * 4
        makers += [lambda: _change(chance, chance.choice(leaders))] * 3
        makers += [lambda: Cancel(account=chance.choice(leaders), pick=chance.randrange(4))] * 2
    if "exits" in traits:
        makers += [lambda: _exits(chance, chance.choice(leaders))] * 3
    if "hands" in traits:
        makers += [lambda: _market(chance, chance.choice(followers), traits)]
    if "gates" in traits:
        makers += [lambda: _turn(chance, people)] * 2
    if "settings" in traits:
        makers += [lambda: _settle(chance, people)]
    found = [Timed(chance.random() * length, chance.choice(makers)()) for _ in range(chance.randint(4, 24))]
    found += [Timed(n * 0.5, Move(to=to)) for n, to in enumerate(_walk(chance, int(length * 2)))]
    if "two symbols" in traits:
        found += [Timed(n * 0.7, Move(to=to, symbol=NQ)) for n, to in enumerate(_walk(chance, int(length)))]
    if "bursts" in traits:
        found += _burst(chance, leaders, traits, length)
    if "leaves" in traits:
        found += [Timed(length + 1, Leave(account=leader)) for leader in leaders]
    return found


def _walk(chance: Random, steps: int) -> list[int]:
    place, found = 0, []
    for _ in range(steps):
        jump = chance.random() < 0.05
        place += chance.randint(-25, 25) if jump else chance.randint(-3, 3)
        found.append(place)
    return found


def _burst(chance: Random, leaders: list[AccountId], traits: frozenset[str], length: float) -> list[Timed]:
    start, leader = chance.random() * length, chance.choice(leaders)
    if "resting" in traits and chance.random() < 0.5:
        return [Timed(start + n / 50, _change(chance, leader)) for n in range(chance.randint(5, 50))]
    return [Timed(start + n / 30, _market(chance, leader, traits)) for n in range(chance.randint(2, 8))]


def _symbol(chance: Random, traits: frozenset[str]) -> Symbol:
    return chance.choice((ES, NQ)) if "two symbols" in traits else ES


def _market(chance: Random, account: AccountId, traits: frozenset[str]) -> Deed:
    side, qty = chance.choice(tuple(Side)), chance.randint(1, 5)
    return Place(account=account, side=side, qty=qty, symbol=_symbol(chance, traits))


def _resting(chance: Random, account: AccountId, traits: frozenset[str]) -> Deed:
    kinds = [OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT, OrderType.MIT, OrderType.LIMIT_IF_TOUCHED]
    if "trailing" in traits:
        kinds += [OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT]
    kind, side = chance.choice(kinds), chance.choice(tuple(Side))
    away = chance.randint(1, 10) * side.sign
    trail = abs(away) if kind in (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT) else None
    touched = kind in (OrderType.MIT, OrderType.LIMIT_IF_TOUCHED)
    stop = None if kind is OrderType.LIMIT else (-away if touched else away)
    limits = (OrderType.STOP_LIMIT, OrderType.TRAILING_STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED)
    limit = -away if kind is OrderType.LIMIT else None
    if kind in limits and stop is not None:
        limit = stop + 2 * side.sign
    return Place(
        account=account,
        side=side,
        qty=chance.randint(1, 5),
        order_type=kind,
        limit=limit,
        stop=stop,
        trail=trail,
        symbol=_symbol(chance, traits),
    )


def _exits(chance: Random, account: AccountId) -> Deed:
    return Exits(account=account, target=chance.randint(2, 12), stop=chance.randint(2, 12))


def _pairs(chance: Random, traits: frozenset[str], length: float) -> list[Timed]:
    """Return pairs around the price, from chances of their own: without them a story is what it was."""
    if chance.random() > PAIRS:
        return []
    return [
        Timed(
            chance.random() * length,
            Breakout(
                account=LEADER,
                qty=chance.randint(1, 5),
                above=chance.randint(1, 8),
                below=chance.randint(1, 8),
                symbol=_symbol(chance, traits),
            ),
        )
        for _ in range(chance.randint(1, 4))
    ]


def _change(chance: Random, account: AccountId) -> Deed:
    qty = chance.randint(1, 6) if chance.random() < 0.4 else None
    return Change(account=account, pick=chance.randrange(4), move=chance.randint(-4, 4), qty=qty)


def _turn(chance: Random, people: People) -> Deed:
    gates = [OWNER_GATE, group_gate(GROUP), *(gate_of(account) for account in people.accounts())]
    state = chance.choice(tuple(TradingState))
    flatten = state is TradingState.HALTED and chance.random() < 0.5
    return Turn(gate=chance.choice(gates), state=state, flatten=flatten)


def _settle(chance: Random, people: People) -> Deed:
    first, *others = people.groups
    how = chance.randrange(4)
    if how == 0:
        first = replace(first, active=False)
    elif how == 1:
        first = replace(first, followers=first.followers[:-1] or first.followers)
    elif how == 2:
        doubled = tuple(replace(found, ratio=found.ratio * 2) for found in first.followers)
        first = replace(first, followers=doubled)
    else:
        capped = tuple(replace(found, max_position=1) for found in first.followers)
        first = replace(first, followers=capped)
    return Settle(groups=(first, *others))


# -- faults -----------------------------------------------------------------------------------------


def _faults(chance: Random, people: People, length: float) -> list[Timed]:
    logins = sorted({login for _, login in people.logins})
    followers = [found.account for group in people.groups for found in group.followers]
    makers: list[Callable[[], Fault]] = [
        lambda: _storm(chance, logins),
        lambda: Drop(login=chance.choice(logins)),
        lambda: Drop(login=chance.choice(logins), silently=True),
        lambda: _gap(chance, logins),
        lambda: Refuse(
            account=chance.choice(followers), code=chance.choice(CODES), seconds=chance.uniform(0.5, 15)
        ),
        lambda: _crash(chance),
        lambda: Stop(seconds=chance.uniform(0.2, 5)),
        lambda: FullDisk(seconds=chance.uniform(0.2, 5)),
    ]
    enabled = [make for make in makers if chance.random() < 0.4] or [chance.choice(makers)]
    return [Timed(chance.random() * length, chance.choice(enabled)()) for _ in range(chance.randint(1, 8))]


def _storm(chance: Random, logins: list[ConnectionId]) -> Fault:
    name, value = chance.choice(STORMS)
    return Storm(login=chance.choice(logins), name=name, value=value, seconds=chance.uniform(1, 20))


def _limits(chance: Random, people: People, length: float) -> list[Timed]:
    """Return what a broker does that wants silence or is asked too much, and frames that get lost alone."""
    if chance.random() > LIMITS:
        return []
    logins = sorted({login for _, login in people.logins})
    makers: list[Callable[[], Fault]] = [
        lambda: Limit(login=chance.choice(logins), seconds=chance.uniform(1, 15)),
        lambda: Limit(login=None, seconds=chance.uniform(1, 15)),
        lambda: Storm(login=chance.choice(logins), name="tickets", value=0.5, seconds=chance.uniform(1, 20)),
        lambda: Storm(login=chance.choice(logins), name="misses", value=0.2, seconds=chance.uniform(1, 20)),
    ]
    return [Timed(chance.random() * length, chance.choice(makers)()) for _ in range(chance.randint(1, 4))]


def _gap(chance: Random, logins: list[ConnectionId]) -> Fault:
    return Gap(login=chance.choice(logins), seconds=chance.uniform(0.1, 5))


def _crash(chance: Random) -> Fault:
    return Crash(
        point=chance.choice(POINTS),
        nth=chance.randint(1, 6),
        disk=chance.choice(("kept", "torn", "lost")),
        cut=chance.random(),
        seconds=chance.choice((0.05, 0.5, 2.0, 8.0)),
    )
