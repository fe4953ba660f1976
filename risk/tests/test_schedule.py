"""The time to be flat, permitted hours and news, on usual days, holidays, early closes and clock changes."""

import json
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.core.rules import Flat, NewsWindow, Window
from risk.core.schedule import flat_at, in_windows, is_flat_time, news_at
from risk.tests.reference import shared
from risk.tests.times import SECOND, ct
from tradehaven.domain.calendar import CHICAGO, MarketState, market_state, session_at
from tradehaven.domain.instruments import SessionTemplate, product

EQUITY, GRAINS, CRYPTO = SessionTemplate.EQUITY, SessionTemplate.GRAINS, SessionTemplate.CRYPTO
USUAL = Flat()
BY_END = Flat(at=None)
TOPSTEP = Flat(firm_at=time(15, 10))


@pytest.mark.parametrize(
    ("now", "flat", "template", "due"),
    [
        ("2026-08-12T10:00", USUAL, EQUITY, "2026-08-12T15:55"),
        ("2026-08-12T15:57", USUAL, EQUITY, "2026-08-12T15:55"),
        ("2026-08-12T16:00", USUAL, EQUITY, "2026-08-13T15:55"),
        ("2026-08-12T17:00", USUAL, EQUITY, "2026-08-13T15:55"),
        ("2026-08-12T10:00", TOPSTEP, EQUITY, "2026-08-12T15:10"),
        ("2026-08-12T10:00", Flat(at=time(14), firm_at=time(15, 10)), EQUITY, "2026-08-12T14:00"),
        ("2026-08-12T10:00", Flat(at=None, firm_at=time(15, 10)), EQUITY, "2026-08-12T15:10"),
        ("2026-08-12T10:00", BY_END, EQUITY, "2026-08-12T15:55"),
        ("2026-08-12T10:00", Flat(at=time(15, 59)), EQUITY, "2026-08-12T15:55"),
        ("2026-08-12T10:00", Flat(at=time(15, 59), lead=1), EQUITY, "2026-08-12T15:59"),
        ("2026-08-12T10:00", Flat(at=time(20)), EQUITY, "2026-08-11T20:00"),
        ("2026-08-12T10:00", Flat(at=time(16, 30)), EQUITY, "2026-08-12T15:55"),
        ("2026-08-12T10:00", Flat(at=time(17)), EQUITY, "2026-08-12T15:55"),
        ("2026-08-12T10:00", Flat(at=time(16)), EQUITY, "2026-08-12T15:55"),
        # early ends of holidays, and the reopening in the evening
        ("2026-11-26T10:00", USUAL, EQUITY, "2026-11-26T11:55"),
        ("2026-11-26T10:00", TOPSTEP, EQUITY, "2026-11-26T11:55"),
        ("2026-11-26T12:00", USUAL, EQUITY, "2026-11-27T12:10"),
        ("2026-11-26T18:00", Flat(lead=10), EQUITY, "2026-11-27T12:05"),
        ("2026-06-19T09:00", USUAL, EQUITY, "2026-06-19T11:55"),
        # closed over the weekend, over both changes of the clocks
        ("2026-08-14T16:00", USUAL, EQUITY, "2026-08-17T15:55"),
        ("2026-03-08T12:00", USUAL, EQUITY, "2026-03-09T15:55"),
        ("2026-11-01T12:00", USUAL, EQUITY, "2026-11-02T15:55"),
        # grains end at 13:20 and pause in the morning
        ("2026-08-12T06:00", USUAL, GRAINS, "2026-08-12T13:15"),
        ("2026-08-12T06:00", Flat(at=time(8)), GRAINS, "2026-08-12T07:40"),
        ("2026-08-12T06:00", Flat(at=time(7, 45)), GRAINS, "2026-08-12T07:40"),
        ("2026-08-12T06:00", Flat(at=time(7, 44)), GRAINS, "2026-08-12T07:44"),
        ("2026-08-12T06:00", Flat(at=time(8, 30)), GRAINS, "2026-08-12T08:30"),
        ("2026-08-12T06:00", Flat(at=None, lead=300), GRAINS, "2026-08-12T02:45"),
        ("2026-08-12T10:00", USUAL, SessionTemplate.LIVESTOCK, "2026-08-12T13:00"),
        # around the clock: from reset to reset
        ("2026-08-15T10:00", USUAL, CRYPTO, "2026-08-15T15:55"),
        ("2026-08-15T16:59", USUAL, CRYPTO, "2026-08-15T15:55"),
        ("2026-08-15T17:00", USUAL, CRYPTO, "2026-08-16T15:55"),
        ("2026-08-15T10:00", TOPSTEP, CRYPTO, "2026-08-15T15:10"),
    ],
)
def test_the_time_to_be_flat(now: str, flat: Flat, template: SessionTemplate, due: str) -> None:
    assert flat_at(flat, template, ct(now)) == ct(due)


def test_a_market_around_the_clock_has_no_end_to_keep_away_from() -> None:
    assert flat_at(BY_END, CRYPTO, ct("2026-08-15T10:00")) is None
    assert not is_flat_time(BY_END, CRYPTO, ct("2026-08-15T10:00"))
    assert flat_at(Flat(at=time(17)), CRYPTO, ct("2026-08-15T10:00")) is None


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-08-12T15:54:59", False),
        ("2026-08-12T15:55", True),
        ("2026-08-12T15:59:59", True),
        ("2026-08-12T16:00", False),
        ("2026-08-12T17:00", False),
    ],
)
def test_from_the_time_to_be_flat_to_the_end_of_the_session_it_is_due(now: str, due: bool) -> None:
    assert is_flat_time(USUAL, EQUITY, ct(now)) is due


instants = st.integers(0, 718 * 86_400).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + n * SECOND)
times = st.none() | st.builds(time, st.integers(0, 23), st.integers(0, 59))
flats = st.builds(Flat, at=times, firm_at=times, lead=st.integers(1, 30))


@given(instants, flats, st.sampled_from(SessionTemplate))
def test_the_time_to_be_flat_lies_in_an_open_market_before_its_end(
    now: datetime, flat: Flat, template: SessionTemplate
) -> None:
    due, session = flat_at(flat, template, now), session_at(now, template)
    if session is None:
        assert template is CRYPTO
        return
    assert due is not None
    assert market_state(due, template) is MarketState.OPEN
    assert session.start <= due <= session.end - timedelta(minutes=flat.lead)
    assert flat_at(flat, template, due) == due


def _sessions(template: SessionTemplate) -> list[datetime]:
    found, now = [], ct("2026-01-01T00:00")
    while (session := session_at(now, template)) is not None and session.end.year == 2026:
        found.append(session.end - SECOND)
        now = session.end
    return found


def test_every_session_of_a_year_is_left_in_time_for_every_firm() -> None:
    firms = json.loads(shared("reference/prop-firm-rules.json").read_text(encoding="utf-8"))["firms"]
    for firm in firms:
        told = firm["session"]
        summer = datetime.combine(date(2026, 7, 1), time.fromisoformat(told["flat_by"]), ZoneInfo(told["tz"]))
        flat = Flat(firm_at=summer.astimezone(CHICAGO).time())
        for template in SessionTemplate:
            for last in _sessions(template):
                due = flat_at(flat, template, last)
                assert due is not None
                assert due < last
                assert due.astimezone(CHICAGO).time() <= time(15, 55)
                assert market_state(due, template) is MarketState.OPEN


def test_hours_are_chicagos_and_their_end_is_outside() -> None:
    day, night = Window(start=time(8, 30), end=time(15)), Window(start=time(22), end=time(2))
    for now, open_ in (("08:29:59", False), ("08:30", True), ("14:59:59", True), ("15:00", False)):
        assert in_windows([day], ct(f"2026-08-12T{now}")) is open_
    for now, open_ in (("21:59", False), ("22:00", True), ("00:00", True), ("01:59", True), ("02:00", False)):
        assert in_windows([night], ct(f"2026-08-12T{now}")) is open_
        assert in_windows([day, night], ct(f"2026-08-12T{now}")) is open_
    assert in_windows([], ct("2026-08-12T03:00"))
    assert in_windows([Window(start=time(9), end=time(9))], ct("2026-08-12T03:00"))
    assert in_windows([day], ct("2026-01-12T08:30"))


def test_news_shut_the_products_they_name_in_all_their_sizes() -> None:
    def window(*products: str) -> NewsWindow:
        return NewsWindow(
            label="stocks of oil",
            start=ct("2026-08-12T09:29"),
            end=ct("2026-08-12T09:31"),
            products=frozenset(products),
        )

    oil, everything, small = window("CL"), window(), window("MCL")
    during = ct("2026-08-12T09:30")
    assert news_at([oil], product("CL"), during) is oil
    assert news_at([oil], product("MCL"), during) is oil
    assert news_at([small], product("CL"), during) is None
    assert news_at([small], product("MCL"), during) is small
    assert news_at([oil], product("ES"), during) is None
    assert news_at([oil, everything], product("ES"), during) is everything
    assert news_at([everything], product("ES"), ct("2026-08-12T09:29")) is everything
    assert news_at([everything], product("ES"), ct("2026-08-12T09:28:59")) is None
    assert news_at([everything], product("ES"), ct("2026-08-12T09:31")) is None
    assert news_at([], product("ES"), during) is None
