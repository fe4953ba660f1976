"""How bad one login's line is just now, and what the history calls what it loses."""

from dataclasses import dataclass, field
from decimal import Decimal

from tradehaven.domain.ids import AccountId, ClientOrderId


@dataclass
class Weather:
    """How bad one login's line is just now. Chances are 0 to 1, times are seconds."""

    quick: float = 0.005
    late: float = 0.03
    mixes: bool = False
    doubles: float = 0.0
    echoes: float = 0.0
    loses_answers: float = 0.0
    loses_requests: float = 0.0
    late_answers: float = 0.0
    slow: float = 0.0
    list_lag: float = 0.0
    partial: float = 0.0
    misses: float = 0.0
    tickets: float = 0.0
    silence: float = 0.0
    refuses: dict[AccountId, str] = field(default_factory=dict)
    balances: dict[AccountId, Decimal] = field(default_factory=dict)

    def relent(self, account: AccountId) -> None:
        """Take an account's new orders again."""
        self.refuses.pop(account, None)

    def clear(self) -> None:
        """Let all trouble end."""
        fair = Weather(balances=self.balances)
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(fair, name))


def lost_news(account: AccountId) -> str:
    """Return how the history says that news of an account never came up."""
    return f"news of {account} lost"


def repeated(name: ClientOrderId) -> str:
    """Return how the history says that a penalised request was sent once more."""
    return f"repeated with its ticket: {name}"


def lost_request(name: ClientOrderId) -> str:
    """Return how the history says that a request never arrived."""
    return f"lost on its way: {name}"
