"""Orders that belong together, pairs, brackets and strategies, stay together on the followers."""

from typing import Any

import pytest

from tests.journeys.house import SYMBOL, Hand, House, wait_until

pytestmark = pytest.mark.journey
Leg = tuple[str, str, int, float]


@pytest.fixture(autouse=True)
def _database(django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock():
        yield


def _nets(house: House) -> tuple[int, ...]:
    lead, other = house.hands["lead"], house.hands["other"]
    return lead.net("ONE"), other.net("HALF"), other.net("TWICE")


def _resting(house: House) -> list[set[Leg]]:
    lead, other = house.hands["lead"], house.hands["other"]
    hands = ((lead, "ONE"), (other, "HALF"), (other, "TWICE"))
    return [{_leg(row) for row in hand.working(name)} for hand, name in hands]


def _leg(row: dict[str, Any]) -> Leg:
    price = row["price"] if "price" in row else row["stopPrice"]
    return row["action"], row["orderType"], row["orderQty"], price


def _each(*legs: tuple[str, str, float], qty: int = 2) -> list[set[Leg]]:
    """Return what all followers should have at work when the leader has legs of `qty` contracts."""
    sizes = (qty, qty // 2, qty * 2)
    return [{(action, kind, size, price) for action, kind, price in legs} for size in sizes]


def _start(hand: Hand, qty: int, **more: Any) -> dict[str, Any]:
    return {
        "accountSpec": "LEAD",
        "accountId": hand.accounts["LEAD"],
        "symbol": SYMBOL,
        "orderQty": qty,
    } | more


def test_a_breakout_pair_trades_on_one_side_only(calm: House) -> None:
    hand = calm.hands["lead"]
    body = _start(hand, 2, action="Buy", orderType="Stop", stopPrice=5060.0)
    other = {"action": "Sell", "orderType": "Stop", "stopPrice": 5040.0}
    answer = hand.post("order/placeoco", body | {"other": other})
    assert "ocoId" in answer, answer
    wait_until(
        lambda: _resting(calm) == _each(("Buy", "Stop", 5060.0), ("Sell", "Stop", 5040.0)), "both sides"
    )
    calm.price("5060.25")
    wait_until(lambda: _nets(calm) == (2, 1, 4), "broken out")
    wait_until(lambda: _resting(calm) == [set(), set(), set()], "the other side gone")
    calm.price("5035.00")
    assert _nets(calm) == (2, 1, 4)


def test_a_bracket_waits_for_its_entry_and_ends_with_one_leg(calm: House) -> None:
    hand = calm.hands["lead"]
    body = _start(hand, 2, action="Buy", orderType="Limit", price=5045.0)
    legs = {
        "bracket1": {"action": "Sell", "orderType": "Limit", "price": 5060.0},
        "bracket2": {"action": "Sell", "orderType": "Stop", "stopPrice": 5030.0},
    }
    answer = hand.post("order/placeoso", body | legs)
    assert "oso1Id" in answer, answer
    wait_until(lambda: _resting(calm) == _each(("Buy", "Limit", 5045.0)), "the entry alone")
    calm.price("5044.75")
    wait_until(lambda: _nets(calm) == (2, 1, 4), "entered")
    wait_until(
        lambda: _resting(calm) == _each(("Sell", "Limit", 5060.0), ("Sell", "Stop", 5030.0)), "both legs"
    )
    hand.change(answer["oso2Id"], 2, "Stop", stopPrice=5035.0)
    wait_until(
        lambda: _resting(calm) == _each(("Sell", "Limit", 5060.0), ("Sell", "Stop", 5035.0)), "leg moved"
    )
    calm.price("5060.25")
    wait_until(lambda: _nets(calm) == (0, 0, 0), "at the target")
    wait_until(lambda: _resting(calm) == [set(), set(), set()], "the stop gone")


def test_a_bracket_whose_entry_is_cancelled_leaves_nothing(calm: House) -> None:
    hand = calm.hands["lead"]
    body = _start(hand, 2, action="Buy", orderType="Limit", price=5045.0)
    answer = hand.post(
        "order/placeoso", body | {"bracket1": {"action": "Sell", "orderType": "Stop", "stopPrice": 5030.0}}
    )
    wait_until(lambda: _resting(calm) == _each(("Buy", "Limit", 5045.0)), "the entry alone")
    hand.cancel(answer["orderId"])
    wait_until(lambda: _resting(calm) == [set(), set(), set()], "nothing left")
    assert _nets(calm) == (0, 0, 0)


def test_a_strategys_bracket_is_kept_on_the_followers(calm: House) -> None:
    hand = calm.hands["lead"]
    params = (
        '{"entryVersion":{"orderQty":2,"orderType":"Market"},'
        '"brackets":[{"qty":2,"profitTarget":10,"stopLoss":-10,"trailingStop":false}]}'
    )
    body = {"accountId": hand.accounts["LEAD"], "symbol": SYMBOL, "action": "Buy"}
    answer = hand.post(
        "orderStrategy/startorderstrategy", body | {"orderStrategyTypeId": 2, "params": params}
    )
    assert "orderStrategy" in answer, answer
    wait_until(lambda: _nets(calm) == (2, 1, 4), "entered")
    wait_until(
        lambda: (
            [{leg[:3] for leg in legs} for legs in _resting(calm)]
            == [{("Sell", "Limit", size), ("Sell", "Stop", size)} for size in (2, 1, 4)]
        ),
        "both legs",
    )
    calm.price("5030.00")
    wait_until(lambda: _nets(calm) == (0, 0, 0), "stopped out")
    wait_until(lambda: _resting(calm) == [set(), set(), set()], "the target gone")
