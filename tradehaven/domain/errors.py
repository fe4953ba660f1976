"""The exception tree. An error carries what its catcher must decide; nobody parses its text.

TradeHavenError
├── InvalidInput(field)             bad input from a person or a stranger's program
│   ├── InvalidOrder
│   ├── UnknownInstrument
│   └── OffTick
├── CurrencyMismatch                a mistake of ours: dollars met euros
└── BrokerError(retryable)
    ├── Unavailable                 no connection, a time-out, a 5xx
    ├── RateLimited(retry_after)    429, 423 or a penalty ticket; seconds
    ├── CredentialsRejected         401: the token is not accepted any more
    ├── RequestRejected(code)       the broker understood and said no
    └── ProtocolError               the broker's answer makes no sense
"""


class TradeHavenError(Exception):
    """Base of everything that the project raises on purpose."""


class InvalidInput(TradeHavenError):
    """Input that names its field and how to mend it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class InvalidOrder(InvalidInput):
    """An order that cannot exist."""


class UnknownInstrument(InvalidInput):
    """A symbol or contract code that names nothing we know."""

    def __init__(self, message: str) -> None:
        super().__init__("symbol", message)


class OffTick(InvalidInput):
    """A price between two ticks."""

    def __init__(self, message: str) -> None:
        super().__init__("price", message)


class CurrencyMismatch(TradeHavenError):
    """Amounts of two currencies met in one sum."""


class BrokerError(TradeHavenError):
    """Anything that went wrong between us and the broker."""

    retryable = False


class Unavailable(BrokerError):
    """The broker could not be reached or did not answer; for a command the outcome is unknown."""

    retryable = True


class RateLimited(BrokerError):
    """The broker asked for silence for `retry_after` seconds; the request was not carried out."""

    retryable = True

    def __init__(self, message: str, *, retry_after: float, ticket: str = "", captcha: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.ticket = ticket
        self.captcha = captcha


class CredentialsRejected(BrokerError):
    """The token or the log-in is not accepted; a person or a refresh must act."""


class RequestRejected(BrokerError):
    """The broker refused; `code` is its own word for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.text = message


class ProtocolError(BrokerError):
    """A frame or answer that does not follow the protocol."""
