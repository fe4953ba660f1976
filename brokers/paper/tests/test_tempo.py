"""Properties of the synthetic market over all products, its hours, and replays of bars."""

import gzip
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.paper.catalogue import Catalogue, Listing, load_specs
from brokers.paper.floor import Floor
from brokers.paper.market import Print, ReplayStream, SyntheticStream
from brokers.paper.options import Replay
from brokers.paper.recording import read_recording
from brokers.paper.tempo import Temper, pace, temper
from brokers.paper.tests.test_session import TODAY

CATALOGUE = Catalogue(load_specs(), TODAY)
SYMBOLS = ("ESZ6", "MESZ6", "NQZ6", "CLF7", "GCZ6", "ZNZ6", "6EZ6", "ZCZ6")
DAY = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 18, 6, 0, tzinfo=UTC)
OPENING = datetime(2026, 11, 18, 14, 40, tzinfo=UTC)
BREAK = datetime(2026, 11, 18, 22, 30, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


def listing(symbol: str) -> Listing:
    found = CATALOGUE.find(symbol)
    assert found is not None
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.text(max_size=8),
    st.floats(0.01, 60),
    st.builds(
        Temper, sigma=st.floats(0.05, 8), book=st.floats(1, 40), jumps=st.sampled_from((0.0, 2.0, 3600.0))
    ),
)
def test_market_is_never_crossed_and_its_last_trade_is_inside(
    seed: str, seconds: float, temper: Temper
) -> None:
    one, other = (SyntheticStream(start=20_000, chance=Random(seed), temper=temper) for _ in range(2))
    for _ in range(60):
        quote = one.advance(seconds)
        assert quote == other.advance(seconds)
        assert quote.bid.price < quote.offer.price
        assert quote.bid.price <= quote.depth.last <= quote.offer.price
        assert quote.low <= quote.depth.last <= quote.high
        bids = [level.price for level in quote.depth.bids]
        offers = [level.price for level in quote.depth.offers]
        assert bids == sorted(set(bids), reverse=True)
        assert offers == sorted(set(offers))
        assert all(level.size > 0 for level in (*quote.depth.bids, *quote.depth.offers))


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_price_lies_on_the_product_s_own_grid(symbol: str) -> None:
    floor, found = Floor(chance_of=Random), listing(symbol)
    floor.quote(found)
    for _ in range(200):
        quote = floor.advance(0.25, DAY)[found.id]
        for level in (*quote.depth.bids, *quote.depth.offers):
            assert found.spec.price(level.price) % found.spec.tick == 0


def test_several_contracts_walk_at_once_and_the_same_again() -> None:
    def paths() -> dict[str, list[int]]:
        floor = Floor(chance_of=lambda name: Random(f"7:{name}"))
        chosen = {symbol: listing(symbol) for symbol in SYMBOLS}
        for item in chosen.values():
            floor.quote(item)
        steps = [floor.advance(0.25, DAY) for _ in range(300)]
        return {name: [step[item.id].depth.last for step in steps] for name, item in chosen.items()}

    first = paths()
    assert first == paths()
    assert len({tuple(path) for path in first.values()}) == len(SYMBOLS)


def test_notes_are_calmer_and_deeper_than_shares() -> None:
    notes, shares = temper(listing("ZNZ6").spec), temper(listing("NQZ6").spec)
    assert notes.sigma < shares.sigma
    assert notes.book > shares.book


@pytest.mark.parametrize(
    ("at", "symbol", "speed"),
    [
        (DAY, "ESZ6", 1.0),
        (OPENING, "ESZ6", 1.5),
        (datetime(2026, 11, 18, 20, 45, tzinfo=UTC), "ESZ6", 1.5),
        (NIGHT, "ESZ6", 0.45),
        (BREAK, "ESZ6", 0.0),
        (SATURDAY, "ESZ6", 0.0),
        (datetime(2026, 11, 18, 20, 0, tzinfo=UTC), "ZCZ6", 0.0),
    ],
)
def test_pace_follows_the_product_s_hours(at: datetime, symbol: str, speed: float) -> None:
    assert pace(listing(symbol).spec, at) == speed


def test_market_with_hours_stands_still_while_halted_and_one_without_goes_on() -> None:
    es = listing("ESZ6")
    for keeps, at, moves in ((True, BREAK, False), (True, DAY, True), (False, SATURDAY, True)):
        floor = Floor(chance_of=Random, keeps_hours=keeps)
        floor.quote(es)
        assert bool(floor.advance(1, at)) is moves


def test_jumps_throw_the_price_and_wake_volatility() -> None:
    def widest(jumps: float) -> int:
        nature = Temper(sigma=1.0, jumps=jumps)
        stream = SyntheticStream(start=20_000, chance=Random("9"), temper=nature)
        found = [stream.advance(0.25).depth.last for _ in range(2_000)]
        return max(abs(after - before) for before, after in pairwise(found))

    assert widest(0.0) < 8 <= widest(40.0)


def test_day_is_settled_at_its_last_price_and_counts_anew() -> None:
    floor, es = Floor(chance_of=Random), listing("ESZ6")
    floor.quote(es)
    for _ in range(50):
        floor.advance(0.25, DAY)
    last = floor.quote(es).depth.last
    floor.settle()
    quote = floor.quote(es)
    assert (quote.settlement, quote.open, quote.high, quote.low, quote.volume) == (last, last, last, last, 0)


def test_minute_bars_are_replayed_as_four_trades_each(tmp_path: Path) -> None:
    text = (
        "date,ms_since_midnight_utc,open,high,low,close,volume\n"
        "2013-10-07,0,1676.5,1677.5,1676.25,1677,9\n2013-10-08,60000,1677,1677,1676,1676,4\n"
    )
    path = tmp_path / "es.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    prints = read_recording(Replay(path=path, symbol="ESZ6"), CATALOGUE).prints
    assert [(item.at, item.price, item.size) for item in prints[:4]] == [
        (0, 6706, 2),
        (15_000, 6705, 2),
        (30_000, 6710, 2),
        (45_000, 6708, 3),
    ]
    assert [item.price for item in prints[4:]] == [6708, 6708, 6704, 6704]
    assert prints[4].at == 86_400_000 + 60_000


def test_replay_prints_every_trade_of_a_step() -> None:
    prints = [Print(at=at, price=100 + at % 5, size=1) for at in range(0, 1000, 100)]
    stream = ReplayStream(prints=prints, speed=1.0, chance=Random("1"))
    assert len(stream.advance(0.45).prints) == 4
    assert stream.advance(0.01).prints == ()
