"""Subscriptions to market data on a socket (protocol 16)."""

from brokers.paper import charts
from brokers.paper.calls import Answer, Call, Handler
from brokers.paper.catalogue import Listing
from brokers.paper.codec import Json
from brokers.paper.exchange import Exchange
from brokers.paper.hub import Connection, array
from brokers.paper.reads import NotFoundError
from brokers.paper.tokens import Caller

_UNKNOWN: Json = {"errorText": "Symbol is inaccessible", "errorCode": "UnknownSymbol", "mode": "None"}


def subscribe_quote(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Subscribe to quotes; the first one follows the reply at once."""
    connection, listing = _connection(call), _listing(exchange, call)
    if listing is None:
        return Answer(payload=_UNKNOWN)
    exchange.open_market(listing.id)

    def start() -> None:
        connection.quotes.add(listing.id)
        connection.send(array({"e": "md", "d": {"quotes": [exchange.quote_of(listing.id)]}}))

    return Answer(payload=_subscribed(listing), then=start)


def subscribe_dom(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Subscribe to the order book; the first one follows the reply at once."""
    connection, listing = _connection(call), _listing(exchange, call)
    if listing is None:
        return Answer(payload=_UNKNOWN)
    exchange.open_market(listing.id)

    def start() -> None:
        connection.doms.add(listing.id)
        connection.send(array({"e": "md", "d": {"doms": [exchange.dom_of(listing.id)]}}))

    return Answer(payload=_subscribed(listing), then=start)


def unsubscribe_quote(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """End a quote subscription."""
    listing = _listing(exchange, call)
    if listing is not None:
        _connection(call).quotes.discard(listing.id)
    return Answer(payload={})


def unsubscribe_dom(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """End an order-book subscription."""
    listing = _listing(exchange, call)
    if listing is not None:
        _connection(call).doms.discard(listing.id)
    return Answer(payload={})


def subscribe_histogram(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Subscribe to the day's volumes by price; all of them follow the reply at once."""
    connection, listing = _connection(call), _listing(exchange, call)
    if listing is None:
        return Answer(payload=_UNKNOWN)
    exchange.open_market(listing.id)

    def start() -> None:
        exchange.desk.view(connection).histograms.add(listing.id)
        tape = exchange.desk.tapes[listing.id]
        connection.send(charts.histogram(listing, tape, call.now, set(), refresh=True))

    return Answer(payload=_subscribed(listing), then=start)


def unsubscribe_histogram(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """End a histogram subscription."""
    listing = _listing(exchange, call)
    if listing is not None:
        exchange.desk.view(_connection(call)).histograms.discard(listing.id)
    return Answer(payload={})


def get_chart(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Open a chart: its history, the mark that ends it, and every change from then on."""
    connection, listing = _connection(call), _listing(exchange, call)
    if listing is None:
        return Answer(payload=_UNKNOWN)
    try:
        wanted = charts.wanted(call.body)
    except charts.Unsupported as error:
        return Answer(payload={"errorText": str(error), "errorCode": "Unsupported", "mode": "None"})
    exchange.open_market(listing.id)
    feed = exchange.desk.open(connection, listing, wanted)
    packets = list(exchange.desk.history(feed, wanted))

    def start() -> None:
        for text in packets:
            connection.send(text)

    ids = {"historicalId": feed.historical_id, "realtimeId": feed.realtime_id}
    return Answer(payload={"subscriptionId": feed.historical_id, **ids, "mode": "RealTime"}, then=start)


def cancel_chart(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """End a chart by either of its ids (protocol 16.5)."""
    exchange.desk.cancel(_connection(call), call.body.integer("subscriptionId"))
    return Answer(payload={})


ACTIONS: dict[str, Handler] = {
    "md/subscribequote": subscribe_quote,
    "md/unsubscribequote": unsubscribe_quote,
    "md/subscribedom": subscribe_dom,
    "md/unsubscribedom": unsubscribe_dom,
    "md/subscribehistogram": subscribe_histogram,
    "md/unsubscribehistogram": unsubscribe_histogram,
    "md/getchart": get_chart,
    "md/cancelchart": cancel_chart,
}


def _connection(call: Call) -> Connection:
    if call.connection is None:
        raise NotFoundError
    return call.connection


def _listing(exchange: Exchange, call: Call) -> Listing | None:
    symbol = call.body.text("symbol") or ""
    catalogue = exchange.state.catalogue
    if symbol.isdecimal():
        return catalogue.listing_of_id(int(symbol))
    if symbol.startswith("@"):
        spec = catalogue.spec(symbol[1:])
        return catalogue.front(spec) if spec else None
    return catalogue.find(symbol)


def _subscribed(listing: Listing) -> Json:
    return {"subscriptionId": listing.id, "contractId": listing.id, "mode": "RealTime"}
