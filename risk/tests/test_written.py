"""Rules as JSON: back as they were, and every wrong value named with its field and its fix."""

import copy
import json
from datetime import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core.rules import NO_RULES, DayLimit, Flat, Rules
from risk.core.sound import checked
from risk.core.written import kept, read, written
from risk.tests.making import rules
from tradehaven.domain.errors import InvalidInput

FULL: dict[str, Any] = {
    "daily_loss": {"amount": "1000", "lockout": {"until": "duration", "minutes": 30}},
    "daily_profit": {"amount": "2000"},
    "give_back": {"after": "500", "amount": "200"},
    "drawdown": {"trail": "intraday", "amount": "2500", "start": "50000", "lock": "50100"},
    "consistency": {"best_day": "0.5"},
    "caps": {
        "instrument": 5,
        "account": 9,
        "minis": "5",
        "order": 4,
        "products": {"ES": 3},
        "scaling": {"start": "50000", "tiers": [{"profit": "0", "minis": "2"}]},
    },
    "collar": {"percent": {"fx": "1.5"}, "quote_age": 9},
    "rate": {"entries": 3, "seconds": 9},
    "repeats": 3,
    "trades_a_day": 9,
    "losses_in_row": 4,
    "products": ["ES", "NQ"],
    "hours": [{"start": "08:30", "end": "15:00"}],
    "news": [{"label": "jobs", "start": "2026-11-06T13:29:00Z", "end": "2026-11-06T13:31:00Z"}],
    "protection": {"stop": {"value": "10"}, "target": {"value": "1", "unit": "percent"}},
    "flat": {"firm_at": "15:10"},
    "fee": "1.25",
}


@given(rules)
def test_what_is_written_is_read_back_the_same(some: Rules) -> None:
    body = json.loads(json.dumps(written(some)))
    assert read(body) == kept(body) == some
    assert checked(some) is some


def test_nothing_written_is_no_rules() -> None:
    assert read({}) == NO_RULES
    assert read(written(NO_RULES)) == NO_RULES


def test_a_whole_set_is_read_with_its_defaults() -> None:
    found = read(FULL)
    assert found.daily_profit == DayLimit(amount=Decimal(2_000))
    assert read(json.loads(json.dumps(written(found)))) == found


def test_numbers_are_taken_as_they_are_written_too() -> None:
    assert read({"daily_loss": {"amount": 1000.5}, "fee": 2}).daily_loss == DayLimit(amount=Decimal("1000.5"))


def _with(path: str, value: object) -> dict[str, Any]:
    body = copy.deepcopy(FULL)
    *way, last = path.split(".")
    part: Any = body
    for name in way:
        part = part[int(name)] if isinstance(part, list) else part[name]
    part[last] = value
    return body


@pytest.mark.parametrize("body", [None, [], "rules", 3])
def test_rules_are_an_object(body: object) -> None:
    with pytest.raises(InvalidInput, match=r"^Rules are an object with a name for each field\.$") as caught:
        read(body)
    assert caught.value.field == "rules"


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("dayly_loss", None, "dayly_loss"),
        ("daily_loss.amuont", 1, "daily_loss.amuont"),
        ("daily_loss.lockout.hours", 1, "daily_loss.lockout.hours"),
        ("caps.scaling.tiers.0.max", 1, "caps.scaling.tiers.0.max"),
        ("hours.0.zone", "x", "hours.0.zone"),
        ("protection.stop.ticks", 1, "protection.stop.ticks"),
    ],
)
def test_unknown_fields_are_named_with_those_that_exist(path: str, value: object, field: str) -> None:
    with pytest.raises(InvalidInput, match="There is no such field; there are ") as caught:
        read(_with(path, value))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("daily_loss", 5, "daily_loss"),
        ("daily_loss.amount", "much", "daily_loss.amount"),
        ("daily_loss.amount", None, "daily_loss.amount"),
        ("daily_loss.breach", "shout", "daily_loss.breach"),
        ("caps.order", "2.5", "caps.order"),
        ("caps.products.ES", "many", "caps.products"),
        ("caps.scaling.tiers.0.profit", "much", "caps.scaling.tiers.0.profit"),
        ("caps.scaling.tiers", 5, "caps.scaling.tiers"),
        ("hours", [{"start": "8", "end": "9"}], "hours.0.start"),
        ("reset_at", "late", "reset_at"),
        ("worst_case", "perhaps", "worst_case"),
        ("products", "ES", "products"),
    ],
)
def test_values_of_another_kind_name_their_field(path: str, value: object, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(_with(path, value))
    assert caught.value.field == field
    assert " - at " not in caught.value.message
    assert caught.value.message.endswith(".")


def test_what_is_said_of_a_wrong_value_ends_where_its_place_begins() -> None:
    with pytest.raises(InvalidInput, match=r"^Expected `object \| null`, got `int`\.$"):
        read({"daily_loss": 5})
    with pytest.raises(InvalidInput, match=r"^There is no such field; there are value, unit\.$") as caught:
        read({"protection": {"stop": {"x" * 50: 1}}})
    assert caught.value.field == f"protection.stop.{'x' * 40}"


def test_forms_may_send_everything_as_text_and_times_to_the_minute() -> None:
    found = read(
        {"caps": {"order": "4"}, "worst_case": "false", "reset_at": "16:30", "flat": {"at": "15:00"}}
    )
    assert (found.caps.order, found.worst_case, found.reset_at) == (4, False, time(16, 30))
    assert found.flat == Flat(at=time(15))
    news = {"label": "08:30", "start": "2026-11-06T13:29:00Z", "end": "2026-11-06T13:31:00Z"}
    assert read({"news": [news]}).news[0].label == "08:30"


def test_a_missing_amount_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        read({"daily_loss": {}})
    assert caught.value.field == "daily_loss"
    assert "amount" in caught.value.message


TOO_MUCH = "100000000.01"
# Each pair: what is still taken, and what is not.
EDGES: list[tuple[str, list[object], list[object]]] = [
    (
        "daily_loss.amount",
        ["0.01", "100000000", "0.0100"],
        ["0", "-1", TOO_MUCH, "NaN", "Infinity", "1.00001"],
    ),
    ("daily_profit.amount", ["0.01"], ["0"]),
    ("daily_loss.block_at", ["0.01", "1"], ["0", "1.01"]),
    ("daily_loss.lockout.minutes", [1, 43_200], [0, 43_201]),
    ("give_back.after", ["0.01"], ["0"]),
    ("give_back.amount", ["0.01"], ["0"]),
    ("give_back.lockout", [{"minutes": 1}], []),
    ("reset_at", ["00:00", "23:59"], ["17:00:01", "17:00:00.5", "17:00:00Z"]),
    ("drawdown.amount", ["0.01"], ["0"]),
    ("drawdown.start", ["0", "50000.5"], ["-1", TOO_MUCH]),
    ("drawdown.lock", [None, "47500", "100000000"], ["47499.99", TOO_MUCH]),
    ("drawdown.known", [None, "47500", "100000000"], ["47499.99", TOO_MUCH]),
    ("drawdown.reserve", ["0", "2499.99"], ["2500", "-1"]),
    ("drawdown.reserve_ticks", [0, 1_000], [-1, 1_001]),
    ("drawdown.block_at", ["0.01", "1"], ["0"]),
    ("consistency.best_day", ["0.01", "1"], ["0", "1.01"]),
    ("caps.instrument", [None, 1, 10_000], [0, 10_001]),
    ("caps.account", [1, 10_000], [0, 10_001]),
    ("caps.order", [1, 10_000], [0, 10_001]),
    ("caps.minis", [None, "0.1", "10000"], ["0", "0.09", "10000.1"]),
    ("caps.products.ES", [1, 10_000], [0, 10_001]),
    ("caps.scaling.start", ["0", "100000000"], ["-1", TOO_MUCH]),
    ("rate.entries", [1, 10_000], [0, 10_001]),
    ("rate.seconds", [1, 3_600], [0, 3_601]),
    ("repeats", [None, 1, 3_600], [0, 3_601]),
    ("trades_a_day", [None, 1, 10_000], [0, 10_001]),
    ("losses_in_row", [None, 1, 100], [0, 101]),
    ("collar.quote_age", [None, 1, 3_600], [0, 3_601]),
    ("collar.percent.fx", ["0", "100"], ["-0.01", "100.01"]),
    ("flat.lead", [1, 120], [0, 121]),
    ("flat.at", [None, "15:59"], ["15:59:30"]),
    ("flat.firm_at", [None, "15:59"], ["15:59:30"]),
    ("fee", ["0", "1000"], ["-0.01", "1000.01"]),
]


@pytest.mark.parametrize(
    ("path", "value"), [(path, value) for path, good, _ in EDGES for value in good], ids=str
)
def test_values_at_the_edge_are_taken(path: str, value: object) -> None:
    read(_with(path, value))


@pytest.mark.parametrize(
    ("path", "value"), [(path, value) for path, _, bad in EDGES for value in bad], ids=str
)
def test_values_beyond_the_edge_name_their_field(path: str, value: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(_with(path, value))
    assert caught.value.field == path
    assert len(caught.value.message) > 10


TIER = {"profit": "0", "minis": "1"}
WINDOW = {"start": "08:30", "end": "15:00"}
NEWS = FULL["news"][0]


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("daily_loss.lockout", {"minutes": 0}, "daily_loss.lockout.minutes"),
        ("daily_profit.lockout", {"minutes": 0}, "daily_profit.lockout.minutes"),
        ("give_back.lockout", {"minutes": 0}, "give_back.lockout.minutes"),
        ("streak_lockout", {"minutes": 0}, "streak_lockout.minutes"),
        ("caps.products", {"XX": 1}, "caps.products"),
        ("products", ["XX"], "products"),
        ("caps.scaling.tiers", [], "caps.scaling.tiers"),
        ("caps.scaling.tiers", [TIER, TIER], "caps.scaling.tiers"),
        ("caps.scaling.tiers", [{**TIER, "profit": str(n)} for n in range(21)], "caps.scaling.tiers"),
        ("caps.scaling.tiers", [{**TIER, "profit": TOO_MUCH}], "caps.scaling.tiers.0.profit"),
        ("caps.scaling.tiers", [{**TIER, "profit": f"-{TOO_MUCH}"}], "caps.scaling.tiers.0.profit"),
        ("caps.scaling.tiers", [{**TIER, "minis": "-1"}], "caps.scaling.tiers.0.minis"),
        ("caps.scaling.tiers", [{**TIER, "minis": "10001"}], "caps.scaling.tiers.0.minis"),
        ("collar.percent", {"stocks": "1"}, "collar.percent"),
        ("hours", [WINDOW] * 11, "hours"),
        ("hours", [{**WINDOW, "end": "08:30"}], "hours.0.end"),
        ("hours", [{**WINDOW, "end": "08:30:01"}], "hours.0.end"),
        ("hours", [{**WINDOW, "start": "08:29:01"}], "hours.0.start"),
        ("news", [NEWS] * 501, "news"),
        ("news", [{**NEWS, "label": " "}], "news.0.label"),
        ("news", [{**NEWS, "label": "x" * 81}], "news.0.label"),
        ("news", [{**NEWS, "start": "2026-11-06T13:29:00"}], "news.0.start"),
        ("news", [{**NEWS, "end": "2026-11-06T13:31:00"}], "news.0.start"),
        ("news", [{**NEWS, "end": NEWS["start"]}], "news.0.end"),
        ("news", [{**NEWS, "products": ["XX"]}], "news.0.products"),
        ("protection", {}, "protection.stop"),
        ("protection", {"stop": {"value": "0"}}, "protection.stop.value"),
        ("protection", {"stop": {"value": "100001"}}, "protection.stop.value"),
        ("protection", {"stop": {"value": "1.5"}}, "protection.stop.value"),
        ("protection", {"stop": {"value": "0", "unit": "percent"}}, "protection.stop.value"),
        ("protection", {"stop": {"value": "99.1", "unit": "percent"}}, "protection.stop.value"),
        ("protection", {"target": {"value": "0", "unit": "usd"}}, "protection.target.value"),
    ],
)
def test_parts_that_make_no_sense_name_their_field(path: str, value: object, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(_with(path, value))
    assert caught.value.field == field
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("caps.scaling.tiers", [{**TIER, "profit": str(n)} for n in range(20)]),
        ("caps.scaling.tiers", [{"profit": "-100000000", "minis": "0"}]),
        ("caps.scaling.tiers", [{"profit": "100000000", "minis": "10000"}]),
        ("hours", [WINDOW] * 10),
        ("news", [NEWS] * 500),
        ("news", [{**NEWS, "label": "x" * 80}]),
        ("news", [{**NEWS, "label": "x"}]),
        ("protection", {"stop": {"value": "500", "unit": "usd"}}),
        ("protection", {"stop": {"value": "1"}}),
        ("protection", {"target": {"value": "100000"}}),
        ("protection", {"stop": {"value": "0.001", "unit": "percent"}}),
        ("protection", {"stop": {"value": "99", "unit": "percent"}}),
        ("protection", {"stop": {"value": "0.01", "unit": "usd"}}),
        ("protection", None),
        ("drawdown", {"trail": "static", "amount": "100000000", "start": "100000000"}),
        ("flat", None),
    ],
)
def test_parts_at_the_edge_are_taken(path: str, value: object) -> None:
    read(_with(path, value))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("daily_loss.amount", "0", "Give a number from 0.01 to 100,000,000."),
        ("daily_loss.amount", "0.00001", "Give a number from 0.01 to 100,000,000."),
        ("daily_loss.amount", "1.00001", "At most four digits after the point."),
        ("repeats", 0, "Give a whole number from 1 to 3,600."),
        ("drawdown.reserve", "2500", "The reserve is smaller than the drawdown itself."),
        ("caps.scaling.tiers", [], "A plan has 1 to 20 tiers, each from another profit on."),
        (
            "collar.percent",
            {"stocks": "1"},
            "There is no such group; there are equity index, energy, ags, rates, fx, metals, crypto.",
        ),
        ("hours", [WINDOW] * 11, "At most 10 windows."),
        (
            "hours",
            [{**WINDOW, "end": "08:30"}],
            "A window ends at another time than it starts; none is all day.",
        ),
        ("news", [NEWS] * 501, "At most 500 stretches of news."),
        ("news", [{**NEWS, "label": ""}], "Name the event in 1 to 80 characters."),
        (
            "news",
            [{**NEWS, "start": "2026-11-06T13:29:00"}],
            "Give times with their zone, such as 2026-11-06T13:29:00Z.",
        ),
        ("news", [{**NEWS, "end": NEWS["start"]}], "News end after they start."),
        ("protection", {}, "Name a stop, a target, or both."),
        ("protection", {"stop": {"value": "1.5"}}, "Ticks are whole."),
        ("reset_at", "17:00:30", "Give hours and minutes of Chicago's clock, such as 15:55."),
        ("products", ["X" * 30], f"'{'X' * 20}' is not a product; write roots such as ES, MNQ or 6E."),
    ],
)
def test_the_fix_is_named(path: str, value: object, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(_with(path, value))
    assert caught.value.message == message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*FULL, "x"]), json_values, max_size=4))
def test_whatever_comes_it_is_rules_or_invalid_input(body: dict[str, Any]) -> None:
    try:
        found = read(body)
    except InvalidInput:
        return
    assert read(written(found)) == found


def test_what_a_row_keeps_is_not_held_against_the_checks_of_today() -> None:
    odd = written(Rules(flat=Flat(at=time(15, 10, 7))))
    assert kept(odd).flat == Flat(at=time(15, 10, 7))
    with pytest.raises(InvalidInput):
        read(odd)


def test_a_row_that_a_hand_has_touched_is_taken_as_a_form_is() -> None:
    assert kept({"repeats": "3"}).repeats == read({"repeats": "3"}).repeats == 3
