"""`Idempotency-Key` on requests that trade: the same key and request is carried out once."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.api.authentication import KeyRequest
from accounts.api.errors import Conflict
from accounts.api.render import rendered
from accounts.services.answers import KEPT, Answer, InFlight, NameUsed, claim, give_up, settle

HEADER = "Idempotency-Key"
LONGEST = 64
PARAMETER = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=f"Your own name for this request, up to {LONGEST} letters, digits and -_.: in length. For "
    f"{KEPT.total_seconds() / 3600:.0f} hours the same one with the same body gets the same answer, and is "
    "not carried out again.",
)
View = Callable[..., Response]


def once(view: View) -> Callable[..., HttpResponse]:
    """Carry a trading view's method out once for each key that its callers send."""

    @wraps(view)
    def method(self: Any, request: KeyRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        name = name_of(request)
        if not name:
            return view(self, request, *args, **kwargs)
        try:
            claimed = claim(owner=request.user, name=name, request_hash=_hash(request), now=timezone.now())
        except InFlight as error:
            raise Conflict(str(error), "in_progress", retry_after=1) from None
        except NameUsed as error:
            raise Conflict(error.message, "idempotency_key_reused") from None
        if isinstance(claimed, Answer):
            repeated = {"Idempotent-Replayed": "true"}
            return HttpResponse(claimed.body, "application/json", claimed.status, headers=repeated)
        kept = False
        try:
            response = view(self, request, *args, **kwargs)
            settle(row=claimed, answer=Answer(status=response.status_code, body=rendered(response.data)))
            kept = True
            return response
        finally:
            if not kept:
                give_up(row=claimed)

    return method


def name_of(request: KeyRequest) -> str:
    """Return the name that a program gave its request, or nothing; raise for one that cannot be kept."""
    name = request.headers.get(HEADER, "")
    if len(name) > LONGEST or any(not (c.isascii() and (c.isalnum() or c in "-_.:")) for c in name):
        raise ValidationError({HEADER: [f"Use up to {LONGEST} letters, digits and -_.: here."]})
    return name


def _hash(request: KeyRequest) -> str:
    body = msgspec.json.encode(request.data, order="deterministic")
    said = b"\n".join((str(request.method).encode(), request.path.encode(), body))
    return hashlib.sha256(said).hexdigest()
