"""A second look at the broker's lists, for orders whose answer never came.

Lists may lag behind the socket (protocol 7.3), so they only add: nothing is forgotten because of them. But
what a person did and the socket never brought is no news by now and must not be copied as such: then the
socket has lost something, and the session is begun anew (fault F11).
"""

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from brokers.ports import Sink
from brokers.tradovate import answers
from brokers.tradovate import entities as e
from brokers.tradovate.view import View
from tradehaven.domain.errors import BrokerError
from tradehaven.domain.events import PositionReported
from tradehaven.domain.ids import ClientOrderId, Nanos, OrderId

log = logging.getLogger(__name__)


POSITIONS = "position"
ON_ITS_WAY = 2_000_000_000
"""Nanoseconds for which news may be in a list and still on its way through the socket."""
Done = Callable[[Nanos, tuple[PositionReported, ...]], None]
Gap = Callable[[OrderId], None]


class ListLook:
    """Collects the lists; `done` is called once, and only when every one of them came whole.

    `gap` is called in its place where the socket has lost what others did since `since` (UTC); orders of
    which we are in `doubt` are what the look is for.
    """

    ENDPOINTS: Mapping[str, tuple[str, msgspec.json.Decoder[Any]]] = {
        "command/list": ("command", msgspec.json.Decoder(list[e.Command])),
        "orderVersion/list": ("orderVersion", msgspec.json.Decoder(list[e.OrderVersion])),
        "order/list": ("order", msgspec.json.Decoder(list[e.Order])),
        "fill/list": ("fill", msgspec.json.Decoder(list[e.Fill])),
        "position/list": (POSITIONS, msgspec.json.Decoder(list[e.Position])),
    }

    def __init__(
        self, view: View, sink: Sink, done: Done, gap: Gap, since: Nanos, doubt: Collection[ClientOrderId]
    ) -> None:
        self._view = view
        self._gap = gap
        self._since = since
        self._doubt = doubt
        self._sink = sink
        self._done = done
        self._found: dict[str, list[e.Entity]] = {}

    def taker(self, endpoint: str) -> Callable[[int, bytes, Nanos], None]:
        """Return what takes the answer of one list."""
        kind, decoder = self.ENDPOINTS[endpoint]

        def take(status: int, body: bytes, at: Nanos) -> None:
            try:
                self._found[kind] = decoder.decode(answers.check(status, body))
            except (BrokerError, msgspec.MsgspecError):
                log.exception("%s could not be read; the look is given up", endpoint)
                return
            if len(self._found) == len(self.ENDPOINTS):
                self._tell(at)

        return take

    def _tell(self, at: Nanos) -> None:
        lost = self._lost(at)
        if lost is not None:
            self._gap(lost)
            return
        for kind in [kind for kind, _ in self.ENDPOINTS.values() if kind != POSITIONS]:
            for entity in self._found[kind]:
                for event in self._view.fold(kind, entity, at):
                    self._sink(event)
        # A list of positions may be older than the socket's word, so it is handed on and never folded.
        positions = self._view.positions_listed(self._found[POSITIONS], at)
        self._done(at, positions)

    def _lost(self, at: Nanos) -> OrderId | None:
        """Return an order by another hand of which something came and was never told."""
        orders = [order for order in self._found["order"] if isinstance(order, e.Order)]
        fills = [fill for fill in self._found["fill"] if isinstance(fill, e.Fill)]
        ours = {
            command.orderId: ClientOrderId(command.clOrdId)
            for command in self._found["command"]
            if isinstance(command, e.Command) and command.commandType == "New" and command.clOrdId
        }
        for order, known in self._view.untold(orders, fills, self._since, Nanos(at - ON_ITS_WAY)):
            name = known or ours.get(order)
            if name is None or name not in self._doubt:
                return order
        return None
