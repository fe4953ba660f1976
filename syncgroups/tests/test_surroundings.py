"""What is counted around an order before its limits: a refusal names the room to the contract."""

from decimal import Decimal

import pytest

from risk.core.rules import (
    NO_RULES,
    Caps,
    Collar,
    DayLimit,
    Drawdown,
    Offset,
    Protection,
    Rules,
    Scaling,
    Tier,
    Trail,
)
from risk.core.standing import Lock
from syncgroups.core.book import OrderRecord
from syncgroups.core.guarded import Refusal
from syncgroups.core.sizing import Sized
from syncgroups.tests.plans import ES
from syncgroups.tests.scene import (
    ACCOUNT,
    ENDS,
    ME,
    MES,
    MINIS,
    NOW,
    NQ,
    OTHER,
    PAPER,
    POSITION,
    PRODUCT,
    STRANGE,
    TEN,
    TEN_IN_ALL,
    WORST,
    Scene,
)
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, Side, TradingState
from tradehaven.domain.events import LimitsReported
from tradehaven.domain.ids import Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec


def test_what_is_held_on_the_same_side_takes_room_and_the_other_side_gives_some() -> None:
    scene = Scene(TEN)
    scene.hold(3)
    assert scene.room(of=POSITION) == 7
    scene.hold(-3)
    assert scene.room(of=POSITION) == 13
    assert scene.room(of=POSITION, side=Side.SELL) == 7


def test_what_works_takes_room_on_its_own_side_less_what_it_has_filled() -> None:
    scene = Scene(TEN)
    scene.works(Side.BUY, 5, filled=2)
    scene.works(Side.SELL, 4, number=701)
    scene.works(Side.BUY, 6, symbol=NQ, number=702)
    scene.works(Side.BUY, 6, account=OTHER, number=703)
    assert scene.room(of=POSITION) == 7
    assert scene.room(of=POSITION, side=Side.SELL) == 6


def test_orders_of_ours_take_room_also_those_that_the_same_event_has_made() -> None:
    scene = Scene(TEN)
    scene.book.keep(scene.copy(Side.BUY, 2))
    scene.book.keep(scene.copy(Side.SELL, 3, "2"))
    scene.book.keep(scene.copy(Side.BUY, 4, "3", NQ))
    assert scene.room(of=POSITION) == 8
    grown = scene.copy(Side.BUY, 5)
    fresh = scene.copy(Side.BUY, 1, "4")
    stranger = scene.copy(Side.BUY, 3, "5", account=OTHER)
    assert scene.room(of=POSITION, others=(grown, fresh, stranger)) == 4


def test_an_order_of_ours_counts_once_also_when_its_broker_has_told_of_it() -> None:
    scene = Scene(TEN)
    scene.works(Side.BUY, 3, number=700)
    scene.book.keep(scene.copy(Side.BUY, 3).changed(order_id=OrderId(700)))
    assert scene.room(of=POSITION) == 7


def test_what_the_brokers_own_desk_has_shut_takes_no_entry() -> None:
    scene = Scene(TEN)
    scene.book.risk.stated[ME] = LimitsReported(
        account=ME, state=TradingState.REDUCING, because="LiqOnly", at=NOW
    )
    assert scene.room(of=RefusalReason.BROKER_LOCK) == 0


def test_an_order_that_changes_does_not_count_beside_itself_and_keeps_what_it_has_filled() -> None:
    scene = Scene(TEN)
    mine = scene.copy(Side.BUY, 4, filled=3)
    scene.book.keep(mine)
    scene.hold(3)
    assert scene.room(of=POSITION) == 6
    assert scene.room(of=POSITION, but=mine) == 10
    scene.book.keep(scene.copy(Side.BUY, 2, "2"))
    assert scene.room(of=POSITION, but=mine) == 8
    assert scene.room(of=POSITION, but=mine, side=Side.SELL) == 13
    elsewhere = scene.copy(Side.BUY, 4, "3", NQ, filled=3)
    scene.book.keep(elsewhere)
    assert scene.room(of=POSITION, but=elsewhere) == 4


def test_an_account_counts_the_worse_side_of_every_other_contract() -> None:
    scene = Scene(TEN_IN_ALL)
    scene.hold(1)
    scene.hold(-2, NQ)
    scene.works(Side.BUY, 3, symbol=MES)
    scene.works(Side.SELL, 1, symbol=MES, number=701)
    scene.hold(5, NQ, OTHER)
    scene.hold(0, Symbol("CLZ6"))
    assert scene.room(of=ACCOUNT) == 10 - 1 - 2 - 3


def test_a_product_counts_its_other_months_and_nothing_else() -> None:
    scene = Scene(Rules(caps=Caps(products={"ES": 10})))
    scene.hold(1)
    scene.hold(2, Symbol("ESH7"))
    scene.hold(4, NQ)
    scene.hold(3, STRANGE)
    assert scene.room(of=PRODUCT) == 7


def test_minis_count_micros_by_their_size_and_what_nobody_knows_whole() -> None:
    scene = Scene(Rules(caps=Caps(minis=Decimal(10))))
    scene.hold(1)
    scene.hold(10, MES)
    scene.hold(2, STRANGE)
    assert scene.room(of=MINIS) == 10 - 1 - 1 - 2
    scene.hold(20, MES)
    assert scene.room(of=MINIS, symbol=MES, enter=999) == 50  # 10 less 1 in ES, 2 and the 2 that it holds


def test_a_plan_that_scales_counts_other_contracts_too() -> None:
    plan = Scaling(start=Decimal(50_000), tiers=(Tier(profit=Decimal(0), minis=Decimal(10)),))
    scene = Scene(Rules(caps=Caps(scaling=plan)))
    scene.hold(4, NQ)
    assert scene.room(of=RefusalReason.SCALING_PLAN) == 6


def test_what_was_at_stake_is_on_record_only_where_a_limit_asks() -> None:
    scene = Scene(TEN)
    scene.hold(3)
    assert scene.ask(enter=1)[2].exposure == 3
    assert Scene(TEN_IN_ALL).ask(enter=1)[2].exposure is None
    assert scene.ask(enter=0, reduce=2)[2].exposure == 0


# -- the worst case ---------------------------------------------------------------------------------

LOSS = Rules(
    daily_loss=DayLimit(amount=Decimal(10_000)),
    protection=Protection(stop=Offset(value=Decimal(40))),
    fee=Decimal(0),
)
"""500 USD for each contract that opens: what is held already leaves room for so many fewer."""


def test_what_is_held_costs_what_it_would_lose_down_to_its_stops() -> None:
    scene = Scene(LOSS)
    scene.quote(20_000)
    assert scene.room(of=WORST) == 19  # exactly at the limit breaks it
    scene.stake(4, 20_000)
    scene.works(Side.SELL, 3, stop=19_960)
    assert scene.room(of=WORST) == 16
    scene.works(Side.SELL, 3, stop=19_920, number=701)  # of which only one contract is left
    assert scene.room(of=WORST) == 14


def test_a_short_loses_up_to_the_stops_that_buy() -> None:
    scene = Scene(LOSS)
    scene.stake(-2, 19_999)
    scene.works(Side.BUY, 2, stop=20_040)
    scene.works(Side.SELL, 2, stop=19_000, number=701)
    assert scene.room(of=WORST) == 17


@pytest.mark.parametrize(("ticks", "room"), [(39, 19), (40, 18)])
def test_a_stop_costs_its_ticks_and_not_one_more(ticks: int, room: int) -> None:
    scene = Scene(LOSS)
    scene.stake(1, 20_000)
    scene.works(Side.SELL, 1, stop=20_000 - ticks)
    assert scene.room(of=WORST) == room


def test_a_stop_that_opens_more_of_the_same_side_covers_nothing_of_it() -> None:
    scene = Scene(LOSS)
    scene.stake(2, 20_000)
    scene.works(Side.BUY, 2, stop=20_040, number=700)
    scene.works(Side.SELL, 2, stop=19_960, number=701)
    assert scene.room(of=WORST) == 17


@pytest.mark.parametrize(
    ("stop", "symbol", "kind"),
    [
        (20_010, ES, OrderType.STOP),
        (19_960, NQ, OrderType.STOP),
        (19_960, ES, OrderType.MIT),
    ],
)
def test_a_stop_beyond_the_market_of_another_contract_or_that_is_none_costs_nothing(
    stop: int, symbol: Symbol, kind: OrderType
) -> None:
    scene = Scene(LOSS)
    scene.stake(40, 20_000)
    scene.works(Side.SELL, 40, stop=stop, symbol=symbol, kind=kind)
    assert scene.room(of=WORST) == 19


def test_an_order_without_a_stop_costs_nothing_in_the_worst_case() -> None:
    scene = Scene(LOSS)
    scene.stake(2, 20_000)
    scene.works(Side.SELL, 2)
    assert scene.room(of=WORST) == 19


def test_a_trailing_stop_that_names_no_price_costs_nothing() -> None:
    scene = Scene(LOSS)
    scene.stake(2, 20_000)
    spec = OrderSpec(order_type=OrderType.TRAILING_STOP, qty=2, trail=Ticks(40))
    record = OrderRecord(symbol=ES, side=Side.SELL, spec=spec, status=OrderStatus.WORKING)
    scene.book.set_order(ME, OrderId(700), record)
    assert scene.room(of=WORST) == 19


def test_a_stop_that_has_filled_in_part_costs_what_is_left_of_it() -> None:
    scene = Scene(LOSS)
    scene.stake(4, 20_000)
    scene.works(Side.SELL, 4, stop=19_960, filled=3)
    assert scene.room(of=WORST) == 18


def test_a_drawdown_asks_for_the_worst_case_as_a_daily_loss_does() -> None:
    rule = Drawdown(trail=Trail.STATIC, amount=Decimal(10_000), start=Decimal(50_000), reserve_ticks=0)
    scene = Scene(Rules(drawdown=rule, protection=LOSS.protection, fee=Decimal(0)))
    scene.worth(50_000, floor=40_000)
    scene.stake(2, 20_000)
    scene.works(Side.SELL, 2, stop=19_960)
    assert scene.room(of=WORST) == 17


# -- what is known ----------------------------------------------------------------------------------


def test_without_a_price_of_what_is_held_nothing_opens_and_reductions_pass() -> None:
    scene = Scene(Rules(daily_loss=DayLimit(amount=Decimal(1000))))
    scene.stake(2, 20_000)
    assert scene.ask(enter=1)[1] is None
    scene.book.risk.marks[PAPER].clear()
    _, refusal, _ = scene.ask(enter=1)
    assert refusal is not None
    assert refusal.reason is RefusalReason.STANDING_UNKNOWN
    sized, _, _ = scene.ask(reduce=2, enter=1)
    assert sized == Sized(reduce=2, enter=0)


def test_a_blind_engine_opens_nothing_where_something_is_held() -> None:
    scene = Scene(Rules(daily_loss=DayLimit(amount=Decimal(1000))))
    scene.book.risk.blind.add(PAPER)
    assert scene.ask(enter=1)[1] is None
    scene.stake(2, 20_000)
    _, refusal, _ = scene.ask(enter=1)
    assert refusal is not None
    assert refusal.reason is RefusalReason.STANDING_UNKNOWN


def test_a_collar_looks_at_the_orders_own_price_and_quote() -> None:
    scene = Scene(Rules(collar=Collar()))
    assert scene.room(of=RefusalReason.STALE_QUOTE) == 0
    scene.quote(20_000)
    assert scene.ask()[1] is None
    far = OrderSpec(order_type=OrderType.LIMIT, qty=1, limit=Ticks(21_000))
    assert scene.room(of=RefusalReason.PRICE_COLLAR, spec=far) == 0
    wrong = OrderSpec(order_type=OrderType.STOP, qty=1, stop=Ticks(19_900))
    assert scene.room(of=RefusalReason.PRICE_COLLAR, spec=wrong) == 0


def test_another_own_account_stands_against_an_entry_only_in_the_same_market() -> None:
    scene = Scene(Rules(opposite=False))
    scene.hold(-1, NQ, OTHER)
    scene.hold(-1, STRANGE, OTHER)
    scene.hold(-1, ES, ME)  # its own position is no other account
    scene.hold(1, MES, OTHER)
    assert scene.ask()[1] is None
    scene.hold(-1, MES, OTHER)
    assert scene.room(of=RefusalReason.OPPOSITE) == 0
    assert scene.ask(reduce=1, enter=0)[1] is None


def test_minis_and_micros_are_told_apart_by_what_is_held_or_works() -> None:
    scene = Scene(Rules(mixing=False))
    scene.hold(1, NQ, OTHER)
    scene.hold(1, STRANGE, OTHER)
    assert scene.ask()[1] is None
    scene.works(Side.SELL, 1, symbol=MES, account=OTHER, filled=1)  # its end is on the way
    assert scene.ask()[1] is None
    scene.works(Side.SELL, 1, symbol=MES, account=OTHER)
    assert scene.room(of=RefusalReason.MIXED_SIZES) == 0
    assert scene.ask(reduce=1, enter=0)[1] is None


# -- the verdict ------------------------------------------------------------------------------------


def locked(scene: Scene) -> None:
    scene.book.risk.locks[ME] = Lock(
        reason=RefusalReason.DAILY_LOSS, detail="lost enough", since=NOW, until=ENDS
    )


@pytest.mark.parametrize("rules", [NO_RULES, TEN])
def test_behind_a_lock_the_entering_part_is_refused_with_its_words_and_the_rest_goes(rules: Rules) -> None:
    scene = Scene(rules)
    locked(scene)
    sized, refusal, weighed = scene.ask(reduce=2, enter=3)
    assert sized == Sized(reduce=2, enter=0)
    assert refusal == Refusal(reason=RefusalReason.DAILY_LOSS, detail="lost enough")
    assert (weighed.reason, weighed.rule_limit, weighed.rule_value) == (RefusalReason.DAILY_LOSS, None, None)
    assert (weighed.allowed, weighed.reduce, weighed.enter, weighed.own) == (2, 2, 3, 7)
    sized, refusal, _ = scene.ask(enter=3)
    assert (sized, refusal) == (
        Sized(reduce=0, enter=0),
        Refusal(reason=RefusalReason.DAILY_LOSS, detail="lost enough"),
    )
    assert scene.ask(reduce=2, enter=0)[:2] == (Sized(reduce=2, enter=0), None)


def test_a_shut_gate_says_so_also_over_a_lock() -> None:
    scene = Scene(TEN)
    locked(scene)
    scene.turn(TradingState.HALTED, version=2)
    _, refusal, weighed = scene.ask(reduce=2, enter=3)
    assert refusal is not None
    assert refusal.reason is RefusalReason.KILL_SWITCH
    assert (weighed.allowed, weighed.state) == (0, TradingState.HALTED)


def test_a_lock_that_has_ended_is_none() -> None:
    scene = Scene(TEN)
    scene.book.risk.locks[ME] = Lock(reason=RefusalReason.DAILY_LOSS, detail="", since=Nanos(0), until=NOW)
    assert scene.ask(enter=1)[:2] == (Sized(reduce=0, enter=1), None)


def test_the_figures_of_a_decision_are_those_that_it_was_made_on() -> None:
    scene = Scene(Rules(caps=Caps(instrument=10), daily_loss=DayLimit(amount=Decimal(9_000))))
    scene.worth(49_500, floor=48_000)
    weighed = scene.ask(reduce=1, enter=30)[2]
    assert (weighed.leader, weighed.change, weighed.limit) == (4, 99, 10)
    assert (weighed.reason, weighed.rule_limit, weighed.rule_value) == (POSITION, "10", "31")
    assert (weighed.equity, weighed.profit, weighed.floor) == ("49500", "-500", "48000")
    plain = Scene(NO_RULES).ask(enter=1)[2]
    assert (plain.reason, plain.rule_limit, plain.equity, plain.floor) == (None, None, None, None)
