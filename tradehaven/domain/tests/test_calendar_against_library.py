"""The last close of every day of 2026 against an independent calendar; only known differences may differ."""

from datetime import date, datetime, time, timedelta

import pytest

from tradehaven.domain.calendar import CHICAGO, next_halt
from tradehaven.domain.instruments import SessionTemplate

mcal = pytest.importorskip("pandas_market_calendars", reason="pandas_market_calendars is not installed")

# Ours follows the exchange's schedule as recorded for 2026; the library lags behind it on these days.
KNOWN = {
    "CME Globex Equity": set(),
    "CME Globex Fixed Income": set(),
    "CMEGlobex_EnergyAndMetals": set(),
    "CMEGlobex_Crude": set(),
    "CMEGlobex_FX": {
        ("2026-06-19", "12:00", "16:00"),
        ("2026-07-03", "12:00", "16:00"),
        ("2026-11-27", "13:45", "12:15"),
        ("2026-12-24", "12:45", "12:15"),
    },
    "CMEGlobex_Grains": {
        ("2026-06-19", None, "13:20"),
        ("2026-11-27", "12:05", "13:20"),
        ("2026-12-24", "12:05", "13:20"),
    },
    "CMEGlobex_Livestock": {("2026-06-19", None, "13:05"), ("2026-12-24", "12:15", "12:05")},
}
TEMPLATES = dict(
    zip(
        KNOWN,
        (
            SessionTemplate.EQUITY,
            SessionTemplate.RATES,
            SessionTemplate.METALS,
            SessionTemplate.ENERGY,
            SessionTemplate.FX,
            SessionTemplate.GRAINS,
            SessionTemplate.LIVESTOCK,
        ),
        strict=True,
    )
)


def _last_close(template: SessionTemplate, day: date) -> str | None:
    at, last = datetime.combine(day, time(0), CHICAGO) - timedelta(seconds=1), None
    while (halt := next_halt(at, template)) and halt.astimezone(CHICAGO).date() == day:
        at, last = halt, halt.astimezone(CHICAGO).strftime("%H:%M")
    return last


@pytest.mark.parametrize("name", KNOWN)
def test_closes_differ_from_the_library_only_where_known(name: str) -> None:
    schedule = mcal.get_calendar(name).schedule("2026-01-01", "2026-12-31")
    theirs = {
        day.date(): close.to_pydatetime().astimezone(CHICAGO).strftime("%H:%M")
        for day, close in schedule["market_close"].items()
    }
    found = set()
    for offset in range(365):
        day = date(2026, 1, 1) + timedelta(days=offset)
        ours = _last_close(TEMPLATES[name], day)
        if ours != theirs.get(day):
            found.add((day.isoformat(), ours, theirs.get(day)))
    assert found == KNOWN[name]
