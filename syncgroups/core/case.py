"""One leader's order before one group: its answer grows here, follower by follower, each in its own terms."""

from dataclasses import dataclass, field, replace
from math import ceil

from syncgroups.core.book import Book
from syncgroups.core.copies import Copy
from syncgroups.core.decision import NOTHING, Action, CopyRefused, CopyStep, Decision, Weighed
from syncgroups.core.guarded import Refusal
from syncgroups.core.keys import client_order_id, entry_id, fill_key, is_repair, rest_id
from syncgroups.core.plan import FollowerPlan, GroupPlan, OwnerPlan
from syncgroups.core.share import group_refusal, ratio_of
from syncgroups.core.sizing import Sized
from syncgroups.core.symbols import terms_of, translated
from syncgroups.core.waiting import LeaderOrder, Waiting
from tradehaven.domain.commands import Lane, PlaceOrder
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import OrderType, RefusalReason
from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.ids import ClientOrderId
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

NO_MIRROR = Refusal(
    reason=RefusalReason.ORDER_TYPE_UNSUPPORTED,
    detail="an order of this type cannot be reversed; in Confirmed mode its fills are",
)


@dataclass(frozen=True, slots=True)
class Case:
    """One leader's order before one group, and the answer for its followers as it grows.

    Followers of one size share one spec: `specs` keeps them by quantity. `others` are copies that the same
    event has changed already and the book does not know of.
    """

    plan: OwnerPlan
    book: Book
    group: GroupPlan
    order: LeaderOrder
    barred: Refusal | None
    steps: list[CopyStep] = field(default_factory=list)
    refusals: list[CopyRefused] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    specs: dict[int, OrderSpec] = field(default_factory=dict)
    others: dict[ClientOrderId, Copy] = field(default_factory=dict)

    def key_of(self, follower: FollowerPlan) -> ClientOrderId:
        """Return the id of the one order that a follower may place for this one."""
        order = self.order
        key = client_order_id(self.group.group, order.account, order.order_id, follower.account)
        return key if order.fill is None else fill_key(key, order.fill)

    def copy_of(self, follower: FollowerPlan) -> Copy | None:
        """Return what answers this order for a follower: its copy, or what rests for one that failed."""
        copy = self.book.copies.get(self.key_of(follower))
        if copy is None or copy.is_open:
            return copy
        answers = self.book.copies_of_order(self.order.account, self.order.order_id)
        named = (one for one in answers if is_repair(one.key) or one.key == rest_id(copy.key, 1))
        mine = (one for one in named if one.is_open and one.holding == copy.holding)
        return next((one for one in mine if one.sent.order_type is not OrderType.MARKET), copy)

    def spec_of(self, qty: int) -> OrderSpec:
        """Return the leader's spec with another quantity."""
        spec = self.specs.get(qty)
        if spec is None:
            spec = self.specs[qty] = replace(self.order.spec, qty=qty)
        return spec

    def refuse(
        self,
        key: ClientOrderId,
        follower: FollowerPlan,
        action: Action,
        refusal: Refusal,
        weighed: Weighed | None = None,
    ) -> None:
        """Leave a follower out, with its reason."""
        order = self.order
        self.refusals.append(
            CopyRefused(
                key=key,
                group=self.group.group,
                leader=order.account,
                leader_order=order.order_id,
                follower=follower.account,
                symbol=order.symbol,
                action=action,
                reason=refusal.reason,
                detail=refusal.detail,
                weighed=weighed,
            )
        )

    def send(self, key: ClientOrderId, follower: FollowerPlan, sized: Sized, weighed: Weighed | None) -> None:
        """Place a follower's order of this size; an entry within a limit goes beside what it closes."""
        slack, price = self.group.entry_slack, self.order.price
        if slack is None or price is None or not sized.enter:
            self.send_as(key, follower, sized, self.spec_of(sized.qty), weighed)
            return
        if sized.reduce:
            closing = Sized(reduce=sized.reduce, enter=0)
            self.send_as(key, follower, closing, self.spec_of(closing.qty), weighed)
            key = entry_id(key)
        limit = Ticks(price + slack * self.order.side.sign)
        spec = OrderSpec(order_type=OrderType.LIMIT, qty=sized.enter, limit=limit)
        self.send_as(key, follower, sized, spec, weighed)

    def send_as(
        self,
        key: ClientOrderId,
        follower: FollowerPlan,
        sized: Sized,
        spec: OrderSpec,
        weighed: Weighed | None,
    ) -> None:
        """Place a follower's order with a spec of its own."""
        order, account = self.order, follower.account
        copy = Copy(
            key=key,
            group=self.group.group,
            leader=order.account,
            leader_order=order.order_id,
            follower=account,
            symbol=order.symbol,
            side=order.side,
            target=spec,
            sent=spec,
            enters=sized.enter,
            leads=order.leads,
            reverse=order.reverse,
            fill=order.fill,
            in_flight=key,
            share_of=self.share_of(follower, spec.qty, sized.enter),
        )
        command = PlaceOrder(
            account=account,
            client_order_id=key,
            symbol=order.symbol,
            side=order.side,
            spec=spec,
            lane=Lane.ENTRY if sized.enter else Lane.PROTECTIVE,
        )
        self.steps.append(CopyStep(copy=copy, command=command, weighed=weighed))

    def share_of(self, follower: FollowerPlan, qty: int, enters: int) -> int:
        """Return how many of its leader's contracts an order of a follower is the share of.

        What closes all that is held may be larger than its share, and so may a flip: by the ratio of now they
        stand for more contracts than the leader's order is for. At the market nobody asks.
        """
        size = self.order.spec.qty
        if qty == enters or self.order.spec.order_type is OrderType.MARKET:
            return size
        ratio = ratio_of(self.book, self.group, follower, self.order)
        return max(size, ceil(qty / ratio)) if ratio else size

    def decision(self) -> Decision:
        """Return the answer."""
        if not self.steps and not self.refusals and not self.waiting:
            return NOTHING
        return Decision(steps=tuple(self.steps), refusals=tuple(self.refusals), waiting=tuple(self.waiting))


def case_of(plan: OwnerPlan, book: Book, group: GroupPlan, order: LeaderOrder) -> Case:
    """Return a case that nothing has been answered in yet."""
    return Case(plan, book, group, order, group_refusal(group, order))


def seen_by(
    case: Case, follower: FollowerPlan, key: ClientOrderId | None = None
) -> tuple[Case, FollowerPlan] | None:
    """Return a case in one follower's terms, with what it has set for the product.

    None where its terms know no such order, which is then refused; where the leader's order stands as it
    is, that is the case itself. `key` is its order's id, where that is known already.
    """
    mine, key = follower, key or case.key_of(follower)
    copy = case.book.copies.get(key)
    if follower.is_plain and copy is None and _stands_as_is(case, follower):
        return case, follower
    try:
        if follower.products:
            mine = follower.for_product(product_of(case.order.leads).symbol)
        terms, refusal = terms_of(case.book, case.group.group, mine, case.order, copy)
        if refusal is None and terms.symbol == case.order.leads and not terms.reverse:
            return case, mine
        order = translated(case.order, terms)
    except UnknownInstrument as error:
        _untold(case, mine, key, Refusal(reason=RefusalReason.UNKNOWN_INSTRUMENT, detail=str(error)))
        return None
    if order is None:
        _untold(case, mine, key, NO_MIRROR)
        return None
    return replace(case, order=order, barred=refusal or case.barred, specs={}), mine


def _stands_as_is(case: Case, follower: FollowerPlan) -> bool:
    """Say whether nothing that a follower holds for the leader's contract stands on other terms."""
    leads = case.order.leads
    held = case.book.held_for(case.group.group, follower.account, leads)
    return held is None or held == (leads, False)


def _untold(case: Case, follower: FollowerPlan, key: ClientOrderId, refusal: Refusal) -> None:
    if not case.book.is_decided(key):
        case.refuse(key, follower, Action.PLACE, refusal)
