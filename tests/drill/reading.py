"""A history sorted by what the laws ask about. It draws no conclusions; those are the laws' business."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from syncgroups.core.decision import CopyRefused, Remark, RemarkKind
from syncgroups.core.keys import CopyKey, client_order_id, parse_key
from syncgroups.core.plan import FollowerPlan, GroupPlan, OwnerPlan
from syncgroups.engine.records import DecisionRecord, EventRecord, StepRecord, event_of
from tests.drill.history import (
    Accepted,
    Amended,
    Began,
    Busted,
    Died,
    Finished,
    History,
    Image,
    Journalled,
    Planned,
    Sent,
    Told,
    Traded,
    Trouble,
)
from tests.drill.people import ES, MES
from tests.drill.script import Drop, Overfill
from tests.drill.weather import lost_news, lost_request
from tradehaven.domain.commands import Denied, PlaceOrder
from tradehaven.domain.enums import RefusalReason, SyncMode
from tradehaven.domain.events import Event, OrderEnded, OrderFilled, OrderWorking, SnapshotTaken
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, GroupId, Nanos, OrderId, Symbol
from tradehaven.domain.transitions import is_final


@dataclass
class Order:
    """An order through its whole life; places are indices into the history."""

    first: Image
    place: int
    last: Image
    filled: int = 0
    ended: int | None = None

    @property
    def left(self) -> int:
        """Return the contracts that may still trade at the end of the history."""
        return 0 if is_final(self.last.status) else self.last.spec.qty - self.filled


@dataclass
class Reading:
    """The indices. `followed` are (group, follower) pairs with the leader of the group.

    `kept` are the places of the records that a disk still has at the end, `forgotten` of those it lost.
    """

    history: History
    orders: dict[OrderId, Order] = field(default_factory=dict)
    trades: list[tuple[int, Traded]] = field(default_factory=list)
    sent: list[tuple[int, Sent]] = field(default_factory=list)
    told: list[tuple[int, Told]] = field(default_factory=list)
    plans: list[tuple[int, OwnerPlan]] = field(default_factory=list)
    deaths: list[tuple[int, Died]] = field(default_factory=list)
    births: list[tuple[int, Began]] = field(default_factory=list)
    troubles: list[tuple[int, Trouble]] = field(default_factory=list)
    steps: dict[ClientOrderId, tuple[int, StepRecord]] = field(default_factory=dict)
    copies: defaultdict[ClientOrderId, list[tuple[int, StepRecord]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    refusals: list[CopyRefused] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    forgotten: set[int] = field(default_factory=set)
    starved: list[tuple[int, ClientOrderId]] = field(default_factory=list)
    limited: Counter[ClientOrderId] = field(default_factory=Counter)
    events: list[Event] = field(default_factory=list)
    working: dict[tuple[AccountId, OrderId], tuple[int, Nanos]] = field(default_factory=dict)
    ends_told: dict[tuple[AccountId, OrderId], int] = field(default_factory=dict)
    fills_told: dict[tuple[AccountId, FillId], tuple[int, Nanos]] = field(default_factory=dict)
    busted: list[tuple[int, Busted]] = field(default_factory=list)
    net: defaultdict[tuple[AccountId, Symbol], int] = field(default_factory=lambda: defaultdict(int))

    @classmethod
    def of(cls, history: History) -> "Reading":
        """Read a history."""
        found = cls(history)
        for place, entry in enumerate(history.entries):
            match entry:
                case Accepted() | Amended() | Finished() | Traded():
                    found._truth(place, entry)
                case Sent():
                    found.sent.append((place, entry))
                case Told():
                    found._told(place, entry)
                case Planned():
                    found.plans.append((place, entry.plan))
                case Died():
                    found.deaths.append((place, entry))
                    first = len(found.kept) - entry.lost
                    found.forgotten.update(found.kept[first:])
                    del found.kept[first:]
                case Began():
                    found.births.append((place, entry))
                case Trouble():
                    found.troubles.append((place, entry))
                case Journalled():
                    found.kept.append(place)
                    found._intent(place, entry)
                case Busted():
                    found.busted.append((place, entry))
                    found.net[entry.fill.account, entry.fill.symbol] = entry.after
        found._recorded(history)
        return found

    def _truth(self, place: int, entry: Accepted | Amended | Finished | Traded) -> None:
        match entry:
            case Accepted():
                self.orders[entry.order.order_id] = Order(entry.order, place, entry.order)
            case Amended():
                self.orders[entry.order.order_id].last = entry.order
            case Finished():
                order = self.orders[entry.order.order_id]
                order.last, order.ended = entry.order, place
            case Traded():
                self.trades.append((place, entry))
                self.orders[entry.fill.order_id].filled += entry.fill.qty
                self.net[entry.fill.account, entry.fill.symbol] = entry.after

    def _told(self, place: int, told: Told) -> None:
        self.told.append((place, told))
        event = told.event
        if isinstance(event, Denied) and event.reason is RefusalReason.RATE_LIMITED:
            self.limited[event.client_order_id] += 1
        if isinstance(event, OrderWorking):
            self.working.setdefault((event.account, event.order_id), (place, told.at))
        elif isinstance(event, OrderEnded):
            self.ends_told.setdefault((event.account, event.order_id), place)
        elif isinstance(event, OrderFilled):
            self.fills_told.setdefault((event.account, event.fill_id), (place, told.at))

    def _intent(self, place: int, entry: Journalled) -> None:
        if isinstance(entry.record, DecisionRecord):
            for step in entry.record.steps:
                if step.command_id is not None:
                    self.steps.setdefault(step.command_id, (place, step))
                if step.copy is not None:
                    self.copies[step.copy.key].append((place, step))
        elif isinstance(entry.record, EventRecord) and entry.record.name == Denied.__name__:
            denied = event_of(entry.record)
            if isinstance(denied, Denied) and denied.reason is RefusalReason.RATE_LIMITED:
                self.starved.append((place, denied.client_order_id))

    def _recorded(self, history: History) -> None:
        for record in history.recorded:
            if isinstance(record, DecisionRecord):
                self.refusals += record.refusals
                self.remarks += record.remarks
            elif isinstance(record, EventRecord):
                self.events.append(event_of(record))

    def seen(self, name: ClientOrderId) -> tuple[int, Nanos] | None:
        """Return where and when the engine was first told of what an order of ours answers."""
        key = parse_key(name)
        if key is None:
            return None
        if key.fill is not None:
            return self.fills_told.get((key.leader, key.fill))
        return self.working.get((key.leader, key.leader_order))

    def is_confirmed(self, name: ClientOrderId) -> bool:
        """Say whether an order of ours belongs to a group in Confirmed mode."""
        key = parse_key(name)
        groups = (group for _, plan in self.plans for group in plan.groups)
        return any(
            group.mode is SyncMode.CONFIRMED and key is not None and group.group == key.group
            for group in groups
        )

    # -- questions ----------------------------------------------------------------------------------

    def plan_at(self, place: int) -> OwnerPlan:
        """Return the settings in force at a place of the history."""
        return next(plan for since, plan in reversed(self.plans) if since <= place)

    def plans_from(self, place: int) -> list[OwnerPlan]:
        """Return every settings that were in force from a place on."""
        return [self.plan_at(place), *(plan for since, plan in self.plans if since > place)]

    def pairs(self) -> Iterator[tuple[GroupPlan, FollowerPlan]]:
        """Yield groups and followers that belonged together all the time, under the same settings."""
        first = self.plans[0][1]
        for group in first.groups:
            for follower in group.followers:
                if all(_pair(plan, group, follower) for _, plan in self.plans):
                    yield group, follower

    def caps_of(self, account: AccountId) -> set[int | None]:
        """Return every cap that an account's rules have put on one contract; None stands for no cap."""
        known = (plan.accounts.get(account) for _, plan in self.plans)
        return {found.rules.caps.instrument for found in known if found is not None}

    def ours(self) -> Iterator[tuple[CopyKey, Order]]:
        """Yield the broker's orders that answer a leader's."""
        for order in self.orders.values():
            key = parse_key(order.first.client_id)
            if key is not None:
                yield key, order

    def copies_of(self, group: GroupId, follower: AccountId) -> Iterator[Order]:
        """Yield the broker's orders of one follower for one group."""
        for key, order in self.ours():
            if key.group == group and key.follower == follower:
                yield order

    def copied(self, group: GroupId, follower: AccountId, symbol: Symbol) -> int:
        """Return the signed contracts that a follower's copies have brought it."""
        return sum(
            order.filled * order.first.side.sign
            for order in self.copies_of(group, follower)
            if order.first.symbol == symbol
        )

    def held(self, group: GroupId, follower: AccountId, symbol: Symbol) -> int:
        """Return the contracts of a group that a follower can really still have."""
        return lesser(self.copied(group, follower, symbol), self.net[follower, symbol])

    def touched_by_others(self, account: AccountId, symbol: Symbol) -> bool:
        """Say whether anything but copies ever traded or worked in an account's contract."""
        mine = (o for o in self.orders.values() if o.first.account == account and o.first.symbol == symbol)
        return any(parse_key(order.first.client_id) is None for order in mine)

    def was_out(self, account: AccountId, symbol: Symbol, order: OrderId) -> bool:
        """Say whether an account held nothing of a contract when its order ended, or at any time since."""
        ended = self.orders[order].ended
        trades = [(p, t) for p, t in self.trades if (t.fill.account, t.fill.symbol) == (account, symbol)]
        before = [trade.after for place, trade in trades if ended is not None and place < ended]
        after = [trade.after for place, trade in trades if ended is not None and place >= ended]
        return 0 in [*(before[-1:] or [0]), *after]

    def is_overfilled(self, order: Order) -> bool:
        """Say whether the broker has traded more of an order than it was for (F26)."""
        return order.filled > order.last.spec.qty

    def was_busted(self, account: AccountId) -> bool:
        """Say whether the exchange ever took an execution of an account back."""
        return any(bust.fill.account == account for _, bust in self.busted)

    def was_generous(self, account: AccountId) -> bool:
        """Say whether the broker was ever about to trade too much of an account's orders."""
        return any(trouble.what == repr(Overfill(account=account)) for _, trouble in self.troubles)

    def order_named(self, name: ClientOrderId) -> Order | None:
        """Return the broker's order that a name, or a change of it, is about."""
        first = name.split(".c")[0]
        return next((one for one in self.orders.values() if one.first.client_id == first), None)

    def groups_of(self, account: AccountId) -> int:
        """Return how many groups ever fed an account."""
        return len(
            {
                group.group
                for _, plan in self.plans
                for group in plan.groups
                for follower in group.followers
                if follower.account == account
            }
        )

    def is_reversed(self, group: GroupId, account: AccountId) -> bool:
        """Say whether a follower ever stood against its leader."""
        return any(
            follower.reverse
            for _, plan in self.plans
            for found in plan.groups
            for follower in found.followers
            if (found.group, follower.account) == (group, account)
        )

    def found_no_room(self, name: ClientOrderId, first: int, last: int) -> bool:
        """Say whether between two places a command for an order of ours found no room in its budget."""
        return any(first <= at <= last and denied.startswith(name) for at, denied in self.starved)

    def commands_lost(self, name: ClientOrderId, first: int, last: int) -> list[Nanos]:
        """Return when between two places cancels or changes of an order of ours were lost on their way."""
        lost = lost_request(ClientOrderId(f"{name}.c"))
        between = (trouble for place, trouble in self.troubles if first <= place <= last)
        return [trouble.at for trouble in between if trouble.what.startswith(lost)]

    def is_blind(self, account: AccountId, place: int) -> bool:
        """Say whether at a place news of an account had been lost and no snapshot had come since."""
        login = self.plan_at(place).accounts[account].connection
        lost = [at for at, trouble in self.troubles if at < place and trouble.what == lost_news(account)]
        taken = [
            at
            for at, told in self.told
            if at < place and told.connection == login and isinstance(told.event, SnapshotTaken)
        ]
        return bool(lost) and max(lost) > max(taken, default=-1)

    def has_missed(self, account: AccountId) -> bool:
        """Say whether any news of an account was ever lost alone."""
        return any(trouble.what == lost_news(account) for _, trouble in self.troubles)

    def traded(self, account: AccountId) -> set[Symbol]:
        """Return every contract in which an account has ever had an order."""
        return {order.first.symbol for order in self.orders.values() if order.first.account == account}

    def symbols(self) -> set[Symbol]:
        """Return every contract that was ordered."""
        return {order.first.symbol for order in self.orders.values()}

    def drifting(self) -> set[tuple[AccountId, Symbol]]:
        """Return where a difference has been said and not taken back."""
        found: dict[object, tuple[AccountId, Symbol]] = {}
        for remark in self.remarks:
            if remark.symbol is None:
                continue
            about = (
                remark.difference.key if remark.difference is not None else (remark.account, remark.symbol)
            )
            if remark.kind is RemarkKind.DRIFT:
                found[about] = (remark.account, remark.symbol)
            elif remark.kind is RemarkKind.DRIFT_OVER:
                found.pop(about, None)
        return set(found.values())

    def stuck(self) -> set[tuple[AccountId, Symbol | None]]:
        """Return where a person was told that a command is stuck."""
        found = (remark for remark in self.remarks if remark.kind is RemarkKind.COMMAND_STUCK)
        return {(remark.account, remark.symbol) for remark in found}

    def key_of(self, group: GroupPlan, leader_order: OrderId, follower: AccountId) -> ClientOrderId:
        """Return the name of a follower's answer."""
        return client_order_id(group.group, group.leader, leader_order, follower)

    def enters(self, name: ClientOrderId, place: int) -> int | None:
        """Return how much of an order was meant to open, by the last word of the journal before a place."""
        said = [step.copy.enters for at, step in self.copies[name] if at < place and step.copy is not None]
        return said[-1] if said else None

    def only_reduces(self, name: ClientOrderId, place: int) -> bool:
        """Say whether an order was never meant to open anything, by all of the journal before a place."""
        said = [step.copy.enters for at, step in self.copies[name] if at < place and step.copy is not None]
        return bool(said) and not any(said)

    def was_forgotten(self, name: ClientOrderId) -> bool:
        """Say whether the last word of the journal on an order of ours was lost with the disk."""
        return any(at in self.forgotten for at, _ in self.copies[name][-1:])

    def placed(self) -> Iterator[tuple[int, Sent, PlaceOrder]]:
        """Yield every new order that the engine wrote."""
        for place, sent in self.sent:
            if isinstance(sent.command, PlaceOrder):
                yield place, sent, sent.command

    def broken_between(self, first: int, last: int, account: AccountId) -> bool:
        """Say whether the engine or an account's link was gone at any time between two places."""
        if any(first <= place <= last for place, _ in [*self.deaths, *self.births]):
            return True
        if (known := self.plan_at(first).accounts.get(account)) is None:
            return True
        dark = repr(Drop(login=known.connection, silently=True))
        return any(first <= at <= last and trouble.what == dark for at, trouble in self.troubles) or any(
            type(told.event).__name__ in ("LinkLost", "SnapshotTaken") and told.connection == known.connection
            for place, told in self.told
            if first <= place <= last
        )


NOBODY = ClientOrderId("")


def answer_to(follower: FollowerPlan, symbol: Symbol) -> Symbol:
    """Return the contract in which a follower answers one of its leader's."""
    return MES if symbol == ES and follower.for_product("ES").product == "MES" else symbol


def same_market(one: Symbol, other: Symbol) -> bool:
    """Say whether two contracts are sizes of the same thing."""
    return one == other or {one, other} == {ES, MES}


def lesser(copied: int, actual: int) -> int:
    """Return the smaller of two positions on one side, 0 when they are on different ones."""
    return min(copied, actual, key=abs) if copied * actual > 0 else 0


def _pair(plan: OwnerPlan, group: GroupPlan, follower: FollowerPlan) -> bool:
    return any(
        found.group == group.group and found.active and _in(found.followers, follower)
        for found in plan.groups
    )


def _in(followers: Iterable[FollowerPlan], follower: FollowerPlan) -> bool:
    return any(found == follower for found in followers)
