"""Market data in wire form: quotes with all nine entries every time, and order books."""

from brokers.paper.catalogue import Listing
from brokers.paper.codec import Json, number
from brokers.paper.market import Quote
from brokers.paper.matching import Level


def quote(listing: Listing, market: Quote, timestamp: str) -> Json:
    """Return a quote; widely used clients read all nine entries without looking whether they are there."""
    depth = market.depth
    entries = {
        "Bid": _level(listing, depth.bids[0]),
        "Offer": _level(listing, depth.offers[0]),
        "Trade": {"price": _price(listing, depth.last), "size": market.last_size},
        "TotalTradeVolume": {"size": market.volume},
        "OpenInterest": {"size": 100_000 + market.volume // 10},
        "OpeningPrice": {"price": _price(listing, market.open)},
        "HighPrice": {"price": _price(listing, market.high)},
        "LowPrice": {"price": _price(listing, market.low)},
        "SettlementPrice": {"price": _price(listing, market.settlement)},
    }
    # The vendor's tutorial compares `id` with the subscription's id, and shows nothing where they differ.
    return {"timestamp": timestamp, "contractId": listing.id, "id": listing.id, "entries": entries}


def dom(listing: Listing, market: Quote, timestamp: str) -> Json:
    """Return the outside order book, best levels first."""
    return {
        "contractId": listing.id,
        "timestamp": timestamp,
        "bids": [_level(listing, level) for level in market.depth.bids],
        "offers": [_level(listing, level) for level in market.depth.offers],
    }


def _level(listing: Listing, level: Level) -> Json:
    return {"price": _price(listing, level.price), "size": level.size}


def _price(listing: Listing, ticks: int) -> float | int:
    return number(listing.spec.price(ticks))
