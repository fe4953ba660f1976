"""The kill switch and acts on many accounts at once (RISK-04, COPY-13)."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.access import require_fresh_factor
from accounts.api.authentication import KeyRequest
from accounts.api.fields import Moment, NoQuery, Strict, checked, enveloped, listed
from accounts.api.idempotency import PARAMETER, once
from accounts.api.permissions import Disarming
from risk.services.gates import ensure_owner_gate
from syncgroups.selectors.gates import GateNow, gates_now
from syncgroups.selectors.spans import Reach, reach_of
from syncgroups.services import batch, gates
from tradehaven.control.messages import Heard
from tradehaven.domain.enums import BatchAct, Span
from tradehaven.domain.errors import InvalidInput
from tradehaven.domain.orders import MAX_ORDER_QTY

LARGEST_REASON = 200
ACTS = [BatchAct.FLATTEN, BatchAct.CLOSE, BatchAct.PAUSE, BatchAct.RESUME, BatchAct.LIMIT]


class SpanRequest(Strict):
    """What an act is about."""

    scope = serializers.ChoiceField(choices=[str(span) for span in Span])
    id = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=64,
        trim_whitespace=False,
        help_text="An account's number, a group's id, a tag or a folder; nothing for everything.",
    )


class KillRequest(SpanRequest):
    """What to stop."""

    flatten = serializers.BooleanField(
        default=False, help_text="Also cancel every order and close every position, until flat."
    )
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=LARGEST_REASON)


class DisarmRequest(SpanRequest):
    """What to let orders through again."""

    confirm = serializers.ChoiceField(choices=[gates.INTENT], help_text="Says that this is no slip.")


class BatchRequest(SpanRequest):
    """What to do to all accounts of a scope."""

    act = serializers.ChoiceField(
        choices=[str(act) for act in ACTS],
        help_text="`flatten` stops copying as well, `close` goes on copying; `pause` lets exits pass.",
    )
    maxPosition = serializers.IntegerField(
        required=False,
        default=None,
        allow_null=True,
        min_value=1,
        max_value=MAX_ORDER_QTY,
        help_text="For `limit`: contracts of one instrument, null for no limit.",
    )


class GateBody(serializers.Serializer[GateNow]):
    """A kill switch as it stands."""

    scope = serializers.CharField(source="span")
    id = serializers.CharField(source="subject")
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=["active", "reducing", "halted"], source="gate.state")
    flatten = serializers.BooleanField(source="gate.flatten")
    reason = serializers.CharField(source="gate.reason")
    changedAt = Moment(source="gate.changed_at")
    lockedUntil = Moment(source="gate.locked_until", allow_null=True)


class GatesBody(serializers.Serializer[Any]):
    """All kill switches."""

    gates = GateBody(many=True)


class GatesAnswer(serializers.Serializer[Any]):
    """All kill switches that the key reaches."""

    status = serializers.ChoiceField(choices=["ok"])
    data = GatesBody()  # type: ignore[assignment]  # named by the API, not by the serializer


class FlyingBody(serializers.Serializer[Any]):
    """An order that had left before the press and may still trade."""

    accountId = serializers.IntegerField(source="account")
    clientOrderId = serializers.CharField(source="client_order_id")


class EngineBody(serializers.Serializer[Heard]):
    """One engine's own word. From an answer of `obeyed` on nothing opens."""

    engine = serializers.CharField()
    state = serializers.ChoiceField(choices=["obeyed", "kept", "silent"])
    inFlight = FlyingBody(many=True, source="in_flight")
    flattening = serializers.ListField(child=serializers.IntegerField())


class DoneBody(serializers.Serializer[Any]):
    """What was done."""

    message = serializers.CharField()
    changed = serializers.BooleanField(help_text="False where it was so before.")
    engines = EngineBody(many=True)


class DoneAnswer(serializers.Serializer[Any]):
    """What was done."""

    status = serializers.ChoiceField(choices=["ok"])
    data = DoneBody()  # type: ignore[assignment]  # named by the API, not by the serializer


class Kill(APIView):
    """The kill switch."""

    def get_throttles(self) -> list[BaseThrottle]:
        """Return the limits of a read; no limit keeps anybody from stopping."""
        return [] if self.request.method == "POST" else super().get_throttles()

    @extend_schema(operation_id="getKillSwitches", responses=GatesAnswer)
    def get(self, request: KeyRequest) -> Response:
        """Return every kill switch; to a paper key those with live money behind do not exist."""
        checked(NoQuery(data=request.query_params))
        found = gates_now(request.user, real_money=not request.auth.is_paper)
        return Response(enveloped({"gates": listed(GateBody, found)}))

    @extend_schema(
        operation_id="kill", parameters=[PARAMETER], request=KillRequest, responses={200: DoneAnswer}
    )
    @once
    def post(self, request: KeyRequest) -> Response:
        """Stop copying at once, and flatten if asked; it stays stopped until it is disarmed.

        What is copied waits for no one: every engine is told first, then it is written down.
        """
        typed = checked(KillRequest(data=request.data))
        ensure_owner_gate(request.user.pk)
        act = BatchAct.FLATTEN if typed["flatten"] else BatchAct.STOP
        return _done(batch.carry_out(act, _reach(request, typed), by=request.user, reason=typed["reason"]))


class Disarm(APIView):
    """Opening what a kill switch has shut."""

    permission_classes = [Disarming]

    @extend_schema(
        operation_id="disarm", parameters=[PARAMETER], request=DisarmRequest, responses={200: DoneAnswer}
    )
    @once
    def post(self, request: KeyRequest) -> Response:
        """Let orders through again. Needs a key made for that; a lockout lasts until its time."""
        typed = checked(DisarmRequest(data=request.data))
        reach = _reach(request, typed)
        if reach.holds_live:
            require_fresh_factor(request)
        return _done(batch.disarm(reach, by=request.user, intent=typed["confirm"]))


class Batch(APIView):
    """One act for many accounts."""

    @extend_schema(
        operation_id="batch", parameters=[PARAMETER], request=BatchRequest, responses={200: DoneAnswer}
    )
    @once
    def post(self, request: KeyRequest) -> Response:
        """Do one thing to all accounts of a scope, or to none."""
        typed = checked(BatchRequest(data=request.data))
        act = BatchAct(typed["act"])
        if typed["maxPosition"] is not None and act is not BatchAct.LIMIT:
            raise InvalidInput("maxPosition", "This goes with `limit`.")
        reach = _reach(request, typed)
        if act is BatchAct.RESUME and reach.holds_live:
            require_fresh_factor(request)
        return _done(batch.carry_out(act, reach, by=request.user, qty=typed["maxPosition"]))


def _reach(request: KeyRequest, typed: dict[str, Any]) -> Reach:
    reach = reach_of(request.user, Span(typed["scope"]), typed["id"])
    if request.auth.is_paper and reach.holds_live:
        raise NotFound("There is no such thing, or this key does not reach all of its accounts.")
    return reach


def _done(did: batch.Done) -> Response:
    said = {"message": did.text, "changed": did.changed > 0, "engines": listed(EngineBody, did.heard)}
    return Response(enveloped(said))
