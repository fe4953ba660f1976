"""The session's curve: realized fill by fill, and with what is open at each fill's price."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from analytics.core.equity import Point, Traded, carried, curve, thinned
from analytics.live.points import MOST, drawn
from analytics.selectors.equity import session_curve
from brokers.tests.factories import FillFactory, PositionFactory
from syncgroups.tests.people import accounts
from tradehaven.domain.enums import Side
from tradehaven.domain.positions import FLAT

NOON = datetime(2026, 11, 20, 18, tzinfo=UTC)


def fill(side: Side, qty: int, ticks: int, *, account: int = 1, symbol: str = "ESZ6") -> Traded:
    return Traded(account=account, symbol=symbol, side=side, qty=qty, ticks=ticks, at=NOON)


def results(points: list[Point]) -> list[tuple[int, int]]:
    return [(int(point.realized), int(point.total)) for point in points]


def test_a_round_trip_is_open_first_and_realized_then():
    found = curve([fill(Side.BUY, 2, 100), fill(Side.SELL, 1, 104), fill(Side.SELL, 1, 108)], {})
    assert results(found) == [(0, 0), (50, 100), (150, 150)]
    assert found[0].price == "25.00"


def test_accounts_that_copy_each_other_are_marked_at_each_others_fills():
    found = curve([fill(Side.BUY, 1, 100), fill(Side.BUY, 1, 102, account=2)], {})
    assert results(found) == [(0, 0), (0, 25)]


def test_what_was_held_before_counts_from_its_own_price():
    before = carried([fill(Side.BUY, 1, 80)])
    assert results(curve([fill(Side.SELL, 1, 100)], before)) == [(250, 250)]


def test_contracts_of_unknown_worth_are_left_out():
    odd = fill(Side.BUY, 1, 100, symbol="WEIRDZ6")
    assert curve([odd, fill(Side.BUY, 1, 100)], {})[0].fill.symbol == "ESZ6"


SIDES = st.sampled_from([Side.BUY, Side.SELL])


@given(st.lists(st.tuples(SIDES, st.integers(1, 5), st.integers(50, 150), st.integers(1, 3)), max_size=40))
def test_with_everything_closed_all_is_realized(trades: list[tuple[Side, int, int, int]]):
    fills = [fill(side, qty, ticks, account=account) for side, qty, ticks, account in trades]
    last = {key: position.net for key, position in carried(fills).items() if position.net}
    closing = [
        fill(Side.SELL if net > 0 else Side.BUY, abs(net), 100, account=account)
        for (account, _), net in last.items()
    ]
    points = curve([*fills, *closing], {})
    assert not points or points[-1].realized == points[-1].total


@given(
    st.lists(st.tuples(SIDES, st.integers(1, 5), st.integers(50, 150)), min_size=2, max_size=30), st.data()
)
def test_a_session_that_began_with_positions_goes_on_where_the_last_one_ended(
    trades: list[tuple[Side, int, int]], data: st.DataObject
):
    fills = [fill(side, qty, ticks) for side, qty, ticks in trades]
    cut = data.draw(st.integers(1, len(fills) - 1))
    whole, second = curve(fills, {}), curve(fills[cut:], carried(fills[:cut]))
    made = whole[cut - 1].realized
    assert [point.realized for point in second] == [point.realized - made for point in whole[cut:]]
    assert [point.total - point.realized for point in second] == [
        point.total - point.realized for point in whole[cut:]
    ]


@pytest.mark.parametrize(("count", "most", "left"), [(0, 5, 0), (5, 5, 5), (6, 5, 3), (1000, 100, 100)])
def test_a_long_curve_is_thinned_and_keeps_its_end(count: int, most: int, left: int):
    points = curve([fill(Side.BUY, 1, 100 + number) for number in range(count)], {})
    found = thinned(points, most)
    assert len(found) == left <= most
    assert found[-1:] == points[-1:]


def test_a_chart_gets_columns_of_equal_length():
    said = drawn(curve([fill(Side.BUY, 1, 100), fill(Side.SELL, 1, 104)], {}), {1: "LEAD"})
    assert said["realized"] == [0.0, 50.0]
    assert said["fills"] == [["LEAD", "buy", 1, "ESZ6", "25.00"], ["LEAD", "sell", 1, "ESZ6", "26.00"]]
    assert said["count"] == 2 < MOST


def test_only_the_trading_days_fills_of_a_persons_own_accounts_count(alice: User, bob: User):
    [mine], [his] = accounts(alice, "A"), accounts(bob, "B")
    old = timezone.now() - timedelta(days=9)
    FillFactory.create(account=mine, ticks=20_000)
    FillFactory.create(account=mine, ticks=20_004, side=Side.SELL)
    FillFactory.create(account=mine, traded_at=old)
    FillFactory.create(account=mine, traded_at=old, side=Side.SELL)
    FillFactory.create(account=his)
    assert results(session_curve(alice, timezone.now())) == [(0, 0), (50, 50)]


def test_a_position_of_yesterday_is_found_in_its_fills(alice: User):
    [mine] = accounts(alice, "A")
    FillFactory.create(account=mine, ticks=20_000, traded_at=timezone.now() - timedelta(days=5))
    FillFactory.create(account=mine, ticks=20_010, side=Side.SELL)
    assert results(session_curve(alice, timezone.now())) == [(125, 125)]


def test_a_position_that_no_fill_explains_counts_from_todays_first_price(alice: User):
    [mine] = accounts(alice, "A")
    PositionFactory.create(account=mine, net=5)
    FillFactory.create(account=mine, ticks=20_000)
    assert results(session_curve(alice, timezone.now())) == [(0, 0)]
    assert FLAT.net == 0


def test_the_table_says_what_the_chart_shows(alice: User, alice_client: Client, bob: User):
    [mine] = accounts(alice, "MINE")
    FillFactory.create(account=mine, ticks=20_000)
    FillFactory.create(account=mine, ticks=20_004, side=Side.SELL)
    page = alice_client.get(reverse("analytics:equity")).content.decode()
    assert "+$50.00" in page
    assert "MINE" in page
    said = alice_client.get(reverse("analytics:equity-points")).json()
    assert said["total"] == [0.0, 50.0]
    stranger = Client()
    stranger.force_login(bob)
    assert "No fill yet" in stranger.get(reverse("analytics:equity")).content.decode()
    assert stranger.get(reverse("analytics:equity-points")).json()["count"] == 0
