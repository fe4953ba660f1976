"""Small stories for the drill's own tests: two followers, a quiet market, one thing after another."""

from dataclasses import replace
from fractions import Fraction

from risk.core.rules import Rules
from tests.drill.people import ES, GROUP, LEADER, Follower, Group, People
from tests.drill.script import Deed, Fault, Leave, Move, Place, Script, Timed
from tradehaven.domain.enums import OrderType, Side, SyncMode
from tradehaven.domain.ids import AccountId, ConnectionId

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
HOME, AWAY = ConnectionId(1001), ConnectionId(1002)
"""The leader and account 2 share a login, account 3 has one of its own."""

Line = tuple[float, Deed | Fault]


def story_of(
    *lines: Line, mode: SyncMode = SyncMode.IMMEDIATE, cap: int | None = None, **settings: object
) -> Script:
    """Return a story about a leader, a follower at its size and one at double size."""
    followers = (
        Follower(account=TWO, max_position=cap),
        Follower(account=THREE, ratio=Fraction(2), max_position=cap),
    )
    people = People(
        groups=(Group(group=GROUP, leader=LEADER, followers=followers, mode=mode),),
        logins=((LEADER, HOME), (TWO, HOME), (THREE, AWAY)),
    )
    items = tuple(Timed(second, what) for second, what in sorted(lines, key=lambda line: line[0]))
    length = max(second for second, _ in lines) + 3
    return Script(seed=0, people=people, items=items, length=length, **settings)  # type: ignore[arg-type]


def ruled(script: Script, rules: Rules, *accounts: AccountId) -> Script:
    """Return a story about money in which these followers, or account 2, have guardrails."""
    mine = tuple((account, rules) for account in accounts or (TWO,))
    return replace(script, people=replace(script.people, rules=mine), money=True)


def market(side: Side, qty: int, account: AccountId = LEADER) -> Place:
    """Return an order at the market."""
    return Place(account=account, side=side, qty=qty)


def limit(side: Side, qty: int, away: int) -> Place:
    """Return an order that waits `away` ticks from the price on the better side."""
    return Place(account=LEADER, side=side, qty=qty, order_type=OrderType.LIMIT, limit=-abs(away) * side.sign)


def stop(side: Side, qty: int, away: int) -> Place:
    """Return an order that waits `away` ticks from the price on the worse side."""
    return Place(account=LEADER, side=side, qty=qty, order_type=OrderType.STOP, stop=abs(away) * side.sign)


def price(to: int) -> Move:
    """Return a price move, to so many ticks from the opening."""
    return Move(to=to, symbol=ES)


def leave() -> Leave:
    """Return the leader's way out of everything."""
    return Leave(account=LEADER)
