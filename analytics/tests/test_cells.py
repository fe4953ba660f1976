"""Cells that prices change: a page that was patched is the page that would be rendered anew."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import User
from analytics.core.marks import FRESH, Held, Holder, Prices, Worth, summed, together, worth
from analytics.live.cells import Cells, cells_of
from analytics.live.parts import read
from brokers.models import Quote
from brokers.tests.factories import PositionFactory, QuoteFactory
from syncgroups.tests.people import accounts

NOW = timezone.now()
HELD = Held(place="paper", symbol="ESZ6", net=2, price=Decimal("5000.25"))
CELL = re.compile(r'<(\w+) (?:class="([^"]*)" )?data-live="([^"]+)"(?: class="([^"]*)")?>([^<]*)<')


def shown(parts: dict[str, str]) -> Cells:
    """Return the cells as the templates wrote them."""
    found = {}
    for _, before, name, after, text in CELL.findall("".join(parts.values())):
        found[name] = (" ".join(text.split()), (before or after).removeprefix("money").strip())
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("layout", ["rows", "cards"])
@pytest.mark.parametrize("age", [0, 90])
def test_a_patched_page_equals_a_fresh_one(alice: User, layout: str, age: int):
    alice.layout = layout
    alice.save()
    one, two, *_ = accounts(alice, "ONE", "TWO", "FLAT")
    PositionFactory.create(account=one)
    PositionFactory.create(account=one, symbol="NQZ6", net=-1, price=Decimal("18000"))
    PositionFactory.create(account=two, net=-3)
    for symbol, bid in (("ESZ6", 20_005), ("NQZ6", 72_020)):
        QuoteFactory.create(environment="paper", symbol=symbol, bid=bid, ask=bid + 1)
    before = read(alice, ["overview", "accounts"])
    at = timezone.now() - timedelta(seconds=age)
    Quote.objects.filter(symbol="ESZ6").update(bid=20_105, ask=20_106, quoted_at=at)
    market = dict(before.live.market)
    market["paper", "ESZ6"] = Prices(bid=20_105, ask=20_106, last=20_005, at=at)
    fresh = read(alice, ["overview", "accounts"])
    patched = shown(before.parts) | cells_of(before.live.holders, market, fresh.live.at)
    wanted = shown(fresh.parts)
    assert {name: patched[name] for name in wanted} == wanted
    assert len(wanted) > 8


@pytest.mark.parametrize(
    ("prices", "found"),
    [
        (None, Worth()),
        (Prices(), Worth()),
        (Prices(bid=20_005, at=NOW), Worth(now="5001.25", gain=Decimal("100"))),
        (Prices(bid=20_005), Worth(now="5001.25", gain=Decimal("100"))),
        (
            Prices(bid=20_005, at=NOW - FRESH * 2),
            Worth(now="5001.25", last=Decimal("100"), age=FRESH * 2),
        ),
    ],
)
def test_an_old_price_is_shown_and_not_counted(prices: Prices | None, found: Worth):
    assert worth(HELD, {("paper", "ESZ6"): prices} if prices else {}, NOW) == found


def test_prices_of_another_place_do_not_count():
    assert worth(HELD, {("live", "ESZ6"): Prices(bid=1, at=NOW)}, NOW) == Worth()


def test_one_old_price_makes_a_sum_old():
    known, old = Worth(gain=Decimal(5)), Worth(last=Decimal(7), age=timedelta(seconds=40))
    assert together([known, known]).gain == 10
    assert together([known, old]) == Worth(last=Decimal(12), age=timedelta(seconds=40))
    assert together([known, Worth()]) == Worth()
    assert together([]).gain == 0
    assert summed([Decimal(1), None]) is None


def test_a_flat_account_has_a_day_and_no_open_gain():
    cells = cells_of([Holder(account=3, login=1, realized=Decimal(50), held=())], {}, NOW)
    assert cells["a3.today"] == ("+$50.00", "gain")
    assert "a3.open" not in cells
    assert cells["l1.today"] == ("+$50.00", "gain")
