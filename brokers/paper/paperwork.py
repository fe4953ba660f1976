"""The writing of orders, commands, versions and reports; no decision is taken here."""

from dataclasses import replace

from brokers.paper.entities import Command, CommandReport, ExecutionReport, Order, OrderVersion
from brokers.paper.records import Journal
from brokers.paper.state import State
from brokers.paper.terms import Sender, Terms
from brokers.paper.words import (
    Action,
    CommandStatus,
    CommandType,
    ExecType,
    OrdStatus,
    RejectReason,
)

Refusal = tuple[RejectReason, str]


class Desk:
    """Writes into one journal for one state."""

    def __init__(self, state: State, journal: Journal) -> None:
        self.state = state
        self.journal = journal

    def order(self, account_id: int, contract_id: int, action: Action, terms: Terms, sender: Sender) -> Order:
        """Write a new order with its first command and its first parameters."""
        order = Order(
            id=self.state.ids.take(),
            account_id=account_id,
            contract_id=contract_id,
            timestamp=self.journal.now,
            action=action,
            ord_status=OrdStatus.PENDING_NEW,
        )
        self.journal.write(order, account_id)
        self.command(order, CommandType.NEW, sender)
        self.version(order.id, order, terms)
        return order

    def command(self, order: Order, command_type: CommandType, sender: Sender) -> Command:
        """Write a pending command; the first one of an order has the order's id."""
        command = Command(
            id=order.id if command_type is CommandType.NEW else self.state.ids.take(),
            order_id=order.id,
            timestamp=self.journal.now,
            cl_ord_id=sender.cl_ord_id,
            activation_time=sender.activates,
            command_type=command_type,
            command_status=CommandStatus.PENDING,
            sender_id=sender.user_id,
            user_session_id=sender.session_id,
            custom_tag50=sender.tag50,
            is_automated=sender.automated,
        )
        self.journal.write(command, order.account_id)
        return command

    def version(self, version_id: int, order: Order, terms: Terms) -> OrderVersion:
        """Write parameters under the id of the command that brought them."""
        version = OrderVersion(
            id=version_id,
            order_id=order.id,
            order_qty=terms.qty,
            order_type=terms.order_type,
            price=self.state.price(order.contract_id, terms.limit),
            stop_price=self.state.price(order.contract_id, terms.stop),
            max_show=terms.max_show,
            peg_difference=self.state.price(order.contract_id, terms.trail),
            time_in_force=terms.time_in_force,
            expire_time=terms.expires,
            text=terms.text,
            limit_if_touched_price=self.state.price(order.contract_id, terms.touch),
        )
        self.journal.write(version, order.account_id)
        return version

    def accept(self, command: Command, order: Order) -> None:
        """Report that risk has passed a command."""
        status = CommandStatus.RISK_PASSED
        report = CommandReport(
            id=self.state.ids.take(),
            command_id=command.id,
            timestamp=self.journal.now,
            command_status=status,
        )
        self.journal.write(report, order.account_id)
        self.journal.write(replace(command, command_status=status), order.account_id)
        self.journal.cut()

    def refuse(
        self,
        command: Command,
        order: Order,
        status: CommandStatus,
        refusal: Refusal,
        ord_status: OrdStatus | None = None,
    ) -> None:
        """Report why a command had no effect."""
        reason, text = refusal
        report = CommandReport(
            id=self.state.ids.take(),
            command_id=command.id,
            timestamp=self.journal.now,
            command_status=status,
            reject_reason=reason,
            text=text,
            ord_status=ord_status or order.ord_status,
        )
        self.journal.write(report, order.account_id)
        self.journal.write(replace(command, command_status=status), order.account_id)
        self.journal.cut()

    def refuse_late(self, command: Command, order: Order) -> None:
        """Report that a command reached an order that is final already."""
        refusal = RejectReason.TOO_LATE, "Too late"
        self.refuse(command, order, CommandStatus.EXECUTION_REJECTED, refusal)

    def reject(self, order: Order, refusal: Refusal) -> None:
        """Report that risk refused a new order, and reject it."""
        command = self.state.records.need(Command, order.id)
        self.refuse(command, order, CommandStatus.RISK_REJECTED, refusal, OrdStatus.REJECTED)
        self.journal.write(replace(order, ord_status=OrdStatus.REJECTED), order.account_id)
        self.journal.cut()

    def at_execution(self, command_id: int) -> None:
        """Write that a command has been carried out."""
        command = self.state.records.need(Command, command_id)
        account_id = self.state.records.need(Order, command.order_id).account_id
        self.journal.write(replace(command, command_status=CommandStatus.AT_EXECUTION), account_id)

    def report(
        self,
        order: Order,
        exec_type: ExecType,
        *,
        command_id: int,
        report_id: int = 0,
        text: str | None = None,
    ) -> None:
        """Write an execution report that is no trade; the order must have the status it leads to."""
        number = report_id or self.state.ids.take()
        report = ExecutionReport(
            id=number,
            command_id=command_id,
            name=f"0.{number:018d}",
            account_id=order.account_id,
            contract_id=order.contract_id,
            timestamp=self.journal.now,
            trade_date=self.state.session,
            order_id=order.id,
            exec_type=exec_type,
            ord_status=order.ord_status,
            action=order.action,
            text=text,
            external_cl_ord_id=f"1.{number:018d}",
        )
        self.journal.write(report, order.account_id)
