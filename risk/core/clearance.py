"""What an account's rules say of entries, whatever the order is: worked out once and not for every order.

It rests on money, floor and day, and on no clock: it holds until one of them is another.
"""

from decimal import Decimal

from risk.core import limited
from risk.core.proposal import Objection
from risk.core.rules import Rules
from risk.core.standing import Floor, Money, Standing
from tradehaven.domain.values import Value


class Clearance(Value, frozen=True, kw_only=True):
    """What speaks against any entry of an account, None for nothing, and the figures that say so.

    `minds_orders` says that a rule asks about the order itself, beside the caps. `equity`, today's `profit`
    and the `floor` are texts in USD, for the record (RISK-10). The other fields are what it rests on.
    """

    rules: Rules
    money: Money
    under: Floor | None
    reference: Decimal
    best: Decimal
    objection: Objection | None
    minds_orders: bool
    equity: str
    profit: str
    floor: str | None

    def holds(self, rules: Rules, standing: Standing) -> bool:
        """Say whether it was worked out from these very values; what is merely equal counts as another."""
        day = standing.day
        return (
            self.money is standing.money
            and self.rules is rules
            and self.under is standing.floor
            and self.reference is day.reference
            and self.best is day.best
        )


def clearance(rules: Rules, standing: Standing) -> Clearance:
    """Return what rules say of a standing in its own limit day."""
    money, floor, day = standing.money, standing.floor, standing.day
    equity = money.equity
    return Clearance(
        rules=rules,
        money=money,
        under=floor,
        reference=day.reference,
        best=day.best,
        objection=limited.objection(rules, standing),
        minds_orders=rules.minds_orders,
        equity=str(equity),
        profit=str(equity - day.reference),
        floor=None if floor is None else str(floor.floor),
    )
