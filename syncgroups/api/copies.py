"""Manual copies (COPY-11): order, wait a little for what becomes of it, and look again later."""

import time
from collections.abc import Mapping
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import KeyRequest
from accounts.api.errors import Conflict, Unusable
from accounts.api.fields import checked, enveloped
from accounts.api.idempotency import PARAMETER, name_of, once
from accounts.api.words import worded
from brokers.selectors import accounts_in_reach, serves
from syncgroups.api.bodies import CopyAnswer, CopyRequest
from syncgroups.selectors.manual import ManualResult, ManualStatus, manual_copy_for, results_of
from syncgroups.services.manual import Asked, copy_order
from tradehaven.domain.contracts import parse_contract
from tradehaven.domain.enums import OrderType, Side, TimeInForce
from tradehaven.domain.errors import InvalidInput, OffTick
from tradehaven.domain.ids import OwnerId
from tradehaven.domain.instruments import Product

if TYPE_CHECKING:
    from brokers.models import Account
    from syncgroups.models import ManualCopy

DEADLINE = 4.0
"""Seconds after which a copy is answered as it stands: engines look each second, brokers answer in a few."""
PAUSES = (0.05, 0.1, 0.2)
LONGEST_PAUSE = 0.25
"""Seconds between looks at the rows: few looks when it goes fast, and few when it does not."""
OURS = {
    "symbol": "instrument",
    "qty": "quantity",
    "order_type": "orderType",
    "limit": "limitPrice",
    "stop": "stopPrice",
    "tif": "timeInForce",
    "stop_loss": "stopLoss.offset",
    "take_profit": "takeProfit.offset",
    "leader": "leaderAccountId",
    "followers": "followerAccountIds",
}
"""Names of the service's fields as callers know them."""
ORDERED = {worded(word): word for word in (*Side, *OrderType, *TimeInForce)}
"""What callers order, in our words."""
SENT = frozenset({ManualStatus.WORKING, ManualStatus.FILLED, ManualStatus.CANCELLED})
SAID = {
    ManualStatus.WAITING: "The engine has not taken it yet; it does so within a minute or never.",
    ManualStatus.SUBMITTED: "Sent; the broker has not answered yet.",
    ManualStatus.UNRESOLVED: "Sent, and not sent again; the broker is being asked what became of it.",
}


class Copies(APIView):
    """Orders for chosen followers."""

    @extend_schema(
        operation_id="copyTrade", parameters=[PARAMETER], request=CopyRequest, responses={200: CopyAnswer}
    )
    @once
    def post(self, request: KeyRequest) -> Response:
        """Order for followers what their leader did not place, and say what became of it for each.

        A follower that is still open after a few seconds is `waiting` or `unresolved`: ask again by `copyId`.
        """
        typed = checked(CopyRequest(data=request.data))
        leader, followers = _accounts(request, typed)
        if not serves(OwnerId(request.user.pk), timezone.now()):
            text = "The engine is not there, so nothing was ordered. Try again in a few seconds."
            raise Unusable(text, "engine_offline", retry_after=5)
        try:
            copy = copy_order(
                owner=request.user,
                leader=leader,
                followers=followers,
                order=_order(typed),
                key=name_of(request),
            )
        except InvalidInput as error:
            raise _in_their_words(error) from None
        return Response(_answer(copy, _settled(copy)))


class Copy(APIView):
    """One manual copy."""

    @extend_schema(operation_id="getCopy", responses=CopyAnswer)
    def get(self, request: KeyRequest, copy_id: str) -> Response:
        """Return what became of a manual copy."""
        copy = manual_copy_for(request.user, copy_id)
        results = results_of(copy, timezone.now())
        within = accounts_in_reach(request.user, real_money=not request.auth.is_paper)
        if within.filter(pk__in={result.account.pk for result in results}).count() < len(results):
            raise NotFound("There is no such copy, or this key does not reach all of its accounts.")
        return Response(_answer(copy, results))


def _accounts(request: KeyRequest, typed: Mapping[str, Any]) -> "tuple[Account, list[Account]]":
    leader: int = typed["leaderAccountId"]
    followers: list[int] = typed["followerAccountIds"]
    within = accounts_in_reach(request.user, real_money=not request.auth.is_paper)
    found = {account.pk: account for account in within.filter(pk__in={leader, *followers})}
    strange = sorted({leader, *followers} - found.keys())
    if strange:
        numbers = ", ".join(str(number) for number in strange)
        field = "leaderAccountId" if leader in strange else "followerAccountIds"
        raise NotFound({field: [f"No such account, or this key does not reach it: {numbers}."]})
    return found[leader], [found[number] for number in followers]


def _order(typed: Mapping[str, Any]) -> Asked:
    product = parse_contract(typed["instrument"], timezone.now().date()).product
    return Asked(
        symbol=typed["instrument"],
        side=Side(ORDERED[typed["side"]]),
        qty=typed["quantity"],
        order_type=OrderType(ORDERED[typed["orderType"]]),
        limit=_ticks(product, typed, "limitPrice"),
        stop=_ticks(product, typed, "stopPrice"),
        tif=TimeInForce(ORDERED[typed["timeInForce"]]),
        stop_loss=typed.get("stopLoss", {}).get("offset"),
        take_profit=typed.get("takeProfit", {}).get("offset"),
    )


def _ticks(product: Product, typed: Mapping[str, Any], name: str) -> int | None:
    if name not in typed:
        return None
    try:
        return product.to_ticks(typed[name])
    except OffTick as error:
        raise InvalidInput(name, f"{error.message}.") from None


def _in_their_words(error: InvalidInput) -> Exception:
    if error.field == "key":
        return Conflict(error.message, "idempotency_key_reused")
    return ValidationError({OURS.get(error.field, error.field): [error.message]})


def _settled(copy: "ManualCopy") -> list[ManualResult]:
    """Return the results once the last is known, or as they are at the deadline.

    The engine is another process: it writes what it decided and what the broker said within milliseconds.
    """
    until = time.monotonic() + DEADLINE
    for pause in chain(PAUSES, repeat(LONGEST_PAUSE)):
        results = results_of(copy, timezone.now())
        if time.monotonic() >= until or not any(_is_open(result) for result in results):
            break
        time.sleep(pause)
    return results


def _is_open(result: ManualResult) -> bool:
    return result.status in SAID and not (
        result.status is ManualStatus.SUBMITTED and result.order_id is not None
    )


def _answer(copy: "ManualCopy", results: list[ManualResult]) -> dict[str, Any]:
    return enveloped({"copyId": copy.public_id, "results": [_result(result) for result in results]})


def _result(result: ManualResult) -> dict[str, Any]:
    known = {
        "followerAccountId": result.account.pk,
        "orderId": f"ord_{result.order_id}" if result.order_id is not None else None,
        "status": _status(result),
        "quantity": result.qty,
    }
    reason = SAID.get(result.status, "") if _is_open(result) else result.reason
    return known if known["status"] == "submitted" else known | {"reason": reason}


def _status(result: ManualResult) -> str:
    """Return what the caller must know: taken by the broker, left out, refused, or not known yet."""
    if result.order_id is not None and result.status in {*SENT, ManualStatus.SUBMITTED}:
        return "submitted"
    if result.status is ManualStatus.SUBMITTED:
        return ManualStatus.UNRESOLVED
    return result.status
