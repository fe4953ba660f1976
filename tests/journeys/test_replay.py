"""A recorded gold session replayed at sixty times its speed, with a leader that trades it by a seeded script.

By default a piece of it, so that it runs on every change; `TRADEHAVEN_REPLAY_SECONDS=1440` plays the day.
"""

import os
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from brokers.models import Account
from syncgroups.models import Activity, CopiedOrder
from syncgroups.services.groups import FollowerSettings
from tests.journeys import invariants
from tests.journeys.conftest import free_port
from tests.journeys.house import Hand, House, open_house, wait_until
from tradehaven.domain.instruments import product
from tradehaven.domain.money import Ticks

SHARED = Path(os.environ.get("TRADEHAVEN_SHARED", Path(__file__).resolve().parents[3] / "shared"))
SESSION = SHARED / "data" / "market" / "gcz3_trades_2013-10-07.csv.gz"
SECONDS = float(os.environ.get("TRADEHAVEN_REPLAY_SECONDS", "20"))
SYMBOL = "GCZ6"
GOLD = product("GC")
OPENING = Decimal(1_000_000)

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not SESSION.is_file(), reason=f"the recorded session {SESSION.name} is not here"),
]


@pytest.fixture(scope="module")
def gold(journey_database: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[House]:
    """Return a house whose exchange replays gold, with slippage, commission and a little latency."""
    folder = tmp_path_factory.mktemp("gold")
    more = {"PAPER_DATA_FILE": str(SESSION), "PAPER_SYMBOL": SYMBOL, "PAPER_SPEED": "60"}
    more |= {"PAPER_SLIPPAGE_TICKS": "0-2", "PAPER_LATENCY_MS": "5-20"}
    with django_db_blocker.unblock(), open_house(folder, free_port(), **more) as house:
        house.operator("market", paused=False)
        house.connect("lead", ["LEAD", "ONE"])
        house.connect("other", ["TWICE", "FIXED"])
        house.group("LEAD", {"ONE": FollowerSettings(), "TWICE": FollowerSettings(ratio=Decimal(2))})
        house.start_engine()
        yield house


def _trade(house: House, chance: Random, until: float, log: list[dict[str, Any]]) -> None:
    """Enter, protect, move, leave: whatever the script's chance says, until the time is over.

    The exchange's log is bounded, so it is fetched as it grows.
    """
    hand = house.hands["lead"]
    while time.monotonic() < until:
        log += house.log(since=log[-1]["seq"] if log else 0)
        side, other = chance.choice((("Buy", "Sell"), ("Sell", "Buy")))
        qty = chance.randint(1, 4)
        hand.order("LEAD", side, qty, symbol=SYMBOL)
        price = _last_price(hand)
        away = chance.randint(5, 30) * (1 if side == "Buy" else -1)
        stop = hand.place("LEAD", other, qty, "Stop", symbol=SYMBOL, stopPrice=_points(price - away))
        target = hand.place("LEAD", other, qty, "Limit", symbol=SYMBOL, price=_points(price + away))
        time.sleep(chance.uniform(0.1, 0.6))
        if "orderId" in stop and chance.random() < 0.7:
            moved = {"stopPrice": _points(price - away // 2)}
            hand.post(
                "order/modifyorder",
                {"orderId": stop["orderId"], "orderQty": qty, "orderType": "Stop", **moved},
            )
        time.sleep(chance.uniform(0.1, 0.6))
        _leave(house, [found["orderId"] for found in (stop, target) if "orderId" in found])


def _leave(house: House, orders: list[int]) -> None:
    """Pull what rests and close what is held, in a hurry: exits may fill under their cancels (F39)."""
    hand = house.hands["lead"]
    for order in orders:
        hand.post("order/cancelorder", {"orderId": order})

    def flat() -> bool:
        contract = hand.get("contract/find", name=SYMBOL)["id"]
        if hand.net("LEAD"):
            body = {"accountId": hand.accounts["LEAD"], "contractId": contract, "admin": False}
            hand.post("order/liquidateposition", body)
            time.sleep(0.1)
        return hand.net("LEAD") == 0

    wait_until(flat, "the leader is flat")


def _last_price(hand: Hand) -> int:
    fills = wait_until(lambda: hand.get("fill/list"), "a fill")
    return int(GOLD.to_ticks(Decimal(str(max(fills, key=lambda row: row["id"])["price"]))))


def _points(ticks: int) -> float:
    return float(GOLD.to_price(Ticks(ticks)))


def test_a_recorded_session_breaks_no_invariant(gold: House, django_db_blocker: Any) -> None:
    hand = gold.hands["lead"]
    with django_db_blocker.unblock():
        log: list[dict[str, Any]] = []
        _trade(gold, Random(20131007), time.monotonic() + SECONDS, log)
        followers = {row.name: row.pk for row in Account.objects.filter(name__in=("ONE", "TWICE"))}
        wait_until(lambda: hand.net("ONE") == 0, "ONE is flat", 20)
        wait_until(lambda: gold.hands["other"].net("TWICE") == 0, "TWICE is flat", 20)
        time.sleep(1)  # the recorder writes the last refusals
        refused = set(Activity.objects.filter(kind="copy_refused").values_list("key", flat=True))
        open_copies = CopiedOrder.objects.exclude(state__in=("ended", "missed")).count()
    names = {number: name for found in gold.hands.values() for name, number in found.accounts.items()}
    log += gold.log(since=log[-1]["seq"])
    history = invariants.History.read(log, names)
    opening = dict.fromkeys(names.values(), OPENING)
    wrong = [
        *invariants.one_order_for_each_intent(history),
        *invariants.nothing_lost_silently(history, "LEAD", followers, refused),
        *invariants.exposure_is_as_sized(history, dict.fromkeys(names.values(), 0)),
        *invariants.reductions_only_reduce(history, "LEAD"),
        *invariants.books_balance(history, opening, GOLD.point_value),
    ]
    assert not wrong
    assert open_copies == 0
    assert len(history.of("LEAD")) > SECONDS / 4
    assert sum(map(invariants.signed, history.of("TWICE"))) == 0
