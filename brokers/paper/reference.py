"""Frozen values of the contract library on the wire: products, maturities, contracts, margins.

The catalogue makes them; nothing changes them while the exchange runs.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from brokers.paper.entities import Entity


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract(Entity):
    """A dated contract."""

    name: str
    contract_maturity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractMaturity(Entity):
    """A delivery month of a product."""

    product_id: int
    expiration_month: int
    expiration_date: datetime
    is_front: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Entity):
    """A product as the wire shows it."""

    name: str
    currency_id: int = 1
    product_type: str = "Futures"
    description: str
    exchange_id: int
    contract_group_id: int
    risk_discount_contract_group_id: int | None = None
    status: str = "Verified"
    months: str
    is_secured: bool = False
    value_per_point: Decimal
    price_format_type: str
    price_format: int
    tick_size: Decimal
    is_micro: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Named(Entity):
    """Exchange, contract group or clearing house: an id and a name."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency(Entity):
    """A currency; 1 is the US dollar."""

    name: str
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductMargin(Entity):
    """Exchange margin per contract in USD; its id is the product id."""

    initial_margin: Decimal
    maintenance_margin: Decimal
    timestamp: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStrategyType(Entity):
    """A kind of order strategy on offer."""

    name: str
    enabled: bool
