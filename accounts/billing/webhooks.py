"""Where a payment provider's messages arrive. The signature is what lets one in."""

import logging

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.billing import services
from accounts.billing.provider import BadWebhook

log = logging.getLogger(__name__)

LARGEST = 256 * 1024
"""Bytes; a subscription's message is a few thousand."""


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Take a message in: 200 also for one that is known already, 400 for one that is not the provider's."""
    if len(request.body) > LARGEST:
        return HttpResponse(status=413)
    try:
        services.take_message(request.body, request.headers.get("Stripe-Signature", ""), timezone.now())
    except BadWebhook as error:
        log.warning("a billing message was refused: %s", error)
        return HttpResponse(str(error), status=400, content_type="text/plain")
    return HttpResponse(status=200)
