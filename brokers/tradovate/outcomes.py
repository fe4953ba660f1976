"""What an answer to a command means for it: carried out, refused, or unknown."""

import msgspec

from brokers.tradovate import answers
from brokers.tradovate.entities import Placed
from tradehaven.domain.commands import Command, Confirmed, Outcome, PlaceOrder, Rejected, Unresolved
from tradehaven.domain.errors import BrokerError, CredentialsRejected, RateLimited, RequestRejected
from tradehaven.domain.ids import Nanos, OrderId

_placed = msgspec.json.Decoder(Placed)


def unresolved(command: Command, text: str, at: Nanos) -> Unresolved:
    """Return that nobody knows what became of a command."""
    return Unresolved(account=command.account, client_order_id=command.client_order_id, text=text, at=at)


def outcome_of(command: Command, status: int, body: bytes, at: Nanos) -> Outcome | RateLimited:
    """Return what an answer to a command means. Only a clear no is a no (I12)."""
    try:
        placed = _placed.decode(answers.check(status, body))
    except RequestRejected as error:
        if error.code in answers.UNCERTAIN_CODES and "late" not in error.text.lower():
            return unresolved(command, str(error), at)
        return _rejected(command, error.code, error.text, at)
    except RateLimited as error:
        return error
    except CredentialsRejected as error:
        return _rejected(command, "Unauthorized", str(error), at)
    except (BrokerError, msgspec.MsgspecError) as error:
        return unresolved(command, str(error), at)
    if isinstance(command, PlaceOrder) and placed.orderId is None:
        return unresolved(command, "the answer names no order", at)
    order_id = OrderId(placed.orderId) if isinstance(command, PlaceOrder) and placed.orderId else None
    return Confirmed(
        account=command.account, client_order_id=command.client_order_id, order_id=order_id, at=at
    )


def _rejected(command: Command, code: str, text: str, at: Nanos) -> Rejected:
    return Rejected(
        account=command.account, client_order_id=command.client_order_id, code=code, text=text, at=at
    )
