"""Sessions and trading days of 2026 and 2027."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradehaven.domain.calendar import (
    CHICAGO,
    MarketState,
    day_span,
    in_hours,
    is_rth,
    last_reset,
    market_state,
    next_halt,
    next_reset,
    session_at,
    session_hours,
    trade_date,
)
from tradehaven.domain.enums import SessionHours
from tradehaven.domain.instruments import SessionTemplate, product
from tradehaven.domain.tests.reference import load

VECTORS = load("sessions")
SECOND = timedelta(seconds=1)
instants = st.integers(0, 718 * 24 * 3600).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + n * SECOND)


def _ct(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_session_vectors(vector: dict[str, str]) -> None:
    instant, template = datetime.fromisoformat(vector["ts_utc"]), SessionTemplate(vector["group"])
    assert trade_date(instant, template) == date.fromisoformat(vector["trade_date"])
    assert market_state(instant, template) == vector["market_state"]


# What changes at the instant of a vector: the state one second before, and one second after.
EDGES = {
    "S01": ("closed", "open"),
    "S02": ("closed", "open"),
    "S03": ("closed", "open"),
    "S04": ("closed", "open"),
    "S05": ("closed", "open"),
    "S06": ("open", "maintenance"),
    "S07": ("open", "maintenance"),
    "S08": ("maintenance", "open"),
    "S09": ("maintenance", "open"),
    "S10": ("open", "closed"),
    "S19": ("open", "halted"),
    "S20": ("open", "halted"),
    "S24": ("open", "closed"),
    "S25": ("closed", "open"),
    "S27": ("closed", "open"),
    "S28": ("open", "closed"),
    "S29": ("open", "closed"),
}


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_one_second_before_and_after_each_vector(vector: dict[str, str]) -> None:
    instant, template = datetime.fromisoformat(vector["ts_utc"]), SessionTemplate(vector["group"])
    usual = (vector["market_state"], vector["market_state"])
    found = (market_state(instant - SECOND, template), market_state(instant + SECOND, template))
    assert found == EDGES.get(vector["id"], usual)


@pytest.mark.parametrize("template", SessionTemplate)
def test_trade_date_never_decreases_and_states_join_up_over_two_years(template: SessionTemplate) -> None:
    instant, last, seen = datetime(2026, 1, 1, tzinfo=UTC), date.min, set()
    while instant < datetime(2028, 1, 1, tzinfo=UTC):
        day = trade_date(instant, template)
        assert day >= last
        assert day.weekday() < 5
        last = day
        seen.add(market_state(instant, template))
        instant += timedelta(minutes=21)
    assert seen == STATES[template]


GLOBEX_STATES = frozenset({MarketState.OPEN, MarketState.MAINTENANCE, MarketState.HALTED, MarketState.CLOSED})
STATES = dict.fromkeys(SessionTemplate, GLOBEX_STATES) | {
    SessionTemplate.GRAINS: frozenset({MarketState.OPEN, MarketState.PAUSE, MarketState.CLOSED}),
    SessionTemplate.LIVESTOCK: frozenset({MarketState.OPEN, MarketState.CLOSED}),
}


@pytest.mark.parametrize("shift", [-0.1, 0.0, 0.1])
def test_a_process_started_around_the_roll_dates_the_same_fill_alike(shift: float) -> None:
    fill = _ct("2026-11-18T17:00:00") + timedelta(seconds=shift)
    expected = date(2026, 11, 18) if shift < 0 else date(2026, 11, 19)
    assert trade_date(fill, SessionTemplate.EQUITY) == expected
    assert trade_date(fill.astimezone(UTC), SessionTemplate.EQUITY) == expected


@pytest.mark.parametrize(
    ("at", "group", "state"),
    [
        ("2025-12-31T18:00", "EQUITY", "closed"),  # no row for the eve, but 1 January is shut till evening
        ("2026-01-01T12:00", "EQUITY", "closed"),
        ("2026-01-01T17:00", "EQUITY", "open"),
        ("2026-01-01T19:30", "GRAINS", "closed"),
        ("2026-01-02T08:29", "GRAINS", "closed"),
        ("2026-01-02T08:30", "GRAINS", "open"),
        ("2026-01-18T19:30", "GRAINS", "closed"),
        ("2026-01-19T19:00", "GRAINS", "open"),
        ("2026-01-19T16:30", "EQUITY", "halted"),
        ("2026-01-19T17:00", "EQUITY", "open"),
        ("2026-01-19T16:30", "FX", "maintenance"),
        ("2026-04-02T17:30", "ENERGY", "closed"),
        ("2026-04-02T17:30", "EQUITY", "open"),
        ("2026-04-03T08:15", "EQUITY", "halted"),
        ("2026-07-03T16:30", "EQUITY", "closed"),
        ("2026-07-03T09:00", "LIVESTOCK", "closed"),
        ("2026-11-25T19:30", "GRAINS", "closed"),
        ("2026-11-27T08:30", "GRAINS", "open"),
        ("2026-11-27T12:05", "GRAINS", "closed"),
        ("2026-11-27T12:05", "LIVESTOCK", "closed"),
        ("2026-12-24T12:44", "FX", "open"),
        ("2026-12-24T17:30", "EQUITY", "closed"),
        ("2026-12-31T17:30", "METALS", "closed"),
        ("2027-03-25T17:30", "EQUITY", "closed"),  # projected year: the eve has no row of its own
        ("2028-03-15T10:00", "EQUITY", "open"),
    ],
)
def test_holidays(at: str, group: str, state: str) -> None:
    assert market_state(_ct(at), SessionTemplate(group)) == state


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2026-05-22T16:00", "closed"),
        ("2026-05-28T16:30", "maintenance"),
        ("2026-05-29T16:00", "open"),
        ("2026-05-30T12:00", "open"),
        ("2026-06-01T16:30", "open"),
        ("2026-12-25T12:00", "open"),
    ],
)
def test_crypto_trades_around_the_clock_from_its_announced_date(at: str, state: str) -> None:
    assert market_state(_ct(at), SessionTemplate.CRYPTO) == state


def test_weekend_crypto_carries_the_next_business_day() -> None:
    for at in ("2026-06-05T17:00", "2026-06-06T12:00", "2026-06-07T12:00", "2026-06-08T16:59"):
        assert trade_date(_ct(at), SessionTemplate.CRYPTO) == date(2026, 6, 8)


@pytest.mark.parametrize(
    ("at", "symbol", "hours"),
    [
        ("2026-08-12T08:29:59", "ES", SessionHours.ETH),
        ("2026-08-12T08:30", "ES", SessionHours.RTH),
        ("2026-08-12T14:59:59", "ES", SessionHours.RTH),
        ("2026-08-12T15:00", "ES", SessionHours.ETH),
        ("2026-08-12T16:00", "ES", None),
        ("2026-11-27T12:15", "ES", None),
        ("2026-08-12T08:00", "CL", SessionHours.RTH),
        ("2026-08-12T07:50", "ZC", None),
        ("2026-06-06T10:00", "BTC", SessionHours.ETH),
    ],
)
def test_session_hours_of_a_product(at: str, symbol: str, hours: SessionHours | None) -> None:
    traded, instant = product(symbol), _ct(at)
    assert session_hours(instant, traded) is hours
    assert is_rth(instant, traded) == (hours is SessionHours.RTH)
    assert in_hours(instant, traded, SessionHours.ALL) == (hours is not None)
    assert in_hours(instant, traded, SessionHours.ETH) == (hours is SessionHours.ETH)


@pytest.mark.parametrize(
    ("at", "group", "halt"),
    [
        ("2026-08-12T10:00", "EQUITY", "2026-08-12T16:00"),
        ("2026-08-12T16:00", "EQUITY", "2026-08-13T16:00"),
        ("2026-08-12T20:00", "EQUITY", "2026-08-13T16:00"),
        ("2026-08-14T18:00", "EQUITY", "2026-08-17T16:00"),
        ("2026-11-26T10:00", "EQUITY", "2026-11-26T12:00"),
        ("2026-11-27T10:00", "EQUITY", "2026-11-27T12:15"),
        ("2026-11-26T10:00", "GRAINS", "2026-11-27T12:05"),
        ("2026-08-12T02:00", "GRAINS", "2026-08-12T07:45"),
        ("2026-08-12T07:50", "GRAINS", "2026-08-12T13:20"),
        ("2026-11-01T12:00", "EQUITY", "2026-11-02T16:00"),
    ],
)
def test_next_halt(at: str, group: str, halt: str) -> None:
    assert next_halt(_ct(at), SessionTemplate(group)) == _ct(halt)


def test_crypto_has_no_next_halt_once_it_never_closes() -> None:
    assert next_halt(_ct("2026-08-12T10:00"), SessionTemplate.CRYPTO) is None


@given(
    instant=instants,
    template=st.sampled_from([t for t in SessionTemplate if t is not SessionTemplate.CRYPTO]),
)
def test_the_next_halt_ends_an_open_market(instant: datetime, template: SessionTemplate) -> None:
    halt = next_halt(instant, template)
    assert halt is not None
    assert halt > instant
    assert market_state(halt - SECOND, template) is MarketState.OPEN
    assert market_state(halt, template) is not MarketState.OPEN


@pytest.mark.parametrize(
    ("at", "hour", "reset"),
    [
        ("2026-08-12T16:59:59", 17, "2026-08-12T22:00Z"),
        ("2026-08-12T17:00", 17, "2026-08-13T22:00Z"),
        ("2026-03-07T17:00", 17, "2026-03-08T22:00Z"),
        ("2026-10-31T17:00", 17, "2026-11-01T23:00Z"),
        ("2026-10-31T20:00", 1, "2026-11-01T06:00Z"),
        ("2026-11-26T12:30", 17, "2026-11-26T23:00Z"),
    ],
)
def test_a_limit_day_ends_by_chicagos_clock(at: str, hour: int, reset: str) -> None:
    assert next_reset(_ct(at), time(hour)) == datetime.fromisoformat(reset)


@pytest.mark.parametrize(("start", "hours"), [("2026-03-07T17:00", 23), ("2026-10-31T17:00", 25)])
def test_limit_days_over_a_clock_change_are_not_24_hours(start: str, hours: int) -> None:
    begins = _ct(start).astimezone(UTC)
    assert next_reset(begins) - begins == timedelta(hours=hours)


@given(instant=instants, hour=st.integers(3, 23))
def test_a_reset_comes_within_a_day_and_shows_its_hour(instant: datetime, hour: int) -> None:
    reset = next_reset(instant, time(hour))
    assert timedelta(0) < reset - instant <= timedelta(hours=25)
    assert reset.astimezone(CHICAGO).time() == time(hour)
    assert last_reset(reset, time(hour)) == reset
    assert last_reset(reset - SECOND, time(hour)) <= instant


@given(instant=instants, template=st.sampled_from(SessionTemplate))
def test_a_trade_date_holds_one_limit_day_unless_days_merge(
    instant: datetime, template: SessionTemplate
) -> None:
    ends = next_reset(instant).astimezone(CHICAGO).date()
    day = trade_date(instant, template)
    assert day >= ends
    if day != ends:
        assert trade_date(next_reset(instant), template) == day


@pytest.mark.parametrize(
    ("at", "template", "start", "end"),
    [
        ("2026-08-12T16:30", "EQUITY", "2026-08-12T17:00", "2026-08-13T16:00"),
        ("2026-08-12T17:00", "EQUITY", "2026-08-12T17:00", "2026-08-13T16:00"),
        ("2026-08-13T15:59:59", "EQUITY", "2026-08-12T17:00", "2026-08-13T16:00"),
        ("2026-08-14T16:00", "EQUITY", "2026-08-16T17:00", "2026-08-17T16:00"),
        ("2026-11-26T08:00", "EQUITY", "2026-11-25T17:00", "2026-11-26T12:00"),
        ("2026-11-26T12:00", "EQUITY", "2026-11-26T17:00", "2026-11-27T12:15"),
        ("2026-03-08T12:00", "EQUITY", "2026-03-08T17:00", "2026-03-09T16:00"),
        ("2026-08-12T08:00", "GRAINS", "2026-08-11T19:00", "2026-08-12T13:20"),
        ("2026-08-12T18:00", "GRAINS", "2026-08-12T19:00", "2026-08-13T13:20"),
        ("2026-08-12T13:05", "LIVESTOCK", "2026-08-13T08:30", "2026-08-13T13:05"),
        ("2026-05-25T13:00", "METALS", "2026-05-24T17:00", "2026-05-25T13:30"),
    ],
)
def test_a_session_runs_from_its_opening_over_its_pauses(
    at: str, template: str, start: str, end: str
) -> None:
    found = session_at(_ct(at), SessionTemplate(template))
    assert found is not None
    assert (found.start, found.end) == (_ct(start), _ct(end))


def test_a_market_around_the_clock_has_no_sessions() -> None:
    assert session_at(_ct("2026-08-12T16:30"), SessionTemplate.CRYPTO) is None


@given(instant=instants, template=st.sampled_from(SessionTemplate))
def test_a_session_is_open_from_its_first_moment_to_its_last(
    instant: datetime, template: SessionTemplate
) -> None:
    found = session_at(instant, template)
    if found is None:
        assert template is SessionTemplate.CRYPTO
        return
    assert found.end > instant
    assert market_state(found.start, template) is market_state(found.end - SECOND, template)
    assert market_state(found.end, template) not in (MarketState.OPEN, MarketState.PAUSE)
    if market_state(instant, template) in (MarketState.OPEN, MarketState.PAUSE):
        assert found.start <= instant


def test_a_naive_instant_is_refused() -> None:
    naive = datetime.fromisoformat("2026-08-12T10:00")
    for ask in (market_state, trade_date, next_halt):
        with pytest.raises(ValueError, match="time zone"):
            ask(naive, SessionTemplate.EQUITY)


@pytest.mark.parametrize(
    ("day", "since", "until"),
    [
        ("2026-11-20", "2026-11-19T23:00+00:00", "2026-11-20T23:00+00:00"),
        (
            "2026-11-23",
            "2026-11-20T23:00+00:00",
            "2026-11-23T23:00+00:00",
        ),  # a Monday takes its weekend along
        ("2026-03-09", "2026-03-06T23:00+00:00", "2026-03-09T22:00+00:00"),  # and the change of the clocks
    ],
)
def test_a_trading_day_is_from_roll_to_roll(day: str, since: str, until: str) -> None:
    span = day_span(date.fromisoformat(day))
    assert span == (datetime.fromisoformat(since), datetime.fromisoformat(until))
