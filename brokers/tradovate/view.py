"""One login's entities, joined into events: the broker sends the parts of an order one by one.

An order's status, its parameters, our id for it and its fills are four entities that come in any order
(protocol 7.3, 8.3). The view holds each back until it can be told as a whole: `OrderWorking` always
comes before the fills of its order, and `OrderEnded` after a full count of them.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from brokers.tradovate import entities as e
from brokers.tradovate.desk import RiskDesk
from brokers.tradovate.mapping import AccountName, money, nanos, side_of, spec_of, status_of, ticks_of
from brokers.tradovate.newest import Newest
from brokers.tradovate.track import Track, is_worth_telling
from tradehaven.domain.commands import Rejected
from tradehaven.domain.errors import InvalidInput, ProtocolError
from tradehaven.domain.events import (
    AccountSnapshot,
    BalanceReported,
    BrokerEvent,
    LimitsReported,
    OrderFilled,
    OrderState,
    PositionReported,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, Nanos, OrderId, Symbol
from tradehaven.domain.transitions import may_follow

log = logging.getLogger(__name__)

ViewEvent = BrokerEvent | Rejected
_REFUSED = frozenset({"RiskRejected", "ExecutionRejected", "ExecutionStopped"})
_IN_FORCE = frozenset({"RiskPassed", "AtExecution", "Replaced"})

_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    "account": msgspec.json.Decoder(e.Account),
    "contract": msgspec.json.Decoder(e.Contract),
    "order": msgspec.json.Decoder(e.Order),
    "orderVersion": msgspec.json.Decoder(e.OrderVersion),
    "command": msgspec.json.Decoder(e.Command),
    "commandReport": msgspec.json.Decoder(e.CommandReport),
    "executionReport": msgspec.json.Decoder(e.ExecutionReport),
    "fill": msgspec.json.Decoder(e.Fill),
    "position": msgspec.json.Decoder(e.Position),
    "cashBalance": msgspec.json.Decoder(e.CashBalance),
    "accountRiskStatus": msgspec.json.Decoder(e.AccountRiskStatus),
    "userAccountAutoLiq": msgspec.json.Decoder(e.AutoLiq),
    "permissionedAccountAutoLiq": msgspec.json.Decoder(e.AutoLiq),
}
_BRACKET = ord("[")
_props = msgspec.json.Decoder(e.Props)
_many = msgspec.json.Decoder(list[msgspec.Raw])


class View:
    """The entities of one login. `accounts` maps the broker's account numbers to our own ids.

    `symbols` maps contract numbers to symbols; logins of one environment may share it.
    """

    def __init__(self, accounts: Mapping[int, AccountId], symbols: dict[int, Symbol] | None = None) -> None:
        self.accounts = accounts
        self.names: dict[AccountId, AccountName] = {}
        self.unknown_contracts: set[int] = set()
        self.symbols = symbols if symbols is not None else {}
        self._tracks: dict[int, Track] = {}
        self._order_of_command: dict[int, int] = {}
        self._waiting_positions: dict[int, list[e.Position]] = {}
        self._newest = Newest()
        self._desk = RiskDesk()
        self._folds: dict[str, Callable[[Any, Nanos], Iterator[ViewEvent]]] = {
            "account": self._account,
            "contract": self._contract,
            "order": self._order,
            "orderVersion": self._version,
            "command": self._command,
            "commandReport": self._command_report,
            "executionReport": self._execution_report,
            "fill": self._fill,
            "position": self._position,
            "cashBalance": self._cash,
            "accountRiskStatus": partial(self._limits, self._desk.status),
            "userAccountAutoLiq": partial(self._limits, self._desk.own),
            "permissionedAccountAutoLiq": partial(self._limits, self._desk.firm),
        }

    def props(self, payload: bytes | msgspec.Raw, at: Nanos) -> list[ViewEvent]:
        """Return what one `props` event amounts to; kinds that we do not use amount to nothing."""
        try:
            change = _props.decode(payload)
            if change.entityType not in _decoders or change.eventType == "Deleted":
                return []
            is_list = memoryview(change.entity)[0] == _BRACKET
            images = _many.decode(change.entity) if is_list else [change.entity]
            decoder = _decoders[change.entityType]
            entities = [decoder.decode(image) for image in images]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ProtocolError(f"an entity that is not readable: {error}") from error
        fresh = (entity for entity in entities if not self._newest.is_past(entity))
        return [event for entity in fresh for event in self.fold(change.entityType, entity, at)]

    def fold(self, kind: str, entity: e.Entity, at: Nanos) -> list[ViewEvent]:
        """Return what one entity amounts to, together with what was waiting for it."""
        return list(self._folds[kind](entity, at))

    def forget_orders(self) -> None:
        """Forget every order, as if none had been shown."""
        self._tracks.clear()
        self._order_of_command.clear()

    def contract_of(self, symbol: Symbol) -> int | None:
        """Return the broker's number of a contract, or None for one that it has never shown."""
        return next((number for number, found in self.symbols.items() if found == symbol), None)

    def symbol_of(self, contract: int | None) -> Symbol | None:
        """Return a contract's symbol, or None and remember that it has to be asked for."""
        if contract is None:
            return None
        symbol = self.symbols.get(contract)
        if symbol is None:
            self.unknown_contracts.add(contract)
        return symbol

    def client_ids(self) -> frozenset[ClientOrderId]:
        """Return the client order ids of every order that the broker has shown."""
        return frozenset(
            track.client_id for track in self._tracks.values() if track.client_id and track.order is not None
        )

    def untold(
        self, orders: Iterable[e.Order], fills: Iterable[e.Fill], since: Nanos, until: Nanos
    ) -> Iterator[tuple[OrderId, ClientOrderId | None]]:
        """Yield the orders of listed news between two moments (UTC) that the socket never brought."""
        for order in orders:
            if order.accountId in self.accounts and since < nanos(order.timestamp) < until:
                track = self._tracks.get(order.id)
                if is_worth_telling(order) and (track is None or not track.is_told):
                    yield OrderId(order.id), track.client_id if track is not None else None
        for fill in fills:
            track = self._tracks.get(fill.orderId)
            if track is not None and track.is_told and since < nanos(fill.timestamp) < until:
                if fill.id not in track.fills:
                    yield track.order_id, track.client_id

    # -- a whole session at once --------------------------------------------------------------------

    def load(self, snapshot: e.Snapshot, at: Nanos) -> tuple[AccountSnapshot, ...]:
        """Take a whole session in and return it by account; nothing in it is news to anybody."""
        self.forget_orders()
        self._desk.state(snapshot)
        lists: tuple[tuple[str, list[Any]], ...] = (
            ("account", snapshot.accounts),
            ("contract", snapshot.contracts),
            ("command", snapshot.commands),
            ("orderVersion", snapshot.orderVersions),
            ("commandReport", snapshot.commandReports),
            ("executionReport", snapshot.executionReports),
            ("order", snapshot.orders),
            ("fill", snapshot.fills),
        )
        for kind, found in lists:
            for entity in sorted(found, key=lambda item: int(item.id)):
                self._fold_stated(kind, entity, at)
        self._newest.begin(snapshot)
        balances = [event for cash in snapshot.cashBalances for event in self._cash(cash, at)]
        positions = [event for position in snapshot.positions for event in self._position(position, at)]
        return tuple(
            self._account_snapshot(number, account, positions, balances, at)
            for number, account in self.accounts.items()
        )

    def _fold_stated(self, kind: str, entity: e.Entity, at: Nanos) -> None:
        # One order in a product that we do not know must not keep a whole login out.
        try:
            self.fold(kind, entity, at)
        except (ProtocolError, InvalidInput):
            log.warning("%s %s is left out of the snapshot", kind, entity.id, exc_info=True)

    def _account_snapshot(
        self,
        number: int,
        account: AccountId,
        positions: list[PositionReported],
        balances: list[BalanceReported],
        at: Nanos,
    ) -> AccountSnapshot:
        mine = [track for track in self._tracks.values() if track.account == account]
        return AccountSnapshot(
            account=account,
            orders=tuple(state for track in mine if (state := self._state(track)) is not None),
            fills=tuple(fill for track in mine for fill in track.fills.values()),
            positions=tuple(position for position in positions if position.account == account),
            balance=next((balance for balance in balances if balance.account == account), None),
            limits=self._desk.limits(account, number, at) if self._desk.knows(number) else None,
        )

    def _state(self, track: Track) -> OrderState | None:
        version = track.version
        if track.order is None or version is None or track.symbol is None:
            return None
        try:
            spec = spec_of(track.symbol, version)
        except (ProtocolError, InvalidInput):
            return None  # said when it was folded
        return OrderState(
            order_id=track.order_id,
            client_order_id=track.client_id,
            symbol=track.symbol,
            side=side_of(track.order.action),
            spec=spec,
            status=status_of(track.order.ordStatus),
            created_at=nanos(track.order.timestamp),
            oco=track.oco,
        )

    # -- one entity at a time -----------------------------------------------------------------------

    def _account(self, account: e.Account, _at: Nanos) -> Iterator[ViewEvent]:
        mine = self.accounts.get(account.id)
        if mine is not None:
            self.names[mine] = AccountName(number=account.id, name=account.name)
        yield from ()

    def _contract(self, contract: e.Contract, at: Nanos) -> Iterator[ViewEvent]:
        symbol = Symbol(contract.name)
        self.symbols[contract.id] = symbol
        self.unknown_contracts.discard(contract.id)
        for position in self._waiting_positions.pop(contract.id, []):
            yield from self._position(position, at)
        for track in list(self._tracks.values()):
            if track.order is not None and track.order.contractId == contract.id:
                track.symbol = symbol
                self._release_fills(track, at)
                yield from track.told(at)

    def _track(self, order_id: int) -> Track:
        track = self._tracks.get(order_id)
        if track is None:
            track = self._tracks[order_id] = Track(OrderId(order_id))
        return track

    def _order(self, order: e.Order, at: Nanos) -> Iterator[ViewEvent]:
        account = self.accounts.get(order.accountId)
        if account is None:
            return  # an account of this login that its owner did not bring in
        track = self._track(order.id)
        if track.order is not None and not may_follow(
            status_of(track.order.ordStatus), status_of(order.ordStatus)
        ):
            return  # lists lag behind the socket: an older image never undoes a newer one
        track.account, track.order = account, order
        track.symbol = self.symbol_of(order.contractId)
        self._release_fills(track, at)
        yield from track.told(at)

    def _version(self, version: e.OrderVersion, at: Nanos) -> Iterator[ViewEvent]:
        track = self._track(version.orderId)
        track.versions[version.id] = version
        yield from track.told(at)

    def _command(self, command: e.Command, at: Nanos) -> Iterator[ViewEvent]:
        track = self._track(command.orderId)
        self._order_of_command[command.id] = command.orderId
        client_id = ClientOrderId(command.clOrdId) if command.clOrdId else None
        track.commands[command.id] = client_id
        if command.commandType == "New":
            track.client_id = client_id
        if command.commandType == "Modify":
            track.changes.setdefault(command.id, None)
        yield from self._command_stands(track, command.id, command.commandStatus, at)

    def _command_report(self, report: e.CommandReport, at: Nanos) -> Iterator[ViewEvent]:
        order_id = self._order_of_command.get(report.commandId, report.commandId)
        track = self._track(order_id)
        if report.commandStatus in _REFUSED:
            code = report.rejectReason or report.commandStatus
            if report.commandId == order_id:
                track.reason = f"{code}: {report.text}" if report.text else code
            else:
                yield from self._turned_down(track, report.commandId, code, report.text or "", at)
        yield from self._command_stands(track, report.commandId, report.commandStatus, at)

    def _command_stands(self, track: Track, command: int, status: str, at: Nanos) -> Iterator[ViewEvent]:
        if command in track.changes and track.changes[command] is None:
            if status in _IN_FORCE:
                track.changes[command] = True
            elif status in _REFUSED:
                track.changes[command] = False
        yield from track.told(at)

    def _turned_down(
        self, track: Track, command: int, code: str, text: str, at: Nanos
    ) -> Iterator[ViewEvent]:
        client_id = track.commands.get(command)
        if client_id is not None and track.account is not None:
            yield Rejected(account=track.account, client_order_id=client_id, code=code, text=text, at=at)

    def _execution_report(self, report: e.ExecutionReport, at: Nanos) -> Iterator[ViewEvent]:
        track = self._track(report.orderId)
        if report.execType == "Replaced" and report.commandId in track.changes:
            track.changes[report.commandId] = True
        elif report.execType == "Rejected" and report.commandId == report.orderId:
            track.reason = ": ".join(part for part in (report.rejectReason, report.text) if part)
        yield from track.told(at)

    def _fill(self, fill: e.Fill, at: Nanos) -> Iterator[ViewEvent]:
        track = self._track(fill.orderId)
        if track.account is None or self.symbol_of(fill.contractId) is None:
            track.waiting_fills.append(fill)  # a fill does not say whose it is: its order will
            return
        self._keep_fill(track, fill, at)
        yield from track.told(at)

    def _release_fills(self, track: Track, at: Nanos) -> None:
        waiting, track.waiting_fills = track.waiting_fills, []
        for fill in waiting:
            if self.symbol_of(fill.contractId) is None:
                track.waiting_fills.append(fill)
            else:
                self._keep_fill(track, fill, at)

    def _keep_fill(self, track: Track, fill: e.Fill, at: Nanos) -> None:
        symbol = self.symbol_of(fill.contractId)
        if symbol is None or track.account is None or not fill.active:
            return
        track.fills.setdefault(
            fill.id,
            OrderFilled(
                account=track.account,
                order_id=track.order_id,
                fill_id=FillId(fill.id),
                symbol=symbol,
                side=side_of(fill.action),
                qty=fill.qty,
                price=ticks_of(symbol, fill.price),
                at=at,
                traded_at=nanos(fill.timestamp),
            ),
        )

    def positions_listed(self, listed: Iterable[e.Entity], at: Nanos) -> tuple[PositionReported, ...]:
        """Return a list of positions as values; what a contract's name is missing for is left out."""
        found = (position for position in listed if isinstance(position, e.Position))
        known = (position for position in found if self.symbol_of(position.contractId) is not None)
        return tuple(event for position in known for event in self._position(position, at))

    def _position(self, position: e.Position, at: Nanos) -> Iterator[PositionReported]:
        account = self.accounts.get(position.accountId)
        if account is None:
            return
        symbol = self.symbol_of(position.contractId)
        if symbol is None:
            self._waiting_positions.setdefault(position.contractId, []).append(position)
            return
        price = position.netPrice if position.netPrice is not None else position.prevPrice
        yield PositionReported(
            account=account,
            symbol=symbol,
            net=position.netPos,
            price=money(price) if price is not None and position.netPos else None,
            at=at,
        )

    def _cash(self, cash: e.CashBalance, at: Nanos) -> Iterator[BalanceReported]:
        account = self.accounts.get(cash.accountId)
        if account is not None:
            yield BalanceReported(
                account=account, cash=money(cash.amount), realized=money(cash.realizedPnL), at=at
            )

    def _limits(self, kept: dict[int, Any], entity: e.Entity, at: Nanos) -> Iterator[LimitsReported]:
        account = self.accounts.get(entity.id)
        if account is not None and kept.get(entity.id) != entity:
            kept[entity.id] = entity
            yield self._desk.limits(account, entity.id, at)
