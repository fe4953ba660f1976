"""An account's guardrails for programs: where it stands, its rules, and a lock."""

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import KeyRequest
from accounts.api.fields import Dollars, Moment, NoQuery, Strict, checked, enveloped
from accounts.api.idempotency import PARAMETER, once
from brokers.selectors import account_for
from risk.core.written import read, written
from risk.selectors import rules_in_force, rules_wished
from risk.services.gates import ensure_account_risk
from syncgroups.selectors.guardrails import GaugeRow, risk_row
from syncgroups.services import guardrails
from tradehaven.domain.enums import Environment

if TYPE_CHECKING:
    from brokers.models import Account

LARGEST_REASON = 200


class RulesRequest(Strict):
    """Rules to be set, whole: what is left out asks for nothing."""

    rules = serializers.DictField(help_text="As `GET` shows them; amounts in USD, clock times Chicago's.")


class LockRequest(Strict):
    """Until when an account takes no entries."""

    until = serializers.DateTimeField(help_text="In the future. No lock is ever shortened.")
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=LARGEST_REASON)


class GaugeBody(serializers.Serializer[GaugeRow]):
    """One limit: what is used, what is left of it in USD."""

    limit = serializers.CharField(source="gauge.limit")
    used = serializers.FloatField(source="gauge.used", help_text="From 0 to 1.")
    left = Dollars(source="gauge.left")
    band = serializers.ChoiceField(choices=["safe", "warning", "danger", "locked"], source="gauge.band")


class RulesBody(serializers.Serializer[Any]):
    """An account by its rules: those in force, those asked for last, and how near each limit is."""

    accountId = serializers.IntegerField()
    version = serializers.IntegerField()
    rules = serializers.DictField()
    wished = serializers.DictField(help_text="The same, unless a loosening waits.")
    wishedFrom = Moment(allow_null=True)
    gauges = GaugeBody(many=True)
    lockedUntil = Moment(allow_null=True, help_text="Null too for a lock that only a person opens.")
    locked = serializers.BooleanField()


class RulesAnswer(serializers.Serializer[Any]):
    """An account by its rules."""

    status = serializers.ChoiceField(choices=["ok"])
    data = RulesBody()  # type: ignore[assignment]  # named by the API, not by the serializer


class Rules(APIView):
    """An account's own rules."""

    @extend_schema(operation_id="getRules", responses=RulesAnswer)
    def get(self, request: KeyRequest, pk: int) -> Response:
        """Return the rules of an account and how near its limits it is."""
        account = _account(request, pk)
        checked(NoQuery(data=request.query_params))
        return _answer(request, account)

    @extend_schema(operation_id="setRules", request=RulesRequest, responses={200: RulesAnswer})
    def put(self, request: KeyRequest, pk: int) -> Response:
        """Set the rules of an account: what is stricter holds now, what is looser from the next limit day."""
        account = _account(request, pk)
        typed = checked(RulesRequest(data=request.data))
        book = ensure_account_risk(account, request.user.pk).book
        guardrails.change(book=book, wished=read(typed["rules"]), by=request.user)
        return _answer(request, account)


class Lock(APIView):
    """A lock by hand."""

    @extend_schema(
        operation_id="lockAccount", parameters=[PARAMETER], request=LockRequest, responses={200: RulesAnswer}
    )
    @once
    def post(self, request: KeyRequest, pk: int) -> Response:
        """Refuse entries of an account until a time; nobody opens it before."""
        account = _account(request, pk)
        typed = checked(LockRequest(data=request.data))
        guardrails.lock(account=account, by=request.user, until=typed["until"], reason=typed["reason"])
        return _answer(request, account)


def _account(request: KeyRequest, pk: int) -> "Account":
    account = account_for(request.user, pk)
    if request.auth.is_paper and account.connection.environment == Environment.LIVE:
        raise NotFound("There is no such account, or this key does not reach it.")
    return account


def _answer(request: KeyRequest, account: "Account") -> Response:
    book = ensure_account_risk(account, request.user.pk).book
    row = risk_row(request.user, account)
    return Response(
        enveloped(
            RulesBody(
                {
                    "accountId": account.pk,
                    "version": book.version,
                    "rules": written(rules_in_force(book, timezone.now())),
                    "wished": written(rules_wished(book)),
                    "wishedFrom": book.later_at,
                    "gauges": row.gauges,
                    "lockedUntil": row.lock.until if row.lock is not None else None,
                    "locked": row.lock is not None,
                }
            ).data
        )
    )
