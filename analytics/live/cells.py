"""The cells that prices alone change, from what a page's last reading held: no database, no template.

The texts and classes are those that the templates write, so that a page that was patched and one that was
rendered anew look the same.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from analytics.core.marks import Holder, Market, Worth, summed, together, worth
from tradehaven.templatetags.figures import gain, tone, worth_words

Cells = dict[str, tuple[str, str]]
"""Name of a cell -> its text and its classes."""


def cells_of(holders: Iterable[Holder], market: Market, now: datetime) -> Cells:
    """Return every cell that depends on prices, at a moment (UTC)."""
    cells: Cells = {}
    realized, opened, unpriced = Decimal(0), Decimal(0), 0
    logins: dict[int, list[tuple[Holder, Worth]]] = {}
    for holder in holders:
        worths = [worth(held, market, now) for held in holder.held]
        for held, one in zip(holder.held, worths, strict=True):
            key = f"a{holder.account}.{held.symbol}"
            cells[f"{key}.now"] = (one.now, "stale" if one.age else "")
            cells[f"{key}.gain"] = worth_words(one)
        whole = together(worths)
        if worths:
            cells[f"a{holder.account}.open"] = worth_words(whole)
        cells[f"a{holder.account}.today"] = _profit(_plus(holder.realized, whole.gain))
        logins.setdefault(holder.login, []).append((holder, whole))
        realized += holder.realized
        opened += sum((one.gain for one in worths if one.gain is not None), Decimal(0))
        unpriced += sum(one.gain is None for one in worths)
    for login, members in logins.items():
        gains = summed(whole.gain for _, whole in members)
        cells[f"l{login}.open"] = _profit(gains)
        total = sum((holder.realized for holder, _ in members), Decimal(0))
        cells[f"l{login}.today"] = _profit(_plus(total, gains))
    cells["sum.open"] = _profit(opened)
    cells["sum.net"] = _profit(realized + opened)
    cells["sum.unpriced"] = (f"· {unpriced} not priced" if unpriced else "", "hint")
    return cells


def _plus(realized: Decimal, opened: Decimal | None) -> Decimal | None:
    return realized + opened if opened is not None else None


def _profit(amount: Decimal | None) -> tuple[str, str]:
    return gain(amount), tone(amount)
