"""Rules as lines that people write: what is shown is read again as it was, what is wrong is named."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from risk.core.lines import LINES
from risk.core.rules import Rules
from risk.core.written import read, written
from risk.tests.making import rules
from tradehaven.domain.errors import InvalidInput

NEWS = LINES["news"]


def one(text: str) -> Any:
    (window,) = read({"news": NEWS.read(text)}).news
    return window


@given(wished=rules)
def test_whatever_is_written_is_read_again(wished: Rules) -> None:
    body = written(wished)
    again = body | {"news": NEWS.read(NEWS.write(body["news"]))}
    assert read(again).news == wished.news
    assert LINES["hours"].read(LINES["hours"].write(body["hours"])) == [
        {name: clock[:5] for name, clock in window.items()} for window in body["hours"]
    ]


def test_a_line_of_news_is_a_day_two_clocks_in_chicago_and_a_name() -> None:
    window = one("2026-12-10 7:28-07:40 CPI")
    assert (window.label, window.products, window.flat) == ("CPI", frozenset(), False)
    assert window.start == datetime(2026, 12, 10, 13, 28, tzinfo=UTC)
    assert window.end == datetime(2026, 12, 10, 13, 40, tzinfo=UTC)


def test_products_and_the_wish_to_be_flat_follow_after_semicolons() -> None:
    window = one("2026-07-29 12:58:30 to 13:32 FOMC; es, mnq ; FLAT")
    assert (window.products, window.flat) == ({"ES", "MNQ"}, True)
    assert window.start == datetime(2026, 7, 29, 17, 58, 30, tzinfo=UTC)


def test_news_may_go_over_midnight_or_over_days() -> None:
    assert one("2026-12-10 23:50-00:10 Vote").end == datetime(2026, 12, 11, 6, 10, tzinfo=UTC)
    assert one("2026-12-10 23:50-2026-12-13 17:00 Vote").end == datetime(2026, 12, 13, 23, tzinfo=UTC)


def test_two_equal_clocks_are_a_whole_day_and_an_end_before_its_begin_is_left_for_the_rules_to_name() -> None:
    day = one("2026-12-10 07:28-07:28 Vote")
    assert day.end - day.start == timedelta(days=1)
    with pytest.raises(InvalidInput):
        one("2026-12-10 23:50-2026-12-10 17:00 Vote")


def test_a_clock_may_be_short_with_seconds_too() -> None:
    assert one("2026-12-10 7:28:30-7:40 CPI").start == datetime(2026, 12, 10, 13, 28, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["CPI", "2026-12-10 07:28 CPI", "10.12.2026 07:28-07:40 CPI", "2026-12-10 07:28-07:40"]
)
def test_what_is_no_line_of_news_is_named_with_its_number(text: str) -> None:
    with pytest.raises(InvalidInput, match="Line 3: write the day"):
        NEWS.read(f"2026-12-10 07:28-07:40 CPI\n\n{text}")


@pytest.mark.parametrize("text", ["2026-13-10 07:28-07:40 CPI", "2026-12-10 07:28-25:40 CPI"])
def test_a_time_that_does_not_exist_is_named(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"Line 1: .* is no time"):
        NEWS.read(text)


def test_caps_are_roots_with_numbers_and_what_is_no_number_is_left_for_the_rules_to_name() -> None:
    caps = LINES["caps__products"]
    assert caps.read("es 2, , NQ  10") == {"ES": 2, "NQ": 10}
    assert caps.read("es two") == {"ES": "two"}
    assert caps.write({"ES": 2, "NQ": 10}) == "ES 2, NQ 10"


def test_products_are_read_in_order_each_once_and_without_gaps() -> None:
    assert LINES["products"].read(" nq, es  NQ ,") == ["ES", "NQ"]


def test_hours_that_are_none_are_left_for_the_rules_to_name() -> None:
    hours = LINES["hours"]
    assert hours.read("8:30-11:00,, noon") == [
        {"start": "08:30", "end": "11:00"},
        {"start": "noon", "end": "noon"},
    ]
    assert hours.write([{"start": "08:30:00", "end": "11:00:00"}]) == "08:30-11:00"


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2026-12-10T13:28:00+00:00", "2026-12-10T13:40:00+00:00", "2026-12-10 07:28-07:40 CPI"),
        ("2026-12-10T13:28:30+00:00", "2026-12-10T13:40:00+00:00", "2026-12-10 07:28:30-07:40 CPI"),
        ("2026-12-10T13:28:00+00:00", "2026-12-11T13:27:59+00:00", "2026-12-10 07:28-07:27:59 CPI"),
        ("2026-12-10T13:28:00+00:00", "2026-12-11T13:28:00+00:00", "2026-12-10 07:28-2026-12-11 07:28 CPI"),
    ],
)
def test_news_are_written_as_short_as_they_can_be_read_again(start: str, end: str, text: str) -> None:
    body = {"label": "CPI", "start": start, "end": end}
    assert NEWS.write([body]) == text
    window = one(text)
    assert (window.start, window.end) == (datetime.fromisoformat(start), datetime.fromisoformat(end))
    assert NEWS.write([body | {"label": "A; B"}]) == text.replace("CPI", "A, B")
    assert NEWS.write([body | {"products": ["NQ", "ES"]}]) == f"{text}; ES, NQ"
    assert NEWS.write([body | {"products": [], "flat": True}]) == f"{text}; flat"
