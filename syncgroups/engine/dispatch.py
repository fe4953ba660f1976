"""Commands to gateways, all in one pass. A gateway that cannot take one answers at once; nobody waits."""

import logging
from collections.abc import Callable, Iterable, Mapping

from brokers.ports import Fence, Gateway
from syncgroups.core.decision import Step
from tradehaven.domain.commands import ChangeOrder, Command, Denied, PlaceOrder
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.errors import InvalidOrder, TradeHavenError
from tradehaven.domain.ids import AccountId, ClientOrderId, ConnectionId, Nanos
from tradehaven.domain.orders import OrderSpec, check_spec

log = logging.getLogger(__name__)

_WITH_SPEC = PlaceOrder, ChangeOrder
LOST = "this engine was cut off for too long, and another one may lead by now: look at the account"


class Dispatch:
    """Finds the gateway of each command's account and writes the command there."""

    def __init__(
        self, gateways: Mapping[ConnectionId, Gateway], now: Callable[[], Nanos], fence: Fence
    ) -> None:
        self._gateways = gateways
        self._fence = fence
        self._now = now
        self._checked: OrderSpec | None = None
        self.connections: dict[AccountId, ConnectionId] = {}

    def send(self, steps: Iterable[Step]) -> tuple[dict[ClientOrderId, Nanos], list[Denied]]:
        """Write the commands of these steps; return when each one left, and those that could not."""
        written: dict[ClientOrderId, Nanos] = {}
        denied: list[Denied] = []
        for step in steps:
            command = step.command
            if command is None:
                continue
            refused = self._send_one(command)
            if refused is None:
                written[command.client_order_id] = self._now()
            else:
                denied.append(refused)
        return written, denied

    def could_send(self, command: Command) -> bool:
        """Say whether a command would find its gateway ready, its budget with room and its lease in force."""
        connection = self.connections.get(command.account)
        gateway = self._gateways.get(connection) if connection is not None else None
        return gateway is not None and self._fence() and gateway.could_send(command)

    def _send_one(self, command: Command) -> Denied | None:
        connection = self.connections.get(command.account)
        gateway = self._gateways.get(connection) if connection is not None else None
        if gateway is None:
            return self.deny(command, RefusalReason.FOLLOWER_OFFLINE, "no connection to the broker")
        try:
            # The last look: what no exchange could mean never leaves. Followers of one order share a spec.
            if isinstance(command, _WITH_SPEC) and command.spec is not self._checked:
                self._checked = check_spec(command.spec)
            if not self._fence():  # after all else, so that as little as possible lies between look and write
                return self.deny(command, RefusalReason.LEASE_LOST, LOST)
            return gateway.send(command)
        except InvalidOrder as error:
            return self.deny(command, RefusalReason.INVALID_ORDER, error.message)
        except TradeHavenError as error:  # a contract that cannot be priced, say: the others still go out
            log.exception("account %s: a command could not be made into a request", command.account)
            return self.deny(command, RefusalReason.UNKNOWN_INSTRUMENT, str(error))

    def deny(self, command: Command, reason: RefusalReason, text: str) -> Denied:
        """Return the outcome of a command that was not sent."""
        return Denied(
            account=command.account,
            client_order_id=command.client_order_id,
            reason=reason,
            text=text,
            at=self._now(),
        )
