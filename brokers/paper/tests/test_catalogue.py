"""Contracts: names, ids that never change, listing and rolling."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.paper.catalogue import Catalogue, load_specs
from brokers.paper.tests.test_session import TODAY

CATALOGUE = Catalogue(load_specs(), TODAY)
SPECS = {spec.symbol: spec for spec in CATALOGUE.specs()}


def test_all_products_are_here_with_distinct_ids() -> None:
    assert len(SPECS) == 61
    assert len({spec.id for spec in SPECS.values()}) == 61
    assert all(spec.ticks(spec.start) is not None for spec in SPECS.values())


def test_ids_are_the_same_on_any_day() -> None:
    later = Catalogue(load_specs(), date(2029, 3, 3))
    listing = CATALOGUE.find("ESZ26")
    assert listing is not None
    assert later.listing_of_id(listing.id) == listing
    assert (listing.id, listing.maturity_id) == (300701123, 100701123)


@given(st.sampled_from(sorted(SPECS)), st.integers(2024, 2033))
def test_every_listed_contract_is_found_by_name_and_by_id(symbol: str, year: int) -> None:
    catalogue = Catalogue(load_specs(), date(year, 5, 5))
    listed = catalogue.listed(SPECS[symbol])
    assert len(listed) == 4
    assert listed == tuple(sorted(listed, key=lambda item: (item.year, item.month)))
    for listing in listed:
        assert listing.expires.date() >= date(year, 5, 5)
        assert catalogue.find(listing.name.lower()) == listing
        assert catalogue.listing_of_id(listing.id) == listing
        assert catalogue.listing_of_maturity(listing.maturity_id) == listing
        assert catalogue.roll(catalogue.roll(listing, forward=True), forward=False) == listing


@pytest.mark.parametrize("name", ["", "ES", "@ES", "ESZ", "ESF6", "QQZ6", "ES Z6", "ESZ12345"])
def test_what_is_no_contract_is_not_found(name: str) -> None:
    assert CATALOGUE.find(name) is None


@pytest.mark.parametrize("number", [0, -1, 5, 300_000_000, 999_999_999_999])
def test_what_is_no_id_is_not_found(number: int) -> None:
    assert CATALOGUE.listing_of_id(number) is None
    assert CATALOGUE.listing_of_maturity(number) is None
    assert CATALOGUE.spec_of_id(number) is None


def test_front_month_is_an_active_one() -> None:
    front = CATALOGUE.front(SPECS["GC"])
    assert front.name == "GCZ6"
    assert CATALOGUE.maturity(front).is_front
    assert not CATALOGUE.maturity(CATALOGUE.roll(front, forward=True)).is_front


def test_prices_and_ticks_are_exact_in_both_directions() -> None:
    zt = SPECS["ZT"]
    assert zt.ticks(Decimal("104.8828125")) == 26850
    assert zt.price(26850) == Decimal("104.8828125")
    assert zt.ticks(Decimal("104.88")) is None


def test_wire_entities_carry_the_facts() -> None:
    product = CATALOGUE.product(SPECS["ZN"])
    assert (product.price_format_type, product.is_micro, product.tick_size) == (
        "Fractional",
        False,
        Decimal("0.015625"),
    )
    margin = CATALOGUE.margin(SPECS["ES"])
    assert margin.maintenance_margin < margin.initial_margin
    assert [row.name for row in CATALOGUE.exchanges()] == ["CME", "CBOT", "NYMEX", "COMEX"]
    assert CATALOGUE.spec("es") == SPECS["ES"]
