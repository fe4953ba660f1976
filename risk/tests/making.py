"""Random rules for properties: every field, every kind of value, all of them sound."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from risk.core.collar import USUAL
from risk.core.rules import (
    Breach,
    Caps,
    Collar,
    Consistency,
    DayLimit,
    Drawdown,
    Flat,
    GiveBack,
    Lockout,
    LockUntil,
    Naked,
    NewsWindow,
    Offset,
    Protection,
    Rate,
    Rules,
    Scaling,
    Tier,
    Trail,
    Unit,
    Window,
)


def amounts(least: int = 1, most: int = 10_000_000) -> st.SearchStrategy[Decimal]:
    """Return amounts in whole cents."""
    return st.integers(least, most).map(lambda n: Decimal(n) / 100)


times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
shares = st.integers(1, 100).map(lambda n: Decimal(n) / 100)
roots = st.sampled_from(["ES", "MES", "NQ", "CL", "GC", "ZN", "6E"])
lockouts = st.builds(Lockout, until=st.sampled_from(LockUntil), minutes=st.integers(1, 5_000))
day_limits = st.builds(
    DayLimit,
    amount=amounts(),
    breach=st.sampled_from(Breach),
    lockout=lockouts,
    block_at=shares,
    fatal=st.booleans(),
)


def _mended(rule: Drawdown) -> Drawdown:
    """Keep the reserve below the drawdown, and the lock above the start."""
    lock = rule.lock + rule.start if rule.lock is not None else None
    return replace(rule, reserve=rule.reserve % rule.amount, lock=lock)


drawdowns = st.builds(
    Drawdown,
    trail=st.sampled_from(Trail),
    amount=amounts(),
    start=amounts(0),
    lock=st.none() | amounts(0),
    touch=st.booleans(),
    reserve=amounts(0),
    reserve_ticks=st.integers(0, 100),
    breach=st.sampled_from(Breach),
    block_at=shares,
    payout_locks=st.booleans(),
).map(_mended)
tiers = st.lists(
    st.builds(Tier, profit=st.integers(0, 9).map(lambda n: Decimal(n * 500)), minis=amounts(0, 5_000)),
    min_size=1,
    max_size=4,
    unique_by=lambda tier: tier.profit,
).map(tuple)
scalings = st.builds(
    Scaling, start=st.sampled_from([Decimal(0), Decimal(50_000)]), tiers=tiers, live=st.booleans()
)
counts = st.none() | st.integers(1, 1_000)
caps = st.builds(
    Caps,
    instrument=counts,
    account=counts,
    minis=st.none() | amounts(10, 1_000_000),
    order=counts,
    products=st.dictionaries(roots, st.integers(1, 100), max_size=3),
    scaling=st.none() | scalings,
)
collars = st.builds(
    Collar,
    percent=st.dictionaries(st.sampled_from(sorted(USUAL)), amounts(0, 10_000), max_size=3),
    quote_age=st.none() | st.integers(1, 600),
    on=st.booleans(),
)
windows = st.builds(Window, start=times, end=times).filter(lambda window: window.start != window.end)


def _news(hours: int, length: int, label: str, products: frozenset[str], flat: bool) -> NewsWindow:
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    end = start + timedelta(minutes=length)
    return NewsWindow(label=label, start=start, end=end, products=products, flat=flat)


news = st.builds(
    _news,
    st.integers(0, 20_000),
    st.integers(1, 600),
    st.sampled_from(["rates", "jobs", "stocks of oil"]),
    st.frozensets(roots, max_size=2),
    st.booleans(),
)
offsets = st.builds(Offset, value=st.integers(1, 90).map(Decimal), unit=st.sampled_from(Unit))
protections = st.builds(
    Protection, stop=offsets, target=st.none() | offsets, naked=st.sampled_from(Naked)
) | st.builds(Protection, target=offsets, naked=st.sampled_from(Naked))
flats = st.builds(Flat, at=st.none() | times, firm_at=st.none() | times, lead=st.integers(1, 60))
rules = st.builds(
    Rules,
    daily_loss=st.none() | day_limits,
    daily_profit=st.none() | day_limits,
    give_back=st.none()
    | st.builds(
        GiveBack, after=amounts(), amount=amounts(), breach=st.sampled_from(Breach), lockout=lockouts
    ),
    reset_at=times,
    drawdown=st.none() | drawdowns,
    consistency=st.none() | st.builds(Consistency, best_day=shares, touch=st.booleans()),
    caps=caps,
    collar=st.none() | collars,
    rate=st.none() | st.builds(Rate, entries=st.integers(1, 100), seconds=st.integers(1, 3_600)),
    repeats=st.none() | st.integers(1, 3_600),
    trades_a_day=counts,
    losses_in_row=st.none() | st.integers(1, 100),
    streak_lockout=lockouts,
    products=st.frozensets(roots, max_size=3),
    hours=st.lists(windows, max_size=2).map(tuple),
    news=st.lists(news, max_size=2, unique_by=lambda window: window.start).map(tuple),
    protection=st.none() | protections,
    flat=st.none()
    | st.builds(Flat, at=st.none() | times, firm_at=st.none() | times, lead=st.integers(1, 60)),
    worst_case=st.booleans(),
    opposite=st.booleans(),
    mixing=st.booleans(),
    fee=amounts(0, 10_000),
)
