"""How figures are written in the reasons that people read."""

from decimal import Decimal


def dollars(amount: Decimal) -> str:
    """Write an amount in USD: 1,234.50 or -0.01."""
    return f"{amount:,.2f}"
