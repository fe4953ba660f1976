"""Presets: the amounts of the reference, nothing looser than it, and an owner's own limits left alone."""

import json
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core.changes import differences
from risk.core.presets import Confidence, Copiers, Preset, applied, presets, presets_of
from risk.core.rules import (
    NO_RULES,
    Breach,
    Caps,
    Consistency,
    DayLimit,
    Drawdown,
    Flat,
    Rules,
    Scaling,
    Tier,
    Trail,
)
from risk.core.sound import checked
from risk.core.written import read, written
from risk.tests.making import rules
from risk.tests.reference import shared
from tradehaven.domain.calendar import CHICAGO

TRAILS = {
    "intraday_trailing": Trail.INTRADAY,
    "eod_trailing": Trail.END_OF_DAY,
    "static": Trail.STATIC,
    "same_as_purchased": Trail.INTRADAY,
}
COMBINE = presets()["topstep_combine:50000"]
MASTER = presets()["bulenox_master:50000"]
DAY = DayLimit(amount=Decimal(300), breach=Breach.STOP)


def test_every_preset_is_sound_and_says_where_it_comes_from() -> None:
    assert len(presets()) == 94
    for name, preset in presets().items():
        assert preset.name == name
        assert checked(preset.rules) is preset.rules
        assert read(json.loads(json.dumps(written(preset.rules)))) == preset.rules
        assert preset.sources
        assert preset.seen[:2] == "20"
        assert preset.version == "2026-11-21"
        assert preset.phase in ("evaluation", "funded_sim", "funded_live")
        assert isinstance(preset.confidence, Confidence)
        assert preset.rules.flat is not None
        assert preset.rules.flat.firm_at is not None
        assert preset.warnings
        assert all(text.endswith(".") for text in (*preset.notes, *preset.warnings))


def test_a_preset_has_what_its_firm_asks_for_and_no_more() -> None:
    assert COMBINE.rules == Rules(
        daily_loss=DayLimit(amount=Decimal(1_000)),
        drawdown=Drawdown(
            trail=Trail.END_OF_DAY, amount=Decimal(2_000), start=Decimal(50_000), lock=Decimal(50_000)
        ),
        consistency=Consistency(best_day=Decimal("0.5")),
        caps=Caps(minis=Decimal(5)),
        opposite=False,
        flat=Flat(firm_at=time(15, 10)),
    )
    assert (COMBINE.firm, COMBINE.program, COMBINE.size) == ("Topstep", "Trading Combine", 50_000)
    assert (COMBINE.target, COMBINE.min_days, COMBINE.ask) == (Decimal(3_000), 0, ())
    assert COMBINE.copiers is Copiers.FORBIDDEN
    assert COMBINE.warnings[0].startswith("The firm forbids trading from servers")


def test_accounts_that_are_shown_from_zero_lock_at_zero_and_scale() -> None:
    funded = presets()["topstep_xfa:50000"].rules
    assert funded.drawdown == Drawdown(
        trail=Trail.END_OF_DAY, amount=Decimal(2_000), start=Decimal(0), lock=Decimal(0), payout_locks=True
    )
    assert funded.caps.scaling == Scaling(
        start=Decimal(0),
        tiers=(
            Tier(profit=Decimal(0), minis=Decimal(2)),
            Tier(profit=Decimal(1_500), minis=Decimal(3)),
            Tier(profit=Decimal(2_000), minis=Decimal(5)),
        ),
    )
    ladder = presets()["e2t_tcp:25000"].rules.caps.scaling
    assert ladder is not None
    assert ladder.live
    assert [(str(tier.profit), str(tier.minis)) for tier in ladder.tiers] == [("0", "2"), ("1500.01", "3")]


def test_what_was_not_found_is_asked_for() -> None:
    assert MASTER.ask == ("daily_loss.amount", "drawdown.trail", "caps.minis")
    assert presets()["apex_pa_4:50000"].ask == ("daily_loss.amount", "drawdown.trail")
    assert presets()["bulenox_opt2:50000"].ask == ("caps.minis", "caps.scaling")
    assert presets()["e2t_tcp:25000"].ask == ()
    assert presets()["e2t_tcp:50000"].ask == ("caps.minis",)
    assert presets()["apex_legacy_eval:100000-static"].ask == ()


def test_a_limit_that_fails_the_account_is_told_from_one_that_pauses() -> None:
    hard, pause = presets()["e2t_tcp:50000"].rules.daily_loss, COMBINE.rules.daily_loss
    assert hard is not None
    assert pause is not None
    assert (hard.fatal, pause.fatal) == (True, False)


def test_without_a_word_about_micros_every_contract_counts() -> None:
    apex = presets()["apex_eod_eval_4:50000"].rules.caps
    assert (apex.minis, apex.account) == (Decimal(6), 6)
    assert COMBINE.rules.caps.account is None


def test_a_preset_leaves_alone_what_the_firm_does_not_say() -> None:
    own = Rules(
        daily_loss=DAY,
        daily_profit=DAY,
        caps=Caps(instrument=2, minis=Decimal(3), account=4, order=1, products={"ES": 1}),
        flat=Flat(at=time(15), lead=9),
        trades_a_day=3,
        mixing=False,
    )
    after = applied(MASTER, own)
    assert after.daily_loss == DAY
    assert after.caps == own.caps
    assert after.flat == Flat(at=time(15), lead=9, firm_at=time(15, 59))
    assert (after.daily_profit, after.trades_a_day, after.mixing, after.opposite) == (DAY, 3, False, False)
    assert after.drawdown == MASTER.rules.drawdown
    taken = applied(COMBINE, own)
    assert taken.daily_loss == DayLimit(amount=Decimal(1_000))
    assert taken.caps == replace(own.caps, minis=Decimal(5))
    assert applied(COMBINE, NO_RULES) == COMBINE.rules
    scaled = applied(presets()["topstep_xfa:50000"], own)
    assert scaled.caps.scaling == presets()["topstep_xfa:50000"].rules.caps.scaling
    assert applied(COMBINE, scaled).caps.scaling == scaled.caps.scaling
    apex = presets()["apex_eod_eval_4:50000"]
    assert applied(apex, own).caps == replace(own.caps, minis=Decimal(6), account=6)


def test_every_column_of_the_file_counts() -> None:
    row = {
        "size": 1_000,
        "start": "1000",
        "target": None,
        "trail": "closed",
        "drawdown": "100",
        "lock": None,
        "touch": False,
        "payout_locks": True,
        "daily_loss": None,
        "daily_kind": "none",
        "minis": "2",
        "micros": "20",
        "tiers": None,
        "confidence": "low",
    }
    program = {
        "id": "x",
        "name": "X",
        "phase": "evaluation",
        "seen": "2026",
        "sources": ["somewhere"],
        "best_day": "0.4",
        "touch": False,
        "min_days": 3,
        "notes": ["A."],
        "sizes": [row],
    }
    firm = {
        "id": "f",
        "name": "F",
        "copiers": "limited",
        "opposite": True,
        "mixing": True,
        "flat_by": "14:00",
        "resets_at": "16:00",
        "warnings": ["W."],
        "notes": ["N."],
        "programs": [program],
    }
    (found,) = presets_of({"version": "7", "firms": [firm]}).values()
    assert found == Preset(
        name="x:1000",
        version="7",
        firm="F",
        program="X",
        phase="evaluation",
        size=1_000,
        seen="2026",
        confidence=Confidence.LOW,
        sources=("somewhere",),
        copiers=Copiers.LIMITED,
        target=None,
        min_days=3,
        rules=Rules(
            reset_at=time(16),
            drawdown=Drawdown(
                trail=Trail.CLOSED,
                amount=Decimal(100),
                start=Decimal(1_000),
                touch=False,
                payout_locks=True,
            ),
            consistency=Consistency(best_day=Decimal("0.4"), touch=False),
            caps=Caps(minis=Decimal(2)),
            flat=Flat(firm_at=time(14)),
        ),
        ask=(),
        notes=("A.", "N."),
        warnings=("W.",),
    )
    own = Rules(reset_at=time(8, 30), opposite=False, mixing=False)
    after = applied(found, own)
    assert (after.reset_at, after.opposite, after.mixing) == (time(16), False, False)
    free = applied(found, NO_RULES)
    assert (free.opposite, free.mixing) == (True, True)
    assert not applied(presets()["tradeify_select:50000"], NO_RULES).mixing


def test_an_owners_distance_from_the_floor_stays() -> None:
    floor = COMBINE.rules.drawdown
    assert floor is not None
    own = replace(
        floor,
        amount=Decimal(9),
        reserve=Decimal(150),
        reserve_ticks=8,
        breach=Breach.STOP,
        block_at=Decimal("0.5"),
    )
    kept = applied(COMBINE, Rules(drawdown=own)).drawdown
    assert kept == replace(own, amount=Decimal(2_000))
    wide = applied(COMBINE, Rules(drawdown=replace(own, reserve=Decimal(1_500)))).drawdown
    assert wide is not None
    assert wide.reserve == Decimal(1_000)


def test_rules_without_a_floor_take_the_firms_and_a_firm_without_one_leaves_the_owners() -> None:
    bare = replace(COMBINE, rules=replace(COMBINE.rules, drawdown=None, flat=None))
    own = Rules(drawdown=COMBINE.rules.drawdown)
    assert applied(bare, own).drawdown == own.drawdown
    assert applied(bare, NO_RULES).drawdown is None
    assert applied(bare, NO_RULES).flat == Flat(firm_at=None)


@given(st.sampled_from(list(presets().values())), rules)
def test_whatever_an_owner_had_the_result_is_sound_and_twice_is_once(preset: Any, own: Rules) -> None:
    after = applied(preset, own)
    assert checked(after) is after
    assert applied(preset, after) == after
    assert differences(after, applied(preset, after)) == ()


def _theirs() -> list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]]:
    table = json.loads(shared("reference/prop-firm-rules.json").read_text(encoding="utf-8"))
    found, seen = [], set()
    for firm in table["firms"]:
        for program in firm["programs"]:
            for size in program["sizes"]:
                name = f"{program['id']}:{size['size']}"
                name = f"{name}-{size['max_drawdown']['type']}" if name in seen else name
                seen.add(name)
                found.append((firm, program, size, name))
    return found


def test_the_amounts_are_those_of_the_reference() -> None:
    theirs = _theirs()
    assert {name for *_, name in theirs} == presets().keys()
    for firm, program, size, name in theirs:
        preset = presets()[name]
        told = preset.rules
        floor, theirs_floor = told.drawdown, size["max_drawdown"]
        assert floor is not None
        assert floor.amount == theirs_floor["amount"], name
        assert floor.trail is TRAILS[theirs_floor["type"]], name
        assert floor.touch is (theirs_floor["breach_operator"] == "le")
        above = None if floor.lock is None else floor.lock - floor.start
        assert above == (None if theirs_floor["lock"] == "none" else theirs_floor["lock_level"]), name
        assert preset.target == size["profit_target"]
        assert preset.min_days == program["min_trading_days"]
        assert told.caps.minis == size["max_contracts"]["mini"]
        best_day = program["consistency"]["best_day_pct"]
        assert (told.consistency and float(told.consistency.best_day)) == best_day
        assert preset.firm == firm["name"]
        assert preset.confidence == size["confidence"]


def test_no_amount_that_the_reference_does_not_know_loosens_anything() -> None:
    for _, _, size, name in _theirs():
        preset = presets()[name]
        loss = preset.rules.daily_loss
        if size["daily_loss"]["amount"] is not None:
            assert loss == DayLimit(
                amount=Decimal(size["daily_loss"]["amount"]), fatal=size["daily_loss"]["kind"] == "hard"
            )
        else:
            assert loss is None
            assert ("daily_loss.amount" in preset.ask) is (size["daily_loss"]["kind"] != "none")
        assert applied(preset, Rules(daily_loss=DAY)).daily_loss == (loss or DAY)
        micro, caps = size["max_contracts"]["micro"], preset.rules.caps
        assert (caps.account == caps.minis) is (
            micro is None and caps.minis is not None
        ) or caps.minis is None
        if size["scaling"]:
            assert caps.scaling is not None
            assert [tier.minis for tier in caps.scaling.tiers] == [step["mini"] for step in size["scaling"]]
            ends = [step.get("until_eod_profit") for step in size["scaling"]][:-1]
            assert [tier.profit for tier in caps.scaling.tiers][1:] == ends


def test_times_are_the_firms_on_chicagos_clock() -> None:
    for firm, _, _, name in _theirs():
        told, zone = presets()[name].rules, ZoneInfo(firm["session"]["tz"])
        for month in (1, 7):
            for theirs, ours in (
                (firm["session"]["flat_by"], told.flat and told.flat.firm_at),
                (firm["session"]["resets_at"], told.reset_at),
            ):
                day = datetime.combine(date(2026, month, 1), time.fromisoformat(theirs), zone)
                assert day.astimezone(CHICAGO).time() == ours, name


@pytest.mark.parametrize(
    ("firm", "copiers"),
    [
        ("Topstep", Copiers.FORBIDDEN),
        ("Earn2Trade", Copiers.FORBIDDEN),
        ("Take Profit Trader", Copiers.FORBIDDEN),
        ("Apex Trader Funding", Copiers.UNCLEAR),
        ("Tradeify", Copiers.UNCLEAR),
        ("TradeDay", Copiers.LIMITED),
        ("Bulenox", Copiers.UNKNOWN),
        ("MyFundedFutures", Copiers.UNKNOWN),
    ],
)
def test_firms_that_forbid_copiers_are_named(firm: str, copiers: Copiers) -> None:
    found = [preset for preset in presets().values() if preset.firm == firm]
    assert found
    assert {preset.copiers for preset in found} == {copiers}
    assert {preset.rules.mixing for preset in found} == {firm != "Tradeify"}
