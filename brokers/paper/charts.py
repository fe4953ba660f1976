"""Charts and histograms on sockets (protocol 16.4 and 16.5): requests, packets, and what grows on.

How bars are cut stands in `candles`; which endpoint asks for what, in `marketdata`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from brokers.paper.candles import Bar, Rule, Series, Tape, Traded, Unit, within
from brokers.paper.catalogue import Listing
from brokers.paper.codec import Json, instant, number, trade_date
from brokers.paper.hub import Connection, array
from brokers.paper.market import Quote
from brokers.paper.params import Params
from brokers.paper.session import trade_date as day_of

MOST_BARS = 2_000
MOST_TICKS = 5_000
_LARGEST = 1_000_000
_UNITS = {"volume": Unit.VOLUME, "range": Unit.RANGE, "renko": Unit.RENKO}


class Unsupported(ValueError):
    """A chart that is not built here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A chart as asked for: no rule means single trades; `until` and `since` bound the history."""

    rule: Rule | None
    until: datetime | None
    since: datetime | None
    count: int | None
    until_id: int | None


@dataclass(slots=True, kw_only=True)
class Feed:
    """One chart of one connection; `series` is none where single trades are sent."""

    historical_id: int
    realtime_id: int
    listing: Listing
    series: Series | None


@dataclass(slots=True)
class Desk:
    """The tapes of all contracts, and the numbers of charts."""

    tapes: dict[int, Tape] = field(default_factory=lambda: defaultdict(lambda: Tape(day_of)))
    views: dict[Connection, "View"] = field(default_factory=dict)
    _last_id: int = 0

    def take_id(self) -> int:
        """Return the next number of a chart."""
        self._last_id += 1
        return self._last_id

    def view(self, connection: Connection) -> "View":
        """Return what a connection looks at; a closed connection is forgotten with the next trade."""
        return self.views.setdefault(connection, View())

    def record(self, listing: Listing, quote: Quote, now: datetime, alive: dict[Connection, None]) -> None:
        """Keep the trades since the last step and tell those who look at the contract."""
        tape = self.tapes[listing.id]
        known = tape.day
        fresh = [tape.add(_traded(quote, price, size, now)) for price, size in quote.prints]
        for gone in [item for item in self.views if item not in alive]:
            del self.views[gone]
        if not fresh:
            return
        prices = {traded.price for traded, _ in fresh}
        for connection, view in self.views.items():
            for feed in view.charts.values():
                if feed.listing.id == listing.id:
                    connection.send(array(_event(_grown(feed, fresh))))
            if listing.id in view.histograms:
                connection.send(histogram(listing, tape, now, prices, refresh=known != tape.day))

    def open(self, connection: Connection, listing: Listing, wanted: Wanted) -> Feed:
        """Register a chart and return its feed, whose history is still to be sent."""
        series = None if wanted.rule is None else self.tapes[listing.id].history(wanted.rule)
        feed = Feed(historical_id=self.take_id(), realtime_id=self.take_id(), listing=listing, series=series)
        self.view(connection).charts[feed.realtime_id] = feed
        return feed

    def history(self, feed: Feed, wanted: Wanted) -> Iterator[str]:
        """Yield the packets of what is kept, the newest last, and the mark that ends them."""
        for packet in self._packets(feed, wanted):
            yield array(_event([packet]))
        # All packets carry the realtime id: widely used clients drop every other (protocol 16.5).
        yield array(_event([{"id": feed.realtime_id, "eoh": True}]))

    def cancel(self, connection: Connection, number_: int | None) -> bool:
        """End the chart with this realtime or historical id; return whether there was one."""
        charts = self.view(connection).charts
        found = [feed for feed in charts.values() if number_ in (feed.realtime_id, feed.historical_id)]
        for feed in found:
            del charts[feed.realtime_id]
        return bool(found)

    def _packets(self, feed: Feed, wanted: Wanted) -> list[Json]:
        if feed.series is not None:
            bars = within(
                tuple(feed.series.bars),
                until=wanted.until,
                since=wanted.since,
                count=wanted.count,
                most=MOST_BARS,
            )
            return _bar_packets(feed, bars)
        trades = [
            item
            for item in self.tapes[feed.listing.id].trades
            if (wanted.until is None or item.at <= wanted.until)
            and (wanted.since is None or item.at >= wanted.since)
            and (wanted.until_id is None or item.id <= wanted.until_id)
        ]
        most = MOST_TICKS if wanted.count is None else min(MOST_TICKS, wanted.count)
        return _tick_packets(feed, trades[-most:] if most else [], stored=True)


@dataclass(slots=True)
class View:
    """The charts and histograms of one connection."""

    charts: dict[int, Feed] = field(default_factory=dict)
    histograms: set[int] = field(default_factory=set)


def wanted(body: Params) -> Wanted:
    """Read a request; raises Unsupported with the reason, or a violation on a member that is no value."""
    description, span = _part(body, "chartDescription"), _part(body, "timeRange")
    found = Wanted(
        rule=_rule(description),
        until=span.moment("closestTimestamp"),
        since=span.moment("asFarAsTimestamp"),
        count=span.integer("asMuchAsElements"),
        until_id=span.integer("closestTickId"),
    )
    if (found.until, found.since, found.count, found.until_id) == (None, None, None, None):
        raise Unsupported("timeRange needs at least one of its members")
    if found.count is not None and found.count < 0:
        raise Unsupported("asMuchAsElements must not be negative")
    return found


def histogram(listing: Listing, tape: Tape, now: datetime, prices: set[int], *, refresh: bool) -> str:
    """Return the volumes of the day by price; without `refresh` only those of the given prices."""
    chosen = tape.volumes if refresh else {price: tape.volumes[price] for price in sorted(prices)}
    data: Json = {
        "contractId": listing.id,
        "timestamp": instant(now),
        "tradeDate": trade_date(tape.day or day_of(now)),
        "base": number(listing.spec.price(tape.base)),
        "items": {str(price - tape.base): size for price, size in sorted(chosen.items())},
        "refresh": refresh,
    }
    return array({"e": "md", "d": {"histograms": [data]}})


def _part(body: Params, name: str) -> Params:
    found = body.raw(name)
    return Params(found if isinstance(found, dict) else {})


def _rule(description: Params) -> Rule | None:
    kind = (description.text("underlyingType") or "MinuteBar").lower()
    unit = (description.text("elementSizeUnit") or "UnderlyingUnits").lower()
    size = description.integer("elementSize")
    size = 1 if size is None else size
    if not 1 <= size <= _LARGEST:
        raise Unsupported("elementSize must be between 1 and 1000000")
    if unit in _UNITS and kind in ("tick", "minutebar", "dailybar", "custom"):
        return Rule(unit=_UNITS[unit], size=size)
    if unit == "underlyingunits" and kind in ("tick", "custom"):
        return None if kind == "tick" and size == 1 else Rule(unit=Unit.TRADES, size=size)
    if unit == "underlyingunits" and kind in ("minutebar", "dailybar"):
        return Rule(unit=Unit.MINUTES if kind == "minutebar" else Unit.DAYS, size=size)
    raise Unsupported(f"Charts of {kind} by {unit} are not supported")


def _traded(quote: Quote, price: int, size: int, now: datetime) -> Traded:
    bid, offer = quote.bid, quote.offer
    return Traded(
        id=0,
        at=now,
        price=price,
        size=size,
        bid=bid.price,
        offer=offer.price,
        bid_size=bid.size,
        offer_size=offer.size,
    )


def _grown(feed: Feed, fresh: Sequence[tuple[Traded, Bar]]) -> list[Json]:
    if feed.series is None:
        return _tick_packets(feed, [traded for traded, _ in fresh], stored=False)
    changed = {bar.at: bar for _, piece in fresh for bar in feed.series.add(piece)}
    return _bar_packets(feed, list(changed.values()))


def _event(charts: Sequence[Json]) -> Json:
    return {"e": "chart", "d": {"charts": list(charts)}}


def _td(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _bar_packets(feed: Feed, bars: Sequence[Bar]) -> list[Json]:
    return [
        {"id": feed.realtime_id, "td": _td(day), "bars": [_bar(feed.listing, bar) for bar in some]}
        for day, some in groupby(bars, key=lambda bar: bar.day)
    ]


def _bar(listing: Listing, bar: Bar) -> Json:
    price = listing.spec.price
    return {
        "timestamp": instant(bar.at),
        "open": number(price(bar.open)),
        "high": number(price(bar.high)),
        "low": number(price(bar.low)),
        "close": number(price(bar.close)),
        "upVolume": bar.up_volume,
        "downVolume": bar.down_volume,
        "upTicks": bar.up_ticks,
        "downTicks": bar.down_ticks,
        "bidVolume": bar.bid_volume,
        "offerVolume": bar.offer_volume,
    }


def _tick_packets(feed: Feed, trades: Sequence[Traded], *, stored: bool) -> list[Json]:
    """Pack trades of one trading day each relative to the first: ticks from `bp`, milliseconds from `bt`."""
    found: list[Json] = []
    for day, group in groupby(trades, key=lambda item: day_of(item.at)):
        some = list(group)
        base, start = some[0].price, _millis(some[0].at)
        packet: Json = {"id": feed.realtime_id, **({"s": "db"} if stored else {}), "td": _td(day)}
        packet |= {"bp": base, "bt": start, "ts": number(feed.listing.spec.tick)}
        found.append({**packet, "tks": [_tick(item, base, start) for item in some]})
    return found


def _tick(item: Traded, base: int, start: int) -> Json:
    return {
        "t": _millis(item.at) - start,
        "p": item.price - base,
        "s": item.size,
        "b": item.bid - base,
        "a": item.offer - base,
        "bs": item.bid_size,
        "as": item.offer_size,
        "id": item.id,
    }


def _millis(at: datetime) -> int:
    return round(at.timestamp() * 1000)
