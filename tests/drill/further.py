"""What is put on top of a story, each kind from chances of its own: without it a story is what it was.

Guardrails and prices that cross them, small contracts beside large ones, rules for what rests, quarantine,
and what a broker should never do: bust, fill too much, tell nonsense.
"""

from collections.abc import Callable, Container
from dataclasses import replace
from datetime import time
from decimal import Decimal
from random import Random

from risk.core.rules import (
    Breach,
    Collar,
    DayLimit,
    Drawdown,
    Flat,
    GiveBack,
    Naked,
    Offset,
    Protection,
    Rules,
    Trail,
)
from syncgroups.core.plan import RestPolicy
from tests.drill.people import ES, NQ, Follower, Group, People
from tests.drill.script import (
    Ask,
    Blind,
    Bust,
    Cancel,
    Deed,
    Fault,
    Move,
    Overfill,
    Script,
    Settle,
    Shift,
    Strange,
    Timed,
    Wild,
)
from tradehaven.domain.enums import OrderType, RestRule, Side
from tradehaven.domain.ids import AccountId

SHARES = {
    "rules": 0.35,
    "small": 0.2,
    "rests": 0.2,
    "quarantine": 0.1,
    "busts": 0.06,
    "overfills": 0.06,
    "nonsense": 0.1,
    "manual": 0.15,
    "meddling": 0.08,
}
"""How often a story has each of these."""
START = 50_000


def furthered(seed: int, script: Script, but: Container[str] = ()) -> Script:
    """Return a seed's story with what else its chances put into it; below zero nothing goes wrong in it.

    `but` are kinds that the story was told without: they came later.
    """
    for name, put in _PUTS.items():
        if name in but:
            continue
        chance = Random(f"{name} {abs(seed)}")
        if chance.random() < SHARES[name]:
            script = put(chance, script, seed >= 0)
            script = replace(script, traits=script.traits | {name})
    return replace(script, items=tuple(sorted(script.items, key=lambda item: item.second)))


def _with(script: Script, *items: tuple[float, Deed | Fault]) -> Script:
    return replace(script, items=(*script.items, *(Timed(second, what) for second, what in items)))


def _followers(script: Script) -> list[AccountId]:
    found = {one.account for group in script.people.groups for one in group.followers}
    return sorted(found)


def _each(script: Script, change: Callable[[Follower], Follower]) -> Script:
    """Return a story with every follower changed, also in the settings that it comes to later."""

    def changed(groups: tuple[Group, ...]) -> tuple[Group, ...]:
        return tuple(
            replace(group, followers=tuple(change(found) for found in group.followers)) for group in groups
        )

    items = tuple(
        Timed(item.second, replace(item.what, groups=changed(item.what.groups)))
        if isinstance(item.what, Settle)
        else item
        for item in script.items
    )
    people = replace(script.people, groups=changed(script.people.groups))
    return replace(script, people=people, items=items)


def _grouped(script: Script, change: Callable[[Group], Group]) -> Script:
    items = tuple(
        Timed(item.second, replace(item.what, groups=tuple(change(group) for group in item.what.groups)))
        if isinstance(item.what, Settle)
        else item
        for item in script.items
    )
    groups = tuple(change(group) for group in script.people.groups)
    return replace(script, people=replace(script.people, groups=groups), items=items)


# -- guardrails -------------------------------------------------------------------------------------


def _rules(chance: Random, script: Script, troubled: bool) -> Script:
    """Give some followers guardrails, and let prices run far enough to cross them."""
    chosen = [account for account in _followers(script) if chance.random() < 0.75]
    chosen = chosen or _followers(script)[:1]
    starts = dict(script.people.balances)
    rules = tuple((one, _rules_of(chance, starts.get(one, START), script.length)) for one in chosen)
    total = None
    if chance.random() < 0.15:
        total = Rules(daily_loss=DayLimit(amount=Decimal(chance.randint(3, 20) * 100)))
    people: People = replace(script.people, rules=rules, total=total)
    script = replace(script, people=people, money=True)
    script = _with(script, *_runs(chance, script.length))
    if troubled:
        script = _with(script, *_prints(chance, script.length))
    if chance.random() < 0.2:  # limits made smaller on the way (F42)
        tighter = tuple((one, _tighter(found)) for one, found in rules)
        script = _with(
            script, (chance.random() * script.length, Settle(groups=script.people.groups, rules=tighter))
        )
    return script


def _rules_of(chance: Random, start: int, length: float) -> Rules:
    breach = chance.choice((Breach.FLATTEN, Breach.FLATTEN, Breach.STOP))
    amount = Decimal(chance.randint(2, 12) * 100)
    rules = Rules(worst_case=chance.random() < 0.7)
    if chance.random() < 0.6:
        rules = replace(rules, daily_loss=DayLimit(amount=amount, breach=breach))
    if chance.random() < 0.3:
        rules = replace(rules, daily_profit=DayLimit(amount=amount, breach=breach))
    if chance.random() < 0.2:
        rules = replace(rules, give_back=GiveBack(after=amount / 2, amount=amount / 4, breach=breach))
    if chance.random() < 0.4:
        trail = chance.choice((Trail.INTRADAY, Trail.INTRADAY, Trail.STATIC, Trail.CLOSED))
        drawdown = Drawdown(trail=trail, amount=amount, start=Decimal(start), breach=breach)
        rules = replace(rules, drawdown=drawdown)
    if chance.random() < 0.4:
        rules = replace(rules, protection=_protection(chance))
    if chance.random() < 0.25:
        rules = replace(rules, collar=Collar())
    if chance.random() < 0.2:
        second = int(length * chance.uniform(0.3, 0.9))
        rules = replace(rules, flat=Flat(at=time(10, second // 60, second % 60)))
    return rules


def _protection(chance: Random) -> Protection:
    naked = chance.choice((Naked.ATTACH, Naked.ATTACH, Naked.FLATTEN, Naked.ALERT))
    target = Offset(value=Decimal(chance.randint(8, 60))) if chance.random() < 0.4 else None
    return Protection(stop=Offset(value=Decimal(chance.randint(6, 60))), target=target, naked=naked)


def _tighter(rules: Rules) -> Rules:
    loss = rules.daily_loss
    return replace(rules, daily_loss=replace(loss, amount=loss.amount / 2)) if loss is not None else rules


def _runs(chance: Random, length: float) -> list[tuple[float, Deed]]:
    """Return prices that run a long way and some of it back, as they do around news."""
    found: list[tuple[float, Deed]] = []
    for symbol in (ES, NQ):
        for _ in range(chance.randint(1, 3)):
            begin, step, place = chance.random() * length, chance.choice((-6, -3, 3, 6)), 0
            for n in range(chance.randint(4, 16)):
                place += step if chance.random() < 0.8 else -step
                found.append((begin + n * 0.25, Move(to=place, symbol=symbol)))
    return [(second, deed) for second, deed in found if second < length]


def _prints(chance: Random, length: float) -> list[tuple[float, Fault]]:
    found: list[tuple[float, Fault]] = []
    for _ in range(chance.randint(0, 3)):
        parts = chance.choice((-200, -30, 30, 200))
        at, wild = chance.random() * length, Wild(symbol=chance.choice((ES, NQ)), parts=parts)
        if all(abs(at - other) > 1 for other, known in found if known == wild):
            found.append((at, wild))  # two that agree within a second are a price
    if chance.random() < 0.4:
        blind = Blind(seconds=chance.uniform(1, 12), silently=chance.random() < 0.5)
        found.append((chance.random() * length, blind))
    return found


# -- contracts, rests, quarantine -------------------------------------------------------------------


def _small(chance: Random, script: Script, _troubled: bool) -> Script:
    """Let some followers trade micros for the leader's minis; for some of them not from the beginning."""
    chosen = {account for account in _followers(script) if chance.random() < 0.6}
    script = _each(script, lambda found: replace(found, small=found.account in chosen))
    if chance.random() < 0.25:
        turned = _each(script, lambda found: replace(found, small=not found.small))
        settle = Settle(groups=turned.people.groups)
        script = _with(script, (chance.random() * script.length, settle))
    return script


def _rests(chance: Random, script: Script, _troubled: bool) -> Script:
    rule = RestPolicy(
        after=chance.randint(1, 6),
        entries=chance.choice(tuple(RestRule)),
        exits=chance.choice(tuple(RestRule)),
        slack=chance.randint(0, 8),
    )
    return _grouped(script, lambda group: replace(group, rests=rule))


def _quarantine(chance: Random, script: Script, _troubled: bool) -> Script:
    """Put a contract of a follower into quarantine at some moment, and perhaps take it out again."""
    who, symbol = chance.choice(_followers(script)), chance.choice((ES, ES, NQ))

    def shut(found: Follower) -> Follower:
        return replace(found, quarantined=frozenset({symbol})) if found.account == who else found

    begin = chance.random() * script.length
    inside = _each(replace(script, items=()), shut).people.groups
    items: list[tuple[float, Deed | Fault]] = [(begin, Settle(groups=inside))]
    if chance.random() < 0.5:
        end = begin + chance.uniform(1, 15)
        items.append((min(end, script.length), Settle(groups=script.people.groups)))
    return _with(script, *items)


def _manual(chance: Random, script: Script, _troubled: bool) -> Script:
    """Let somebody order for followers of his choice, and perhaps move what comes of that (COPY-11)."""
    items: list[tuple[float, Deed]] = []
    for number in range(1, chance.randint(1, 3) + 1):
        items.append((chance.random() * script.length, _asked(chance, script, number)))
    for _ in range(chance.choice((0, 0, 1, 3))):
        account, qty = chance.choice(_followers(script)), chance.choice((None, None, 1, 3))
        shift = Shift(account=account, pick=chance.randrange(4), move=chance.randint(-5, 5), qty=qty)
        items.append((chance.random() * script.length, shift))
    return _with(script, *items)


def _asked(chance: Random, script: Script, number: int) -> Ask:
    group = chance.choice(script.people.groups)
    chosen = tuple(one.account for one in group.followers if chance.random() < 0.7)
    kind, side = (
        chance.choice((OrderType.MARKET,) * 2 + (OrderType.LIMIT, OrderType.STOP)),
        chance.choice(tuple(Side)),
    )
    away = chance.randint(1, 8) * side.sign
    return Ask(
        number=number,
        leader=group.leader,
        followers=chosen or (group.followers[0].account,),
        side=side,
        qty=chance.randint(1, 4),
        order_type=kind,
        away=-away if kind is OrderType.LIMIT else away,
        stop_loss=chance.randint(3, 20) if chance.random() < 0.8 else None,
        take_profit=chance.randint(3, 20) if chance.random() < 0.6 else None,
        symbol=chance.choice((ES, NQ)) if "two symbols" in script.traits else ES,
    )


def _meddling(chance: Random, script: Script, _troubled: bool) -> Script:
    """Let the owner of a follower move or cancel there what copying has placed (F20)."""
    items: list[tuple[float, Deed]] = []
    for _ in range(chance.randint(1, 4)):
        account, pick = chance.choice(_followers(script)), chance.randrange(6)
        qty = chance.choice((None, None, 1, 2, 4))
        shift = Shift(account=account, pick=pick, move=chance.randint(-6, 6), qty=qty, manual=False)
        deed = shift if chance.random() < 0.5 else Cancel(account=account, pick=pick)
        items.append((chance.random() * script.length, deed))
    return _with(script, *items)


# -- what a broker should never do ------------------------------------------------------------------


def _busts(chance: Random, script: Script, troubled: bool) -> Script:
    accounts = script.people.accounts()
    if not troubled:
        return script
    return _with(
        script,
        *(
            (chance.random() * script.length, Bust(account=chance.choice(accounts), pick=chance.randrange(9)))
            for _ in range(chance.randint(1, 2))
        ),
    )


def _overfills(chance: Random, script: Script, troubled: bool) -> Script:
    if not troubled:
        return script
    overfill = Overfill(account=chance.choice(_followers(script)))
    return _with(script, (chance.random() * script.length, overfill))


def _nonsense(chance: Random, script: Script, troubled: bool) -> Script:
    if not troubled:
        return script
    logins = sorted({login for _, login in script.people.logins})
    return _with(
        script,
        *(
            (
                chance.random() * script.length,
                Strange(login=chance.choice(logins), number=chance.randrange(10)),
            )
            for _ in range(chance.randint(1, 12))
        ),
    )


_PUTS: dict[str, Callable[[Random, Script, bool], Script]] = {
    "rules": _rules,
    "small": _small,
    "rests": _rests,
    "quarantine": _quarantine,
    "busts": _busts,
    "overfills": _overfills,
    "nonsense": _nonsense,
    "manual": _manual,
    "meddling": _meddling,
}
