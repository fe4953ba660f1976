"""Where prices come from: the synthetic walk, replays, and the floor that holds them."""

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from brokers.paper.catalogue import Catalogue, load_specs
from brokers.paper.floor import Floor, Recording
from brokers.paper.market import Print, ReplayStream, SyntheticStream
from brokers.paper.options import Replay
from brokers.paper.recording import read_recording
from brokers.paper.tests.test_session import TODAY

CATALOGUE = Catalogue(load_specs(), TODAY)
NOON = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)


def walk(seed: str, steps: int = 400) -> list[int]:
    stream = SyntheticStream(start=20_000, chance=Random(seed))
    return [stream.advance(0.25).depth.last for _ in range(steps)]


def test_same_seed_makes_the_same_market_and_another_seed_another() -> None:
    assert walk("1") == walk("1")
    assert walk("1") != walk("2")


def test_market_moves_but_does_not_run_away() -> None:
    path = walk("3", 20_000)
    assert len(set(path)) > 20
    assert max(path) - min(path) < 2_000


def test_quotes_are_never_crossed_and_trade_inside_the_spread() -> None:
    stream = SyntheticStream(start=20_000, chance=Random("4"))
    for _ in range(2_000):
        quote = stream.advance(0.25)
        assert quote.bid.price < quote.offer.price
        assert quote.bid.price <= quote.depth.last <= quote.offer.price
        assert all(level.size > 0 for level in (*quote.depth.bids, *quote.depth.offers))
        assert quote.low <= quote.depth.last <= quote.high


def test_volatility_comes_in_waves() -> None:
    path = walk("5", 8_000)
    steps = [abs(after - before) for before, after in pairwise(path)]
    means = [sum(steps[at : at + 400]) / 400 for at in range(0, len(steps) - 400, 400)]
    assert max(means) > 1.15 * min(means)


def test_replay_plays_trades_at_its_speed_and_starts_again() -> None:
    prints = [Print(at=at, price=price, size=1) for at, price in ((0, 100), (1000, 101), (2000, 99))]
    stream = ReplayStream(prints=prints, speed=2.0, chance=Random("6"))
    assert stream.quote.depth.last == 100
    up = stream.advance(0.5)
    assert (up.depth.last, up.offer.price, up.bid.price) == (101, 101, 100)
    down = stream.advance(0.5)
    assert (down.depth.last, down.bid.price, down.offer.price) == (99, 99, 100)
    assert stream.advance(0.01).depth.last == 100


def test_replay_of_one_trade_stands_still_and_of_none_is_refused() -> None:
    stream = ReplayStream(prints=[Print(at=5, price=100, size=1)], speed=1, chance=Random("7"))
    assert stream.advance(60).depth.last == 100
    with pytest.raises(ValueError, match="at least one"):
        ReplayStream(prints=[], speed=1, chance=Random("7"))


def test_moved_market_goes_on_from_there() -> None:
    for stream in (
        SyntheticStream(start=100, chance=Random("8")),
        ReplayStream(
            prints=[Print(at=at, price=100, size=1) for at in range(9)], speed=1, chance=Random("8")
        ),
    ):
        stream.move_to(500)
        assert abs(stream.advance(0.001).depth.last - 500) <= 2


def test_streams_of_contracts_are_independent_of_each_other() -> None:
    es, nq = CATALOGUE.find("ESZ6"), CATALOGUE.find("NQZ6")
    assert es is not None
    assert nq is not None
    alone = Floor(chance_of=Random)
    together = Floor(chance_of=Random)
    together.quote(nq)
    for floor in (alone, together):
        floor.quote(es)
    assert alone.advance(0.25, NOON)[es.id] == together.advance(0.25, NOON)[es.id]
    assert not alone.known(nq.id)


def test_paused_floor_stands_still_and_later_runs_start_from_the_marks() -> None:
    es = CATALOGUE.find("ESZ6")
    assert es is not None
    floor = Floor(chance_of=Random, paused=True)
    assert floor.quote(es).depth.last == es.spec.ticks(Decimal("5042.75"))
    assert floor.advance(9, NOON) == {}
    floor.move(es, 21_000, spread=2, size=7)
    assert [level.size for level in floor.quote(es).depth.bids] == [7] * 10
    later = Floor(chance_of=Random)
    later.resume_at(floor.marks())
    assert later.quote(es).depth.last == 21_000


def test_recording_is_read_plain_and_zipped(tmp_path: Path) -> None:
    text = "ms_since_midnight_utc,price,quantity\n276,1313.7,1\n300,1313.6,0\n"
    plain, zipped = tmp_path / "gc.csv", tmp_path / "gc.csv.gz"
    plain.write_text(text)
    zipped.write_bytes(gzip.compress(text.encode()))
    for path in (plain, zipped):
        recording = read_recording(Replay(path=path, symbol="GCZ6", speed=5), CATALOGUE)
        assert recording.prints == [
            Print(at=276, price=13137, size=1),
            Print(at=300, price=13136, size=0),
        ]
        floor = Floor(chance_of=Random, recording=recording)
        listing = CATALOGUE.find("GCZ6")
        assert listing is not None
        assert floor.quote(listing).depth.last == 13137


@pytest.mark.parametrize(("symbol", "text"), [("XX9", "1,2,3\n"), ("GCZ6", "ms,price,quantity\n")])
def test_unusable_recordings_are_refused(tmp_path: Path, symbol: str, text: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"contract|trades"):
        read_recording(Replay(path=path, symbol=symbol), CATALOGUE)


def test_recording_of_another_contract_leaves_this_one_synthetic() -> None:
    listing = CATALOGUE.find("ESZ6")
    assert listing is not None
    prints = [Print(at=0, price=1, size=1)]
    floor = Floor(chance_of=Random, recording=Recording(symbol="GCZ6", prints=prints, speed=1))
    assert floor.quote(listing).depth.last == 20171
