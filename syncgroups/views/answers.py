"""How a page answers a change: htmx gets a toast and no content, a plain browser a redirect."""

import json

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from accounts.http import UserRequest


def done(request: UserRequest, text: str, to: str, *args: object, warn: bool = False) -> HttpResponse:
    """Say what was done and go to the page where it shows."""
    if request.htmx:
        said = {"toast": {"text": text, "level": "warning" if warn else "success"}, "changed": {}}
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(said)})
    (messages.warning if warn else messages.success)(request, text)
    return redirect(to, *args)
