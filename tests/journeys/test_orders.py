"""Each order type placed, changed and cancelled by the leader, and what it holds, on the followers."""

from typing import Any

import pytest

from brokers.models import Account
from syncgroups.models import Activity, CopiedOrder
from tests.journeys.house import House, wait_until

pytestmark = pytest.mark.journey


@pytest.fixture(autouse=True)
def _database(django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock():
        yield


def _nets(house: House) -> tuple[int, int, int]:
    lead, other = house.hands["lead"], house.hands["other"]
    return lead.net("ONE"), other.net("HALF"), other.net("TWICE")


def _resting(house: House) -> list[list[tuple[Any, ...]]]:
    lead, other = house.hands["lead"], house.hands["other"]
    hands = ((lead, "ONE"), (other, "HALF"), (other, "TWICE"))
    shown = ("action", "orderType", "orderQty", "price", "stopPrice")
    return [[tuple(row.get(name) for name in shown) for row in hand.working(name_)] for hand, name_ in hands]


def test_a_market_order_is_copied_and_its_exit_too(calm: House) -> None:
    hand = calm.hands["lead"]
    hand.order("LEAD", "Buy", 4)
    wait_until(lambda: _nets(calm) == (4, 2, 8), "entries")
    hand.order("LEAD", "Sell", 4)
    wait_until(lambda: _nets(calm) == (0, 0, 0), "exits")


@pytest.mark.parametrize(
    ("order_type", "first", "second"),
    [
        ("Limit", {"price": 5040.25}, {"price": 5041.5}),
        ("Stop", {"stopPrice": 5060.25}, {"stopPrice": 5061.5}),
        ("StopLimit", {"stopPrice": 5060.25, "price": 5060.5}, {"stopPrice": 5061.5, "price": 5062.0}),
        ("MIT", {"stopPrice": 5040.25}, {"stopPrice": 5041.5}),
    ],
)
def test_a_resting_order_is_placed_changed_and_cancelled(
    calm: House, order_type: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    hand = calm.hands["lead"]
    order = hand.order("LEAD", "Buy", 2, order_type, **first)

    def expected(prices: dict[str, Any]) -> list[list[tuple[Any, ...]]]:
        row = (prices.get("price"), prices.get("stopPrice"))
        return [[("Buy", order_type, qty, *row)] for qty in (2, 1, 4)]

    wait_until(lambda: _resting(calm) == expected(first), "placed")
    hand.change(order, 2, order_type, **second)
    wait_until(lambda: _resting(calm) == expected(second), "changed")
    hand.cancel(order)
    wait_until(lambda: _resting(calm) == [[], [], []], "cancelled")
    assert _nets(calm) == (0, 0, 0)


def test_trailing_stops_trail_by_themselves_and_follow_the_quantity(calm: House) -> None:
    hand = calm.hands["lead"]
    hand.order("LEAD", "Buy", 4)
    wait_until(lambda: _nets(calm) == (4, 2, 8), "filled")
    prices = {"stopPrice": 5040.0, "pegDifference": 10.0}
    stop = hand.order("LEAD", "Sell", 4, "TrailingStop", **prices)
    kind = "TrailingStop"
    wait_until(lambda: _resting(calm) == [[("Sell", kind, qty, None, 5040.0)] for qty in (4, 2, 8)], "placed")
    calm.price("5060.00")
    wait_until(
        lambda: _resting(calm) == [[("Sell", kind, qty, None, 5050.0)] for qty in (4, 2, 8)], "drawn along"
    )
    before = calm.hands["other"].accepted("TWICE")
    hand.change(stop, 2, kind, stopPrice=5050.0, pegDifference=10.0)
    wait_until(
        lambda: _resting(calm) == [[("Sell", kind, qty, None, 5050.0)] for qty in (2, 1, 4)], "made smaller"
    )
    assert calm.hands["other"].accepted("TWICE") == before
    calm.price("5050.00")
    wait_until(lambda: _nets(calm) == (2, 1, 4), "stopped out of half")
    hand.order("LEAD", "Sell", 2)
    wait_until(lambda: _nets(calm) == (0, 0, 0), "flat")


def test_a_limit_if_touched_is_copied_with_both_prices(calm: House) -> None:
    hand = calm.hands["lead"]
    order = hand.order("LEAD", "Buy", 2, "LimitIfTouched", price=5040.0, limitIfTouchedPrice=5045.0)
    wait_until(lambda: all(_resting(calm)), "placed")
    (mine,) = hand.working("ONE")
    assert (mine["price"], mine["limitIfTouchedPrice"]) == (5040, 5045)
    hand.cancel(order)
    wait_until(lambda: _resting(calm) == [[], [], []], "cancelled")


def test_a_stop_that_is_touched_fills_everywhere(calm: House) -> None:
    hand = calm.hands["lead"]
    hand.order("LEAD", "Buy", 2, "Stop", stopPrice=5060.25)
    wait_until(lambda: all(_resting(calm)), "placed")
    calm.price("5060.50")
    wait_until(lambda: _nets(calm) == (2, 1, 4), "filled")


def test_four_one_lot_fills_at_half_ratio_give_two(calm: House) -> None:
    calm.operator("fills", account="LEAD", parts=[1, 1, 1, 1])
    calm.hands["lead"].order("LEAD", "Buy", 4)
    wait_until(lambda: _nets(calm) == (4, 2, 8), "entries")


def test_a_flip_from_long_to_short_flips_everybody(calm: House) -> None:
    hand = calm.hands["lead"]
    hand.order("LEAD", "Buy", 2)
    wait_until(lambda: _nets(calm) == (2, 1, 4), "long")
    hand.order("LEAD", "Sell", 6)
    wait_until(lambda: _nets(calm) == (-4, -2, -8), "short")


def test_the_leaders_own_flatten_button_flattens_everybody(calm: House) -> None:
    hand = calm.hands["lead"]
    hand.order("LEAD", "Sell", 3)
    wait_until(lambda: _nets(calm) == (-3, -1, -6), "short")
    contract = hand.get("contract/find", name="ESZ6")["id"]
    hand.post(
        "order/liquidateposition",
        {"accountId": hand.accounts["LEAD"], "contractId": contract, "admin": False},
    )
    wait_until(lambda: _nets(calm) == (0, 0, 0), "flat")


def test_one_follower_is_rejected_while_the_others_fill(calm: House) -> None:
    calm.operator("reject", account="HALF", reason="MaxPosLimitReached", text="too many contracts")
    hand = calm.hands["lead"]
    hand.order("LEAD", "Buy", 2)
    wait_until(lambda: _nets(calm) == (2, 0, 4), "the others")
    found = wait_until(
        lambda: Activity.objects.filter(owner=calm.owner, kind="copy_rejected").first(), "said so"
    )
    assert "MaxPosLimitReached" in found.text
    hand.order("LEAD", "Sell", 2)
    wait_until(lambda: _nets(calm) == (0, 0, 0), "exits")


def test_lineage_has_all_times_in_order(calm: House) -> None:
    calm.hands["lead"].order("LEAD", "Buy", 2)
    wait_until(lambda: _nets(calm) == (2, 1, 4), "entries")
    copies = wait_until(
        lambda: list(CopiedOrder.objects.filter(owner=calm.owner, filled__gt=0, ended_at__isnull=False)),
        "on record",
    )
    for copy in copies:
        steps = [copy.received_at, copy.decided_at, copy.written_at, copy.acknowledged_at, copy.ended_at]
        assert None not in steps
        assert steps[:4] == sorted(steps[:4])


def test_the_database_agrees_with_the_exchange(calm: House) -> None:
    calm.hands["lead"].order("LEAD", "Buy", 2)
    wait_until(lambda: _nets(calm) == (2, 1, 4), "entries")
    names = ("LEAD", "ONE", "HALF", "TWICE")

    def recorded() -> list[int]:
        rows = Account.objects.filter(connection__owner=calm.owner, name__in=names)
        return sorted(sum(row.positions.values_list("net", flat=True)) for row in rows)

    wait_until(lambda: recorded() == [1, 2, 2, 4], "recorded")
