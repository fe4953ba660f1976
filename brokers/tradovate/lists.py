"""A second look at the broker's lists, for orders whose answer never came.

Lists may lag behind the socket (protocol 7.3), so they only add: nothing is forgotten because of them.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from brokers.ports import Sink
from brokers.tradovate import answers
from brokers.tradovate import entities as e
from brokers.tradovate.view import View
from tradehaven.domain.errors import BrokerError
from tradehaven.domain.events import PositionReported
from tradehaven.domain.ids import Nanos

log = logging.getLogger(__name__)


POSITIONS = "position"
Done = Callable[[Nanos, tuple[PositionReported, ...]], None]


class ListLook:
    """Collects the lists; `done` is called once, and only when every one of them came whole."""

    ENDPOINTS: Mapping[str, tuple[str, msgspec.json.Decoder[Any]]] = {
        "command/list": ("command", msgspec.json.Decoder(list[e.Command])),
        "orderVersion/list": ("orderVersion", msgspec.json.Decoder(list[e.OrderVersion])),
        "order/list": ("order", msgspec.json.Decoder(list[e.Order])),
        "fill/list": ("fill", msgspec.json.Decoder(list[e.Fill])),
        "position/list": (POSITIONS, msgspec.json.Decoder(list[e.Position])),
    }

    def __init__(self, view: View, sink: Sink, done: Done) -> None:
        self._view = view
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
        for kind in [kind for kind, _ in self.ENDPOINTS.values() if kind != POSITIONS]:
            for entity in self._found[kind]:
                for event in self._view.fold(kind, entity, at):
                    self._sink(event)
        # A list of positions may be older than the socket's word, so it is handed on and never folded.
        positions = self._view.positions_listed(self._found[POSITIONS], at)
        self._done(at, positions)
