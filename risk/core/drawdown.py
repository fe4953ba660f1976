"""The floor of an account: how it follows the money up, and when equity has touched it.

The model is section 2 of the prop-firm reference, with its choices: the peak counts before the breach on
the same observation, the floor never falls, a failed account stays failed. What is done about it is in
`watch`.
"""

from decimal import Decimal

from risk.core.rules import Drawdown, Trail
from risk.core.standing import Floor, Money, Survival

_TRAILING = frozenset({Trail.INTRADAY, Trail.END_OF_DAY, Trail.CLOSED})


def begin(rule: Drawdown, balance: Decimal) -> Floor:
    """Return the floor of an account that is met with this balance in USD.

    A new one stands at its start. Of one that has traded the peak is not known, so a floor that trails is
    the lowest that it can be and not certain, until `anchored` hears the broker's or the owner's figure.
    """
    high = max(rule.start, balance)
    begun = Floor(high=rule.start, floor=rule.start - rule.amount)
    if rule.trail is Trail.STATIC:
        return begun
    return _raised(rule, begun, high).changed(certain=balance == rule.start)


def observed(rule: Drawdown, floor: Floor, money: Money) -> Floor:
    """Return the floor after a fill, a price or a balance; the same object where nothing changed."""
    if floor.survival is Survival.FAILED:
        return floor
    if rule.trail is Trail.INTRADAY:
        peak = money.balance + money.high
        if peak > floor.high:
            floor = _raised(rule, floor, peak)
    elif rule.trail is Trail.CLOSED and money.balance > floor.high:
        floor = _raised(rule, floor, money.balance)
    equity = money.equity
    if equity > floor.floor or (equity == floor.floor and not rule.touch):
        return floor
    return failed(floor, equity)


def day_ended(rule: Drawdown, floor: Floor, balance: Decimal, net: Decimal) -> Floor:
    """Return the floor for the next day: `net` is the day's closed result in USD without flows."""
    if floor.survival is Survival.FAILED:
        return floor
    if rule.trail is Trail.END_OF_DAY:
        floor = _raised(rule, floor, max(floor.high, balance))
    return floor.changed(nets=(*floor.nets, net))


def withdrawn(rule: Drawdown, floor: Floor) -> Floor:
    """Return the floor after a payout: it stays, but for firms that then set it to its lock."""
    if not rule.payout_locks or rule.lock is None or rule.lock <= floor.floor:
        return floor
    return floor.changed(floor=rule.lock)


def missed(rule: Drawdown, floor: Floor) -> Floor:
    """Return the floor after prices were missed with a position open: only every moment's peak is lost."""
    return floor.changed(gaps=True) if rule.trail is Trail.INTRADAY and not floor.gaps else floor


def anchored(rule: Drawdown, floor: Floor, stated: Decimal) -> Floor:
    """Return the floor after the broker, or the owner from the firm's page, has said its own in USD.

    It never lowers ours, and may lie above our lock: what differs is shown, and the higher holds.
    """
    if floor.survival is Survival.FAILED:
        return floor
    high = max(floor.high, stated + rule.amount) if rule.trail in _TRAILING else floor.high
    return floor.changed(high=high, floor=max(floor.floor, stated), certain=True, gaps=False)


def marked(rule: Drawdown, floor: Floor, high: Decimal) -> Floor:
    """Return the floor after the broker has said its high-water mark in USD."""
    if floor.survival is Survival.FAILED or (floor.certain and not floor.gaps and high <= floor.high):
        return floor
    return _raised(rule, floor, max(floor.high, high)).changed(certain=True, gaps=False)


def failed(floor: Floor, equity: Decimal) -> Floor:
    """Return the floor of an account that has failed at this equity, for good."""
    return floor.changed(survival=Survival.FAILED, failed_at=equity)


def room(rule: Drawdown, floor: Floor, money: Money) -> Decimal:
    """Return what may still be lost in USD before the rule acts: equity over the floor less its reserves.

    The reserves are why it acts before an account fails: prices are samples.
    """
    return money.equity - floor.floor - rule.reserve - money.tick * rule.reserve_ticks


def _raised(rule: Drawdown, floor: Floor, high: Decimal) -> Floor:
    """Return the floor under a high that is no lower than the old one: up to its lock, never down."""
    follows = high - rule.amount
    if rule.lock is not None:
        follows = min(follows, rule.lock)
    return floor.changed(high=high, floor=max(floor.floor, follows))
